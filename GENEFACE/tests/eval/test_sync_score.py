"""Offset, lip correlation and sync score: on a made talker, on real clips, and against a published LSE."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sync_score import OPEN, Watched, planted, ranking, real_clips, separation
from eval_metrics import open_metrics
from eval_metrics.contract import Figure, Frame, Scene
from eval_metrics.metrics.sync.belonging import belonging
from tests.eval.talkers import swaying
from tests.visage.lite_talker import talk
from visage.errors import BadAudio, BadVideo, InvalidRequest

PICTURE = np.zeros((2, 2, 3), np.uint8)
needs_clips = pytest.mark.skipif(not OPEN.is_dir(), reason="the open clips are not here")


@cache
def talker(seconds: float = 14) -> tuple[np.ndarray, np.ndarray]:
    """Sound and meshes in pixels of one who speaks, sways and nods."""
    sound, face = talk(seconds)
    return sound, swaying(face)


def measure(points: list[np.ndarray | None] | np.ndarray, sound: np.ndarray | None,
            fps: float = 25) -> dict[str, Figure]:
    metric = open_metrics(["sync"])["sync"]
    for n, mesh in enumerate(points):
        metric.take([Frame(n, n / fps, PICTURE, pred_points=mesh)])
    return dict(metric.finish(Scene(Path("clip.mp4"), None, fps, len(points), "full", sound, None)))


def later(sound: np.ndarray, frames: int) -> np.ndarray:
    """The sound of a clip whose picture comes so many frames later than before."""
    return sound[640 * frames:] if frames >= 0 else np.pad(sound, (-640 * frames, 0))


def test_the_figures_of_a_talker_are_whole() -> None:
    sound, points = talker()
    found = measure(points, sound)
    assert set(found) == {"av_offset", "lip_correlation", "sync_score"}
    assert abs(found["av_offset"].value) <= 60 and found["av_offset"].unit == "ms"
    assert found["lip_correlation"].value > 0.3 and found["sync_score"].value > 0.05
    assert all(0 < figure.error < abs(figure.value) + 50 and figure.frames > 300 for figure in found.values())
    assert len(found["sync_score"].series) == len(points)
    assert np.nanmean(found["sync_score"].series) == pytest.approx(found["sync_score"].value, rel=0.02)


@pytest.mark.parametrize("frames", [-5, -2, 1, 5])
def test_a_planted_shift_of_a_talker_is_found_exactly(frames: int) -> None:
    sound, points = talker()
    own, moved = measure(points, sound)["av_offset"], measure(points, later(sound, frames))["av_offset"]
    assert moved.parameters["whole_frames"] - own.parameters["whole_frames"] == frames
    assert moved.value - own.value == pytest.approx(40 * frames, abs=6)


def test_half_a_frame_is_found_between_frames() -> None:
    sound, points = talker()
    half = measure(points, sound[320:])["av_offset"].value - measure(points, sound)["av_offset"].value
    assert half == pytest.approx(20, abs=8)


def test_sound_that_does_not_belong_scores_low_and_is_doubted() -> None:
    sound, points = talker()
    right, wrong = measure(points, sound), measure(points, talk(14, seed=8)[0][20_000:])
    assert wrong["sync_score"].value < right["sync_score"].value / 2
    assert wrong["lip_correlation"].value < right["lip_correlation"].value / 2
    assert "may not belong" in wrong["av_offset"].note and not right["av_offset"].note


def test_another_frame_rate_and_gaps_hardly_matter() -> None:
    sound, points = talker()
    own = measure(points, sound)
    at = np.arange(round(len(points) * 1.2)) / 1.2
    nearest = np.clip(np.rint(at).astype(int), 0, len(points) - 1)
    faster = measure(points[nearest], sound, fps=30)
    assert faster["av_offset"].value == pytest.approx(own["av_offset"].value, abs=12)
    assert len(faster["sync_score"].series) == len(nearest)
    holes = measure([None if 40 <= n < 70 else mesh for n, mesh in enumerate(points)], sound)
    assert holes["av_offset"].value == pytest.approx(own["av_offset"].value, abs=10)
    assert 20 < own["sync_score"].frames - holes["sync_score"].frames <= 30


def test_what_cannot_be_told_is_an_error_with_its_reason() -> None:
    sound, points = talker()
    with pytest.raises(InvalidRequest, match="too short"):
        measure(points[:40], sound)
    with pytest.raises(InvalidRequest, match="too short"):
        measure(points, sound[:16_000])
    with pytest.raises(InvalidRequest, match="cannot be followed"):
        measure(points[::5], sound, fps=5)
    with pytest.raises(BadVideo, match="No face"):
        measure([None] * 300 + list(points[:50]), sound)
    with pytest.raises(BadVideo, match="do not move"):
        measure([points[0]] * 200, sound)
    with pytest.raises(BadAudio, match="Nothing is spoken"):
        measure(points, np.zeros_like(sound))


def test_a_mouth_that_does_as_told_reaches_the_top() -> None:
    told = np.random.default_rng(0).normal(0, 0.2, (400, 4))
    there = np.ones(400, bool)
    found = belonging(told, np.roll(told, 4, 0) * 0.01 + 0.3, there)
    assert found.frames == 4 and found.correlation == pytest.approx(1, abs=0.03)
    assert found.score == pytest.approx(found.each[np.isfinite(found.each)].mean())
    assert belonging(told * 0.5, np.roll(told, 4, 0), there).score == pytest.approx(found.score / 2, rel=1e-3)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Watched]:
    return real_clips(OPEN / "videos")


@needs_clips
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_planted_shifts_of_real_clips_are_found_exactly(clips: list[Watched]) -> None:
    results = {clip.name: planted(clip) for clip in clips}
    assert len(results) >= 20
    assert [name for name, (exact, _) in results.items() if not exact] == []
    assert max(worst for _, worst in results.values()) < 0.25


@needs_clips
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_offsets_of_real_clips_are_those_that_a_trained_network_found(clips: list[Watched]) -> None:
    known = {"zh_woman_15s": -4, "hdtf_aoc_8s": -2, "obama1_20s_256": -6, "obama2_20s_256": -5, "jaein_20s_256": -2,
             "styletalk_obama2_30s_256": -2, "styletalk_kristinoem_18s_256": -2, "retalk1_man_6s": 2, "cnn_man_71s": 0,
             "de_anchor_20s": 0, "shaheen_20s_256": 0, "styletalk_andrew2_27s_256": 0, "yiran31_woman_24s": 0}
    found = {clip.name: clip.moved(0).offset for clip in clips if clip.name in known}
    assert len(found) == len(known)
    assert all(abs(found[name] - frames) <= 1.1 for name, frames in known.items()), found


@needs_clips
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_real_clips_are_told_from_those_with_another_sound(clips: list[Watched]) -> None:
    found = separation(clips)
    assert found["auc_score"] >= 0.95 and found["auc_correlation"] >= 0.95


@needs_clips
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_score_ranks_generated_clips_like_the_published_lse() -> None:
    found = ranking(OPEN / "pairs/joygen_lse")
    assert found["ranked_clips"] == 20
    assert found["spearman"] >= 0.6 and found["spearman_one_left_out"][0] >= 0.6
    assert found["spearman_interval"][0] > 0
