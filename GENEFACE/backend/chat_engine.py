"""The verb *chat*: a question in, a clip of the answer out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from backend import recordings
from backend.consents import require_voice
from backend.forms import ChatForm, chat_form
from backend.services import Services, open_services, wait_for
from backend.video_generator import all_notes, check_text, clip_lane, find_avatar, render, spoken
from visage.dialogue.history import Exchange
from visage.dialogue.turn import Manner, Turn, TurnResult
from visage.errors import InvalidRequest
from visage.jobs.job import Job
from visage.media.audio import read_sound
from visage.storage.records import Clip
from visage.types import SPEECH_RATE, Progress, Report

_THOUGHT = 0.4
"""Fraction of a chat job that is done when the answer has been spoken."""


def chat_response(data: Mapping[str, Any]) -> str:
    """Answer ``static/audios/input.wav`` from an old form (`forms.chat_form`); returns ``static/videos/….mp4``."""
    services = open_services()
    return str(wait_for(services, submit_input(services, chat_form(data), owner=""))["url"]).lstrip("/")


def submit_input(services: Services, form: ChatForm, owner: str) -> Job:
    """Queue an answer to what a browser saved last; older clients have one conversation a browser and avatar."""
    sound = services.paths.find_media("static/audios/input.wav", owner)
    pinned = recordings.take(services, recordings.pin(services, sound, owner))
    earlier = services.conversations.list(owner, limit=20) if owner else []
    conversation = next((talk.id for talk in earlier if talk.avatar == form.avatar), "")
    return submit(services, form.model_copy(update={"recording": pinned.id, "conversation": conversation}), owner)


def submit(services: Services, form: ChatForm, owner: str) -> Job:
    """Queue a turn after everything that can be checked at once was checked."""
    avatar = find_avatar(services, form)
    if form.recording:
        recordings.find(services, form.recording)
    elif form.text:
        check_text(services, form.text)
    else:
        raise InvalidRequest("The question is empty.", code="turn.no_question",
                             hint="Type something, or record a question.")
    services.responder(form.llm)
    require_voice(services, form.voice)
    conversation = form.conversation or services.conversations.add(avatar.id, owner).id
    services.conversations.get(conversation, owner)
    asked = form.model_copy(update={"conversation": conversation})
    return services.queue.submit("chat", form.text[:60] or avatar.name,
                                 clip_lane(services, avatar, form.device), asked.model_dump(mode="json"), owner)


def run(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do a ``chat`` job."""
    form = ChatForm(**job.request)
    avatar = services.catalog.get(form.avatar)
    past = [Exchange(turn.question, turn.answer) for turn in services.conversations.turns(form.conversation)]
    question = _question(services, form)
    result = _turn(services, form).take(
        question, past, persona=avatar.prompt, manner=Manner(form.voice),
        report=lambda step: report(Progress(step.stage, step.fraction * _THOUGHT, step.message, step.facts)))
    line = spoken(result.spoken.speech, result.answered.text, services.store.folder(job.id) / "answer.wav")
    began = time.monotonic()
    clip, more = render(services, avatar, line, job, report, start=_THOUGHT)
    notes = all_notes(form.notes, result.notes, more)
    kept = services.talks.begin(form.conversation)
    if form.recording:
        kept.ask(question, SPEECH_RATE)
    kept.finish(result.heard.text, result.answered.text, file=clip.file, notes=notes)
    return _result(result, clip, notes, time.monotonic() - began)


def _turn(services: Services, form: ChatForm) -> Turn:
    return Turn(services.responder(form.llm), services.voice, services.recognizer if form.recording else None)


def _question(services: Services, form: ChatForm) -> Any:
    if form.recording:
        return read_sound(recordings.find(services, form.recording), SPEECH_RATE)
    return form.text


def _result(result: TurnResult, clip: Clip, notes: list[str], video_seconds: float) -> dict[str, Any]:
    return {"url": f"/static/videos/{clip.file}", "clip": clip.id, "seconds": clip.seconds,
            "heard": result.heard.text, "answer": result.answered.text, "llm": result.answered.llm,
            "recogniser": result.heard.recogniser, "voice": result.spoken.speech.voice, "notes": notes,
            "timings": {"asr": round(result.heard.seconds, 2), "llm": round(result.answered.seconds, 2),
                        "tts": round(result.spoken.seconds, 2), "video": round(video_seconds, 2)}}
