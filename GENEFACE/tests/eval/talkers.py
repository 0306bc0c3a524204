"""Meshes in pixels for the tests: a drawn face that speaks while its head moves."""

from __future__ import annotations

import numpy as np

from visage.faces.pose import REFERENCE, STABLE, Pose, to_image

EYES = 80.0
"""Pixels between the outer eye corners."""


def swaying(face: np.ndarray, sway: float = 6.0) -> np.ndarray:
    """Face-frame points [T, 478, 3] with an upper face, in pixels, on a head that moves by ``sway`` pixels and nods."""
    whole = face + np.float32([0, 0.05, 0])
    whole[:, STABLE] = REFERENCE
    at = np.arange(len(face)) / 25
    angle = 0.08 * np.sin(2 * np.pi * 0.31 * at)
    level = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1).reshape(-1, 2, 2)
    turn = np.tile(np.eye(3, dtype=np.float32), (len(face), 1, 1))
    turn[:, :2, :2] = level
    shift = np.stack([128 + sway * np.sin(1.9 * at), 110 + sway * np.cos(1.3 * at), 0 * at], 1)
    pose = Pose(np.full(len(face), EYES, np.float32), turn, shift.astype(np.float32))
    return to_image(whole.astype(np.float32), pose)
