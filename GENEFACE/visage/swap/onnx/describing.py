"""More about a face, where the models are there: 106 or 68 points, pose, age, and what covers it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from visage.swap.onnx.geometry import back, cut, planes, square_around
from visage.swap.onnx.network import Network

EYES, NOSE, MOUTH = (38, 88), 86, (52, 61)
"""Of the 106 points: middles of the eyes, tip of the nose, corners of the mouth, left first."""
_SKIN = (1, 2, 3, 4, 5, 10, 11, 12, 13)
"""Classes of BiSeNet that are face: skin, brows, eyes, nose, mouth and lips."""
_IMAGENET = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class Person:
    """What a network guesses of a person; never stored."""

    male: bool
    """Its guess."""
    age: float
    """Years."""


def points_106(network: Network, frame: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """106 points of a face in pixels of the frame, float32 [106, 2]."""
    raw, transform = _cropped(network, frame, box, 192)
    return back((raw.reshape(106, 2) + 1) * 96, transform)


def five_of(points: np.ndarray) -> np.ndarray:
    """Five points, in the seam's order, out of 106."""
    return points[[*EYES, NOSE, *MOUTH]]


def points_68(network: Network, frame: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """68 points with depth, float32 [68, 3], pixels of the frame; depth in the same scale."""
    raw, transform = _cropped(network, frame, box, 192)
    tail = raw.reshape(-1, 3)[-68:]
    flat = back((tail[:, :2] + 1) * 96, transform)
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    return np.concatenate([flat, tail[:, 2:] * 96 / scale], 1).astype(np.float32)


def person(network: Network, frame: np.ndarray, box: tuple[float, float, float, float]) -> Person:
    """The guess at sex and age."""
    raw, _ = _cropped(network, frame, box, 96)
    values = raw.reshape(3)
    return Person(bool(np.argmax(values[:2]) == 1), float(values[2]) * 100)


def uncovered(network: Network, crop: np.ndarray) -> np.ndarray:
    """What of an aligned crop uint8 RGB [S, S, 3] is face and not a hand or a microphone, float32 [S, S], 0 to 1."""
    size = crop.shape[0]
    small = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_AREA if size > 256 else cv2.INTER_LINEAR)
    mask = network.run({"image": small[None, :, :, ::-1].astype(np.float32) / 255})[0].reshape(256, 256)
    return np.clip(cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR), 0.0, 1.0)


def skin(network: Network, crop: np.ndarray) -> np.ndarray:
    """What of an aligned crop uint8 RGB [S, S, 3] is skin, eyes, brows, nose or mouth, float32 [S, S], 0 to 1."""
    size = crop.shape[0]
    big = cv2.resize(crop, (512, 512), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    mean, std = _IMAGENET
    classes = network.run({"image": ((big - mean) / std).transpose(2, 0, 1)[None]})[0]
    mask = np.isin(classes[0].argmax(0), _SKIN).astype(np.float32)
    return np.clip(cv2.GaussianBlur(cv2.resize(mask, (size, size)), (0, 0), size / 100), 0.0, 1.0)


def _cropped(network: Network, frame: np.ndarray, box: tuple[float, float, float, float], size: int
             ) -> tuple[np.ndarray, np.ndarray]:
    transform = square_around(box, size)
    spec = network.model.spec
    crop = cut(frame, transform, size)
    return network.run({"image": planes(crop[None], spec.mean, spec.std)})[0][0], transform
