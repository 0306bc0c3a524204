"""Frames come at a constant rate, upright, with the sound in step, whatever the file is like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.clip_commands import reencode, rotated
from tests.visage.media_clips import RATE, clip, number, numbered
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.run import run_tool


def test_every_frame_comes_once_at_its_own_rate(tmp_path: Path) -> None:
    frames = list(read_video(clip(tmp_path / "a.mp4", numbered(25))))
    assert [number(frame) for frame in frames] == list(range(25))
    assert frames[0].dtype == np.uint8 and frames[0].shape == (48, 64, 3)


@pytest.mark.parametrize("fps", [10, 30, 50, 60])
def test_other_rates_become_25(tmp_path: Path, fps: int) -> None:
    path = clip(tmp_path / "a.mp4", numbered(fps // 2), fps=fps)
    shown = [number(frame) for frame in read_video(path)]
    assert abs(len(shown) - 12.5) <= 0.5
    wanted = [min(fps // 2 - 1, index * fps / 25) for index in range(len(shown))]
    assert np.abs(np.subtract(shown, wanted)).max() <= 0.5


def test_uneven_rate_keeps_its_times(tmp_path: Path) -> None:
    even, uneven = clip(tmp_path / "a.mp4", numbered(28)), tmp_path / "b.mp4"
    run_tool(reencode(even, uneven, "libx264", r"select='lt(n\,6)+gt(n\,11)'"))
    shown = [number(frame) for frame in read_video(uneven)]
    assert len(shown) == 28 and shown[:6] == list(range(6)) and shown[12:] == list(range(12, 28))
    assert set(shown[6:12]) == {5, 12}, "the gap is filled by its neighbours"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_by_metadata_is_applied(tmp_path: Path, degrees: int) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:24, :32] = 255
    turned = tmp_path / "turned.mp4"
    run_tool(rotated(clip(tmp_path / "a.mp4", [frame] * 5), turned, degrees))
    wanted = np.rot90(frame, -degrees // 90)
    shown = next(read_video(turned))
    assert shown.shape == wanted.shape and np.abs(shown.astype(int) - wanted).mean() < 3


def test_4k_is_scaled_and_odd_sizes_are_fine(tmp_path: Path) -> None:
    large = clip(tmp_path / "large.mp4", [np.full((2160, 3840, 3), 99, np.uint8)] * 2)
    assert next(read_video(large, size=1280)).shape == (720, 1280, 3)
    odd = tmp_path / "odd.webm"
    run_tool(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=101x67:d=0.2:r=25", "-c:v", "libvpx-vp9",
              "-pix_fmt", "yuv420p", str(odd)])
    assert next(read_video(odd)).shape == (67, 101, 3)
    assert next(read_video(odd, size=50)).shape[1] == 50


@pytest.mark.parametrize(("codec", "container"), [("libx265", "mp4"), ("libvpx-vp9", "webm"), ("mpeg4", "avi")])
def test_other_codecs(tmp_path: Path, codec: str, container: str) -> None:
    out = tmp_path / f"b.{container}"
    run_tool(reencode(clip(tmp_path / "a.mp4", numbered(10)), out, codec, container=container))
    assert [number(frame) for frame in read_video(out)] == list(range(10))


def test_colours_survive(tmp_path: Path) -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:] = (200, 60, 90)
    shown = next(read_video(clip(tmp_path / "a.mp4", [frame] * 3)))
    assert np.abs(shown.reshape(-1, 3).mean(0) - (200, 60, 90)).max() < 2


def test_limit_and_square_pixels(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", numbered(25))
    assert len(list(read_video(path, limit=0.4))) == 10
    wide = tmp_path / "wide.mp4"
    run_tool(reencode(path, wide, "libx264", "setsar=2"))
    assert next(read_video(wide)).shape == (48, 128, 3)


@pytest.mark.parametrize("shift", ["0.5", "-0.5"])
def test_sound_stays_in_step_when_streams_start_apart(tmp_path: Path, shift: str) -> None:
    """A flash and a beep at the same moment; then the sound's stream is moved against the picture's."""
    frames = [np.full((48, 64, 3), 255 if n == 30 else 0, np.uint8) for n in range(50)]
    sound = np.zeros(2 * RATE, np.float32)
    sound[30 * 640:31 * 640] = 0.9 * np.sin(2 * np.pi * 1000 * np.arange(640) / RATE)
    path, moved = clip(tmp_path / "a.mp4", frames, sound), tmp_path / "b.mkv"
    run_tool(["ffmpeg", "-v", "error", "-i", str(path), "-itsoffset", shift, "-i", str(path),
              "-map", "0:v", "-map", "1:a", "-c", "copy", str(moved)])
    for file, offset in ((path, 0.0), (moved, float(shift))):
        flash = int(np.argmax([frame.mean() for frame in read_video(file)]))
        loud = np.flatnonzero(np.abs(read_sound(file)) > 0.4)
        assert flash / 25 == pytest.approx(1.2)
        assert loud[0] / RATE == pytest.approx(1.2 + offset, abs=0.006)


def test_damage_in_the_middle_does_not_end_the_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (30, 120, 160, 3), np.uint8)
    clip(path, list(noise))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2:len(raw) // 2 + 3000] = bytes(3000)
    path.write_bytes(raw)
    assert 25 <= len(list(read_video(path))) <= 31
