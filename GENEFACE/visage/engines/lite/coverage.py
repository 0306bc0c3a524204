"""Frames in which the mouth cannot be trusted: something is in front of it, it is blurred, or the head is turned away.

Such frames are neither learnt from nor painted into.  What covers a mouth is
found without knowing what it is: the region round the mouth of one person
looks, frame by frame, like a mixture of a few pictures; a hand or a microphone
does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import binary_dilation, uniform_filter1d

from visage.engines.lite import crops
from visage.faces.align import warp
from visage.faces.pose import angles, fit_pose, own_reference
from visage.faces.track import Track, smooth
from visage.types import FPS

SIDE = 32
"""Side of the small pictures that are compared."""
_BLOCK = 4
_MIXED = 10
"""Pictures whose mixtures make up a clean mouth."""
_ODD, _ODDER = 14.0, 5.0
"""What a covered block differs by: in levels of 255, and in usual differences of that block."""
_BLOCKS = 4
"""Blocks that have to be odd together."""
_LOWEST = 0.42
"""How far below the lips is looked, in eye distances."""
_MOST = 600
"""Frames that the mixture is learnt from."""
_NEAR, _TURNED = 18.0, 35.0
"""Degrees of yaw or pitch from the usual that any painter copes with, and beyond which a mouth is too foreshortened."""
_SELDOM = 5.0
"""Between these: so many usual deviations away there was too little to learn from."""
_FAST = 4.0
"""Degrees a frame of turning from which landmarks lag behind."""
_BLURRED = 0.3
"""Share of the usual sharpness below which a frame is blurred."""
_MARGIN = 3
"""Frames before and after a covered one: the hand is on its way."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which of N frames cannot be used, and why; bool [N] each."""

    covered: np.ndarray
    """Something is in front of the mouth."""
    blurred: np.ndarray
    """The face is much less sharp than usual."""
    turned: np.ndarray
    """The head is turned too far, or too fast."""

    @property
    def clear(self) -> np.ndarray:
        """Frames with nothing against them, bool [N]."""
        return ~(self.covered | self.blurred | self.turned)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to store in an ``.npz``."""
        return {"covered": self.covered, "blurred": self.blurred, "turned": self.turned}

    def facts(self) -> dict[str, float]:
        """Seconds left out, by reason: a covered frame is not counted again as blurred, nor that one as turned."""
        blurred = self.blurred & ~self.covered
        turned = self.turned & ~self.covered & ~self.blurred
        parts = {"covered_s": self.covered, "blurred_s": blurred, "turned_s": turned}
        return {name: round(float(part.sum()) / FPS, 2) for name, part in parts.items()}

    def notes(self) -> list[str]:
        """One English sentence for each reason that took a fifth of a second or more."""
        said = {"covered_s": IN_FRONT, "blurred_s": BLURRED, "turned_s": TURNED}
        return [said[name].format(seconds=f"{seconds:.1f}") for name, seconds in self.facts().items() if seconds >= 0.2]


IN_FRONT = "Something covers the mouth for {seconds} s; these were left out."
BLURRED = "The face is blurred for {seconds} s; these were left out."
TURNED = "The head is turned far or fast for {seconds} s; these were left out."


def find_coverage(frames: Iterable[np.ndarray], track: Track) -> Coverage:
    """Which frames uint8 RGB [H, W, 3] of a tracked recording cannot be used."""
    return Coverage(covered(small_pictures(frames, track), track.found), blurred(track), turned(track))


def small_pictures(frames: Iterable[np.ndarray], track: Track) -> np.ndarray:
    """The painted square of every frame, uint8 [N, `SIDE`, `SIDE`, 3]."""
    places = crops.mouth_squares(track.points, crops.find_anchor(track.points[track.found]), SIDE).transforms
    small = np.zeros((len(track), SIDE, SIDE, 3), np.uint8)
    for number, frame in zip(range(len(track)), frames, strict=False):
        small[number] = warp(frame, places[number], SIDE)
    return small


def covered(small: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Frames with something in front of the mouth, bool [N], from `small_pictures` and where a face was found."""
    if found.sum() < 2 * _MIXED:
        return np.zeros(len(small), bool)
    flags = np.zeros(len(small), bool)
    flags[found] = _odd(small[found])
    # One frame alone is a landmark's slip; what covers a mouth stays for a moment.
    lasting = uniform_filter1d(flags.astype(np.float32), 5) > 0.5
    return _widened(lasting | (flags & binary_dilation(lasting, iterations=_MARGIN)))


def blurred(track: Track) -> np.ndarray:
    """Frames much less sharp than the recording usually is, bool [N]."""
    usual = float(np.median(track.sharpness[track.found])) if track.found.any() else 0.0
    return track.found & (track.sharpness < _BLURRED * usual)


def turned(track: Track) -> np.ndarray:
    """Frames in which the head is turned far from its usual place, or so fast that landmarks lag, bool [N]."""
    if not track.found.any():
        return np.zeros(len(track), bool)
    points = smooth(track.points)
    found = angles(fit_pose(points, own_reference(points[track.found])))
    away = np.abs(found[:, :2] - np.median(found[track.found, :2], 0))
    limit = np.clip(_SELDOM * 1.4826 * np.median(away[track.found], 0), _NEAR, _TURNED)
    speed = np.abs(np.gradient(found[:, :2], axis=0)).max(1) if len(found) > 1 else np.zeros(len(found))
    return track.found & ((away > limit).any(1) | (speed > _FAST))


def _odd(small: np.ndarray) -> np.ndarray:
    """Frames, bool [N], that no mixture of clean ones looks like."""
    flat = np.stack([cv2.GaussianBlur(picture, (3, 3), 0) for picture in small]).reshape(len(small), -1)
    flat = flat.astype(np.float32)
    away = _blocks(np.abs(flat - np.median(flat[:: max(1, len(flat) // _MOST)], 0))).mean(1)
    clean = away <= np.percentile(away, 60)
    odd = ~clean
    for _ in range(6):
        strange = _strangeness(flat, clean)
        usual = np.median(strange[clean], 0)
        high = (strange > _ODD) & (strange > _ODDER * usual)
        odd = high.sum(1) >= _BLOCKS
        if (clean == ~odd).all():
            break
        clean = ~odd if (~odd).sum() >= 2 * _MIXED else clean
    return odd


def _strangeness(flat: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """How far every block of every frame is from a mixture of the clean frames, float32 [N, blocks]."""
    chosen = np.flatnonzero(clean)
    learnt = flat[chosen[np.linspace(0, len(chosen) - 1, min(_MOST, len(chosen))).astype(int)]]
    mean = learnt.mean(0)
    values, vectors = np.linalg.eigh(((learnt - mean) @ (learnt - mean).T).astype(np.float64))
    mixed = (vectors[:, -_MIXED:].T @ (learnt - mean)) / np.sqrt(np.maximum(values[-_MIXED:], 1e-6))[:, None]
    rest = flat - mean
    return _blocks(np.abs(rest - (rest @ mixed.T.astype(np.float32)) @ mixed.astype(np.float32)))


def _blocks(differences: np.ndarray) -> np.ndarray:
    """Mean over colours and blocks of pixels, float32 [N, blocks]."""
    side = SIDE // _BLOCK
    parts = differences.reshape(-1, side, _BLOCK, side, _BLOCK, 3)
    return parts.mean((2, 4, 5)).reshape(len(differences), -1)[:, _inside()]


def _inside() -> np.ndarray:
    """Blocks, bool [side²], that show skin: collar and background beside the chin come and go with every nod."""
    side = SIDE // _BLOCK
    share = crops.paint_mask(SIDE) * (crops.grid(SIDE)[1] < _LOWEST)
    return (share.reshape(side, _BLOCK, side, _BLOCK).mean((1, 3)) > 0.6).ravel()


def _widened(flags: np.ndarray) -> np.ndarray:
    return binary_dilation(flags, iterations=_MARGIN) if flags.any() else flags
