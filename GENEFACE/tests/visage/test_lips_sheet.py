"""The sheet and the video that show an avatar's lips beside the person's own."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.lips_sheet import Pair, moments, write_beside, write_sheet
from tests.visage.lite_talker import plain_face
from visage.faces.track import Track
from visage.media.audio import write_wav
from visage.media.probe import probe


def _pair() -> Pair:
    count = 100
    real = list(np.random.default_rng(0).integers(0, 255, (count, 64, 64, 3), np.uint8))
    gaps = np.abs(np.sin(np.arange(count) / 7)) * 0.2
    gaps[[30, 70]] = 0.5, 0.4
    speaking = np.arange(count) < 80
    blank = np.zeros(count, np.float32)
    points = np.repeat((plain_face() * 20 + np.float32([32, 32, 0]))[None], count, 0).astype(np.float32)
    track = Track(points, speaking, speaking.astype(np.uint8), blank, blank, blank, 64, 64)
    return Pair(real, [255 - frame for frame in real], track, gaps, speaking, 0.04)


def test_the_moments_are_those_that_matter() -> None:
    found = moments(_pair())
    assert list(found) == ["wide", "shut", "silent", "any"]
    assert {30, 70} <= set(found["wide"].tolist())
    assert (np.diff(found["wide"]) >= 10).all()
    assert found["shut"].max() < 80 <= found["silent"].min()


def test_sheet_and_video_are_written(tmp_path: Path) -> None:
    pair = _pair()
    sheet = cv2.imread(str(write_sheet(pair, tmp_path / "new" / "a.png")))
    assert sheet.shape[0] == 24 + 3 * 192
    assert sheet.shape[1] == 84 + 192 * sum(len(numbers) for numbers in moments(pair).values())
    sound = write_wav(tmp_path / "a.wav", np.zeros(5 * 44_100, np.float32), 44_100)
    info = probe(write_beside(pair, sound, tmp_path / "a.mp4"), "video")
    assert (info.width, info.height, info.frames, info.has_sound) == (128, 64, 100, True)
