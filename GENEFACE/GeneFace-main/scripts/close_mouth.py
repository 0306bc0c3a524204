"""Close the mouth where the sound is silent.

Reads the landmarks that the first step made, [1, T, 204] (68 landmarks of x, y, z), and writes [1, frames, 204]: the
lips go to the person's own closed shape in silence, with an eased way there and back; all else stays as it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from silence import quiet_frames, read_wav

LIPS = slice(48, 68)
UPPER_INNER = [61, 62, 63]
LOWER_INNER = [67, 66, 65]
EASE = 7
"""Frames that closing or opening takes."""
MAY_LACK = 2
"""Frames that the landmarks may be short of; more is another sound's file."""


def closed_lips(landmarks: np.ndarray) -> np.ndarray:
    """The closed lips of a person, [20, 3], from the landmarks of their video, [N, 68, 3] (y points up).

    The median of the frames with the smallest distance between the inner lips, leaving out the most extreme, which
    are mistakes of the tracker.
    """
    gap = (landmarks[:, UPPER_INNER, 1] - landmarks[:, LOWER_INNER, 1]).mean(1)
    order = np.argsort(gap, kind="stable")
    first = len(order) // 100
    return np.median(landmarks[order[first:max(len(order) * 6 // 100, first + 3)], LIPS], axis=0)


def fit_length(landmarks: np.ndarray, frames: int) -> np.ndarray:
    """Landmarks cut to, or continued by their last frame up to, ``frames``; ValueError if more than two are missing."""
    if len(landmarks) + MAY_LACK < frames:
        raise ValueError(f"the landmarks cover {len(landmarks)} frames, the sound has {frames}")
    return landmarks[np.minimum(np.arange(frames), len(landmarks) - 1)]


def closing(quiet: np.ndarray) -> np.ndarray:
    """How far the mouth is closed, float [frames] of 0..1: 0 wherever it is not quiet, eased within the silences."""
    place = np.arange(len(quiet))
    loud = np.flatnonzero(~quiet)
    if not len(loud):
        return np.ones(len(quiet))
    after = np.searchsorted(loud, place)
    to_next = np.where(after < len(loud), loud[np.minimum(after, len(loud) - 1)] - place, len(quiet))
    since_last = np.where(after > 0, place - loud[np.maximum(after - 1, 0)], len(quiet))
    way = np.minimum(np.minimum(to_next, since_last) / EASE, 1.0)
    return np.where(quiet, way * way * (3 - 2 * way), 0.0)


def close_in_silence(landmarks: np.ndarray, quiet: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Landmarks [frames, 204] with the lips drawn to ``lips`` [20, 3] where it is quiet; others are not touched."""
    shaped = landmarks.reshape(len(landmarks), 68, 3).copy()
    weight = closing(quiet)[:, None, None]
    moved = (1 - weight) * shaped[:, LIPS] + weight * lips
    shaped[:, LIPS] = np.where(weight > 0, moved, shaped[:, LIPS])
    return shaped.reshape(len(landmarks), 204)


def main() -> None:
    """Write the landmarks, complete or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--landmarks", type=Path, required=True, help="what the first step wrote")
    parser.add_argument("--sound", type=Path, required=True, help="16 kHz mono WAV")
    parser.add_argument("--avatar", type=Path, required=True, help="what avatar_view.py slim wrote")
    parser.add_argument("--frames", type=int, required=True, help="frames of the video")
    parser.add_argument("--keep", action="store_true", help="leave the mouth as it is")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    raw = np.load(asked.landmarks)
    if raw.ndim != 3 or raw.shape[0] != 1 or raw.shape[2] != 204 or not np.isfinite(raw).all():
        raise SystemExit(f"{asked.landmarks}: expected finite numbers of shape [1, T, 204], it has {list(raw.shape)}")
    result = fit_length(raw[0], asked.frames)
    if not asked.keep:
        quiet = quiet_frames(read_wav(asked.sound), asked.frames)
        lips = np.load(asked.avatar, allow_pickle=True).item()["closed_lips"]
        result = close_in_silence(result, quiet, lips)
    part = asked.out.with_suffix(".part.npy")
    np.save(part, result[None].astype(np.float32))
    part.replace(asked.out)


if __name__ == "__main__":
    main()
