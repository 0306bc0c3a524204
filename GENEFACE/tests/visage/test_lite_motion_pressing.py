"""Lips that touch for p, b and m, and nothing else that changes for it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.visage.lite_talker import plain_face, talk
from visage.engines.lite.generic_mouth import generic_basis
from visage.engines.lite.listen import open_listener, pressing
from visage.engines.lite.listen.pressing import press_heard_lips, shut
from visage.engines.lite.mel import frame_count
from visage.engines.lite.mouth import MouthBasis, fit_basis, select
from visage.engines.lite.visemes import visemes_of
from visage.media.audio import resample
from visage.tts.contract import SpeechRequest
from visage.tts.espeak import EspeakSynthesizer
from visage.types import SPEECH_RATE, Phone


@pytest.fixture(scope="module")
def basis() -> MouthBasis:
    return fit_basis(talk(12)[1], size=6)


def test_shut_lips_touch_and_keep_their_width(basis: MouthBasis) -> None:
    told = basis.encode(select(talk(4, seed=3)[1]))
    before = basis.measure(told)
    share = np.zeros(len(told), np.float32)
    share[10:14], share[20:22] = 1, 0.5
    after = basis.measure(shut(told, share, basis))
    assert (after[10:14, 0] < 0.05 * basis.span[1, 0]).all()
    assert np.allclose(after[20:22, 0], before[20:22, 0] / 2, atol=0.02 * basis.span[1, 0])
    assert np.abs(after[:, 1] - before[:, 1]).max() < 0.2 * np.ptp(before[:, 1])
    untouched = share == 0
    assert np.array_equal(after[untouched], before[untouched])


@pytest.mark.parametrize(("chance", "opened", "shuts"), [(0.3, 1.0, False), (0.6, 0.3, True), (0.9, 1.0, True)])
def test_a_wide_open_mouth_closes_for_sure_sounds_alone(basis: MouthBasis, monkeypatch: pytest.MonkeyPatch,
                                                       chance: float, opened: float, shuts: bool) -> None:
    names = pressing.viseme_names()
    chances = np.zeros((100, len(names)), np.float32)
    chances[40:46, names.index("lips")] = chance
    monkeypatch.setattr(pressing, "encode_utterance", lambda samples: (np.zeros((100, 64), np.float32), chances))
    rest = basis.measure(basis.rest[None])[0]
    wanted = np.tile((basis.span[1] - rest) + rest, (50, 1))
    wanted[20:23, 0] = rest[0] + opened * (basis.span[1, 0] - rest[0])
    shown = basis.measure(press_heard_lips(basis.pose(wanted), np.zeros(32_000, np.float32), basis))[:, 0]
    assert (shown[20:23].max() < 0.15 * basis.span[1, 0]) == shuts
    assert shown[30:].min() > 0.5 * basis.span[1, 0]


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, tuple[Phone, ...]]:
    text = "Maybe Peter bought apples. Mama will come back."
    speech = EspeakSynthesizer().speak(SpeechRequest(text, "espeak:en-us+ed"))
    return resample(speech.samples, speech.rate, SPEECH_RATE), speech.phones


def test_every_known_lip_sound_of_a_built_in_voice_shuts_the_mouth(spoken) -> None:
    sound, phones = spoken
    lips = [phone for phone in phones if visemes_of(phone.symbol) == ("lips",)]
    basis = generic_basis(plain_face())
    gaps = basis.measure(open_listener(basis).predict(sound, phones))[:, 0]
    time = (np.arange(frame_count(sound)) + 0.5) / 25
    limit = 0.15 * np.percentile(gaps, 95)
    assert len(lips) >= 7
    for phone in lips:
        assert gaps[np.abs(time - (phone.start + phone.end) / 2) <= 0.06].min() < limit


def test_most_lip_sounds_are_heard_without_their_times(spoken) -> None:
    sound, phones = spoken
    lips = [phone for phone in phones if visemes_of(phone.symbol) == ("lips",)]
    basis = generic_basis(plain_face())
    gaps = basis.measure(open_listener(basis).predict(sound))[:, 0]
    shut_there = gaps < 0.15 * np.percentile(gaps, 95)
    time = (np.arange(len(gaps)) + 0.5) / 25
    heard = [shut_there[np.abs(time - (phone.start + phone.end) / 2) <= 0.06].any() for phone in lips]
    assert np.mean(heard) >= 0.7
    assert shut_there.mean() < 0.6
