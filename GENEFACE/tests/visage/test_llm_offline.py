"""The responder that needs nothing."""

from __future__ import annotations

import math
from datetime import datetime

import pytest

from visage.llm.contract import Message
from visage.llm.offline import OfflineResponder
from visage.llm.sums import solve

NOON = datetime(2026, 3, 1, 12, 5)


def ask(question: str, *before: Message) -> str:
    return "".join(OfflineResponder(clock=lambda: NOON).stream([*before, Message("user", question)]))


@pytest.mark.parametrize("question", ["hello", "who are you?", "tell me about cats", "你好", "你是谁？", "讲个故事吧"])
def test_the_first_answer_says_what_it_is_and_how_to_get_a_real_one(question: str) -> None:
    answer = ask(question)
    assert "offline" in answer or "离线" in answer
    assert "ZHIPU_API_KEY" in answer
    assert "VISAGE_OPENAI_BASE_URL" in answer


@pytest.mark.parametrize(("question", "part"), [
    ("What time is it?", "12:05"), ("现在几点了", "12点05分"), ("what day is it today", "Sunday, March 1, 2026"),
    ("今天星期几", "2026年3月1日，星期日"), ("thank you", "welcome"), ("再见", "再见"),
    ("what can you do", "small sums"),
    ("What is 12 times 3?", "36"), ("三加五等于几？", "等于8"), ("10 / 0", "divided by zero"),
    ("tell me about cats", "cats"),
    ("讲讲猫", "讲讲猫"), ("", "I heard"),
])
def test_what_it_knows(question: str, part: str) -> None:
    assert part in ask(question)


def test_it_does_not_repeat_itself_in_every_turn() -> None:
    later = ask("tell me about dogs", Message("user", "hi"), Message("assistant", "Hello!"))
    assert "dogs" in later
    assert "cannot answer" in later
    assert "ZHIPU_API_KEY" not in later


def test_the_language_of_the_question_is_kept() -> None:
    assert not any("\u3400" <= letter <= "\u9fff" for letter in ask("who are you"))
    assert any("\u3400" <= letter <= "\u9fff" for letter in ask("你是谁"))


@pytest.mark.parametrize(("question", "result"), [
    ("2+2", 4), ("what is (2+3)*4 - 1?", 19), ("seven minus nine", -2), ("2.5 × 4", 10), ("一百二十乘以三", 360),
    ("两千零五减五", 2000), ("8 divided by 16", 0.5), ("-3 + 5", 2), ("12 x 12", 144),
])
def test_sums(question: str, result: float) -> None:
    assert solve(question) == pytest.approx(result)


@pytest.mark.parametrize("question", ["hello", "", "2026-03-01", "call 555-1234-22", "one of the best", "一心一意",
                                      "1 + ", "(1+2", "no. 5", "C3PO"])
def test_no_sums(question: str) -> None:
    assert solve(question) is None


def test_division_by_zero() -> None:
    assert math.isnan(solve("5/0") or 0.0)
