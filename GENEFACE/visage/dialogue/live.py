"""A live conversation: who speaks, who listens, and what happens when both want to.

`LiveTalk` is told what the browser sends (sound, messages) by one thread and
sends events and video through a function that must not block.  An answer is
prepared while the speaker may still go on (`events.Paused`), let out when the
turn has ended, and dropped with everything it started when it is interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from visage.dialogue.answering import Answer
from visage.dialogue.events import Began, EarEvent, Ended, Heard, Insisted, Nothing, Paused, Resumed, Words
from visage.dialogue.history import Exchange
from visage.dialogue.turns import Turns
from visage.errors import InvalidRequest, VisageError
from visage.types import SPEECH_RATE

_LONGEST = 2000
"""Characters of a typed question."""
_MOST = 1e7
"""No number that a browser tells is as large."""


class LiveTalk:
    """Turns what is heard and told into turns."""

    def __init__(self, turns: Turns):
        self.turns = turns
        self._ears = turns.parts.ears
        self._fed: tuple[int, int] = (0, 0)
        self._odd = b""
        self._handlers = {"say": self._say, "interrupt": self._interrupted, "idle": self._rests,
                          "played": self._played, "shown": self._shown, "done": self._done,
                          "microphone": self._microphone}

    def sound(self, data: bytes) -> None:
        """Further sound of the microphone, 16-bit little-endian mono at `SPEECH_RATE`, cut anywhere."""
        data = self._odd + data
        whole = len(data) // 2 * 2
        self._odd = data[whole:]
        samples = np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768
        with self.turns.lock:
            for event in self._ears.hear(samples):
                self._heard(event)

    def message(self, told: Mapping[str, Any]) -> None:
        """An event of the browser (docs/live.md).  Raises `InvalidRequest` for what is none."""
        handler = self._handlers.get(str(told.get("type")))
        if handler is None:
            raise InvalidRequest("There is no message {type!r}.", code="live.unknown_message",
                                 hint="See docs/live.md.", type=str(told.get("type"))[:40])
        with self.turns.lock:
            handler(told)

    def past(self) -> list[Exchange]:
        """What was said, the answer that is being given as far as it was heard."""
        with self.turns.lock:
            return list(self.turns.told())

    def close(self) -> None:
        """The browser is gone: all work stops, and what was said is stored; nobody uses the parts any more."""
        with self.turns.lock:
            self.turns.closed = True
            self.turns.drop_draft()
            self._ears.close()
            if given := self.turns.given:
                given.give_up()
                self.turns.end(given)
        self.turns.wait()

    def _heard(self, event: EarEvent) -> None:
        turns, given = self.turns, self.turns.given
        match event:
            case Began():
                turns.send({"type": "user", "speaking": True})
                if given and given.playback.started:
                    given.playback.hold()
                    turns.send({"type": "hold", "turn": given.number})
            case Insisted() if given:
                turns.stop(given, "voice")
            case Words(text):
                turns.send({"type": "partial", "text": turns.joined(text)})
            case Paused(at, text):
                turns.prepare(turns.joined(text), self._moment(at))
            case Resumed():
                turns.drop_draft()
            case Ended(at, _, heard, samples):
                turns.send({"type": "user", "speaking": False})
                whole = Heard(turns.joined(heard.text), heard.recogniser, heard.seconds, heard.note)
                turns.answer(whole, self._moment(at), samples)
            case Nothing(_, note):
                self._nothing(note)

    def _nothing(self, note: str) -> None:
        self.turns.drop_draft()
        self.turns.send({"type": "user", "speaking": False})
        given = self.turns.given
        if given and given.playback.held:
            given.playback.go_on()
            self.turns.send({"type": "resume", "turn": given.number})
            # what is still to come is heard later than was foretold
            self._ears.talking(False)
            self._ears.talking(True)
            self._fed = (0, 0)
            self._warn_ears(given)
        elif self.turns.carried:
            self.turns.answer_carried()
        elif note:
            self.turns.fail(None, VisageError("Nothing was understood. {note}", code="live.not_understood",
                                              hint="Speak closer to the microphone, or type the question.", note=note))

    def _say(self, told: Mapping[str, Any]) -> None:
        # JSON may hold halves of characters, which can neither be stored nor sent
        text = str(told.get("text", "")).encode("utf-8", "replace").decode().strip()[:_LONGEST]
        if not text:
            raise InvalidRequest("The question is empty.", code="turn.no_question",
                                 hint="Type something, or record a question.")
        self._forget_speech()
        self.turns.answer(Heard(text, "typed", 0.0), time.monotonic())

    def _interrupted(self, told: Mapping[str, Any]) -> None:
        if answer := self._named(told):
            try:
                if "heard" in told:
                    answer.playback.report(_number(told, "heard"))
            finally:
                self.turns.stop(answer, "button")

    def _rests(self, told: Mapping[str, Any]) -> None:
        self.turns.rest = (_number(told, "frame"), time.monotonic())

    def _played(self, told: Mapping[str, Any]) -> None:
        if answer := self._named(told):
            answer.playback.report(_number(told, "at"))
            self._warn_ears(answer)

    def _shown(self, told: Mapping[str, Any]) -> None:
        if answer := self._named(told):
            answer.playback.report(0.0)
            measured = told.get("first_frame_ms")
            if isinstance(measured, int | float) and 0 <= measured < _MOST:
                answer.first_frame_ms = float(measured)
            self._warn_ears(answer)

    def _done(self, told: Mapping[str, Any]) -> None:
        answer = self._named(told)
        if answer and answer.whole:
            answer.playback.report(answer.seconds)
            self.turns.end(answer)

    def _microphone(self, told: Mapping[str, Any]) -> None:
        self._odd = b""
        if not told.get("on"):
            for event in self._ears.finish():
                self._heard(event)

    def _forget_speech(self) -> None:
        """What is just being said is no question."""
        for event in self._ears.reset():
            self._heard(event)

    def _named(self, told: Mapping[str, Any]) -> Answer | None:
        """The answer that is being given, if the message is about it."""
        given = self.turns.given
        return given if given and told.get("turn") == given.number else None

    def _moment(self, at: float) -> float:
        """When a moment of the microphone's stream was, `time.monotonic`."""
        return time.monotonic() - max(self._ears.now - at, 0.0)

    def _warn_ears(self, answer: Answer) -> None:
        """Tell the ears what the browser plays, and when: they must not take it for the user."""
        turn, fed = self._fed
        fed = fed if turn == answer.number else 0
        position = answer.playback.position()
        begin = self._ears.now - position
        news = answer.sounds[fed:]
        for start, sound in news:
            if start + len(sound) / SPEECH_RATE > position:
                self._ears.played(sound, begin + start)
        self._fed = (answer.number, fed + len(news))


def _number(told: Mapping[str, Any], name: str) -> float:
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        raise InvalidRequest("{name} must be a number.", code="request.number", hint="Send {name} as a JSON number.",
                             name=name)
    return float(value)
