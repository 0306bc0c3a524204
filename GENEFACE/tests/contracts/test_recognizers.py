"""What every recogniser that can be opened here promises, and what is said of one that cannot."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from visage.asr import DRIVERS, Recognizer, Transcript, open_recognizer
from visage.config import Settings
from visage.errors import BadAudio, NotInstalled
from visage.types import SPEECH_RATE


@pytest.fixture(scope="module", params=sorted(DRIVERS))
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    model = os.environ.get("VISAGE_VOSK_MODEL")
    if request.param == "vosk" and not model:
        pytest.skip("no Vosk model on this machine (VISAGE_VOSK_MODEL)")
    return open_recognizer(Settings(vosk_model=model if request.param == "vosk" else None))


@pytest.mark.parametrize("samples", [0, 1, 100, SPEECH_RATE // 10])
def test_almost_no_sound_is_no_text(recognizer: Recognizer, samples: int) -> None:
    assert recognizer.transcribe(np.full(samples, 0.1, np.float32)).text == ""


def test_silence_and_steady_noise_are_no_text(recognizer: Recognizer) -> None:
    random = np.random.default_rng(1)
    clock = np.arange(5 * SPEECH_RATE) / SPEECH_RATE
    for sound in (np.zeros(5 * SPEECH_RATE), random.normal(0, 0.1, 5 * SPEECH_RATE), 0.3 * np.sin(2764 * clock),
                  np.full(5 * SPEECH_RATE, np.nan)):
        heard = recognizer.transcribe(sound.astype(np.float32))
        assert isinstance(heard, Transcript) and heard.text == "" and heard.driver


def test_half_an_hour_of_silence_does_no_harm(recognizer: Recognizer) -> None:
    assert recognizer.transcribe(np.zeros(1800 * SPEECH_RATE, np.float32)).text == ""


def test_more_than_an_hour_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(BadAudio, match="at most 60"):
        recognizer.transcribe(np.broadcast_to(np.float32(0), 3601 * SPEECH_RATE))


def test_a_missing_or_broken_vosk_model_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled) as told:
        open_recognizer(Settings(vosk_model=tmp_path / "absent"))
    assert told.value.code == "asr.no_model" and "VISAGE_VOSK_MODEL" in told.value.hint
    (tmp_path / "am").mkdir()
    with pytest.raises(NotInstalled) as told:
        open_recognizer(Settings(vosk_model=tmp_path))
    assert told.value.code == "asr.bad_model"
