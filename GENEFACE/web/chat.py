"""Conversations and recordings."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from backend import recordings
from web.visitor import owner, services

bp = APIBlueprint("conversations", __name__, abp_tags=[Tag(name="conversations")])


class ConversationPath(BaseModel):
    """Part of the address."""

    conversation_id: str


class NewConversation(BaseModel):
    """With whom."""

    avatar: str


@bp.post("/api/conversations")
def begin(body: NewConversation) -> tuple[dict[str, Any], int]:
    """A new conversation with an avatar."""
    avatar = services().catalog.get(body.avatar)
    return {"id": services().conversations.add(avatar.id, owner()).id}, 201


@bp.get("/api/conversations/<conversation_id>")
def one(path: ConversationPath) -> dict[str, Any]:
    """A conversation of this browser, with all its turns."""
    found = services().conversations.get(path.conversation_id, owner())
    turns = [{"question": turn.question, "answer": turn.answer, "notes": list(turn.notes),
              "created": turn.created.isoformat(timespec="seconds"),
              "url": f"/static/videos/{turn.file}" if turn.file else None}
             for turn in services().conversations.turns(found.id)]
    return {"id": found.id, "avatar": found.avatar, "turns": turns}


@bp.delete("/api/conversations/<conversation_id>")
def forget(path: ConversationPath) -> tuple[str, int]:
    """Forget what was said."""
    services().conversations.delete(services().conversations.get(path.conversation_id, owner()).id)
    return "", 204


@bp.post("/api/recordings")
def record() -> tuple[dict[str, Any], int]:
    """Keep what the browser recorded, as WAV."""
    upload = services().uploads.receive(request.stream, "audio", "recording", owner(), request.content_length)
    taken = recordings.take(services(), upload)
    return {"id": taken.id, "seconds": taken.seconds, "peak": taken.peak,
            "url": f"/static/audios/{taken.file.name}"}, 201

