"""From what is written to what can be said."""

from __future__ import annotations

import pytest

from visage.dialogue.speakable import language_of, speakable, without_thoughts


@pytest.mark.parametrize(("written", "said"), [
    ("Hello **world**, this is `code`!", "Hello world, this is code!"),
    ("# Title\n\n- one\n- two\n1. three", "Title\none\ntwo\n1. three"),
    ("你好😀👨‍👩‍👧🇨🇳，世界❤️", "你好 ，世界"),
    ("See [the page](https://example.com/a_b?c=1) or https://www.example.org/x/y.", "See the page or example.org."),
    ("Run this:\n```python\nprint(1)\n```\nDone.", "Run this:\nDone."),
    ("2*3*4 = 24 and some_long_name stay, *this* and _that_ go",
     "2*3*4 = 24 and some_long_name stay, this and that go"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b\n1, 2"),
    ("> quoted<br>line\n---\nend", "quoted line\nend"),
    ("It is 23 °C, 50% — about $5.", "It is 23 °C, 50% — about $5."),
    ("![a cat](cat.png)", "a cat"),
    ("😀😀", ""), ("***", ""), ("", ""), ("___", ""), ("```\nonly code", ""),
])
def test_what_is_said(written: str, said: str) -> None:
    assert speakable(written) == said


@pytest.mark.parametrize(("answer", "left"), [
    ("<think>Hm. What?</think>\n\nYes.", "Yes."), ("<think>never ends", ""), ("No thoughts", "No thoughts"),
    ("I think so.", "I think so."),
])
def test_thoughts_are_not_part_of_the_answer(answer: str, left: str) -> None:
    assert without_thoughts(answer) == left


@pytest.mark.parametrize(("text", "language"), [
    ("你好，world", "zh"), ("hello world 你", "en"), ("2026", "en"), ("我用GPU训练", "zh"), ("", "en")])
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language
