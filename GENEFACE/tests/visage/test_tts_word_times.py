"""A voice that tells when its words are spoken lets lips know when their sounds are."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from visage.config import Settings
from visage.tts import SpeechRequest, open_synthesizer
from visage.tts.encoding import encode
from visage.tts.word_times import Word, phones_of_words


def test_sounds_of_a_word_fill_its_time() -> None:
    phones = phones_of_words([Word("papa", 0.5, 1.1), Word("moon", 1.1, 1.5)], "en", 2.0)
    assert phones[0].symbol == "_" and (phones[0].start, phones[0].end) == (0.0, 0.5)
    assert phones[-1].symbol == "_" and phones[-1].end == 2.0
    assert all(first.end == pytest.approx(second.start) for first, second in pairwise(phones))
    lips = [phone.start for phone in phones if phone.symbol in ("p", "m")]
    assert len(lips) == 3 and lips[0] == 0.5 and 0.6 < lips[1] < 1.0 and lips[2] == pytest.approx(1.1)


def test_overlapping_words_and_words_beyond_the_end_are_cut() -> None:
    phones = phones_of_words([Word("one", 0.0, 0.6), Word("two", 0.4, 0.9), Word("late", 1.4, 2.0)], "en", 1.0)
    assert phones[-1].end == 1.0
    assert all(phone.start < phone.end for phone in phones)


@pytest.mark.parametrize(("words", "language"), [([], "en"), ([Word("x", 0, 1)], "tlh"), ([Word("…", 0, 1)], "en")])
def test_nothing_known_is_nothing_told(words: list[Word], language: str) -> None:
    assert phones_of_words(words, language, 1.0) == ()


def test_edge_voices_tell_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = io.BytesIO()
    encode((0.1 * np.sin(np.arange(36_000) * 0.05)).astype(np.float32), 24_000, "mp3", sound)

    async def stream(talk: Any) -> AsyncIterator[dict[str, Any]]:
        assert talk.tts_config.boundary == "WordBoundary"
        yield {"type": "audio", "data": sound.getvalue()}
        yield {"type": "WordBoundary", "offset": 1_000_000, "duration": 5_000_000, "text": "妈妈"}

    monkeypatch.setattr("edge_tts.Communicate.stream", stream)
    speech = open_synthesizer(Settings()).speak(SpeechRequest("妈妈", "edge:zh-CN-XiaoxiaoNeural"))
    assert speech.voice == "edge:zh-CN-XiaoxiaoNeural" and not speech.notes
    lips = [phone for phone in speech.phones if phone.symbol.startswith("m")]
    assert len(lips) == 2 and lips[0].start == pytest.approx(0.1)
    assert speech.phones[-1].end == pytest.approx(len(speech.samples) / speech.rate)
