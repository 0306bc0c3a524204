"""Each file is decoded once, batches are bounded, and threads end with who reads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eval_metrics import pairing
from eval_metrics.pairing import pair_up
from eval_metrics.region import Window
from eval_metrics.stream import Ahead, Stream
from tests.eval.pairs import moving, pair
from tests.visage.media_clips import clip, number, numbered
from visage.errors import BadVideo


def alive(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_ahead_keeps_order_and_bounds() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            made.append(item)
            yield item

    ahead = Ahead(items(), 3)
    time.sleep(0.1)
    assert len(made) <= 5, "it must not run off"
    assert list(ahead) == list(range(50))


def test_ahead_hands_errors_on() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise BadVideo("Broken.", code="video.bad")

    taken = []
    with pytest.raises(BadVideo):
        taken += list(Ahead(items(), 2))
    ahead = Ahead(items(), 2)
    assert next(iter(ahead)) == 1


def test_ahead_stops_when_closed() -> None:
    ahead = Ahead(iter(int, 1), 2, "endless")
    assert next(iter(ahead)) == 0
    ahead.close()
    assert not alive("endless")


def test_frames_are_paired_and_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pred = clip(tmp_path / "pred.mp4", numbered(20))
    truth = clip(tmp_path / "truth.mp4", numbered(25))
    both = pair_up(pred, truth, 0.0)
    opened = []
    read = pairing.read_video
    monkeypatch.setattr(pairing, "read_video", lambda path, *more: opened.append(path) or read(path, *more))
    frames = [frame for batch in Stream(both) for frame in batch]
    assert opened == [pred, truth]
    assert [frame.index for frame in frames] == list(range(20))
    assert [number(frame.pred) for frame in frames] == [number(frame.truth) for frame in frames] == list(range(20))
    assert frames[3].time == pytest.approx(3 / 25) and frames[0].pred_whole is None
    assert not alive("decode")


@pytest.mark.parametrize(("offset", "first"), [(0.12, (3, 0)), (-0.08, (0, 2))])
def test_an_offset_skips_frames(tmp_path: Path, offset: float, first: tuple[int, int]) -> None:
    clips = [clip(tmp_path / f"{name}.mp4", numbered(25)) for name in ("pred", "truth")]
    both = pair_up(*clips, offset)
    frames = [frame for batch in Stream(both, 4) for frame in batch]
    assert (number(frames[0].pred), number(frames[0].truth)) == first
    assert (number(frames[1].pred), number(frames[1].truth)) == (first[0] + 4, first[1] + 4)
    assert [frame.index for frame in frames[:3]] == [0, 4, 8]


def test_large_pictures_come_in_small_batches(tmp_path: Path) -> None:
    large = clip(tmp_path / "large.mp4", [np.full((1440, 2560, 3), 90, np.uint8)] * 9)
    assert max(len(batch) for batch in Stream(pair_up(large, large))) == 1
    small = clip(tmp_path / "small.mp4", numbered(40))
    assert max(len(batch) for batch in Stream(pair_up(small, small))) == 16


def test_leaving_early_ends_the_threads(tmp_path: Path) -> None:
    stream = Stream(pair_up(*pair(tmp_path, sound=False)))
    batches = iter(stream)
    next(batches)
    batches.close()
    assert not alive("decode")


def test_landmarks_and_window_of_a_face(tmp_path: Path) -> None:
    stream = Stream(pair_up(*pair(tmp_path, sound=False, count=20)), faces=True, whole=True, region="mouth")
    frames = [frame for batch in stream for frame in batch]
    assert stream.pred_faces == stream.truth_faces == 20
    for frame in frames:
        assert frame.pred.shape == frame.truth.shape == frames[0].pred.shape
        assert frame.pred_whole.shape == (192, 192, 3) and frame.pred_points.shape == (478, 3)
        lips = frame.truth_points[[13, 14], :2].mean(0)
        side = frame.pred.shape[0]
        cut = frame.pred_whole
        place = lips.round().astype(int)
        assert (np.abs(frame.pred_points - frame.truth_points)[:, :2].mean() < 3)
        assert side < 120 and (cut[place[1], place[0]] == frame.pred.reshape(-1, 3)).all(1).any(), "the lips are inside"


def test_a_window_stays_inside() -> None:
    picture = moving(1)[0]
    window = Window("face", 100, (5.0, 190.0))
    assert (window.cut(picture) == picture[92:192, 0:100]).all()
    assert Window("face", 500, (5.0, 190.0)).cut(picture).shape == picture.shape
    window.follow(None)
    assert window.middle == (5.0, 190.0)
