"""What becomes of a question that seems to go on: events of ears that a test makes up, everything behind them real."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest

from visage.dialogue.events import Began, EarEvent, Ended, Heard, Insisted, Nothing
from visage.dialogue.live import LiveTalk
from visage.dialogue.turn import Manner
from visage.dialogue.turns import Choice, Parts, Turns
from visage.dialogue.turnstile import Turnstile
from visage.llm.contract import Message
from visage.llm.line import Line, Pieces


class Ears:
    """Tells what it was told to."""

    now = 0.0

    def __init__(self) -> None:
        self.next: list[EarEvent] = []

    def hear(self, _: np.ndarray) -> list[EarEvent]:
        told, self.next = self.next, []
        return told

    def reset(self) -> list[EarEvent]:
        return []

    def talking(self, _: bool) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class Slow:
    """A model that never comes to an answer; ``asked`` holds the last message of each request."""

    name = "slow"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def stream(self, messages: Sequence[Message]) -> Pieces:
        self.asked.append(messages[-1].text)
        line = Line()

        def made() -> Any:
            line.wait(60)
            yield ""

        return Pieces(made(), line)


Talk = tuple[LiveTalk, Ears, list[Any], list[tuple[str, int]], Slow]


@pytest.fixture
def talk() -> Any:
    ears, sent, kept, model = Ears(), [], [], Slow()
    parts = Parts(cast(Any, None), cast(Any, ears), cast(Any, None), cast(Any, None), Turnstile(1),
                  lambda answer, _, sound: kept.append((answer.question, 0 if sound is None else len(sound))),
                  lambda *_: None)
    talk = LiveTalk(Turns(parts, Choice(model, Manner()), sent.append, lambda _: None))
    yield talk, ears, sent, kept, model
    talk.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("answer-")]


def ended(text: str, samples: int) -> Ended:
    return Ended(0.0, 0.5, Heard(text, "test", 0.01), np.zeros(samples, np.float32))


def tell(talk: Talk, *events: EarEvent) -> None:
    talk[1].next = list(events)
    talk[0].sound(bytes(2))


def until(ready: Callable[[], Any]) -> None:
    limit = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < limit
        time.sleep(0.01)


def heard(talk: Talk) -> list[str]:
    return [event["text"] for event in talk[2] if event["type"] == "heard"]


def test_a_question_that_goes_on_is_one_with_the_sound_of_both(talk: Talk) -> None:
    tell(talk, ended("what is", 100))
    tell(talk, Began(1.0), Insisted(1.2), ended("the weather", 50))
    assert heard(talk) == ["what is", "what is the weather"]
    until(lambda: talk[4].asked[-1:] == ["what is the weather"])
    talk[0].close()
    assert talk[3] == [("what is the weather", 150)]


def test_a_question_after_which_only_noise_came_is_answered(talk: Talk) -> None:
    tell(talk, ended("what is", 100))
    tell(talk, Began(1.0), Insisted(1.2), Nothing(1.5, "noise"))
    assert heard(talk) == ["what is", "what is"] and talk[0].turns.given and not talk[0].turns.carried
    assert not [event for event in talk[2] if event["type"] == "error"]
    talk[0].close()
    assert talk[3] == [("what is", 100)]


def test_a_typed_question_is_whole_and_is_kept_when_somebody_speaks(talk: Talk) -> None:
    talk[0].message({"type": "say", "text": "Typed?"})
    tell(talk, Began(1.0), Insisted(1.2), ended("spoken", 10))
    assert heard(talk) == ["Typed?", "spoken"] and talk[3] == [("Typed?", 0)]
