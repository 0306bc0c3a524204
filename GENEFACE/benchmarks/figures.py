"""How like the person a generated clip is: the figures of the lite benchmark and their definitions."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from visage.engines.lite.quality import likeness

CROP = 128
"""Side of the crop round the mouth that figures refer to."""


def flicker(crops: np.ndarray) -> float:
    """Mean absolute frame-to-frame difference of crops [N, S, S, 3], what optical flow explains taken away."""
    total = []
    for before, after in pairwise(crops):
        greys = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in (after, before)]
        flow = cv2.calcOpticalFlowFarneback(*greys, None, 0.5, 3, 11, 3, 5, 1.1, 0)
        rows, columns = np.mgrid[0:CROP, 0:CROP].astype(np.float32)
        moved = cv2.remap(before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)
        total.append(np.abs(after.astype(np.float32) - moved)[8:-8, 8:-8].mean())
    return float(np.mean(total))


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's r of two courses, cut to the shorter one."""
    count = min(len(first), len(second))
    return float(np.corrcoef(first[:count], second[:count])[0, 1])


def picture_figures(real: np.ndarray, made: np.ndarray) -> dict[str, float]:
    """All figures of real and generated mouth crops, uint8 [N, S, S, 3] each."""
    return {**likeness(real, made), "flicker_ratio": round(flicker(made) / flicker(real), 3)}


def contact_sheet(real: np.ndarray, made: np.ndarray, out: Path, columns: int = 8, side: int = 224) -> Path:
    """Write real above generated above four times their difference, evenly spread over the frames."""
    chosen = np.linspace(0, len(real) - 1, columns * 2).astype(int)
    rows = []
    for part in (chosen[:columns], chosen[columns:]):
        apart = 128 + 4 * (made[part].astype(np.int16) - real[part])
        apart = np.clip(apart, 0, 255).astype(np.uint8)
        rows += [np.hstack(list(pictures)) for pictures in (real[part], made[part], apart)]
    sheet = cv2.resize(np.vstack(rows), None, fx=side / CROP, fy=side / CROP, interpolation=cv2.INTER_CUBIC)
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), sheet[..., ::-1])
    return out
