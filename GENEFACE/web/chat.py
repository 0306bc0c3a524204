"""Conversations and recordings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from backend import recordings
from visage.storage.records import Turn
from visage.storage.talks import ANSWER, QUESTION
from web.visitor import owner, services

bp = APIBlueprint("conversations", __name__, abp_tags=[Tag(name="conversations")])


class ConversationPath(BaseModel):
    """Part of the address."""

    conversation_id: str


class NewConversation(BaseModel):
    """With whom."""

    avatar: str


def shown(turn: Turn) -> dict[str, Any]:
    """A turn as docs/http-api.md has it."""
    address, talks = f"/api/conversations/{turn.conversation}/turns/{turn.id}", services().talks
    clip = f"/static/videos/{turn.file}" if turn.file else None
    return {"id": turn.id, "question": turn.question, "answer": turn.answer, "notes": list(turn.notes),
            "created": turn.created.isoformat(timespec="seconds"),
            "url": f"{address}/{ANSWER}" if talks.has(turn, ANSWER) else clip,
            "question_url": f"{address}/{QUESTION}" if talks.has(turn, QUESTION) else None,
            "seconds": turn.seconds, "heard": turn.heard, "captions": [asdict(one) for one in turn.captions],
            "stages": [dict(stage) for stage in turn.stages]}


@bp.post("/api/conversations")
def begin(body: NewConversation) -> tuple[dict[str, Any], int]:
    """A new conversation with an avatar."""
    avatar = services().catalog.get(body.avatar)
    return {"id": services().conversations.add(avatar.id, owner()).id}, 201


@bp.get("/api/conversations/<conversation_id>")
def one(path: ConversationPath) -> dict[str, Any]:
    """A conversation of this browser, with all its turns."""
    found = services().conversations.get(path.conversation_id, owner())
    turns = [shown(turn) for turn in services().conversations.turns(found.id)]
    return {"id": found.id, "avatar": found.avatar, "turns": turns}


@bp.delete("/api/conversations/<conversation_id>")
def forget(path: ConversationPath) -> tuple[str, int]:
    """Forget what was said, with its recordings and films; clips stay."""
    found = services().conversations.get(path.conversation_id, owner())
    services().conversations.delete(found.id)
    services().talks.forget(found.id)
    return "", 204


@bp.post("/api/recordings")
def record() -> tuple[dict[str, Any], int]:
    """Keep what the browser recorded, as WAV."""
    upload = services().uploads.receive(request.stream, "audio", "recording", owner(), request.content_length)
    taken = recordings.take(services(), upload)
    return {"id": taken.id, "seconds": taken.seconds, "peak": taken.peak,
            "url": f"/static/audios/{taken.file.name}"}, 201

