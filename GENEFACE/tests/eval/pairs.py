"""Pairs of small clips: a portrait that moves as a hand-held camera would show it, and what was made of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from tests.visage.media_clips import babble, clip, portrait


@cache
def moving(count: int = 75, side: int = 192) -> list[np.ndarray]:
    """Frames uint8 [side, side, 3] of the portrait on a wandering path that never repeats."""
    rng = np.random.default_rng(7)
    path = np.cumsum(np.cumsum(rng.normal(0, 0.35, (count, 2)), 0) * 0.2 + rng.normal(0, 0.8, (count, 2)), 0)
    wide = np.pad(portrait(), ((40, 40), (40, 40), (0, 0)), mode="edge")
    low = (wide.shape[0] - side) // 2
    frames = []
    for x, y in np.clip(path.round().astype(int), -low, low):
        frames.append(np.ascontiguousarray(wide[low + y:low + y + side, low + x:low + x + side]))
    return frames


def noisy(frames: list[np.ndarray], sigma: float = 4.0) -> list[np.ndarray]:
    """The frames with noise of their own each."""
    rng = np.random.default_rng(3)
    return [np.clip(frame + rng.normal(0, sigma, frame.shape), 0, 255).astype(np.uint8) for frame in frames]


def pair(folder: Path, later: int = 0, sound: bool = True, count: int = 75) -> tuple[Path, Path]:
    """A noisy clip whose picture and sound come ``later`` frames later than the ground truth's, and the latter."""
    frames = moving(count)
    heard = babble(count / 25) if sound else None
    early, late = max(-later, 0), max(later, 0)
    pred = clip(folder / "pred.mp4", noisy(frames[early:len(frames) - late]) if not late else
                noisy([*moving(count + 40)[count:count + late], *frames[:len(frames) - late]]), _moved(heard, later))
    return pred, clip(folder / "truth.mp4", frames, heard)


def _moved(sound: np.ndarray | None, later: int) -> np.ndarray | None:
    if sound is None or not later:
        return sound
    samples = later * 640
    return np.concatenate([np.zeros(samples, np.float32), sound]) if samples > 0 else sound[-samples:]
