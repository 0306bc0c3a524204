"""One turn being answered: thought, spoken and shown in a thread of its own, let out once it is certain.

An answer may be begun before it is known that the speaker has finished.  Until
`Answer.let_out` everything that it makes is kept back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import structlog

from visage.dialogue.events import Heard
from visage.dialogue.playback import Playback
from visage.dialogue.scope import Scope
from visage.dialogue.showing import Caption, Show
from visage.dialogue.speaking import Said, Speaking
from visage.dialogue.thinking import Thinking
from visage.errors import Cancelled, VisageError

_log = structlog.get_logger()

Item = dict[str, Any] | bytes
"""What goes to the browser: an event, or bytes of the turn's video."""


@dataclass(slots=True)
class Stamps:
    """When things happened in a turn, `time.monotonic`; 0: not yet."""

    asked: float
    """End of the user's speech; for typed questions when they arrived."""
    decided: float = 0.0
    """It was certain that the user has finished."""
    understood: float = 0.0
    """The words were there."""
    prepared: float = 0.0
    """The language model was asked."""
    sentence: float = 0.0
    """Its first sentence was whole."""
    spoken: float = 0.0
    """The first sound was there."""
    frame: float = 0.0
    """The first picture was made."""
    sent: float = 0.0
    """The first fragment was on its way."""


@dataclass(eq=False)
class Answer:
    """An answer in the making."""

    number: int
    """Of the turn, from 1."""
    question: str
    """What is answered."""
    scope: Scope = field(default_factory=Scope)
    """Cancelling it stops all the work."""
    playback: Playback = field(default_factory=Playback)
    """How far the browser is in it."""
    stamps: Stamps = field(default_factory=lambda: Stamps(time.monotonic()))
    """When things happened."""
    heard: Heard | None = None
    """The question once it is certain."""
    text: str = ""
    """The answer so far, as it is shown."""
    captions: list[Caption] = field(default_factory=list)
    """The sentences that are in the video."""
    reaches: list[int] = field(default_factory=list)
    """Characters of the answer that are said when each caption, one for one, is over."""
    sounds: list[tuple[float, np.ndarray]] = field(default_factory=list)
    """What is said in it: from which second of the video, and float32 mono at `types.SPEECH_RATE`."""
    frame: int = 0
    """Where in the endless movement its video begins."""
    seconds: float = 0.0
    """Length of the video so far."""
    whole: bool = False
    """Whether the video is complete, or has failed."""
    told: bool = False
    """Whether the browser knows that the video is complete."""
    over: bool = False
    """Whether the turn was closed and stored."""
    notes: list[str] = field(default_factory=list)
    """What the user should know."""
    error: VisageError | None = None
    """Why it failed."""
    first_frame_ms: float | None = None
    """End of the user's speech to the first speaking frame on the screen, by the browser's clock."""
    _send: Callable[[Item], None] | None = None
    _kept: list[Item] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def let_out(self, heard: Heard, send: Callable[[Item], None]) -> None:
        """It is certain: send what is there, and from now on everything at once."""
        with self._lock:
            self.heard, self._send = heard, send
            kept, self._kept = self._kept, []
            send({"type": "heard", "turn": self.number, "text": heard.text, "typed": heard.recogniser == "typed",
                  "note": heard.note})
            for item in kept:
                self._pass(item)

    def give_up(self) -> None:
        """Stop all its work; nothing of it is sent any more once this returns."""
        self.scope.cancel()
        with self._lock:
            pass  # what was being sent is sent

    def release(self) -> None:
        """It is over: let go of what is large, and of who was told.

        Both would else wait for Python's collector of cycles, which minds their number, not their size.
        """
        with self._lock:
            self._send = _nobody if self._send else None
            self._kept.clear()
            self.sounds.clear()

    @property
    def out(self) -> bool:
        """Whether the user was told of it."""
        return self._send is not None

    def tell(self, item: Item) -> None:
        """Send it, or keep it until the answer is let out; nothing of a cancelled answer is sent."""
        with self._lock:
            if self.scope.cancelled:
                return
            if self._send is None:
                self._kept.append(item)
            else:
                self._pass(item)

    def grow(self, text: str) -> None:
        """There is more of it."""
        text = _characters(text)
        if text != self.text:
            self.text = text
            self.tell({"type": "answer", "turn": self.number, "text": text})

    def announce(self, caption: Caption, sound: np.ndarray) -> None:
        """A sentence is about to be shown, ``sound`` float32 mono at `types.SPEECH_RATE`."""
        self.captions.append(caption)
        self.sounds.append((caption.start, sound))
        self.tell({"type": "caption", "turn": self.number, "text": caption.text, "start": round(caption.start, 3),
                   "seconds": round(caption.seconds, 3)})

    def heard_share(self) -> float:
        """Share of the answer, by its characters, that was played, 0 to 1."""
        if not self.text:
            return 0.0
        now, said, before = self.playback.position(), 0.0, 0
        if self.whole and self.captions and now >= self.seconds - 0.3:
            return 1.0
        for caption, reach in zip(self.captions, self.reaches, strict=False):
            said += (reach - before) * min(max((now - caption.start) / max(caption.seconds, 0.01), 0.0), 1.0)
            before = reach
        return min(said / len(self.text), 1.0)

    def stages(self) -> list[dict[str, float | str]]:
        """What took how long, in ms after the end of the user's speech."""
        at = self.stamps
        spans = [("turn_end", at.asked, at.decided), ("asr", at.decided, at.understood),
                 ("llm", at.prepared, at.sentence), ("tts", at.sentence, at.spoken),
                 ("render", at.spoken, at.frame), ("mux", at.frame, at.sent)]
        told = [_stage(name, begin - at.asked, end - at.asked) for name, begin, end in spans if begin and end >= begin]
        if self.first_frame_ms is not None and at.sent:
            told.append(_stage("play", at.sent - at.asked, self.first_frame_ms / 1000))
        return told

    def _pass(self, item: Item) -> None:
        if isinstance(item, bytes) and not self.stamps.sent:
            self.stamps.sent = time.monotonic()
        assert self._send is not None
        self._send(item)


def _nobody(item: Item) -> None:
    """Nobody listens any more."""


def _stage(name: str, begin: float, end: float) -> dict[str, float | str]:
    return {"name": name, "start_ms": round(1000 * begin, 1), "end_ms": round(1000 * max(end, begin), 1)}


def make(answer: Answer, thinking: Thinking, speaking: Speaking, open_show: Callable[[Answer], Show],
         closed: Callable[[Answer], None]) -> None:
    """Do all the work of an answer; returns when its video is whole, has failed or was cancelled.

    ``open_show`` is called when there is something to show, ``closed`` hears that the work has ended.
    """
    try:
        _made(answer, thinking, speaking, open_show)
    except Cancelled:
        pass
    except VisageError as error:
        answer.error = error
    except Exception as error:
        answer.error = VisageError("Something went wrong inside: {kind}.", code="internal",
                                   hint="The details are in var/logs/web.log.", kind=type(error).__name__)
        _log.exception("a live answer failed", turn=answer.number, error=repr(error))
    finally:
        thinking.close()
        speaking.close()
        answer.scope.release()
        answer.whole = True
        closed(answer)


def _made(answer: Answer, thinking: Thinking, speaking: Speaking, open_show: Callable[[Answer], Show]) -> None:
    show: Show | None = None
    try:
        while (said := next(speaking, None)) is not None:
            _grow(answer, thinking, said)
            show = show or open_show(answer)
            show.say(said.speech, _caption(answer, said), answer.announce)
            answer.stamps.frame = answer.stamps.frame or show.first_frame
            while not speaking.ready:
                show.fill()
    finally:
        if show and not answer.scope.cancelled:
            answer.seconds = show.finish()
    if thinking.answered:
        answer.notes += [thinking.answered.note] if thinking.answered.note else []
        answer.grow(thinking.answered.text)


def _grow(answer: Answer, thinking: Thinking, said: Said) -> None:
    """What is known with a further sentence."""
    stamps = answer.stamps
    if not stamps.spoken:
        stamps.prepared, stamps.sentence, stamps.spoken = thinking.begun, said.thought.at, said.ended
    answer.notes += said.speech.notes
    answer.grow(thinking.shown)


def _caption(answer: Answer, said: Said) -> str:
    """The part of the answer that a sentence says, as it is shown."""
    begin = answer.reaches[-1] if answer.reaches else 0
    answer.reaches.append(said.thought.reach)
    return _characters(said.thought.shown[begin:said.thought.reach].strip() or said.thought.sentence)


def _characters(text: str) -> str:
    """The text with halves of characters put together, or replaced where the other half lacks.

    Models send them, since JSON may hold them; they can be neither stored nor sent.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
