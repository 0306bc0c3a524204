"""The figures of lips against sound mean what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.lips_motion import Shown, Take, _mean, figures, part, shut_at
from benchmarks.lips_strangers import left_out, person_of
from benchmarks.phone_times import align, phones_of
from tests.visage.lite_talker import talk
from visage.engines.lite.mouth import select
from visage.media.audio import resample
from visage.tts.contract import SpeechRequest
from visage.tts.espeak import EspeakSynthesizer
from visage.types import SPEECH_RATE, Phone


def test_a_sound_is_shut_when_the_mouth_is_within_60_ms_of_its_middle() -> None:
    gaps = np.ones(100, np.float32)
    gaps[50] = 0.1  # shown from 2.00 to 2.04 s, its middle at 2.02
    phones = tuple(Phone("P", middle - 0.03, middle + 0.03) for middle in (1.95, 1.97, 2.02, 2.07, 2.09))
    assert shut_at(gaps, phones).tolist() == [False, True, True, True, False]


def test_a_perfect_and_a_lazy_mouth_are_told_apart() -> None:
    seen = np.abs(np.sin(np.arange(400) * 0.3))[:, None] * np.array([0.1, 0.02, 0.1, 0.05]) + 0.001
    phones = tuple(Phone("B", at / 25, at / 25 + 0.04) for at in np.flatnonzero(seen[:, 0] < 0.015))
    perfect = figures(Shown(seen, seen, phones, np.array([0.5, 0.9])))
    assert perfect["corr_opening"] == pytest.approx(1) and perfect["amplitude_ratio"] == pytest.approx(1)
    assert perfect["closure_recall"] == perfect["closure_real"] == perfect["closed_in_silence"] == 1
    lazy = figures(Shown(0.04 + 0.5 * seen, seen, phones, np.array([0.5, 1.2])))
    assert lazy["corr_opening"] == pytest.approx(1) and lazy["amplitude_ratio"] == pytest.approx(0.5)
    assert lazy["closure_recall"] == lazy["closure_recall_seen"] == 0 and lazy["closed_in_silence"] == 0.5


def test_parts_keep_their_sounds_on_their_own_clock() -> None:
    whole = Take("x", np.zeros((100, 3, 3)), np.arange(64_000.0), (Phone("P", 0.9, 1.0), Phone("M", 2.4, 2.5)))
    second = part(whole, 50, 100)
    assert [(phone.symbol, round(phone.start, 2)) for phone in second.phones] == [("M", 0.4)]
    assert second.sound[0] == 32_000 and len(second.sound) == 32_000 and len(second.shapes) == 50


def test_means_leave_out_what_is_not_known() -> None:
    assert _mean([1.0, float("nan"), 3.0], [1.0, 1.0, 3.0]) == pytest.approx(2.5)
    assert np.isnan(_mean([float("nan")], [1.0]))


def test_nobody_is_told_by_his_own_recordings() -> None:
    assert person_of("obama1_20s_256") == person_of("styletalk_obama2_30s_256") == "obama"
    assert person_of("trump_10s") == "trump_10s"
    clips = {}
    for name, seed in (("a", 1), ("b", 2)):
        sound, points = talk(6, seed=seed)
        clips[name] = (sound, select(points))
    told = left_out(clips)
    assert set(told) == {"a", "b"}
    assert min(row["opening"] for row in told.values()) > 0.3


def test_sounds_of_speech_are_found_and_kept(tmp_path: Path) -> None:
    text = "set blue with e five now"
    speech = EspeakSynthesizer().speak(SpeechRequest(text, "espeak:en-us+ed"))
    sound = resample(speech.samples, speech.rate, SPEECH_RATE)
    found = align(sound, text)
    burst = next(phone for phone in speech.phones if phone.symbol == "b")
    there = next(phone for phone in found if phone.symbol == "B")
    assert there.start - 0.12 < (burst.start + burst.end) / 2 < there.end + 0.12
    (tmp_path / "clip.phones.json").write_text(json.dumps([["P", 1.0, 1.1]]), encoding="utf-8")
    assert phones_of(sound, "clip", tmp_path) == [Phone("P", 1.0, 1.1)]
    assert align(np.zeros(16_000, np.float32)) == []
