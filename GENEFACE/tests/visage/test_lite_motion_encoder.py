"""The speech encoder: whole, the same in pieces, and torch is not needed to hear."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.visage.lite_talker import talk
from visage.engines.lite import encoder
from visage.engines.lite.encoder import SpeechStream, encode_speech, viseme_names
from visage.engines.lite.mel import energies, frame_count, levelled
from visage.engines.lite.silence import speech_mask, voice_gate
from visage.engines.lite.visemes import VISEMES, visemes_of
from visage.errors import NotInstalled

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(encoder.__file__).parent
_LIKE_A_RECORDING = np.float32(10)
"""The voice of these tests has nothing in most bands; so many times as loud, its bands are as full as a real one's."""


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0])
def test_two_rows_for_every_frame(seconds: float) -> None:
    sound = talk(2)[0][:round(seconds * 16_000)]
    features, chances = encode_speech(sound)
    assert features.shape == (2 * frame_count(sound), 64)
    assert np.allclose(chances.sum(1), 1, atol=1e-3) and chances.shape[1] == len(viseme_names())
    assert set(viseme_names()) == set(VISEMES)


def test_pieces_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = talk(12)[0]
    whole = encode_speech(sound)[0]
    monkeypatch.setattr(encoder, "_BLOCK", 130)
    assert np.abs(encode_speech(sound)[0] - whole).max() < 1e-3


def test_a_voice_still_speaking_is_encoded_as_its_file_is() -> None:
    rng = np.random.default_rng(5)
    for seconds in (0.0, 0.05, 0.33, 5.219):
        sound = talk(6)[0][:round(seconds * 16_000)]
        stream, parts, at = SpeechStream(), [], 0
        while at < len(sound):
            size = int(rng.integers(1, 4000))
            parts.append(stream.add(sound[at:at + size]))
            at += size
            told = sum(len(part[0]) for part in parts)
            assert told >= min(at, len(sound)) // 320 - 1 - 6, "no row waits for more than 120 ms beyond its own end"
        parts.append(stream.finish())
        features, chances = encode_speech(sound)
        streamed = [np.concatenate([part[n] for part in parts]) for n in (0, 1)]
        rows = len(features) if seconds else 0
        assert [len(one) for one in streamed] == [rows, rows]
        assert np.abs(streamed[0] - features[:rows]).max(initial=0) < 1e-3
        assert np.abs(streamed[1] - chances[:rows]).max(initial=0) < 1e-3


def test_what_comes_later_is_not_heard_before() -> None:
    sound = talk(6)[0]
    other = np.concatenate([sound[:48_000], np.random.default_rng(0).normal(0, 0.3, 48_000).astype(np.float32)])
    assert np.abs(levelled(energies(sound)) - levelled(energies(other)))[:149].max() == 0
    apart = np.abs(encode_speech(sound)[0] - encode_speech(other)[0]).max(1)
    assert apart[:150 - 1 - 6].max() < 1e-3 and apart[150:].max() > 0.1


@pytest.mark.parametrize("gain", [2.0, 0.5, 0.25])
def test_level_and_colour_are_not_heard(gain: float) -> None:
    sound = _LIKE_A_RECORDING * talk(10)[0]
    plain = levelled(energies(sound))
    other = levelled(energies(np.convolve(sound * gain, [1, -0.5], "same").astype(np.float32)))
    spoken = np.flatnonzero(speech_mask(sound))
    later = spoken[spoken > 200]
    assert np.corrcoef(plain[later].ravel(), other[later].ravel())[0, 1] > 0.9
    assert abs(np.median(plain[later] - other[later])) < 0.25


def test_the_colour_of_long_silence_does_not_replace_that_of_the_voice() -> None:
    sound = _LIKE_A_RECORDING * talk(8)[0]
    noise = np.random.default_rng(0).normal(0, 1e-3, 30 * 16_000).astype(np.float32)
    at_once = levelled(energies(sound))[200:]
    later = levelled(energies(np.concatenate([noise, sound])))[-len(at_once):]
    spoken = speech_mask(sound)[200:]
    assert abs(at_once[spoken].mean() - later[spoken].mean()) < 0.3


def test_a_damaged_network_is_named(tmp_path: Path) -> None:
    for name in ("speech.onnx", "speech.json"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "speech.onnx").write_bytes((FOLDER / "speech.onnx").read_bytes()[:-100])
    with pytest.raises(NotInstalled) as caught:
        encode_speech(np.zeros(1600, np.float32), tmp_path / "speech.onnx")
    assert caught.value.code == "encoder.damaged"
    with pytest.raises(NotInstalled) as caught:
        encode_speech(np.zeros(1600, np.float32), tmp_path / "other" / "speech.onnx")
    assert caught.value.code == "encoder.missing"


def test_a_long_sound_takes_little_memory_and_no_torch() -> None:
    code = (
        "import json, resource, sys, numpy as np\n"
        "from tests.visage.lite_talker import plain_face, talk\n"
        "from visage.engines.lite.generic_mouth import generic_basis\n"
        "from visage.engines.lite.listen import open_listener\n"
        "listener = open_listener(generic_basis(plain_face()))\n"
        "listener.predict(talk(1)[0])\n"
        "sound = np.resize(talk(20)[0], 6 * 60 * 16000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "told = listener.predict(sound)\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(json.dumps([len(told), (after - before) / 1024, 'torch' in sys.modules]))\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    frames, megabytes, torch = json.loads(done.stdout)
    assert frames == 6 * 60 * 25 and not torch
    assert megabytes < 200


@pytest.mark.parametrize(("sound", "looks"), [
    ("p", ("lips",)), ("'aI", ("a", "i")), ("_:", ("rest",)), ("i:", ("ee",)), ("tS", ("hush",)), ("'0", ("o",)),
    ("ph", ("lips",)), ("v", ("teeth",)), ("y:", ("ue",)), ("(en)", ("rest",)), ("", ("rest",)),
    ("\u0416", ("schwa",))])
def test_mnemonics_have_looks(sound: str, looks: tuple[str, ...]) -> None:
    assert visemes_of(sound) == looks


def test_only_speech_opens_the_gate() -> None:
    rng = np.random.default_rng(0)
    sound = talk(4)[0]
    hum = 0.05 * np.sin(2 * np.pi * 50 * np.arange(48_000) / 16_000).astype(np.float32)
    assert voice_gate(sound).max() == 1.0
    assert voice_gate(np.zeros(48_000, np.float32)).max() == 0
    assert voice_gate(rng.normal(0, 0.2, 48_000).astype(np.float32)).mean() < 0.05
    assert voice_gate(hum).mean() < 0.05
    quiet = voice_gate(np.concatenate([sound, np.zeros(16_000, np.float32)]))[-22:]
    assert quiet.max() == 0
