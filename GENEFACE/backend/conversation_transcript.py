"""What was said, to keep: as subtitles, as a text, as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from backend.conversation_script import Scene, Script
from visage.media.subtitles import srt
from visage.types import FPS

_WORDS = {
    "en": {"title": "Conversation with {name}", "you": "You", "cut": "(interrupted; {share} % was heard)",
           "note": "Note: {text}"},
    "zh": {"title": "与 {name} 的对话", "you": "你", "cut": "（被打断，听到了 {share}%）", "note": "说明：{text}"},
}


def as_srt(script: Script, _language: str) -> str:
    """SubRip subtitles to the film."""
    return srt(script.subtitles)


def as_text(script: Script, language: str) -> str:
    """Who said what and when, a line each; Markdown that reads well as it is."""
    words = _WORDS[language]
    created = f"{script.conversation.created:%Y-%m-%d %H:%M} UTC"
    lines = [f"# {words['title'].format(name=script.name)}", "", created, ""]
    for scene in script.scenes:
        turn = scene.turn
        said = turn.answer if scene.answers else turn.question
        cut = " " + words["cut"].format(share=round(100 * turn.heard)) if scene.answers and turn.heard < 0.995 else ""
        who = script.name if scene.answers else words["you"]
        lines += [f"**[{_clock(scene.start)}] {who}:** {' '.join(said.split())}{cut}", ""]
    lines += [f"> {words['note'].format(text=note)}" for note in script.notes]
    return "\n".join(lines).rstrip() + "\n"


def as_json(script: Script, _language: str) -> str:
    """Everything that is known of each turn; times in seconds of the film."""
    asked = [scene for scene in script.scenes if not scene.answers]
    answered = [scene for scene in script.scenes if scene.answers]
    told = {"conversation": script.conversation.id, "avatar": script.conversation.avatar, "name": script.name,
            "created": script.conversation.created.isoformat(timespec="seconds"), "seconds": script.frames / FPS,
            "notes": list(script.notes),
            "turns": [_turn(*pair) for pair in zip(asked, answered, strict=True)]}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


FORMS: Mapping[str, tuple[str, Callable[[Script, str], str]]] = {
    "srt": ("application/x-subrip", as_srt), "txt": ("text/plain", as_text), "json": ("application/json", as_json)}
"""Ending → what it is, and who writes it."""


def _turn(asks: Scene, answers: Scene) -> dict[str, Any]:
    turn = asks.turn
    return {"id": turn.id, "created": turn.created.isoformat(timespec="seconds"),
            "question": {"text": turn.question, "spoken": turn.asked > 0, "start": _rounded(asks.start / FPS),
                         "seconds": _rounded(asks.seconds)},
            "answer": {"text": turn.answer, "start": _rounded(answers.start / FPS),
                       "seconds": _rounded(answers.seconds), "heard": round(turn.heard, 4),
                       "video": answers.picture is not None,
                       "captions": [{"text": cue.text, "start": _rounded(cue.start), "end": _rounded(cue.end)}
                                    for cue in answers.cues]},
            "notes": list(turn.notes), "stages": [dict(stage) for stage in turn.stages]}


def _rounded(seconds: float) -> float:
    return round(seconds, 3)


def _clock(frame: int) -> str:
    seconds = frame // FPS
    return f"{seconds // 60:02}:{seconds % 60:02}"
