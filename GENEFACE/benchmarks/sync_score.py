"""How far the figures of lips and sound can be trusted: python -m benchmarks.sync_score --json

Measured on real clips and on generated ones whose LSE others published.  The last
line of the output is one JSON object:

``spearman``            rank correlation of our sync score with the published LSE-C, its 95 % bootstrap interval,
                        and the range when any one clip is left out.  More than 100 variants of the score were compared
                        on these same 20 clips, so .698, interval [.27, .91], flatters it; and how lively the sound
                        alone is already ranks them with .665 (``spearman_sound``)
``spearman_windows``    the range of it when changes are looked at within other times than SyncNet's window
``spearman_sound``      the same of how much the sound alone moves the told mouth: what needs no look at the picture
``auc_score``           share of pairs in which a real ten-second piece beats one with another clip's sound: .990,
                        the evidence that the score sees synchrony at all
``auc_correlation``     the same of the lip correlation
``shifts_exact``        real clips whose sound, moved by −5 … +5 frames, moves the offset by just as many
``shift_worst_frames``  the largest error of these offsets between whole frames
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata, spearmanr

from benchmarks.product import ROOT
from eval_metrics.metrics.sync.belonging import WINDOW, Belonging, belonging
from eval_metrics.metrics.sync.clock import SHORTEST
from eval_metrics.metrics.sync.mouth import MouthWatch
from eval_metrics.metrics.sync.told import told_mouth
from visage.faces import open_faces
from visage.faces.track import track_video
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.types import FPS, SPEECH_RATE

OPEN = ROOT.parents[1] / "shared/data/open"
SHIFTS = tuple(range(-5, 6))
"""Frames by which sounds are moved."""
_STEP = SPEECH_RATE // FPS
_PIECE = 10 * FPS
_OTHERS = 4
_WINDOWS = (1.0, 1.25, 1.5, 1.75, 2.0)
"""Frames of the Gaussian in place of `WINDOW`."""
_ROUNDS = 10_000


@dataclass(frozen=True, eq=False)
class Watched:
    """A clip as the figures see it."""

    name: str
    seen: np.ndarray
    """Mouth at 25 a second, float64 [T, 4]."""
    there: np.ndarray
    """Where a face was, bool [T]."""
    sound: np.ndarray
    """At 16 kHz."""

    @cached_property
    def told(self) -> np.ndarray:
        """What its sound tells of the mouth."""
        return told_mouth(self.sound[:len(self.seen) * _STEP])

    def moved(self, frames: int) -> Belonging:
        """How it belongs together when its picture comes later by so many frames."""
        lead = self.sound[frames * _STEP:] if frames >= 0 else np.pad(self.sound, (-frames * _STEP, 0))
        return belonging(told_mouth(lead[:len(self.seen) * _STEP]), self.seen, self.there)


def watch(file: Path, cache: Path | None = None) -> Watched:
    """Look at a clip; what was seen is kept in ``cache``."""
    kept = cache / f"{file.stem}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept) as arrays:
            return Watched(file.stem, arrays["seen"], arrays["there"], arrays["sound"])
    finder, look = open_faces(), MouthWatch()
    track = track_video(read_video(file), finder)
    finder.close()
    for index in range(len(track)):
        look.take(index / FPS, track.points[index] if track.found[index] else None)
    seen, there = look.mouth().even()
    sound = read_sound(file)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, seen=seen, there=there, sound=sound)
    return Watched(file.stem, seen, there, sound)


def ranking(folder: Path, cache: Path | None = None) -> dict[str, Any]:
    """How our score ranks the clips with a published LSE."""
    with (folder / "lse_published.csv").open(encoding="utf-8") as file:
        published = [(row["video"], float(row["LSE_C"])) for row in csv.DictReader(file)]
    clips = [watch(folder / name, cache) for name, _ in published]
    theirs = np.array([value for _, value in published])
    ours = np.array([belonging(clip.told, clip.seen, clip.there).score for clip in clips])
    alone = [_liveliness(clip.told) for clip in clips]
    without = [spearmanr(np.delete(ours, n), np.delete(theirs, n)).statistic for n in range(len(ours))]
    others = [[belonging(clip.told, clip.seen, clip.there, window).score for clip in clips] for window in _WINDOWS]
    windows = [spearmanr(values, theirs).statistic for values in others]
    return {"spearman": round(float(spearmanr(ours, theirs).statistic), 3),
            "spearman_interval": [round(value, 3) for value in _interval(ours, theirs)],
            "spearman_one_left_out": [round(float(min(without)), 3), round(float(max(without)), 3)],
            "spearman_windows": [round(float(min(windows)), 3), round(float(max(windows)), 3)],
            "spearman_sound": round(float(spearmanr(alone, theirs).statistic), 3), "ranked_clips": len(clips),
            "scores": {clip.name: round(float(value), 4) for clip, value in zip(clips, ours, strict=True)}}


def _liveliness(told: np.ndarray) -> float:
    from scipy.ndimage import gaussian_filter1d

    return float((told - gaussian_filter1d(told, WINDOW, axis=0, mode="nearest")).std(0).sum())


def _interval(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(first), (_ROUNDS, len(first)))
    ranks = [rankdata(values[drawn], axis=1) for values in (first, second)]
    apart = [values - values.mean(1, keepdims=True) for values in ranks]
    rho = (apart[0] * apart[1]).sum(1) / np.sqrt((apart[0]**2).sum(1) * (apart[1]**2).sum(1))
    low, high = np.percentile(rho, [2.5, 97.5])
    return float(low), float(high)


def separation(clips: list[Watched]) -> dict[str, Any]:
    """How surely a real piece is told from the same picture with another clip's sound."""
    pieces = [piece for clip in clips for piece in _pieces(clip)]
    rng = np.random.default_rng(0)
    right, wrong = [], []
    for clip, told, seen, there in pieces:
        right.append(belonging(told, seen, there))
        others = [piece for piece in pieces if piece[0] != clip and len(piece[1]) >= 0.8 * len(seen)]
        for pick in rng.choice(len(others), min(_OTHERS, len(others)), replace=False):
            wrong.append(belonging(others[pick][1], seen, there))
    return {"auc_score": _above([one.score for one in right], [one.score for one in wrong]),
            "auc_correlation": _above([one.correlation for one in right], [one.correlation for one in wrong]),
            "pieces": len(right), "pieces_with_other_sound": len(wrong)}


def _pieces(clip: Watched) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    count = min(len(clip.told), len(clip.seen))
    edges = np.linspace(0, count, max(1, round(count / _PIECE)) + 1).astype(int)
    return [(clip.name, clip.told[a:b], clip.seen[a:b], clip.there[a:b]) for a, b in pairwise(edges)]


def _above(right: list[float], wrong: list[float]) -> float:
    return round(float((np.array(right)[:, None] > np.array(wrong)).mean()), 4)


def planted(clip: Watched) -> tuple[bool, float]:
    """Whether the offset moves by just as many whole frames as the sound, for all `SHIFTS`, and the worst error.

    The offset between frames is compared: where a clip's own lies halfway, its whole number may go either way.
    """
    own = clip.moved(0)
    found = [(shift, clip.moved(shift)) for shift in SHIFTS]
    return (all(round(moved.offset - own.offset) == shift for shift, moved in found),
            max(abs(moved.offset - own.offset - shift) for shift, moved in found))


def shifting(clips: list[Watched]) -> dict[str, Any]:
    """Planted shifts found, and how nearly between whole frames."""
    results = {clip.name: planted(clip) for clip in clips}
    return {"shifts_exact": sum(exact for exact, _ in results.values()), "shift_clips": len(clips),
            "shifts_missed": [name for name, (exact, _) in results.items() if not exact],
            "shift_worst_frames": round(max(worst for _, worst in results.values()), 3),
            "offsets_ms": {clip.name: round(1000 / FPS * clip.moved(0).offset, 1) for clip in clips}}


def real_clips(folder: Path = OPEN / "videos", cache: Path | None = None) -> list[Watched]:
    """The real clips, less those too short once their sound has been moved."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".mp4", ".mpg"))
    clips = [watch(file, cache) for file in files]
    return [clip for clip in clips if min(len(clip.seen), len(clip.sound) // _STEP) - max(SHIFTS) >= SHORTEST * FPS]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench sync_score", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--data", type=Path, default=OPEN, help="folder with videos and pairs/joygen_lse")
    parser.add_argument("--cache", type=Path, help="folder in which what was seen is kept")
    given = parser.parse_args()
    figures = ranking(given.data / "pairs/joygen_lse", given.cache)
    clips = real_clips(given.data / "videos", given.cache)
    figures |= separation(clips) | shifting(clips)
    if not given.json:
        for name, value in figures.items():
            print(f"{name:24} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
