"""File in → storage: size, type by content, safe name; then a check that says what was found in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from flask import Response, request, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from backend import inspection, video_generator
from visage.errors import BadMedia, NotFound, VisageError
from visage.storage.uploads import Upload
from web.events import Event, stream
from web.visitor import owner, services
from web.words import translate

bp = APIBlueprint("uploads", __name__, abp_tags=[Tag(name="uploads")])


class UploadQuery(BaseModel):
    """What is being sent."""

    kind: str = Field("video", pattern="^(video|audio|image|package)$")
    name: str = Field("", max_length=255)


class UploadPath(BaseModel):
    """Part of the address."""

    upload_id: str


@bp.post("/api/uploads")
def receive(query: UploadQuery) -> tuple[dict[str, Any], int]:
    """Store the request's body; refused and deleted when its content is not of its kind."""
    uploads = services().uploads
    upload = uploads.receive(request.stream, query.kind, query.name, owner(), request.content_length)
    try:
        if query.kind == "audio":
            video_generator.check_sound(services(), uploads.file(upload))
        upload = replace(upload, probe=inspection.look(uploads.file(upload), query.kind))
    except VisageError:
        uploads.delete(upload.id)
        raise
    return shown(uploads.keep(upload)), 201


@bp.get("/api/uploads/<upload_id>")
def one(path: UploadPath) -> dict[str, Any]:
    """One upload."""
    return shown(services().uploads.get(path.upload_id))


@bp.delete("/api/uploads/<upload_id>")
def forget(path: UploadPath) -> tuple[str, int]:
    """Delete it."""
    services().uploads.delete(services().uploads.get(path.upload_id).id)
    return "", 204


@bp.get("/api/uploads/<upload_id>/file")
def content(path: UploadPath) -> Response:
    """The stored file."""
    uploads = services().uploads
    return send_file(uploads.file(uploads.get(path.upload_id)), conditional=True)


@bp.get("/api/uploads/<upload_id>/face.jpg")
def face(path: UploadPath) -> Response:
    """The picture of the face that the check found."""
    file = services().uploads.folder(path.upload_id) / "face.jpg"
    if not file.is_file():
        raise NotFound("There is no picture of a face yet.", code="upload.no_face_picture", hint="Run the check first.")
    return send_file(file, mimetype="image/jpeg", max_age=0)


@bp.get("/api/uploads/<upload_id>/check")
def check(path: UploadPath) -> Response:
    """Look at every frame and say what was found, as it goes on."""
    upload = services().uploads.get(path.upload_id)
    if upload.kind not in ("video", "image"):
        raise BadMedia("Only videos and pictures are checked for faces.", code="upload.not_checkable",
                       hint="Upload a video or a photo.")
    return stream(_checked(upload))


def _checked(upload: Upload) -> Iterator[Event]:
    file = services().uploads.file(upload)
    try:
        for step in inspection.inspect(file, upload.kind, file.parent / "face.jpg"):
            if isinstance(step, inspection.Inspection):
                problems = [translate(asdict(problem)) for problem in step.problems]
                yield Event("done", {"ok": step.ok, "facts": dict(step.facts), "problems": problems,
                                     "picture": f"/api/uploads/{upload.id}/face.jpg" if step.picture else None})
            else:
                yield Event("progress", {"fraction": round(step.fraction, 3), "stage": step.stage})
    except VisageError as error:
        told = translate(error.as_dict())
        yield Event("error", {"status": "error", "error": told["message"], **told})


def shown(upload: Upload) -> dict[str, Any]:
    """An upload as docs/http-api.md has it."""
    return {"id": upload.id, "kind": upload.kind, "name": upload.name, "size": upload.size,
            "url": f"/api/uploads/{upload.id}/file", "probe": dict(upload.probe)}
