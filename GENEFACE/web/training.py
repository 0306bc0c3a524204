"""Avatars: list, show, rename, delete, export, import."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Response, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from backend import avatars as verbs
from backend import exams
from visage.errors import NotFound
from visage.storage.catalog import Avatar
from web.visitor import services

bp = APIBlueprint("avatars", __name__, abp_tags=[Tag(name="avatars")])


class AvatarPath(BaseModel):
    """Part of the address."""

    avatar_id: str


class AvatarChange(BaseModel):
    """What may be changed."""

    name: str | None = Field(None, min_length=1, max_length=80)
    prompt: str | None = Field(None, max_length=4000)


class Package(BaseModel):
    """An uploaded avatar package."""

    upload: str
    id: str = ""


def shown(avatar: Avatar) -> dict[str, Any]:
    """An avatar as docs/http-api.md has it."""
    folder, address = services().catalog.folder(avatar.id), f"/api/avatars/{avatar.id}"
    return {"id": avatar.id, "name": avatar.name, "engine": avatar.engine, "kind": avatar.kind,
            "created": avatar.created, "seconds_trained": avatar.seconds_trained, "width": avatar.width,
            "height": avatar.height, "figures": dict(avatar.figures), "notes": list(avatar.notes),
            "size": verbs.size(services(), avatar),
            "poster": f"{address}/poster.jpg", "prompt": avatar.prompt, "built_in": avatar.built_in,
            "exam": (folder / exams.VIDEO).is_file(),
            "idle": f"{address}/idle.mp4" if (folder / "idle.mp4").is_file() else None}


@bp.get("/api/avatars")
def avatars() -> dict[str, Any]:
    """All avatars, newest first."""
    return {"avatars": [shown(avatar) for avatar in services().catalog.list()]}


@bp.get("/api/avatars/<avatar_id>")
def avatar(path: AvatarPath) -> dict[str, Any]:
    """One avatar."""
    return shown(services().catalog.get(path.avatar_id))


@bp.patch("/api/avatars/<avatar_id>")
def change(path: AvatarPath, body: AvatarChange) -> dict[str, Any]:
    """Rename it, or change how it speaks in conversations."""
    found = services().catalog.get(path.avatar_id)
    return shown(services().catalog.save(replace(found, **body.model_dump(exclude_none=True))))


@bp.delete("/api/avatars/<avatar_id>")
def delete(path: AvatarPath) -> tuple[str, int]:
    """Delete the package; clips made with it stay."""
    verbs.delete(services(), services().catalog.get(path.avatar_id))
    return "", 204


@bp.get("/api/avatars/<avatar_id>/poster.jpg")
def poster(path: AvatarPath) -> Response:
    """A picture of the avatar."""
    return _file(path.avatar_id, "poster.jpg", "image/jpeg")


@bp.get("/api/avatars/<avatar_id>/idle.mp4")
def idle(path: AvatarPath) -> Response:
    """The avatar at rest, without sound."""
    file = services().catalog.folder(services().catalog.get(path.avatar_id).id) / "idle.mp4"
    if file.is_file():
        services().labeller.finish(file)
    return _file(path.avatar_id, "idle.mp4", "video/mp4")


@bp.get("/api/avatars/<avatar_id>/package.zip")
def package(path: AvatarPath) -> Response:
    """The avatar package, as a zip."""
    found = services().catalog.get(path.avatar_id)
    with tempfile.TemporaryDirectory(dir=services().paths.var) as folder:
        zipped = verbs.export(services(), found, Path(folder) / "package.zip")
        # Open before the folder goes: the bytes stay readable until the answer was sent.
        return send_file(zipped.open("rb"), mimetype="application/zip", as_attachment=True,
                         download_name=f"{found.id}.avatar.zip")


@bp.post("/api/avatars/import")
def take_in(body: Package) -> tuple[dict[str, Any], int]:
    """Unpack an uploaded package."""
    uploads = services().uploads
    upload = uploads.get(body.upload)
    taken = verbs.take_in(services(), uploads.file(upload), body.id)
    uploads.delete(upload.id)
    return shown(taken), 201


def _file(avatar_id: str, name: str, mimetype: str) -> Response:
    file = services().catalog.folder(services().catalog.get(avatar_id).id) / name
    if not file.is_file():
        raise NotFound("The avatar {id} has no {file}.", code="avatar.no_file", hint="Train it again.", id=avatar_id,
                       file=name)
    return send_file(file, mimetype=mimetype, conditional=True, max_age=60)
