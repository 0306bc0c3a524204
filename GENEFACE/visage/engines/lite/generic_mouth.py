"""A mouth nobody recorded: hand-set movements for an avatar that is one photo.

Each movement is a field of displacements over the points of a shape, written
down from how lips and jaw move, scaled to the face in the photo.
"""

from __future__ import annotations

import numpy as np

from visage.engines.lite.mouth import INNER_LIP, LIPS, OUTER_LIP, POINTS, MouthBasis, measures, select

MOVES = ("open", "spread", "purse", "raise", "lower", "press", "tuck")
"""Names of the coefficients: jaw down, corners apart, lips forward and round, upper lip up, lower lip down,
red of the lips rolled in, lower lip under the upper teeth.  One unit is the whole movement."""

_ROW = {index: row for row, index in enumerate(POINTS)}
_UPPER = [_ROW[index] for index in (*OUTER_LIP[1:10], *INNER_LIP[1:10])]
_LOWER = [_ROW[index] for index in (*OUTER_LIP[11:], *INNER_LIP[11:])]
_SPREAD = (0.35, 0.30, 0.25, 0.20, 0.25, 0.20, 0.15)
_SPAN = ((0.0, 0.90, -0.01, 0.0), (0.16, 1.06, 0.12, 0.075))
"""Ordinary speech: opening (eye distances), width (share of the rest), outer height and jaw (beyond the rest)."""


def generic_basis(points: np.ndarray) -> MouthBasis:
    """A basis for the face of one photo, from its face-frame mesh points [478, 3].

    The photo's own lips are the mean, brought together where they were apart:
    a smile with teeth rests closed, too.
    """
    shape = select(points).astype(np.float64)
    down = float(np.sign(shape[_ROW[152], 1] - shape[_ROW[4], 1])) or 1.0
    front = float(np.sign(shape[_ROW[4], 2] - shape[[_ROW[61], _ROW[291]], 2].mean())) or -1.0
    shape = _shut(shape)
    moves = _moves(shape, down, front)
    rest = measures(shape[None])[0]
    low, high = np.array(_SPAN)
    span = np.array([[low[0], rest[1] * low[1], rest[2] + low[2], rest[3] + low[3]],
                     [high[0], rest[1] * high[1], rest[2] + high[2], rest[3] + high[3]]])
    parts = (shape, moves, np.array(_SPREAD), np.zeros(len(MOVES)), span)
    return MouthBasis(*(np.asarray(part, np.float32) for part in parts))


def _shut(shape: np.ndarray) -> np.ndarray:
    """The shape with its inner lips touching; the lower lip and chin travel most of the way, as a jaw does."""
    shape = shape.copy()
    for step in range(1, 10):
        upper, lower = _ROW[INNER_LIP[step]], _ROW[INNER_LIP[20 - step]]
        gap = (shape[lower] - shape[upper])
        for row, share in ((upper, 0.25), (_ROW[OUTER_LIP[step]], 0.20)):
            shape[row] += share * gap
        for row, share in ((lower, -0.75), (_ROW[OUTER_LIP[20 - step]], -0.70)):
            shape[row] += share * gap
        if step == 5:
            shape[len(LIPS):] -= 0.6 * gap * _falls(shape)[len(LIPS):, None]
    return shape


def _falls(shape: np.ndarray) -> np.ndarray:
    """How far each point [P] follows the jaw: 1 at the lower lip and chin, 0 above the upper lip."""
    centre, half = _centre(shape)
    below = (shape[:, 1] - centre[1]) * np.sign(shape[_ROW[152], 1] - centre[1])
    side = np.clip(np.abs(shape[:, 0] - centre[0]) / half, 0, 2)
    falls = np.clip(0.45 + below / 0.12, 0, 1) * np.where(below > 0.05, np.clip(1.45 - 0.35 * side, 0.4, 1), 1.0)
    falls[_LOWER] = 1.0 - 0.55 * np.clip(side[_LOWER], 0, 1) ** 2.5
    falls[_UPPER] = 0.35 * np.clip(side[_UPPER], 0, 1) ** 4
    corners = [_ROW[index] for index in (61, 291, 78, 308)]
    falls[corners] = 0.40
    falls[_ROW[4]] = 0.0
    return falls


def _centre(shape: np.ndarray) -> tuple[np.ndarray, float]:
    corners = shape[[_ROW[61], _ROW[291]]]
    return corners.mean(0), float(np.linalg.norm(corners[1, :2] - corners[0, :2]) / 2)


def _moves(shape: np.ndarray, down: float, front: float) -> np.ndarray:
    """Displacements [K, P, 3] of `MOVES`."""
    centre, half = _centre(shape)
    aside = (shape[:, 0] - centre[0]) / half
    near = np.exp(-0.5 * (np.linalg.norm(shape[:, :2] - centre[:2], axis=1) / (1.3 * half)) ** 2)
    near[:len(LIPS)] = 1.0
    near[_ROW[4]] = 0.0
    middle = np.clip(1 - np.abs(aside) ** 2, 0, 1)
    upper, lower = np.zeros(len(POINTS)), np.zeros(len(POINTS))
    upper[_UPPER], lower[_LOWER] = middle[_UPPER], middle[_LOWER]
    inner = np.zeros(len(POINTS))
    inner[[_ROW[index] for index in INNER_LIP]] = 1.0
    red = (inner < 1) & (np.arange(len(POINTS)) < len(LIPS))
    falls, moves = _falls(shape), np.zeros((len(MOVES), len(POINTS), 3))
    moves[0, :, 1] = 0.18 * down * falls - 0.015 * down * upper
    moves[0, :, 2] = -0.05 * front * falls
    moves[0, :, 0] = -0.06 * half * aside * near
    moves[1, :, 0] = 0.18 * half * aside * near
    moves[1, :, 1] = 0.010 * down * (upper * red - lower * red)
    moves[2, :, 0] = -0.30 * half * aside * near
    moves[2, :, 2] = 0.07 * front * near
    moves[2, :, 1] = 0.020 * down * (lower - upper)
    moves[3, :, 1] = -0.040 * down * upper
    moves[4, :, 1] = 0.050 * down * lower
    moves[5, :, 1] = 0.030 * down * (upper * red - lower * red)
    moves[6, :, 1] = -0.030 * down * lower
    moves[6, :, 2] = -0.030 * front * lower
    return moves
