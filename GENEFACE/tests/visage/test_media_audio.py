"""Sound: reading, writing, levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.visage.media_clips import RATE, babble
from visage.media.audio import (
    read_sound,
    resample,
    sound_seconds,
    write_wav,
)
from visage.media.ffmpeg import to_wav
from visage.media.run import run_tool


def tone(seconds: float, rate: int = RATE, hertz: float = 440) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def test_a_wav_comes_back(tmp_path: Path) -> None:
    sound = babble(1)
    path = write_wav(tmp_path / "a.wav", sound, RATE)
    np.testing.assert_allclose(read_sound(path), sound, atol=1e-4)
    assert sound_seconds(path) == pytest.approx(1) and [file.name for file in tmp_path.iterdir()] == ["a.wav"]
    assert len(read_sound(path, limit=0.25)) == RATE // 4


def test_a_limit_anywhere_gives_the_beginning_of_the_whole(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", babble(40), RATE)
    whole = read_sound(path)
    for seconds in (0.01, 16.384, 17, 39.99, 60):
        assert np.array_equal(read_sound(path, limit=seconds), whole[:round(seconds * RATE)])


@pytest.mark.parametrize("options", [["-c:a", "libopus", "a.webm"], ["-c:a", "aac", "a.m4a"], ["-ac", "2", "a.mp3"],
                                     ["-c:a", "libvorbis", "-ar", "44100", "a.ogg"], ["-ar", "8000", "a.flac"]])
def test_every_container_gives_the_same_sound_at_the_same_time(tmp_path: Path, options: list[str]) -> None:
    sound = np.concatenate([np.zeros(RATE // 2, np.float32), tone(0.5), np.zeros(RATE // 2, np.float32)])
    source, out = write_wav(tmp_path / "a.wav", sound, RATE), tmp_path / options[-1]
    run_tool(["ffmpeg", "-v", "error", "-i", str(source), *options[:-1], str(out)])
    got = read_sound(out)
    assert len(got) == pytest.approx(len(sound), abs=0.08 * RATE)
    loud = np.flatnonzero(np.abs(got) > 0.25)
    assert loud[0] / RATE == pytest.approx(0.5, abs=0.01) and loud[-1] / RATE == pytest.approx(1, abs=0.01)


def test_a_browser_recording_becomes_wav_by_the_binary(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", tone(1, 48_000), 48_000)
    run_tool(["ffmpeg", "-v", "error", "-i", str(source), "-c:a", "libopus", str(tmp_path / "rec.webm")])
    run_tool(to_wav(tmp_path / "rec.webm", tmp_path / "out.wav"))
    assert sound_seconds(tmp_path / "out.wav") == pytest.approx(1, abs=0.03)


def test_resampling_keeps_time_and_pitch() -> None:
    for rate in (8_000, 22_050, 48_000):
        got = resample(tone(1), RATE, rate)
        assert len(got) == rate
        peak = np.argmax(np.abs(np.fft.rfft(got)))
        assert peak == 440
    assert resample(np.zeros(0, np.float32), 1, 2).size == 0


