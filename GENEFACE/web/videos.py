"""Finished clips: list, download, delete; and the media folders that older clients read."""

from __future__ import annotations

from typing import Any

from flask import Response, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from visage.errors import NotFound
from visage.storage.paths import child, safe_name
from visage.storage.records import Clip
from web.visitor import services

bp = APIBlueprint("clips", __name__, abp_tags=[Tag(name="clips")])


class ClipPath(BaseModel):
    """Part of the address."""

    clip_id: str


class MediaPath(BaseModel):
    """Part of the address."""

    name: str


class ClipQuery(BaseModel):
    """Filters of the list."""

    avatar: str = ""
    limit: int = Field(50, ge=1, le=500)


def shown(clip: Clip) -> dict[str, Any]:
    """A clip as docs/http-api.md has it."""
    return {"id": clip.id, "url": f"/static/videos/{clip.file}", "avatar": clip.avatar, "avatar_name": clip.avatar_name,
            "text": clip.text, "voice": clip.voice, "seconds": clip.seconds, "size": clip.size, "width": clip.width,
            "height": clip.height, "created": clip.created.isoformat(timespec="seconds")}


@bp.get("/api/clips")
def clips(query: ClipQuery) -> dict[str, Any]:
    """Finished clips, newest first."""
    found = services().clips.list(avatar=query.avatar or None, limit=query.limit)
    return {"clips": [shown(clip) for clip in found if (services().paths.clips / clip.file).is_file()]}


@bp.delete("/api/clips/<clip_id>")
def delete(path: ClipPath) -> tuple[str, int]:
    """Delete a clip, its file and its evaluations."""
    clip = services().clips.get(path.clip_id)
    child(services().paths.clips, clip.file).unlink(missing_ok=True)
    services().clips.delete(clip.id)
    for evaluation in services().evaluations.list(clip=clip.id, limit=500):
        services().evaluations.delete(evaluation.id)
    return "", 204


@bp.get("/api/clips/<clip_id>/download")
def download(path: ClipPath) -> Response:
    """The MP4, named after who speaks and what is said."""
    clip = services().clips.get(path.clip_id)
    name = safe_name(f"{clip.avatar_name}-{clip.text[:40]}.mp4" if clip.text else f"{clip.avatar_name}.mp4")
    return _media(child(services().paths.clips, clip.file), as_attachment=True, download_name=name)


@bp.get("/static/videos/<name>", doc_ui=False)
def video(path: MediaPath) -> Response:
    """A finished video."""
    return _media(child(services().paths.clips, path.name))


@bp.get("/static/pictures/<name>", doc_ui=False)
def picture(path: MediaPath) -> Response:
    """A finished picture."""
    return _media(child(services().paths.pictures, path.name))


def _media(file: Any, **options: Any) -> Response:
    if not file.is_file():
        raise NotFound("There is no file {name}.", code="path.missing", hint="It may have been deleted.",
                       name=file.name)
    return send_file(file, conditional=True, max_age=0, **options)
