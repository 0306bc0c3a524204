"""What was made and what was said: clips, conversations and their turns."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from visage.errors import NotFound
from visage.storage.database import clips, conversations, moment, translated, turns


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished video."""

    id: str
    """32 hexadecimal digits."""
    job: str
    """The job that made it."""
    avatar: str
    """Id of the avatar that speaks."""
    avatar_name: str
    """Its name at that time."""
    file: str
    """Name of the file in `Paths.clips`."""
    text: str
    """What is said; empty when it was driven by a recording."""
    voice: str
    """Voice id; empty when it was driven by a recording."""
    seconds: float
    """Length."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    size: int
    """Bytes."""
    owner: str
    """The browser that asked, or empty."""
    created: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence as it is shown."""

    text: str
    """Its words."""
    start: float
    """When it begins to be heard, seconds since the start of the answer's video."""
    seconds: float
    """How long it is heard."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange of a conversation."""

    id: str
    """32 hexadecimal digits."""
    conversation: str
    """Where it was said."""
    question: str
    """What the person said or typed."""
    answer: str
    """What was answered."""
    file: str
    """Name of the video in `Paths.clips`; empty when there is none."""
    notes: Sequence[str]
    """What the person should know of how it was made."""
    created: datetime
    """UTC."""
    captions: Sequence[Caption] = ()
    """The sentences of the answer that were heard; empty: their times are not known."""
    stages: Sequence[Mapping[str, Any]] = ()
    """``{"name", "start_ms", "end_ms"}`` after the end of the question, as docs/live.md has them."""
    asked: float = 0.0
    """Seconds of the recorded question; 0: it was typed, or nobody kept it."""
    seconds: float = 0.0
    """Seconds of the answer's video that were heard; 0: it has none, or it is a clip (see ``file``)."""
    heard: float = 1.0
    """Share of the answer that was heard, 0 to 1."""
    frame: int = 0
    """The frame of the avatar's endless movement that the answer's video begins with."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A talk with one avatar."""

    id: str
    """32 hexadecimal digits."""
    owner: str
    """The browser that began it, or empty."""
    avatar: str
    """Id of the avatar."""
    created: datetime
    """UTC."""


class Clips:
    """The finished videos; their files are the caller's to remove."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, *, job: str, avatar: str, avatar_name: str, file: str, text: str, voice: str, seconds: float,
            width: int, height: int, size: int, owner: str = "") -> Clip:
        """Remember a finished video."""
        clip_id = uuid.uuid4().hex
        write(self._engine, sa.insert(clips).values(
            id=clip_id, job=job, avatar=avatar, avatar_name=avatar_name, file=file, text=text, voice=voice,
            seconds=seconds, width=width, height=height, size=size, owner=owner, created=time.time()))
        return self.get(clip_id)

    def get(self, clip_id: str) -> Clip:
        """One clip; raises `NotFound`."""
        found = rows(self._engine, sa.select(clips).where(clips.c.id == clip_id))
        if not found:
            raise NotFound("There is no clip {id}.", code="clip.missing", hint="It may have been deleted.", id=clip_id)
        return filled(Clip, found[0])

    def list(self, avatar: str | None = None, owner: str | None = None, limit: int = 50) -> Sequence[Clip]:
        """Clips, newest first."""
        query = sa.select(clips).order_by(clips.c.created.desc()).limit(limit)
        for column, value in ((clips.c.avatar, avatar), (clips.c.owner, owner)):
            if value is not None:
                query = query.where(column == value)
        return [filled(Clip, row) for row in rows(self._engine, query)]

    def delete(self, clip_id: str) -> Clip:
        """Forget a clip; returns what it was.  Raises `NotFound`."""
        clip = self.get(clip_id)
        write(self._engine, sa.delete(clips).where(clips.c.id == clip_id))
        return clip


class Conversations:
    """Conversations and their turns, which belong to one browser."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, avatar: str, owner: str = "") -> Conversation:
        """Begin a conversation."""
        made = uuid.uuid4().hex
        write(self._engine, sa.insert(conversations).values(id=made, owner=owner, avatar=avatar, created=time.time()))
        return self.get(made)

    def get(self, conversation_id: str, owner: str | None = None) -> Conversation:
        """One conversation; `NotFound` also when it belongs to another ``owner``."""
        found = rows(self._engine, sa.select(conversations).where(conversations.c.id == conversation_id))
        if not found or owner not in (None, found[0].owner):
            raise NotFound("There is no conversation {id}.", code="conversation.missing", id=conversation_id,
                           hint="Begin a new one.")
        return filled(Conversation, found[0])

    def list(self, owner: str | None = None, limit: int = 50) -> Sequence[Conversation]:
        """Conversations, newest first."""
        query = sa.select(conversations).order_by(conversations.c.created.desc()).limit(limit)
        if owner is not None:
            query = query.where(conversations.c.owner == owner)
        return [filled(Conversation, row) for row in rows(self._engine, query)]

    def delete(self, conversation_id: str) -> None:
        """Forget a conversation and all its turns; raises `NotFound`."""
        self.get(conversation_id)
        write(self._engine, sa.delete(conversations).where(conversations.c.id == conversation_id))

    def add_turn(self, conversation_id: str, question: str, answer: str, file: str = "",
                 notes: Sequence[str] = (), **live: Any) -> Turn:
        """Add an exchange at the end; ``live``: more fields of `Turn`.  Raises `NotFound`: unknown conversation."""
        self.get(conversation_id)
        turn = Turn(**{"id": uuid.uuid4().hex, **live}, conversation=conversation_id, question=question, answer=answer,
                    file=file, notes=tuple(notes), created=moment(time.time()))  # type: ignore[arg-type]
        row = {item.name: getattr(turn, item.name) for item in fields(Turn)}
        write(self._engine, sa.insert(turns).values({
            **row, "notes": list(notes), "captions": [asdict(one) for one in turn.captions],
            "stages": [dict(one) for one in turn.stages], "created": turn.created.timestamp()}))
        return turn

    def turn(self, conversation_id: str, turn_id: str) -> Turn:
        """One exchange of a conversation; raises `NotFound`."""
        query = sa.select(turns).where(turns.c.id == turn_id, turns.c.conversation == conversation_id)
        found = rows(self._engine, query)
        if not found:
            raise NotFound("There is no turn {id} in this conversation.", code="conversation.no_turn", id=turn_id,
                           hint="Load the page again.")
        return filled(Turn, found[0])

    def turns(self, conversation_id: str, limit: int | None = None) -> Sequence[Turn]:
        """The last ``limit`` exchanges (all when None), oldest first; raises `NotFound`."""
        self.get(conversation_id)
        query = sa.select(turns).where(turns.c.conversation == conversation_id)
        found = rows(self._engine, query.order_by(turns.c.created.desc()).limit(limit))
        return [filled(Turn, row) for row in reversed(found)]


def filled(kind: Any, row: sa.Row[Any]) -> Any:
    """The record of a row: every field of a dataclass from the column of its name."""
    values = {item.name: getattr(row, item.name) for item in fields(kind)}
    values["created"] = moment(values["created"])
    for name in ("notes", "stages"):
        if name in values:
            values[name] = tuple(values[name])
    if "captions" in values:
        values["captions"] = tuple(Caption(**told) for told in values["captions"])
    return kind(**values)


def write(engine: sa.Engine, statement: Any) -> None:
    """Do one change; database errors come as errors of our tree."""
    with translated(), engine.begin() as connection:
        connection.execute(statement)


def rows(engine: sa.Engine, query: Any) -> Sequence[sa.Row[Any]]:
    """What a query finds."""
    with translated(), engine.connect() as connection:
        return list(connection.execute(query))
