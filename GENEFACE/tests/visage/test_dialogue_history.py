"""What a language model is told of a conversation."""

from __future__ import annotations

import pytest

from visage.dialogue.history import STYLE, Exchange, conversation


def test_the_prompt_comes_first_and_the_question_last() -> None:
    told = conversation([Exchange("q1", "a1"), Exchange("q2", "a2")], "now?", persona="You are Ada.")
    assert [message.role for message in told] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert told[0].text == f"You are Ada.\n\n{STYLE}"
    assert [message.text for message in told[1:]] == ["q1", "a1", "q2", "a2", "now?"]


def test_the_oldest_are_forgotten_first_and_whole() -> None:
    past = [Exchange(f"q{n}" + "x" * 48, "y" * 50) for n in range(10)]
    told = conversation(past, "now?", budget=250)
    assert [message.text[:2] for message in told[1:-1:2]] == ["q8", "q9"]


def test_a_question_longer_than_the_budget_is_still_asked() -> None:
    told = conversation([Exchange("q", "a")], "z" * 500, budget=1)
    assert [message.text for message in told[1:]] == ["z" * 500]


@pytest.mark.parametrize(("answer", "heard", "left"), [
    ("one two three four", 0.5, "one two…"), ("one two three four", 0.6, "one two…"),
    ("一二三四五六七八", 0.5, "一二三四…"), ("whole", 1.0, "whole"), ("Done. More", 0.5, "Done.…"),
])
def test_an_interrupted_answer_enters_as_far_as_it_was_heard(answer: str, heard: float, left: str) -> None:
    told = conversation([Exchange("q", answer, heard)], "now?")
    assert [message.text for message in told[1:]] == ["q", left, "now?"]


def test_an_answer_nobody_heard_is_left_out() -> None:
    told = conversation([Exchange("q", "answer", 0.0)], "now?")
    assert [message.text for message in told[1:]] == ["q", "now?"]
