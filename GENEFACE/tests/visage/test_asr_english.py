"""English is understood: flite's voice and real recordings, where this machine has them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from visage.asr import Recognizer, open_recognizer
from visage.asr.speech_gate import CHUNK_SECONDS, chunks
from visage.config import Settings
from visage.types import SPEECH_RATE


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return open_recognizer(Settings(vosk_model=None))


def load(file: Path) -> np.ndarray:
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return resample_poly(samples.mean(axis=1), SPEECH_RATE, rate).astype(np.float32)


def flite(text: str, file: Path) -> np.ndarray:
    program = shutil.which("flite")
    if program is None:
        pytest.skip("flite is not installed (apt install flite)")
    subprocess.run([program, "-voice", "slt", "-t", text, "-o", str(file)], check=True, timeout=30)
    return load(file)


def test_a_synthetic_sentence_is_understood(recognizer: Recognizer, tmp_path: Path) -> None:
    heard = recognizer.transcribe(flite("please open the door and close the window", tmp_path / "a.wav"))
    assert heard.text == "please open the door and close the window"
    assert (heard.language, heard.driver) == ("en", "sphinx") and "Only English" in heard.note


def test_speech_between_long_silences_is_found(recognizer: Recognizer, tmp_path: Path) -> None:
    speech = flite("good morning my friends", tmp_path / "a.wav")
    silence = np.zeros(45 * SPEECH_RATE, np.float32)
    heard = recognizer.transcribe(np.concatenate([silence, speech, silence]))
    assert "morning" in heard.text.split()


@pytest.mark.parametrize(("name", "words"), [
    ("en_one_two_three.wav", "one two three"),
    ("en_librispeech_1995-1837-0001.wav", "the first great sorrow of his life"),
])
def test_real_speech_is_understood(recognizer: Recognizer, shared_clips: Path, name: str, words: str) -> None:
    assert words in recognizer.transcribe(load(shared_clips / "speech" / name)).text


@pytest.mark.parametrize("name", ["silence_5s.wav", "noise_white_8s.wav", "noise_esc50_thunder.wav"])
def test_noise_is_not_turned_into_words(recognizer: Recognizer, shared_clips: Path, name: str) -> None:
    assert recognizer.transcribe(load(shared_clips / "speech" / name)).text == ""


def test_pieces_are_short_and_cut_in_pauses() -> None:
    clock = np.arange(70 * SPEECH_RATE) / SPEECH_RATE
    words = np.where(clock % 1 < 0.7, 0.3 * np.sin(2000 * clock), 0).astype(np.float32)
    found = list(chunks(words))
    assert max(map(len, found)) <= CHUNK_SECONDS * SPEECH_RATE
    assert sum(map(len, found)) == len(words)
    assert all(np.abs(piece[-100:]).max() < 0.01 for piece in found[:-1])
