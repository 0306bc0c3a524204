"""What a conversation leaves: films, subtitles, transcripts, and the recordings of its turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from backend import conversation_film
from backend.conversation_script import Script, script_of
from backend.conversation_transcript import FORMS
from backend.exporting import kept_answer
from backend.forms import FilmForm
from visage.errors import InvalidRequest, NotFound
from visage.storage.paths import safe_name
from visage.storage.records import Conversation
from visage.storage.talks import ANSWER
from web import jobs
from web.chat import ConversationPath
from web.visitor import owner, services
from web.words import language

bp = APIBlueprint("keeping", __name__, abp_tags=[Tag(name="conversations")])


class TurnPath(ConversationPath):
    """Part of the address."""

    turn_id: str
    name: str = Field(description="answer.mp4 or question.wav")


class TranscriptPath(ConversationPath):
    """Part of the address."""

    ending: str = Field(description="srt, txt or json")


class FilmPath(ConversationPath):
    """Part of the address."""

    subtitles: str = Field(description="none, soft or burnt")


@bp.post("/api/jobs/film")
def film(body: FilmForm) -> tuple[dict[str, Any], int]:
    """Make one video of a conversation of this browser."""
    return jobs.shown(conversation_film.submit(services(), body, owner())), 202


@bp.get("/api/conversations/<conversation_id>/film-<subtitles>.mp4")
def film_file(path: FilmPath) -> Response:
    """The newest film of that kind."""
    found = _own(path.conversation_id)
    kinds = FilmForm.model_fields["subtitles"].annotation.__args__  # type: ignore[union-attr]
    file = conversation_film.film_file(services(), found.id, path.subtitles)
    if path.subtitles not in kinds or not file.is_file():
        raise NotFound("There is no such film of this conversation.", code="film.missing",
                       hint="Have it made first; films are kept for a few days.")
    return _sent(file, "video/mp4", f"{_named(found)}.mp4")


@bp.get("/api/conversations/<conversation_id>/transcript.<ending>")
def transcript(path: TranscriptPath) -> Response:
    """What was said: subtitles to the film, a text in the language of the request, or data."""
    found = _own(path.conversation_id)
    if path.ending not in FORMS:
        raise InvalidRequest("A transcript cannot be had as {ending}.", code="conversation.transcript_form",
                             hint="Use {known}.", ending=path.ending, known=", ".join(FORMS))
    mimetype, write = FORMS[path.ending]
    script: Script = script_of(services(), found)
    answer = Response(write(script, language()), mimetype=mimetype)
    answer.headers.set("Content-Disposition", "attachment", filename=f"{_ascii(found)}.{path.ending}")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/api/conversations/<conversation_id>/turns/<turn_id>/<name>")
def turn_file(path: TurnPath) -> Response:
    """The video of an answer, or a question as it was spoken."""
    turn = services().conversations.turn(_own(path.conversation_id).id, path.turn_id)
    file = kept_answer(services(), services().talks, turn) if path.name == ANSWER else \
        services().talks.file(turn, path.name)
    return send_file(file, mimetype="audio/wav" if file.suffix == ".wav" else "video/mp4", conditional=True, max_age=0)


def _own(conversation_id: str) -> Conversation:
    """A conversation of the browser that asks."""
    return services().conversations.get(conversation_id, owner())


def _sent(file: Path, mimetype: str, name: str) -> Response:
    return send_file(file, mimetype=mimetype, conditional=True, max_age=0, as_attachment=True, download_name=name)


def _named(found: Conversation) -> str:
    """A file name for people."""
    try:
        name = services().catalog.get(found.avatar).name
    except NotFound:
        name = found.avatar
    return safe_name(f"{name}-{found.created:%Y-%m-%d-%H%M}")


def _ascii(found: Conversation) -> str:
    return f"{found.avatar}-{found.created:%Y-%m-%d-%H%M}"
