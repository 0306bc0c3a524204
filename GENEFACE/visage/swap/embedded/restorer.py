"""The restorer named basic: less noise, more edges and contrast, by filters alone; it invents nothing."""

from __future__ import annotations

from types import TracebackType

import cv2
import numpy as np

from visage.config import Settings
from visage.swap.contract import Face, Patch
from visage.swap.embedded.masking import Area, area_of, face_mask
from visage.swap.embedded.topology import topology


class BasicRestorer:
    """Guided filter, unsharp mask and local contrast inside the face, a little more in the mouth."""

    name = "embedded"
    title = "basic"
    provider = "CPU"

    def __init__(self, settings: Settings | None = None):
        """Needs no settings and no models."""

    def __enter__(self) -> BasicRestorer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Holds nothing."""

    def restore(self, frame: np.ndarray, face: Face) -> Patch:
        """The face made clearer; an empty patch for a face without a mesh or outside the frame."""
        area = area_of(face.mesh, frame.shape) if face.mesh is not None else None
        if area is None or face.mesh is None:
            return Patch(0, 0, frame[:0, :0], np.zeros((0, 0), np.float32))
        part = frame[area.top:area.top + area.height, area.left:area.left + area.width]
        lab = cv2.cvtColor(part, cv2.COLOR_RGB2LAB)
        lab[..., 0] = _clearer(lab[..., 0], _mouth(face.mesh, area), area.width / 260)
        mask = face_mask(face.mesh, area, mouth=True, eyes=True)
        return Patch(area.left, area.top, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), mask)


def _clearer(light: np.ndarray, mouth: np.ndarray, scale: float) -> np.ndarray:
    """Lightness uint8 [h, w] without noise and with more detail; ``scale``: width of the face over 260 pixels."""
    grey = light.astype(np.float32)
    calm = guided(grey, max(1, round(2 * scale)), 18.0)
    detail = calm - cv2.GaussianBlur(calm, (0, 0), max(0.8, 1.6 * scale))
    coarse = calm - cv2.GaussianBlur(calm, (0, 0), max(1.5, 5 * scale))
    edges = np.clip(detail * (0.9 + 0.5 * mouth) + coarse * 0.25, -24, 24)
    local = cv2.createCLAHE(1.5, (4, 4)).apply(light).astype(np.float32)
    return np.clip(calm + edges + 0.12 * (local - grey), 0, 255).astype(np.uint8)


def guided(grey: np.ndarray, radius: int, noise: float) -> np.ndarray:
    """The picture smoothed where it varies less than ``noise`` (grey levels squared): He, Sun and Tang 2010."""
    size = (2 * radius + 1,) * 2
    mean = cv2.blur(grey, size)
    spread = cv2.blur(grey * grey, size) - mean * mean
    slope = spread / (spread + noise)
    return cv2.blur(slope, size) * grey + cv2.blur(mean * (1 - slope), size)


def _mouth(mesh: np.ndarray, area: Area) -> np.ndarray:
    """1 inside the lips, 0 elsewhere, float32 [height, width] of the area, soft."""
    mask = np.zeros((area.height, area.width), np.uint8)
    outline = mesh[topology().outer_lip, :2] - np.float32([area.left, area.top])
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask, (0, 0), max(1.0, area.width / 60)).astype(np.float32) / 255
