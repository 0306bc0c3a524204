"""What lies in front of a face: hair, glasses, a hand, a microphone.  Found by colour, without a model."""

from __future__ import annotations

import cv2
import numpy as np

COARSE = 96
"""Pixels across a face that are enough to see what lies in front of it."""
_SKIN = (1.0, 1.8)
"""Distances from the usual colour of the face, in its own spreads, between which something stops being skin."""
_APART = (12.0, 26.0)
"""Differences to the new face, CIELAB, between which something counts as not belonging to it."""
_LEAST = np.float32([20.0, 7.0, 7.0])
"""Spread that a face has at least, L a b: shadows and make-up are no objects."""


def visible(new: np.ndarray, old: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Where nothing lies in front of the face, float32 [h, w] 0 to 1.

    ``new`` and ``old`` are pixels uint8 RGB [h, w, 3] of the new face (in the
    frame's colours) and of the frame.  In front is what is unlike the skin of
    the frame's face, unlike the new face, and reaches the edge of the face.
    """
    mine, theirs = _lab(new), _lab(old)
    strange = strangeness(theirs, share)
    if strange is None:
        return np.ones(share.shape, np.float32)
    apart = cv2.blur(np.linalg.norm(mine - theirs, axis=2), (5, 5))
    front = _step(strange, _SKIN) * _step(apart, _APART)
    front = _from_the_edge(front, share)
    front = cv2.GaussianBlur(cv2.dilate(front, np.ones((3, 3), np.uint8)), (0, 0), max(1.0, share.shape[1] / 90))
    return 1 - front


def coarse(pixels: np.ndarray) -> np.ndarray:
    """A picture at the size at which it is judged: `COARSE` pixels across, never larger than it is."""
    scale = min(1.0, COARSE / max(pixels.shape[1], 1))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    step = max(1, int(0.75 / scale))
    return cv2.resize(np.ascontiguousarray(pixels[::step, ::step]), size, interpolation=cv2.INTER_LINEAR)


def strangeness(lab: np.ndarray, share: np.ndarray) -> np.ndarray | None:
    """How unlike the face's usual colour each pixel is, in its spreads, float32 [h, w]; None without a face."""
    height = len(lab)
    # cheeks, nose and eyes: a mask or a beard must not pass for the usual colour
    inside = lab[height // 5:height * 3 // 5][share[height // 5:height * 3 // 5] > 0.6]
    if len(inside) < 50:
        return None
    middle = np.median(inside, axis=0)
    spread = np.maximum(2.5 * np.median(np.abs(inside - middle), axis=0), _LEAST)
    return np.linalg.norm((lab - middle) / spread, axis=2).astype(np.float32)


def own_skin(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Where a photo shows the face itself and no hair over it, float32 [h, w] 0 to 1."""
    strange = strangeness(_lab(picture), share)
    if strange is None:
        return np.ones(share.shape, np.float32)
    smooth = cv2.GaussianBlur(strange, (0, 0), max(0.8, picture.shape[1] / 200))
    front = _from_the_edge(_step(smooth, (0.9, 1.3)), share)
    reach = max(3, round(picture.shape[1] / 50)) | 1
    front = cv2.dilate(front, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return 1 - cv2.GaussianBlur(front, (0, 0), max(1.0, picture.shape[1] / 60))


def _from_the_edge(front: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Only those patches that reach the edge of the face: brows, eyes and lips lie inside it."""
    seen = ((front > 0.4) & (share > 0.02)).astype(np.uint8)
    count, labels = cv2.connectedComponents(seen, connectivity=4)
    if count == 1:
        return np.zeros_like(front)
    rim = np.unique(labels[(share > 0.02) & (share < 0.35)])
    kept = np.zeros(count, np.float32)
    kept[rim[rim > 0]] = 1
    return front * cv2.dilate(kept[labels], np.ones((3, 3), np.uint8))


def _lab(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _step(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1).astype(np.float32)
