"""Another face: what there is, where faces are, jobs; and ``POST /swap``, one picture in one request."""

from __future__ import annotations

import base64
import binascii
import io
import logging
import time
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from flask import request
from flask_openapi3 import APIBlueprint, Tag
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import Field

from backend import face_swapper, inspection
from backend.forms import Form, SwapForm, read
from backend.services import wait_for
from visage.errors import InvalidRequest, NotInstalled, VisageError
from visage.storage.uploads import Upload
from visage.swap import DRIVERS, RESTORERS, open_restorer, open_swapper
from visage.swap.faults import FAULTS, kinds_of
from visage.swap.options import ORDERS, WHO
from web import jobs
from web.status import TooMany
from web.visitor import owner, services
from web.words import translate

bp = APIBlueprint("faceswap", __name__, abp_tags=[Tag(name="faceswap")])
log = logging.getLogger("visage.swap")
_LIMITS = MovingWindowRateLimiter(MemoryStorage())


class PictureForm(Form):
    """One picture, one face, one answer: pictures are base64, or files of a multipart form."""

    source: str = Field("", description="photo of the face that is put in")
    target: str = Field("", description="picture that it is put into")
    consent: str = Field("", description="id of the consent that covers the photo")
    engine: str = ""
    restorer: str = ""


@bp.get("/api/faceswap")
def about() -> dict[str, Any]:
    """The engines, what they compute on or what they lack, the choices, and the table of errors."""
    return {"engines": [_engine(name, open_swapper) for name in DRIVERS],
            "restorers": [_engine(name, open_restorer) for name in RESTORERS], "who": list(WHO), "orders": list(ORDERS),
            "faults": [{**asdict(fault), "kind": fault.kind.__name__, "kinds": kinds_of(fault)} for fault in FAULTS]}


@bp.post("/api/faceswap/detect")
def detect(body: SwapForm) -> dict[str, Any]:
    """The faces of the target (of frame ``frame``), in the wanted order."""
    return {"faces": face_swapper.faces_in(services(), body, owner())}


@bp.post("/api/jobs/swap")
def swap(body: SwapForm) -> tuple[dict[str, Any], int]:
    """Put another face on a picture or a video."""
    _within(services().settings.swap_rate)
    return jobs.shown(face_swapper.submit(services(), body, owner())), 202


@bp.post("/swap")
def swap_picture() -> dict[str, Any]:
    """Put a face on a picture and answer with it; what was sent is deleted when the answer has gone out."""
    _within(services().settings.swap_rate)
    started, shape, kept = time.monotonic(), "unknown", []
    try:
        form = _asked()
        for name in ("source", "target"):
            kept.append(_received(form, name))
        shape = f"{kept[1].probe.get('height', '?')}x{kept[1].probe.get('width', '?')}"
        wanted = read(SwapForm, {"target": {"upload": kept[1].id}, "photos": (kept[0].id,), "who": "one",
                                 "consent": form.consent, "engine": form.engine, "restorer": form.restorer})
        job = face_swapper.submit(services(), wanted, owner())
        told = wait_for(services(), job)
        file = services().paths.find_media(str(told["url"]))
        picture = base64.b64encode(file.read_bytes()).decode()
    except VisageError as exc:
        log.error("Error | %s | InputSize: %s", exc.message, shape)
        raise
    finally:
        for upload in kept:
            services().uploads.delete(upload.id)
    log.info("Success | Time: %.3fs | Model: %s", time.monotonic() - started, told["provider"])
    return {"image": picture, "url": told["url"], "provider": told["provider"], "seconds": told["seconds"],
            "notes": told["notes"], "job": job.id}


def _engine(name: str, opener: Any) -> dict[str, Any]:
    try:
        with opener(name, services().settings) as one:
            return {"name": name, "title": one.title, "provider": one.provider, "ready": True, "lacks": None}
    except NotInstalled as exc:
        return {"name": name, "title": name, "provider": "", "ready": False, "lacks": translate(exc.as_dict())}


def _asked() -> PictureForm:
    if request.is_json:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise InvalidRequest("The request could not be read.", code="http.bad_request",
                                 hint="Send a JSON object or a multipart form.")
        return read(PictureForm, body)
    return read(PictureForm, request.form.to_dict())


def _received(form: PictureForm, name: str) -> Upload:
    """A picture of the request as an upload, checked by its content."""
    sent = request.files.get(name)
    if sent is not None:
        stream, called = sent.stream, sent.filename or name
    else:
        text = getattr(form, name).partition("base64,")[2] or getattr(form, name)
        try:
            stream, called = io.BytesIO(base64.b64decode(text, validate=True)), name
        except (binascii.Error, ValueError) as exc:
            raise InvalidRequest("{field} is no picture in base64.", code="swap.base64", field=name,
                                 hint="Send the file's bytes in base64, or a multipart form.") from exc
    uploads = services().uploads
    upload = uploads.receive(stream, "image", called, owner())
    try:
        return uploads.keep(replace(upload, probe=inspection.look(uploads.file(upload), "image")))
    except VisageError:
        uploads.delete(upload.id)
        raise


@lru_cache(maxsize=8)
def _rate(text: str) -> RateLimitItem:
    return parse(text)


def _within(rate: str) -> None:
    """Raises `TooMany` beyond the rate that one browser may ask in."""
    who = owner() or request.remote_addr or ""
    if rate and not _LIMITS.hit(_rate(rate), who):
        raise TooMany("More than {rate} swaps were asked for.", rate=rate, hint="Wait a little, then ask again.")
