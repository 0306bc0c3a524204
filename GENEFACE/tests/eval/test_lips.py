"""Landmark distance, closures and opening, on a drawn mouth whose every value is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval_metrics import open_metrics
from eval_metrics.contract import Figure, Frame, Scene
from eval_metrics.metrics.closing import closed, closing, quiet_frames
from eval_metrics.metrics.lips import MOUTH_68
from tests.eval.talkers import EYES, swaying
from tests.visage.lite_talker import talk
from tests.visage.media_clips import babble
from visage.engines.lite.mouth import INNER_LIP, OUTER_LIP
from visage.errors import BadVideo

PICTURE = np.zeros((2, 2, 3), np.uint8)
SOUND, FACE = talk(8)
MESHES = swaying(FACE)


def measure(pred: np.ndarray | list[np.ndarray | None], truth: np.ndarray | None = None,
            sound: np.ndarray | None = SOUND, fps: float = 25) -> dict[str, Figure]:
    metric = open_metrics(["lips"])["lips"]
    frames = [Frame(n, n / fps, PICTURE, None if truth is None else PICTURE, mesh,
                    None if truth is None else truth[n]) for n, mesh in enumerate(pred)]
    for first in range(0, len(frames), 7):
        metric.take(frames[first:first + 7])
    given = Path("truth.mp4") if truth is not None else None
    found = dict(metric.finish(Scene(Path("clip.mp4"), given, fps, len(frames), "full", sound, None)))
    assert set(found) == set(metric.info.gives)
    return found


def test_the_twenty_points_are_the_mouths_of_the_68_layout() -> None:
    assert len(set(MOUTH_68)) == 20
    assert set(MOUTH_68[:12]) <= set(OUTER_LIP) and set(MOUTH_68[12:]) <= set(INNER_LIP)
    # once around, both edges from the person's right corner over the upper lip
    where = [OUTER_LIP.index(point) for point in MOUTH_68[:12]]
    assert where == sorted(where) and MOUTH_68[0] == 61 and MOUTH_68[6] == 291
    inside = [INNER_LIP.index(point) for point in MOUTH_68[12:]]
    assert inside == sorted(inside) and MOUTH_68[12] == 78 and MOUTH_68[16] == 308


def test_the_truth_itself_is_perfect() -> None:
    found = measure(MESHES, MESHES)
    assert found["lmd"].value == found["lmd_pixels"].value == 0
    assert found["lmd_aligned"].value == pytest.approx(0, abs=1e-4)
    assert found["opening_ratio"].value == pytest.approx(1)
    assert found["lip_closure"].value == 100
    assert found["mouth_opening"].value == pytest.approx(found["truth_mouth_opening"].value)


def test_a_known_shift_gives_its_size_and_goes_when_heads_are_aligned() -> None:
    found = measure(MESHES + np.float32([3, 4, 0]), MESHES)
    assert found["lmd_pixels"].value == pytest.approx(5, abs=1e-3) and found["lmd_pixels"].unit == "px"
    eyes = np.linalg.norm((MESHES[:, 33] - MESHES[:, 263])[:, :2], axis=1).mean()
    assert eyes == pytest.approx(EYES, rel=0.02)
    assert found["lmd"].value == pytest.approx(100 * 5 / eyes, rel=0.01)
    assert found["lmd_aligned"].value == pytest.approx(0, abs=0.05)
    assert len(found["lmd"].series) == len(MESHES) and found["lmd"].frames == len(MESHES)


def test_a_mouth_that_moves_half_as_far_has_half_the_opening() -> None:
    half = FACE.copy()
    middle = FACE.mean(0)
    half[:] = middle + (FACE - middle) / 2
    found = measure(swaying(half), MESHES)
    assert found["opening_ratio"].value == pytest.approx(0.5, abs=0.03) and found["opening_ratio"].error > 0
    assert found["lmd_aligned"].value > 0.5


def test_a_mouth_that_never_closes_misses_the_closures() -> None:
    ajar = FACE.copy()
    ajar[:, [14, 317, 87, 402, 178, 318, 88, 324, 95], 1] += 0.15
    found = measure(swaying(ajar), MESHES)
    assert found["lip_closure"].value == 0 and found["lip_closure"].parameters["events"] >= 3
    assert found["closed_in_silence"].value == 0
    assert "% in the ground truth" in found["closed_in_silence"].note
    assert measure(MESHES, MESHES)["closed_in_silence"].value > 90


def test_without_truth_the_sound_says_where_lips_close() -> None:
    found = measure(MESHES, sound=babble(8))
    assert "speech encoder" in found["lip_closure"].parameters["closures_from"]
    for key in ("lmd", "lmd_pixels", "lmd_aligned", "opening_ratio", "truth_mouth_opening"):
        assert found[key].value is None and "ground truth" in found[key].reason and found[key].remedy


def test_without_sound_only_what_needs_it_is_missing() -> None:
    found = measure(MESHES, MESHES, sound=None)
    for key in ("closed_in_silence", "sound_envelope"):
        assert found[key].value is None and "no sound" in found[key].reason
    assert found["lmd"].value == 0 and found["lip_closure"].value == 100


def test_short_clips_keep_their_landmarks_and_say_what_is_missing() -> None:
    found = measure(MESHES[:10], MESHES[:10], SOUND[:6400])
    assert found["lmd"].value == 0
    assert found["lip_closure"].value is None and "too short" in found["lip_closure"].reason


def test_a_lost_face_is_an_error_and_single_gaps_are_left_out() -> None:
    with pytest.raises(BadVideo, match="No face"):
        measure([None] * 100)
    holes = [None if n % 10 == 0 else mesh for n, mesh in enumerate(MESHES)]
    found = measure(holes, MESHES)
    assert found["lmd"].value == 0 and found["lmd"].frames == 180
    assert np.isnan(found["lmd"].series[0]) and np.isfinite(found["lmd"].series[1])


def test_curves_share_the_clock_of_the_frames() -> None:
    twice = np.repeat(MESHES, 2, 0)
    found = measure(twice, twice, fps=50)
    assert len(found["mouth_opening"].series) == len(found["sound_envelope"].series) == len(twice)
    quiet = quiet_frames(SOUND, 200)
    level = np.array(found["sound_envelope"].series[::2])
    assert level[~quiet].mean() > level[quiet].mean() + 10


def test_closures_count_within_two_frames_and_chance_is_told() -> None:
    wanted, seen, there = np.zeros(100, bool), np.zeros(100, bool), np.ones(100, bool)
    wanted[[20, 50, 51, 80]] = True
    seen[[22, 47, 90]] = True
    assert closing(seen, wanted, there).hits == (True, False, False)
    assert closing(seen, wanted, there).chance == pytest.approx(0.15)
    there[80] = False
    assert len(closing(seen, wanted, there).hits) == 2
    assert closed(np.array([0.0, 0.01, 0.05, 0.4])).tolist() == [True, True, True, False]
