"""Where a drawn face is trusted: inside the oval, not in the mouth, not when the head is turned far."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from visage.faces.pose import angles, fit_pose
from visage.swap.embedded.topology import POINTS, topology

_COARSE = 2
_LARGE = 120
"""Width of an oval, pixels, from which on half of them are enough for its soft edge."""
_TURNED = (45.0, 62.0)
"""Degrees of yaw between which the new face fades away: its far half was never photographed."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a frame."""

    left: int
    """Of the part, pixels of the frame."""
    top: int
    """Of the part, pixels of the frame."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


def area_of(mesh: np.ndarray, shape: tuple[int, ...], room: float = 0.0) -> Area | None:
    """The part of a frame in which the mesh lies, even-sided and with some room; None when it lies outside."""
    height, width = shape[:2]
    low, high = mesh[:POINTS, :2].min(0), mesh[:POINTS, :2].max(0)
    gap = room * float((high - low).max()) + 2
    left, top = (int(max(0, np.floor(value - gap))) & ~1 for value in low)
    right = min(width, int(np.ceil(high[0] + gap)) + 1)
    bottom = min(height, int(np.ceil(high[1] + gap)) + 1)
    return Area(left, top, right - left, bottom - top) if right - left > 8 and bottom - top > 8 else None


def face_mask(mesh: np.ndarray, area: Area, *, mouth: bool, eyes: bool,
              open_eyes: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Share of the new face, float32 [height, width] of the area, 0 to 1.

    The oval, eroded by 4 % of its width and feathered inwards; without the
    opening of the mouth unless ``mouth``, without the eyes unless ``eyes``.
    ``open_eyes`` is how far those of the photo are open: a lid that was not
    photographed shut stays the target's.
    """
    parts = topology()
    small = (-(-area.height // _COARSE), -(-area.width // _COARSE))
    flat = (mesh[:, :2] - np.float32([area.left, area.top]) + 0.5) / _COARSE - 0.5
    width = float(np.ptp(flat[parts.oval, 0])) + 1e-3
    mask = _inside(flat[parts.oval], small)
    openings = [] if mouth else [(parts.inner_lip, 0.006 * width)]
    if not eyes:
        openings += [(eye, _room(flat[eye], width, wide)) for eye, wide in zip(parts.eyes, open_eyes, strict=True)]
    if openings:
        hole: np.ndarray = np.zeros(small, np.uint8)
        for outline, room in openings:
            _fill(hole, flat[outline], 255)
            cv2.polylines(hole, [_fixed(flat[outline])], True, 255, max(1, round(2 * room)), cv2.LINE_AA, 4)
        hole = cv2.GaussianBlur(hole, (0, 0), max(0.6, 0.008 * width))
        mask = np.minimum(mask, 255 - hole)
    full = cv2.resize(mask, (small[1] * _COARSE, small[0] * _COARSE), interpolation=cv2.INTER_LINEAR)
    return full[:area.height, :area.width].astype(np.float32) * np.float32(facing(mesh) / 255)


def _inside(oval: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The oval eroded and feathered, uint8 [height, width]; its edge is soft, so a large one is made at half size."""
    width = float(np.ptp(oval[:, 0])) + 1e-3
    if width > _LARGE:
        half = _inside((oval + 0.5) / 2 - 0.5, (-(-size[0] // 2), -(-size[1] // 2)))
        return cv2.resize(half, (half.shape[1] * 2, half.shape[0] * 2))[:size[0], :size[1]]
    mask: np.ndarray = np.zeros(size, np.uint8)
    _fill(mask, oval, 255)
    # what runs out of the frame is cut there, not feathered: the border counts as inside
    inset, feather = max(1, round(0.04 * width)), max(1.0, 0.035 * width)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (inset + round(feather)) + 1,) * 2)
    mask = cv2.erode(mask, around, borderType=cv2.BORDER_CONSTANT, borderValue=255)
    return cv2.GaussianBlur(mask, (0, 0), feather / 1.5)


def facing(mesh: np.ndarray) -> float:
    """1 for a head that looks at the camera, 0 for one in profile, between them for yaws of 45° to 62°."""
    yaw = abs(float(angles(fit_pose(mesh[None]))[0, 0]))
    low, high = _TURNED
    return float(np.clip((high - yaw) / (high - low), 0, 1))


def openness(eye: np.ndarray) -> float:
    """Height over width of an eye, from the points of its edge [16, 2]; about 0.3 when it is open."""
    across = eye[np.argmax(eye[:, 0])] - eye[np.argmin(eye[:, 0])]
    length = max(float(np.linalg.norm(across)), 1e-3)
    return float(np.ptp((eye - eye.mean(0)) @ np.array([-across[1], across[0]]) / length)) / length


def _room(eye: np.ndarray, width: float, wide: float) -> float:
    """Pixels around an eye that stay the target's: little around an open one, the lid where the photo has none."""
    now = openness(eye)
    shut = float(np.clip((0.7 - now / wide) / 0.4, 0, 1)) if wide > 0.12 else 0.0
    long = float(np.ptp(eye[:, 0]))
    # a shut eye without a lid to show needs no room: around it lies the skin of the new face
    return max(min(0.018 * width, 0.3 * now * long), 0.55 * shut * long)


def _fill(mask: np.ndarray, outline: np.ndarray, value: int) -> None:
    cv2.fillPoly(mask, [_fixed(outline)], value, cv2.LINE_AA, 4)


def _fixed(outline: np.ndarray) -> np.ndarray:
    return np.round(outline * 16).astype(np.int32)
