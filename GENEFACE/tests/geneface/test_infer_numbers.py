"""The arithmetic of inference: where a sound is cut, which pose a frame has, when the mouth is shut."""

from __future__ import annotations

import ast
import sys
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SHARED
from tests.visage.media_clips import babble

SCRIPTS = Path(__file__).resolve().parents[2] / "GeneFace-main" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from avatar_view import ping_pong, slim, view  # noqa: E402
from close_mouth import EASE, close_in_silence, closed_lips, closing, fit_length  # noqa: E402
from silence import FPS, RATE, quiet_frames, read_wav, runs, write_wav  # noqa: E402
from split_sound import AFTER, BEFORE, cut_points, frame_count, pieces  # noqa: E402

LIPS = slice(48, 68)


def spoken(seconds: float) -> np.ndarray:
    """Babble without a long break in it, loud from its first sample to its last."""
    sound = babble(30)
    loud = [sound[start:start + 1600] for start in range(0, len(sound), 1600)
            if np.sqrt(np.mean(sound[start:start + 1600] ** 2)) > 0.02]
    return np.resize(np.concatenate(loud), round(seconds * RATE))


def hiss(seconds: float, level: float = -62.0) -> np.ndarray:
    """White noise of that many dB below full scale."""
    rng = np.random.default_rng(3)
    return (10 ** (level / 20) * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def in_turn(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts)


@pytest.mark.parametrize(("samples", "rate", "frames"), [
    (16000, 16000, 25), (44100 * 70, 44100, 1750), (1, 44100, 1), (319, 16000, 1), (960, 16000, 2), (959, 16000, 1),
    (48000 * 3600 + 961, 48000, 90001), (48000 * 3600 + 959, 48000, 90000)])
def test_frames_are_the_nearest_to_25_a_second(samples: int, rate: int, frames: int) -> None:
    assert frame_count(samples, rate) == frames


def test_pieces_add_up_and_none_is_too_long() -> None:
    rng = np.random.default_rng(1)
    for frames in [1, 2, 50, 624, 625, 626, 1217, 1219, 1750, 9973]:
        for share in (0.0, 0.1, 0.9, 1.0):
            quiet = np.repeat(rng.random(frames // 10 + 1) < share, 10)[:frames]
            plan = pieces(quiet, 625)
            assert (plan[0].start, plan[-1].end) == (0, frames)
            assert all(one.end == other.start for one, other in pairwise(plan))
            assert max(one.end - one.start + one.before + one.after for one in plan) <= 625
            assert all(one.before == min(BEFORE, one.start) for one in plan)
            assert all(one.after == min(AFTER, frames - one.end) for one in plan)
            assert all(one.end > one.start for one in plan)


def test_cuts_fall_into_silences() -> None:
    quiet = np.zeros(1500, bool)
    for start in (280, 560, 590, 900, 1180):
        quiet[start:start + 12] = True
    assert cut_points(quiet, 613) == [0, 566, 906, 1500]
    assert all(quiet[border] for border in cut_points(quiet, 613)[1:-1])


def test_without_a_silence_pieces_are_even() -> None:
    assert cut_points(np.zeros(1750, bool), 613) == [0, 584, 1167, 1750]


def test_poses_go_forth_and_back_without_a_jump() -> None:
    path = [ping_pong(frame, 40) for frame in range(500)]
    assert path[:41] == [*range(40), 38]
    assert all(abs(one - other) == 1 for one, other in pairwise(path))
    assert {ping_pong(frame, 1) for frame in range(5)} == {0}
    assert [ping_pong(frame, 2) for frame in range(4)] == [0, 1, 0, 1]


def dataset(count: int = 30) -> dict:
    """A dataset in upstream's format, its two halves out of order in time."""
    rng = np.random.default_rng(2)
    samples = [{"idx": index, "idexp_lm3d": rng.normal(size=(68, 3)), "deepspeech_win": np.zeros((16, 29)),
                "c2w": np.eye(4)} for index in range(count)]
    head = {"H": 96, "W": 96, "focal": 1.0, "cx": 48.0, "cy": 48.0, "bg_img": np.zeros((96, 96, 3), np.uint8),
            "idexp_lm3d_mean": np.zeros((1, 68, 3)), "idexp_lm3d_std": np.ones((1, 68, 3)), "hubert": np.zeros(9)}
    return {**head, "train_samples": samples[10:], "val_samples": samples[:10]}


def test_a_view_is_the_whole_video_read_from_its_first_frame() -> None:
    small = slim(dataset())
    assert [sample["idx"] for sample in small["samples"]] == list(range(30))
    assert "deepspeech_win" not in small["samples"][0] and "hubert" not in small
    part = view(small, 50, 70)
    order = [sample["idx"] for sample in [*part["train_samples"], *part["val_samples"]]]
    assert order == [ping_pong(frame, 30) for frame in range(50, 70)]
    assert {"H", "W", "bg_img", "idexp_lm3d_mean", "idexp_lm3d_std"} <= set(part)


def test_both_halves_of_a_view_are_there_even_for_one_frame() -> None:
    part = view(slim(dataset()), 7, 8)
    assert (len(part["train_samples"]), len(part["val_samples"])) == (1, 1)


@pytest.mark.parametrize("noise", [-90.0, -62.0, -48.0])
def test_silence_is_found_and_speech_is_not_taken_for_it(noise: float) -> None:
    sound = in_turn(hiss(1.0, noise), spoken(2.0), hiss(0.8, noise), spoken(1.5), hiss(0.2, noise), spoken(1.0),
                    hiss(1.5, noise))
    quiet = quiet_frames(sound, 200)
    assert not quiet[round(0.9 * FPS):round(3.1 * FPS)].any()
    assert not quiet[round(3.75 * FPS):round(6.6 * FPS)].any(), "a break of 0.2 s is part of speech"
    assert quiet[:round(0.8 * FPS)].all() and quiet[round(6.75 * FPS):].all()
    assert quiet[round(3.25 * FPS):round(3.6 * FPS)].all()


def test_frames_past_the_end_of_the_sound_are_quiet() -> None:
    assert quiet_frames(np.zeros(0, np.float32), 3).tolist() == [True] * 3
    assert quiet_frames(spoken(1.0), 60)[35:].all()


def test_nothing_but_silence_and_nothing_but_noise() -> None:
    assert quiet_frames(hiss(3.0, -65.0), 75).all()
    assert not quiet_frames(hiss(3.0, -20.0), 75).any(), "what is loud all the time may be speech"


def test_a_click_does_not_open_the_mouth() -> None:
    sound = in_turn(spoken(2.0), hiss(3.0))
    sound[round(3.5 * RATE):round(3.5 * RATE) + 80] = 0.5
    assert quiet_frames(sound, 125)[round(2.3 * FPS):].all()


def test_a_weak_hissing_consonant_is_speech() -> None:
    rng = np.random.default_rng(5)
    s = np.diff(rng.standard_normal(round(0.15 * RATE) + 1)).astype(np.float32) * 10 ** (-52 / 20)
    hum = 10 ** (-48 / 20) * np.sin(2 * np.pi * 50 * np.arange(3 * RATE) / RATE).astype(np.float32)
    sound = in_turn(spoken(2.0), hiss(3.0, -80.0) + hum)
    sound[round(3.4 * RATE):round(3.4 * RATE) + len(s)] += s
    quiet = quiet_frames(sound, 125)
    assert not quiet[round(3.4 * FPS):round(3.5 * FPS)].any()
    assert quiet[round(4.0 * FPS):].all()


@pytest.mark.parametrize("name", ["en_ldc93s1.wav", "zh_aishell_BAC009S0724W0121.wav",
                                  "en_librispeech_1995-1837-0001.wav"])
def test_real_recordings_keep_every_loud_frame(name: str, tmp_path: Path) -> None:
    file = SHARED / "speech" / name
    if not file.exists():
        pytest.skip(f"{file} is not on this machine")
    sound = read_wav(file)
    frames = frame_count(len(sound), RATE)
    padded = np.pad(sound, (0, 640))[:frames * 640].reshape(frames, 640)
    level = 10 * np.log10((padded ** 2).mean(1) + 1e-12)
    weight = closing(quiet_frames(sound, frames))
    assert (weight[level > np.percentile(level, 99) - 25] == 0).all()
    lonely = in_turn(hiss(1.0, -80.0), sound, hiss(1.0, -80.0))
    shut = closing(quiet_frames(lonely, frames + 50))
    assert shut[:10].min() == 1 and shut[-10:].min() == 1
    assert (shut[25:-25][level > np.percentile(level, 99) - 25] == 0).all()


def test_closing_is_eased_and_zero_in_speech() -> None:
    quiet = np.ones(200, bool)
    quiet[40:90] = quiet[95:96] = quiet[110:150] = False
    weight = closing(quiet)
    assert (weight[~quiet] == 0).all()
    assert weight[:33].min() == 1 and weight[157:].min() == 1, "silence at either end is closed to the edge"
    assert abs(np.diff(weight)).max() <= 1.5 / EASE + 1e-9
    assert 0 < weight[90:95].max() < 0.5, "a short break is closed a little only"
    assert closing(np.ones(5, bool)).tolist() == [1] * 5 and closing(np.zeros(5, bool)).tolist() == [0] * 5


def face(gaps: np.ndarray) -> np.ndarray:
    """Landmarks [T, 68, 3] of one head with its lips that far apart, and a little noise."""
    rng = np.random.default_rng(4)
    shape = np.repeat(rng.normal(size=(1, 68, 3)), len(gaps), 0) + rng.normal(0, 1e-3, (len(gaps), 68, 3))
    shape[:, 61:64, 1] = 0.3 + gaps[:, None] / 2
    shape[:, 65:68, 1] = 0.3 - gaps[:, None] / 2
    return shape


def test_the_closed_mouth_is_the_persons_own() -> None:
    rng = np.random.default_rng(6)
    gaps = np.concatenate([rng.uniform(0.2, 1.0, 900), rng.normal(0.04, 0.004, 95), [-3.0, -2.0, -2.5, -4.0, -3.5]])
    lips = closed_lips(face(rng.permutation(gaps)))
    opening = (lips[13:16, 1] - lips[[19, 18, 17], 1]).mean()
    assert opening == pytest.approx(0.04, abs=0.01), "neither an open mouth nor the tracker's mistakes"
    assert closed_lips(face(np.array([0.5]))).shape == (20, 3)


def test_only_the_lips_and_only_in_silence_are_changed() -> None:
    rng = np.random.default_rng(7)
    landmarks = rng.normal(size=(120, 204)).astype(np.float32)
    quiet = np.zeros(120, bool)
    quiet[30:80] = True
    lips = rng.normal(size=(20, 3))
    before, after = landmarks.reshape(120, 68, 3), close_in_silence(landmarks, quiet, lips).reshape(120, 68, 3)
    assert np.array_equal(after[~quiet], before[~quiet])
    assert np.array_equal(np.delete(after, np.r_[LIPS], 1), np.delete(before, np.r_[LIPS], 1))
    assert np.allclose(after[36:73, LIPS], lips, atol=1e-6)
    steady = np.tile(landmarks[:1], (120, 1))
    moved = close_in_silence(steady, quiet, lips).reshape(120, 68, 3)
    way = abs(lips - steady[0].reshape(68, 3)[LIPS]).max()
    assert abs(np.diff(moved, axis=0)).max() <= way * 1.5 / EASE + 1e-5, "no jump"


def test_landmarks_are_fitted_to_the_frames_or_refused() -> None:
    landmarks = np.arange(10.0)[:, None] * np.ones((1, 204))
    assert fit_length(landmarks, 7)[-1, 0] == 6
    assert fit_length(landmarks, 12)[:, 0].tolist() == [*range(10), 9, 9]
    with pytest.raises(ValueError, match="10 frames, the sound has 13"):
        fit_length(landmarks, 13)


def test_a_wav_is_read_back_as_written_and_other_kinds_are_refused(tmp_path: Path) -> None:
    sound = spoken(0.3)
    write_wav(tmp_path / "a.wav", sound)
    assert abs(read_wav(tmp_path / "a.wav") - sound).max() <= 0.5 / 32768
    with wave.open(str(tmp_path / "b.wav"), "wb") as other:
        other.setnchannels(2)
        other.setsampwidth(2)
        other.setframerate(RATE)
        other.writeframes(b"\0" * 64)
    with pytest.raises(ValueError, match="expected 16000 Hz, mono, 16 bit"):
        read_wav(tmp_path / "b.wav")


def test_runs_are_first_and_one_past_last() -> None:
    assert runs(np.array([1, 1, 0, 0, 1], bool)).tolist() == [[0, 2], [4, 5]]
    assert runs(np.zeros(3, bool)).tolist() == []


def test_what_runs_in_the_container_is_python_3_8() -> None:
    for file in SCRIPTS.glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
