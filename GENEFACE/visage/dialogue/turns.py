"""The turns of a live conversation: begun in advance, let out, interrupted, told and stored."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from visage.dialogue.answering import Answer, Item, Stamps, make
from visage.dialogue.ears import Ears
from visage.dialogue.events import Heard
from visage.dialogue.history import Exchange, conversation
from visage.dialogue.showing import Muxer, Show
from visage.dialogue.speaking import Speaking
from visage.dialogue.thinking import Thinking
from visage.dialogue.turn import Manner
from visage.dialogue.turnstile import Turnstile
from visage.engines.contract import LiveFace
from visage.errors import VisageError
from visage.llm.contract import Message, Responder
from visage.tts.contract import Synthesizer
from visage.types import FPS

FRAGMENT = 1
"""First byte of a binary message that holds video; 0 is the header."""
_ON_SCREEN = 0.12
"""Seconds from a frame's making to its showing, about; decides where in the movement an answer starts."""
_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class Parts:
    """Who takes part in a live conversation."""

    face: LiveFace
    """Is seen."""
    ears: Ears
    """Hears; of this conversation alone."""
    synthesizer: Synthesizer
    """Speaks."""
    muxer: Callable[[], Muxer]
    """A new video stream, its header left out."""
    turnstile: Turnstile
    """Shares the cores with other conversations."""
    keep: Callable[[Answer, float, np.ndarray | None], None]
    """Stores a turn that is over, with the share of its answer that was heard and the sound of its question."""
    film: Callable[[Answer, bytes], None]
    """Keeps bytes of a turn's video that are sent; must not block."""


@dataclass(slots=True)
class Choice:
    """What the user may change while talking."""

    responder: Responder
    """Answers."""
    manner: Manner
    """How it is said."""
    persona: str = ""
    """The avatar's own prompt."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A spoken question after which the speaker went on."""

    heard: Heard
    """As it was understood."""
    asked: float
    """When it seemed to end, `time.monotonic`."""
    sound: np.ndarray | None
    """Float32 mono at `types.SPEECH_RATE`."""


@dataclass(eq=False)
class Turns:
    """The answers of one conversation; every method but `wait` is called under ``lock``."""

    parts: Parts
    choice: Choice
    send: Callable[[Item], None]
    """Takes what goes to the browser; must not block."""
    drop: Callable[[int], None]
    """Forgets what of a turn's video waits to be sent."""
    past: list[Exchange] = field(default_factory=list)
    """What was said before."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    draft: Answer | None = None
    """Being prepared, for a question that may go on."""
    current: Answer | None = None
    """Being given, or the last that was."""
    carried: Carried | None = None
    """A question whose answer was given up before a word of it was heard: the next one goes on with it."""
    closed: bool = False
    """Whether the browser is gone."""
    rest: tuple[float, float] = (0.0, 0.0)
    """Frame of the endless movement that the browser showed, and when it said so (`time.monotonic`; 0: never)."""
    _sounds: dict[int, np.ndarray] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _number: int = 0
    _face_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def given(self) -> Answer | None:
        """The answer that is being given now."""
        return self.current if self.current and not self.current.over else None

    def joined(self, text: str) -> str:
        """The whole question of which ``text`` is the newest part."""
        return f"{self.carried.heard.text if self.carried else ''} {text}".strip()

    def prepare(self, question: str, asked: float) -> None:
        """Begin to answer in advance, unless that very question is being answered."""
        if self.draft and self.draft.question == question:
            return
        self.drop_draft()
        self.draft = self._begin(question, asked)

    def drop_draft(self) -> None:
        """What was prepared is void."""
        if self.draft:
            self.draft.scope.cancel()
            self.draft = None

    def answer(self, heard: Heard, asked: float, sound: np.ndarray | None = None) -> None:
        """Give the answer to a question that is certain, instead of the one that is being given.

        It is the prepared one when that was to the same words.
        """
        if given := self.given:
            self.stop(given, "typed" if heard.recogniser == "typed" else "voice")
        answer, self.draft = self.draft, None
        if answer is None or answer.question != heard.text or answer.error:
            if answer:
                answer.scope.cancel()
            answer = self._begin(heard.text, asked)
        answer.stamps.understood = time.monotonic()
        answer.stamps.decided = max(answer.stamps.understood - heard.seconds, answer.stamps.asked)
        parts = [part for part in (self.carried and self.carried.sound, sound) if part is not None]
        if parts:
            self._sounds[answer.number] = np.concatenate(parts)
        self.carried = None
        self.current = answer
        self.parts.ears.talking(True)
        answer.let_out(heard, lambda item: self._pass(answer, item))
        if answer.whole:
            self._finished(answer)

    def answer_carried(self) -> None:
        """What seemed to go on was nothing: the question is answered as it was."""
        if carried := self.carried:
            self.carried = None
            self.answer(carried.heard, carried.asked, carried.sound)

    def stop(self, answer: Answer, reason: str) -> None:
        """Give an answer up: its work, what waits to be sent, and what the browser still has."""
        answer.playback.hold()
        answer.give_up()
        self.drop(answer.number)
        self.send({"type": "stop", "turn": answer.number, "reason": reason})
        spoken = answer.heard if answer.heard and answer.heard.recogniser != "typed" else None
        unheard = reason == "voice" and spoken is not None and not answer.playback.started
        if unheard and spoken:
            self.carried = Carried(spoken, answer.stamps.asked, self._sounds.get(answer.number))
        self.end(answer, void=unheard)

    def end(self, answer: Answer, *, void: bool = False) -> None:
        """A turn is over: told, stored, and part of what is known from now on; nothing of that when it is ``void``."""
        if answer.over:
            return
        answer.over = True
        self.parts.ears.talking(False)
        share, sound = answer.heard_share(), self._sounds.pop(answer.number, None)
        answer.release()
        if void:
            return
        if answer.text or not answer.error:
            self.past.append(Exchange(answer.question, answer.text, share))
            del self.past[:-_REMEMBERED]
        if not self.closed:
            self.send({"type": "turn", "turn": answer.number, "question": answer.question, "answer": answer.text,
                       "heard": round(share, 3), "notes": answer.notes, "stages": answer.stages()})
        self.parts.keep(answer, share, sound)

    def fail(self, answer: Answer | None, error: VisageError) -> None:
        """Tell what went wrong; the next turn works."""
        self.send({"type": "error", "turn": answer.number if answer else None, **error.as_dict()})

    def _begin(self, question: str, asked: float) -> Answer:
        """Start to answer, in a thread of its own; nothing of it is sent yet."""
        self._number += 1
        answer = Answer(self._number, question, stamps=Stamps(asked, prepared=time.monotonic()))
        messages = conversation(self.told(), question, self.choice.persona)
        work = threading.Thread(target=self._work, args=(answer, messages, self.choice.responder, self.choice.manner),
                                name=f"answer-{answer.number}", daemon=True)
        work.start()
        self._threads = [thread for thread in self._threads if thread.is_alive()] + [work]
        return answer

    def wait(self) -> None:
        """Until no thread works on an answer any more; not under ``lock``, and only when all were cancelled."""
        for thread in self._threads:
            thread.join()

    def told(self) -> list[Exchange]:
        """What was said before, with the answer that is just being given as far as it was heard."""
        now = self.given
        return [*self.past, Exchange(now.question, now.text, now.heard_share())] if now and now.text else self.past

    def _work(self, answer: Answer, messages: list[Message], responder: Responder, manner: Manner) -> None:
        thinking = Thinking(responder, messages, answer.scope)
        speaking = Speaking(self.parts.synthesizer, thinking, answer.scope, manner, answer.question)
        with self._face_lock:
            make(answer, thinking, speaking, self._show, self._made)

    def _show(self, answer: Answer) -> Show:
        frame, since = self.rest
        start = int(frame + (time.monotonic() - since + _ON_SCREEN) * FPS) % self.parts.face.cycle if since else 0
        answer.frame = start
        answer.tell({"type": "begin", "turn": answer.number, "frame": start})

        def out(data: bytes, seconds: float) -> None:
            answer.playback.sent(seconds)
            answer.seconds = seconds
            if data:
                answer.tell(data)

        return Show(self.parts.face, self.parts.muxer(), start, answer.scope, answer.playback, self.parts.turnstile,
                    out)

    def _pass(self, answer: Answer, item: Item) -> None:
        if isinstance(item, bytes):
            self.parts.film(answer, item)
            item = struct.pack(">BI", FRAGMENT, answer.number) + item
        self.send(item)

    def _made(self, answer: Answer) -> None:
        """Called by the answer's thread when it has nothing more to do."""
        with self.lock:
            if answer.out and not answer.scope.cancelled and not self.closed:
                self._finished(answer)

    def _finished(self, answer: Answer) -> None:
        if answer.told:
            return
        answer.told = True
        if answer.seconds:
            answer.tell({"type": "end", "turn": answer.number, "seconds": round(answer.seconds, 3)})
        if answer.error:
            self.fail(answer, answer.error)
        if not answer.seconds:
            self.end(answer)
