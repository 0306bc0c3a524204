"""Cutting a growing text into sentences."""

from __future__ import annotations

import random

import pytest

from visage.dialogue.sentences import LONGEST, SentenceCutter, sentences
from visage.tts.reading import read

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


EARLY = {
    "明天北京的天气不错，最高气温25°C，有风。": ["明天北京的天气不错，", "最高气温25°C，有风。"],
    "你好，我是小明，很高兴认识你。": ["你好，我是小明，", "很高兴认识你。"],
    "好的。我们先看天气，再说。": ["好的。", "我们先看天气，再说。"],
    "Well, I think that is right, yes, and it costs $3.20.":
        ["Well, I think that is right,", "yes, and it costs $3.20."],
    "共有1,234,567个人参加，还有10:30的会。": ["共有1,234,567个人参加，", "还有10:30的会。"],
    "我们比分是10：30，他们是2，3，4。": ["我们比分是10：30，", "他们是2，3，4。"],
    "On November 21, 2026, the price was 1,000 dollars, they said.":
        ["On November 21, 2026,", "the price was 1,000 dollars, they said."],
    "There are many animals, e.g., cats and dogs, in it.":
        ["There are many animals,", "e.g., cats and dogs, in it."],
    "Some of these e.g., cats and dogs, are in it.": ["Some of these e.g., cats and dogs,", "are in it."],
    "I have 1, 2, 3 and 4 apples, thanks.": ["I have 1, 2, 3 and 4 apples,", "thanks."],
    "他说：“今天天气很好，我们走吧。”然后走了。": ["他说：“今天天气很好，我们走吧。", "然后走了。"],
    "他昨天大声地说：“今天天气很好。”": ["他昨天大声地说：", "“今天天气很好。"],
    "这里（北京、上海、广州）都很热，请注意。": ["这里（北京、上海、广州）都很热，", "请注意。"],
    "GPT-4 是一个大语言模型，它来自 OpenAI。": ["GPT-4 是一个大语言模型，", "它来自 OpenAI。"],
    "请看 https://example.com/a,b:c 这一页，谢谢。": ["请看 https://example.com/a,b:c 这一页，", "谢谢。"],
    "The meeting is at 10:30, so go.": ["The meeting is at 10:30,", "so go."],
    "Yes": ["Yes"],
    "": [],
}


def cut_early(text: str, step: int) -> list[str]:
    cutter = SentenceCutter(early=True)
    found = [sentence for n in range(0, len(text), step) for sentence in cutter.feed(text[n:n + step])]
    return [*found, *cutter.end()]


@pytest.mark.parametrize("text", EARLY, ids=lambda text: text[:20])
def test_the_first_piece_may_be_a_clause(text: str) -> None:
    for step in (1, 2, 3, 7, 100):
        assert cut_early(text, step) == EARLY[text]


def test_a_first_clause_does_not_wait_for_what_follows() -> None:
    cutter = SentenceCutter(early=True)
    assert cutter.cuts("明天北京的天气不错，") == [("明天北京的天气不错，", 10)]
    assert cutter.cuts("真的，很不错。好") == [("真的，很不错。", 17)]


NUMBERS = ("25°C", "-5°C", "3.5 km", "2026年11月21日", "2026-11-21", "50%", "$3.20", "￥1,234.50", "10:30", "10:05:30",
           "GPT-4", "iPhone 15", "https://example.com/a_b?c=1,2", "me@x.org", "1,234,567", "No. 5", "v2.0.1", "3/4",
           "120 km/h", "13812345678", "1.5–2.5%", "5 p.m.")


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(("frame", "language"), [
    ("今天我们看到的是{}，它很重要。后来是{}。还有{}！", "zh"), ("我们先说明一下，{}、{}和{}都对，不是吗？", "zh"),
    ("Today we have seen {}, and it matters. Then it was {}. And {}, too!", "en"),
    ("We would like to say: {}; {} and {}. Fine", "en"),
    ("我说的话没有标点也没有停顿" * 11 + " {} " + "就这样一直说下去" * 10, "zh"),
    ("these are words without any mark " * 4 + "and {} or {} or {} " + "and so on " * 9, "en"),
])
def test_cutting_changes_no_number(number: str, frame: str, language: str) -> None:
    text = frame.format(number, number, number)
    spoken = [read(sentence, language) for sentence in cut_early(text, 3)]
    assert len(spoken) > 1
    assert "".join("".join(spoken).split()) == "".join(read(text, language).split())
