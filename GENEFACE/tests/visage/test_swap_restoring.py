"""A restorer that fails costs its own work, never the swap's; and progress tells who computes now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.visage.media_clips import clip, numbered
from tests.visage.swap_stand_in import BOX, NEW, StandIn, identity
from visage.errors import BadMedia, Cancelled, OutOfMemory
from visage.media.frames import read_video
from visage.swap.contract import Face, Patch
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.pipeline import swap_file
from visage.types import Progress

WHITE = 250


class Whitener:
    """Makes a face white, except at the calls that fail."""

    name = title = "whitener"
    provider = "CPU"

    def __init__(self, fails: Sequence[int] = (), error: type[Exception] = RuntimeError):
        self.fails, self.error, self.calls = set(fails), error, 0

    def __enter__(self) -> Whitener:
        return self

    def __exit__(self, *rest: object) -> None:
        return None

    def restore(self, frame: np.ndarray, face: Face) -> Patch:
        self.calls += 1
        if self.calls - 1 in self.fails:
            raise self.error("the network said NaN")
        left, top, right, bottom = (round(value) for value in face.box)
        size = (bottom - top, right - left)
        return Patch(left, top, np.full((*size, 3), WHITE, np.uint8), np.ones(size, np.float32))


def inside(frame: np.ndarray) -> np.ndarray:
    left, top, right, bottom = (round(value) for value in BOX)
    return frame[top + 4:bottom - 4, left + 4:right - 4].reshape(-1, 3).mean(0)


def asked(target: Path, out: Path, **options) -> SwapRequest:
    return SwapRequest(target, out, SwapOptions(occlusion=False, restore=1.0, **options), out.parent / "root")


def test_a_video_keeps_the_swapped_faces_that_could_not_be_restored(tmp_path: Path) -> None:
    target = clip(tmp_path / "talk.mp4", numbered(20))
    swapper, restorer = StandIn(), Whitener(fails=[3, 4, 11])
    result = swap_file(asked(target, tmp_path / "out.mp4", segment=8), swapper, identity(swapper), restorer)
    assert (result.swapped, result.restored, dict(result.skipped)) == (20, 17, {})
    assert sorted(result.unrestored) == [3, 4, 11] and not result.enhanced
    assert any("3 frames" in note and "the network said NaN" in note for note in result.notes)
    frames = list(read_video(result.out))
    assert np.abs(inside(frames[4]) - NEW).max() < 10 and np.abs(inside(frames[5]) - WHITE).max() < 10


def test_a_picture_keeps_its_swapped_face_and_says_why(tmp_path: Path) -> None:
    target = tmp_path / "target.png"
    cv2.imwrite(str(target), np.full((48, 64, 3), 90, np.uint8))
    swapper = StandIn()
    result = swap_file(asked(target, tmp_path / "out.png"), swapper, identity(swapper), Whitener(fails=[0]))
    assert (result.swapped, result.restored, result.enhanced) == (1, 0, False)
    assert "the network said NaN" in result.unrestored[0] and "the network said NaN" in result.notes[0]
    assert (inside(cv2.imread(str(result.out))[..., ::-1]) == NEW).all()
    good = swap_file(asked(target, tmp_path / "good.png"), swapper, identity(swapper), Whitener())
    assert (good.restored, good.enhanced, good.notes) == (1, True, ())


@pytest.mark.parametrize("error", [Cancelled, OutOfMemory])
def test_what_would_fail_everywhere_still_ends_the_job(tmp_path: Path, error: type[Exception]) -> None:
    target = clip(tmp_path / "talk.mp4", numbered(8))
    swapper = StandIn()
    with pytest.raises(error):
        swap_file(asked(target, tmp_path / "out.mp4"), swapper, identity(swapper), Whitener([2], error))


def test_where_nothing_is_swapped_a_restorer_that_fails_has_done_nothing(tmp_path: Path) -> None:
    target = tmp_path / "target.png"
    cv2.imwrite(str(target), np.full((48, 64, 3), 90, np.uint8))
    with pytest.raises(BadMedia, match="the network said NaN"):
        swap_file(asked(target, tmp_path / "out.png"), StandIn(), None, Whitener(fails=[0]))


def test_progress_tells_who_computes_after_a_fallback(tmp_path: Path) -> None:
    class Falling(StandIn):
        @property
        def provider(self) -> str:
            return "CPU" if self.swapped > 5 else "CUDAExecutionProvider"

    heard: list[Progress] = []
    target = clip(tmp_path / "talk.mp4", numbered(12))
    swapper = Falling()
    result = swap_file(asked(target, tmp_path / "out.mp4"), swapper, identity(swapper), report=heard.append)
    told = [progress.facts["provider"] for progress in heard if progress.stage == "swap"]
    assert told[0] == "CUDAExecutionProvider" and told[-1] == result.provider == "CPU"
