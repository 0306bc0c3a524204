"""Consents: who lets whose face or voice be used; the log of it; and whether a file is labelled."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Response, request, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from backend import consents as verbs
from backend.forms import ConsentForm
from visage.errors import InvalidRequest
from visage.storage.paths import safe_name
from visage.storage.uploads import TooLarge
from visage.trust.consents import USES, Consent
from visage.trust.proofs import LARGEST
from visage.trust.sentences import SENTENCES
from visage.trust.verifying import examine
from web.visitor import owner, services

bp = APIBlueprint("consents", __name__, abp_tags=[Tag(name="consents")])


class ConsentPath(BaseModel):
    """Part of the address."""

    consent_id: str


class PhotosQuery(BaseModel):
    """Which photos are asked about."""

    photos: str = Field("", max_length=1000, description="ids of uploads of kind image, with commas between")


class AuditQuery(BaseModel):
    """Which part of the log."""

    after: int = Field(0, ge=0)
    limit: int = Field(200, ge=1, le=1000)


class FileQuery(BaseModel):
    """What is being sent."""

    name: str = Field("", max_length=255)


@bp.get("/api/consents")
def consents(query: PhotosQuery) -> dict[str, Any]:
    """The consents that this browser recorded, which of them cover some photos, and the sentences to agree to."""
    verbs.adopt_voices(services())
    sums = verbs.checksums(services(), [name for name in query.photos.split(",") if name])
    return {"consents": [{**_shown(one), "covers": bool(sums) and sums <= set(one.photos)}
                         for one in services().consents.list(owner())], "sentences": SENTENCES,
            "uses": list(USES), "proof_needed": services().settings.consent_proof, "proof_limit": LARGEST}


@bp.post("/api/consents")
def give(body: ConsentForm) -> tuple[dict[str, Any], int]:
    """Record a consent."""
    return _shown(verbs.record(services(), body, owner())), 201


@bp.get("/api/consents/<consent_id>")
def one(path: ConsentPath) -> dict[str, Any]:
    """One consent of this browser."""
    return _shown(services().consents.get(path.consent_id, owner()))


@bp.post("/api/consents/<consent_id>/revoke")
def revoke(path: ConsentPath) -> dict[str, Any]:
    """Withdraw it: nothing more is made under it."""
    return _shown(verbs.revoke(services(), path.consent_id, owner()))


@bp.delete("/api/consents/<consent_id>")
def erase(path: ConsentPath) -> dict[str, Any]:
    """Delete it with everything that was made under it, and say what that was."""
    return {"erased": [asdict(one) for one in verbs.erase(services(), path.consent_id, owner())]}


@bp.post("/api/consents/<consent_id>/proof")
def prove(path: ConsentPath) -> dict[str, Any]:
    """Keep the request's body as the file that proves it."""
    if (request.content_length or 0) > LARGEST:
        raise InvalidRequest("A proof may have {limit} MB.", code="consent.proof_large", limit=LARGEST >> 20,
                             hint="Send a smaller file.")
    return _shown(verbs.prove(services(), path.consent_id, request.stream, owner()))


@bp.get("/api/consents/<consent_id>/proof")
def proof(path: ConsentPath) -> Response:
    """The file that proves it, for the browser that sent it."""
    file = verbs.proof_file(services(), path.consent_id, owner())
    return send_file(file, mimetype="application/octet-stream", as_attachment=True, download_name=file.name, max_age=0)


@bp.get("/api/audit")
def audit(query: AuditQuery) -> dict[str, Any]:
    """What this browser agreed to and made, as the log has it; the whole log is the operator's."""
    found = services().audit.entries(owner=owner(), after=query.after, limit=query.limit)
    return {"entries": [{name: value for name, value in entry.as_dict().items() if name != "owner"}
                        for entry in found], "kept_days": services().settings.audit_days}


@bp.post("/api/verify")
def verify(query: FileQuery) -> dict[str, Any]:
    """Whether the request's body is a file that says that a machine made it; the file is not kept."""
    limit = services().settings.upload_limit_mb << 20
    if (request.content_length or 0) > limit:
        raise TooLarge("The file is larger than {limit} MB.", limit=limit >> 20,
                       hint="Send a shorter or smaller one, or raise VISAGE_UPLOAD_LIMIT_MB.")
    with tempfile.TemporaryDirectory(dir=services().paths.var) as folder:
        file, size = Path(folder) / f"file{Path(safe_name(query.name)).suffix.lower()}", 0
        with file.open("wb") as out:
            while chunk := request.stream.read(1 << 20):
                size += len(chunk)
                out.write(chunk)
        if not size:
            raise InvalidRequest("The file is empty.", code="upload.empty",
                                 hint="Choose a file with something in it.")
        return examine(file, services().labeller.seals, query.name).as_dict()


def _shown(consent: Consent) -> dict[str, Any]:
    return verbs.shown(consent, services().consents.things(consent.id))
