"""A conversation as a script: what is seen and heard when, and the words to it.

Film, subtitles and transcript are made of the same script, so that their times agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.services import Services
from visage.dialogue.sentences import sentences
from visage.errors import InvalidRequest, NotFound, VisageError
from visage.media.probe import probe
from visage.media.subtitles import Cue, units
from visage.storage.paths import child
from visage.storage.records import Conversation, Turn
from visage.storage.talks import ANSWER, QUESTION
from visage.types import FPS

LEAD, TAIL = 0.4, 0.3
"""Seconds of quiet before and after a question."""
LOST = "Videos of answers that are no longer there: {n}. Their words are shown instead."
UNHEARD = "Recordings of questions that are no longer there: {n}. Their words are shown instead."
"""What is said of missing files; never skipped in silence."""
_GONE = {"zh": "（这段回答的视频已不在）", "en": "(The video of this answer is no longer there.)"}
_YOU = {"zh": "你：", "en": "You: "}
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of the film: the avatar at rest while somebody asks, or while there is only text; or an answer."""

    turn: Turn
    """What it is of."""
    answers: bool
    """Whether it is the avatar's turn."""
    start: int
    """Its first frame in the film, `FPS` a second."""
    frames: int
    """How many it has."""
    cues: Sequence[Cue]
    """The words, in seconds of the film."""
    picture: Path | None = None
    """The video; None: the avatar is at rest."""
    sound: Path | None = None
    """Where its sound comes from; None: silence."""
    lead: int = 0
    """Frames before the sound begins."""

    @property
    def seconds(self) -> float:
        """Length."""
        return self.frames / FPS


@dataclass(frozen=True, slots=True)
class Script:
    """A whole conversation."""

    conversation: Conversation
    """Which one."""
    name: str
    """Of the avatar, or its id when it is gone."""
    scenes: Sequence[Scene]
    """One after another."""
    notes: Sequence[str]
    """What is missing."""

    @property
    def frames(self) -> int:
        """Length of the film."""
        return sum(scene.frames for scene in self.scenes)

    @property
    def subtitles(self) -> list[Cue]:
        """All words, with who asks."""
        return [Cue(cue.start, cue.end, _YOU[language_of(cue.text)] + cue.text, cue.speaker)
                if cue.speaker == "user" else cue for scene in self.scenes for cue in scene.cues]


def script_of(services: Services, conversation: Conversation) -> Script:
    """The script of a conversation.  Raises `InvalidRequest` when nothing was said in it."""
    turns = services.conversations.turns(conversation.id)
    if not turns:
        raise InvalidRequest("Nothing was said in this conversation yet.", code="conversation.empty",
                             hint="Ask something first.")
    try:
        name = services.catalog.get(conversation.avatar).name
    except VisageError:  # the avatar was deleted: what it said is still there
        name = conversation.avatar
    scenes: list[Scene] = []
    lost = unheard = at = 0
    for turn in turns:
        asks = _question(services, turn, at)
        answers = _answer(services, turn, at + asks.frames)
        at = answers.start + answers.frames
        scenes += [asks, answers]
        lost += _had_video(turn) and answers.picture is None
        unheard += turn.asked > 0 and asks.sound is None
    told = ((LOST, lost), (UNHEARD, unheard))
    return Script(conversation, name, scenes, [text.format(n=count) for text, count in told if count])


def language_of(text: str) -> str:
    """``zh`` for a text with Chinese in it, else ``en``."""
    return "zh" if _HAN.search(text) else "en"


def reading_seconds(text: str, longest: float = 6.0) -> float:
    """How long a text must be shown to be read."""
    return min(longest, max(1.5, 0.8 + units(text) / 16))


def _question(services: Services, turn: Turn, at: int) -> Scene:
    spoken = turn.asked > 0 and services.talks.has(turn, QUESTION)
    seconds = LEAD + turn.asked + TAIL if spoken else reading_seconds(turn.question)
    frames = round(seconds * FPS)
    start, end = at / FPS, (at + frames) / FPS
    cues = [Cue(start + (LEAD / 2 if spoken else 0), end, turn.question, "user")] if turn.question.strip() else []
    return Scene(turn, False, at, frames, cues, lead=round(LEAD * FPS) if spoken else 0,
                 sound=services.talks.file(turn, QUESTION) if spoken else None)


def _answer(services: Services, turn: Turn, at: int) -> Scene:
    file = _video(services, turn)
    start = at / FPS
    if file is None:
        gone = _GONE[language_of(turn.answer or turn.question)] if _had_video(turn) else ""
        text = " ".join(part for part in (turn.answer, gone) if part)
        frames = round(reading_seconds(text, 20.0) * FPS)
        return Scene(turn, True, at, frames, [Cue(start, start + frames / FPS, text, "avatar")] if text else [])
    frames = max(1, round((turn.seconds or probe(file, "video").seconds) * FPS))
    length = frames / FPS
    told = [(one.text, one.start, min(one.start + one.seconds, length)) for one in turn.captions]
    shown = told or _shared_out(turn.answer, length)
    cues = [Cue(start + begin, start + end, text, "avatar") for text, begin, end in shown if end > begin]
    return Scene(turn, True, at, frames, cues, file, file)


def _video(services: Services, turn: Turn) -> Path | None:
    """The video of an answer, where there is one that can be read."""
    try:
        if turn.seconds > 0:
            return services.talks.file(turn, ANSWER)
        file = child(services.paths.clips, turn.file) if turn.file else None
        return file if file and probe(file, "video").frames else None
    except (NotFound, VisageError):
        return None


def _had_video(turn: Turn) -> bool:
    return turn.seconds > 0 or bool(turn.file)


def _shared_out(text: str, seconds: float) -> list[tuple[str, float, float]]:
    """Sentences with times in proportion to their lengths: nobody wrote down when each was heard."""
    parts = sentences(text) or ([text] if text.strip() else [])
    total = sum(units(part) for part in parts)
    made, done = [], 0
    for part in parts:
        begin, done = done, done + units(part)
        made.append((part, seconds * begin / total, seconds * done / total))
    return made
