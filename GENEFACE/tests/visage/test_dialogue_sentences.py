"""Cutting a growing text into sentences."""

from __future__ import annotations

import random

import pytest

from visage.dialogue.sentences import LONGEST, SentenceCutter, sentences

CASES = {
    "你好。我是小明！你呢？": ["你好。", "我是小明！", "你呢？"],
    "他说：“你好。”然后走了。": ["他说：“你好。", "然后走了。"],
    "什么？！真的！！！": ["什么？", "真的！"],
    "我想……也许吧。": ["我想……", "也许吧。"],
    "真的!是吗?": ["真的!", "是吗?"],
    "圆周率是3.14，不是3。Node.js很好用。": ["圆周率是3.14，不是3。", "Node.js很好用。"],
    "Pi is 3.14. Dr. Smith said so, e.g. yesterday. Really?! Yes... maybe.":
        ["Pi is 3.14.", "Dr. Smith said so, e.g. yesterday.", "Really?!", "Yes... maybe."],
    '"Really?" he asked. "Yes!" she said.': ['"Really?" he asked.', '"Yes!" she said.'],
    "The U.S. Senate met J. R. Smith at 5 p.m. He left at 6 p.m. and slept.":
        ["The U.S. Senate met J. R. Smith at 5 p.m.", "He left at 6 p.m. and slept."],
    "So did I. You too. In 2024. Then": ["So did I.", "You too.", "In 2024.", "Then"],
    "1. Wash the rice.\n2. Cook it.\n": ["1. Wash the rice.", "2. Cook it."],
    "Visit example.com. Then go.": ["Visit example.com.", "Then go."],
    "one line\n\n- another": ["one line", "- another"],
    "Hello. 你好。Bye": ["Hello.", "你好。", "Bye"],
    "Wait… what? (Yes.) Fine": ["Wait… what?", "(Yes.)", "Fine"],
    "No. I like No. 5 best. Yes": ["No.", "I like No. 5 best.", "Yes"],
    "…… ?! \n 。": [],
    "": [],
}


@pytest.mark.parametrize("text", CASES, ids=lambda text: text[:20])
def test_sentences(text: str) -> None:
    assert sentences(text) == CASES[text]


@pytest.mark.parametrize("text", [*CASES, "词，" * 300, "word " * 200, "x" * 500, "a, b; c " * 90])
def test_the_pieces_do_not_matter(text: str) -> None:
    chance = random.Random(1)
    for _ in range(40):
        cutter, found, place = SentenceCutter(), [], 0
        while place < len(text):
            step = chance.randint(1, 7)
            found += cutter.feed(text[place:place + step])
            place += step
        assert [*found, *cutter.end()] == sentences(text)


def test_a_sentence_comes_as_soon_as_it_is_certain() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("你好") == []
    assert cutter.feed("。") == ["你好。"]
    assert cutter.feed("It costs 3.") == []
    assert cutter.feed("5 dollars.") == []
    assert cutter.feed(" Fine") == ["It costs 3.5 dollars."]
    assert cutter.end() == ["Fine"]
    assert cutter.end() == []


@pytest.mark.parametrize("text", ["词，" * 300, "word " * 200, "x" * 500])
def test_a_text_without_ends_is_cut_and_nothing_is_lost(text: str) -> None:
    found = sentences(text)
    assert all(len(sentence) <= LONGEST for sentence in found)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
