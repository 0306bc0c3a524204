"""How long a silence ends a turn: it follows the speaker and the words."""

from __future__ import annotations

import numpy as np
import pytest

from visage.dialogue.turn_end import COMPLETE, LONGEST, OPEN, SHORTEST, START, TurnEnd, completeness


@pytest.mark.parametrize("text", ["what is the weather today", "can you tell me the time", "yes", "okay thanks",
                                  "今天天气怎么样", "你叫什么", "你是谁", "我们走吧", "谢谢"])
def test_complete_words_shorten_the_wait(text: str) -> None:
    assert completeness(text) == COMPLETE and TurnEnd().silence(text) < START


@pytest.mark.parametrize("text", ["i would like to know the", "tell me about china and", "well um", "what is your",
                                  "我想问一下因为", "然后", "嗯", "这个东西和", "如果"])
def test_words_that_ask_for_more_lengthen_it(text: str) -> None:
    assert completeness(text) == OPEN and TurnEnd().silence(text) > START * 1.5


@pytest.mark.parametrize("text", ["", "...", "123", "the sky is blue", "今天下雨", "good morning my friends"])
def test_other_words_leave_it(text: str) -> None:
    assert completeness(text) == 1 and TurnEnd().silence(text) == START


def test_a_slow_speaker_is_given_more_time() -> None:
    end = TurnEnd()
    for pause in (0.42, 0.6, 0.55, 0.62):
        end.paused(pause)
    assert 0.65 < end.usual < 0.9


def test_a_quick_speaker_is_answered_sooner() -> None:
    end = TurnEnd()
    for _ in range(30):
        end.paused(0.16)
    assert end.usual < 0.35


def test_gaps_inside_words_teach_nothing() -> None:
    end = TurnEnd()
    for _ in range(100):
        end.paused(0.06)
    assert end.usual == START


def test_a_turn_cut_short_is_a_lesson() -> None:
    end = TurnEnd()
    end.cut_short(0.8)
    assert end.usual > 0.7


def test_whatever_happens_the_wait_stays_within_its_bounds() -> None:
    random = np.random.default_rng(3)
    end = TurnEnd()
    for _ in range(500):
        end.paused(float(random.exponential(0.6)))
        if random.random() < 0.2:
            end.cut_short(float(random.exponential(1.5)))
        for text in ("", "and", "what is your name"):
            assert SHORTEST <= end.silence(text) <= LONGEST


def test_made_speakers_are_cut_short_seldom() -> None:
    """Three speakers with log-normal pauses: after twenty turns few pauses are taken for the end, and the wait is no
    longer than it must be."""
    for median, longest in ((0.18, 0.45), (0.3, 0.8), (0.45, 1.0)):
        random = np.random.default_rng(5)
        end, cut = TurnEnd(), 0
        for turn in range(60):
            for pause in median * np.exp(random.normal(0, 0.35, 4)):
                early = pause > end.usual
                cut += early and turn >= 20
                (end.cut_short if early else end.paused)(float(pause))
        assert cut / 160 < 0.12, (median, cut)
        assert end.usual <= longest
