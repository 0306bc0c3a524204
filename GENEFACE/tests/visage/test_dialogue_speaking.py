"""Sentences become sound ahead of their time, in one voice, and failures are told after what was said."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from visage.dialogue.scope import Scope
from visage.dialogue.speaking import LOOK_AHEAD, Speaking
from visage.dialogue.thinking import Thought
from visage.dialogue.turn import Manner
from visage.errors import Cancelled, InvalidRequest, ServiceError, ServiceUnreachable
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.tts.reading import check_sayable


class Beeper:
    """Says a text as quiet, 10 ms a character; fails as often as told on sentences with a word."""

    def __init__(self, failing: str = "", times: int = 0):
        self.asked: list[SpeechRequest] = []
        self.failing, self.times = failing, times
        self.hold = threading.Event()
        self.hold.set()

    def voices(self) -> list[Voice]:
        return [Voice("beep:one", "Beep", "en")]

    def speak(self, request: SpeechRequest) -> Speech:
        self.asked.append(request)
        self.hold.wait(30)
        check_sayable(request.text)
        if self.failing and self.failing in request.text and self.times:
            self.times -= 1
            raise ServiceUnreachable("Gone.", code="tts.server_down", hint="Start it.")
        if request.text == "bad":
            raise InvalidRequest("No.", code="tts.unknown_voice", hint="Choose another.")
        notes = ("It beeps.", f"{len(self.asked)}") if len(self.asked) > 1 else ("It beeps.",)
        return Speech(np.zeros(160 * len(request.text), np.float32), 16_000, "beep:real", request.text, (), notes)


def thoughts(*sentences: str) -> Iterator[Thought]:
    shown = ""
    for sentence in sentences:
        shown += sentence
        yield Thought(sentence, shown, len(shown), time.monotonic())


def test_sentences_are_spoken_in_order_in_one_voice_and_language() -> None:
    beeper = Beeper()
    speaking = Speaking(beeper, thoughts("你好。", "I am here.", "再见。"), Scope(), Manner("beep:one", 1.5, 2.0))
    said = list(speaking)
    assert [one.thought.sentence for one in said] == ["你好。", "I am here.", "再见。"]
    assert [len(one.speech.samples) for one in said] == [480, 1600, 480]
    assert [request.voice for request in beeper.asked] == ["beep:one", "beep:real", "beep:real"]
    assert {(request.speed, request.pitch, request.language) for request in beeper.asked} == {(1.5, 2.0, "zh")}
    assert [one.speech.notes for one in said] == [("It beeps.",), ("2",), ("3",)]
    assert speaking.notes == ("It beeps.", "2", "3")
    assert all(one.thought.at <= one.begun <= one.ended for one in said)


@pytest.mark.parametrize(("first", "question", "language"), [
    ("OpenAI GPT Python 很好，", "你用什么？", "zh"), ("OpenAI GPT Python 很好，", "What do you use?", "en"),
    ("Hello there.", "你好", "en"), ("你好。", "Say hello in Chinese", "zh"), ("Hello there.", "", "en"),
])
def test_the_question_decides_where_the_answer_is_mixed(first: str, question: str, language: str) -> None:
    beeper = Beeper()
    list(Speaking(beeper, thoughts(first), Scope(), question=question))
    assert beeper.asked[0].language == language


def test_it_works_ahead_and_no_further() -> None:
    beeper = Beeper()
    speaking = Speaking(beeper, thoughts(*(f"Sentence {n}." for n in range(9))), Scope())
    until = time.monotonic() + 10
    while len(beeper.asked) < LOOK_AHEAD and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.3)
    assert len(beeper.asked) == LOOK_AHEAD
    assert speaking.ready
    assert len(list(speaking)) == len(beeper.asked) == 9


def test_a_voice_that_fails_once_is_asked_again() -> None:
    beeper = Beeper("two", 1)
    assert len(list(Speaking(beeper, thoughts("one.", "two.", "three."), Scope()))) == 3
    assert [request.text for request in beeper.asked] == ["one.", "two.", "two.", "three."]


def test_what_was_spoken_before_a_failure_stays() -> None:
    said = []
    with pytest.raises(ServiceUnreachable):
        said.extend(Speaking(Beeper("three", 9), thoughts("one.", "two.", "three.", "four."), Scope()))
    speaking, said = Speaking(Beeper("three", 9), thoughts("one.", "two.", "three."), Scope()), []
    with pytest.raises(ServiceUnreachable):
        for one in speaking:
            said.append(one.thought.sentence)
    assert said == ["one.", "two."]
    assert list(speaking) == []


def test_the_failure_of_the_model_comes_after_what_it_said() -> None:
    def broken() -> Iterator[Thought]:
        yield from thoughts("one.")
        raise ServiceError("Broke off.", code="llm.cut", hint="Ask again.")

    speaking = Speaking(Beeper(), broken(), Scope())
    assert next(speaking).thought.sentence == "one."
    with pytest.raises(ServiceError, match="Broke off"):
        next(speaking)


def test_what_has_nothing_to_say_is_left_out_and_a_wrong_wish_is_told() -> None:
    assert [one.thought.sentence for one in Speaking(Beeper(), thoughts("……", "one."), Scope())] == ["one."]
    beeper = Beeper()
    with pytest.raises(InvalidRequest):
        list(Speaking(beeper, thoughts("bad"), Scope()))
    assert len(beeper.asked) == 1


def test_cancelling_is_at_once_while_the_voice_is_busy() -> None:
    beeper, scope = Beeper(), Scope()
    beeper.hold.clear()
    speaking = Speaking(beeper, thoughts("one.", "two."), scope)
    assert not speaking.ready
    timer = threading.Timer(0.2, scope.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        next(speaking)
    beeper.hold.set()
    timer.join()
    assert speaking.ready
    assert speaking._said.join(5)
    assert [request.text for request in beeper.asked] == ["one."]
