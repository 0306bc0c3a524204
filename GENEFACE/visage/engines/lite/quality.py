"""How like the person painted mouths are: PSNR, SSIM and sharpness of crops."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.metrics import structural_similarity


def psnr(real: np.ndarray, made: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures, dB."""
    error = ((real.astype(np.float64) - made) ** 2).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def ssim(real: np.ndarray, made: np.ndarray) -> float:
    """Structural similarity (Wang 2004: Gaussian window, RGB)."""
    return float(structural_similarity(real, made, channel_axis=2, gaussian_weights=True, sigma=1.5,
                                       use_sample_covariance=False, data_range=255))


def sharpness(crop: np.ndarray) -> float:
    """Variance of the Laplacian of the grey mouth region: the middle half of a square crop, below its upper 3/8."""
    side = len(crop)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F)[3 * side // 8:3 * side // 4, side // 4:3 * side // 4].var())


def likeness(real: np.ndarray, made: np.ndarray) -> dict[str, float]:
    """Means over crops uint8 [N, S, S, 3]: ``psnr_mouth_crop`` (dB), ``ssim_mouth_crop`` and ``sharpness_ratio``."""
    pairs = list(zip(real, made, strict=True))
    sharp = np.array([[sharpness(second), sharpness(first)] for first, second in pairs])
    return {"psnr_mouth_crop": round(float(np.mean([psnr(*pair) for pair in pairs])), 2),
            "ssim_mouth_crop": round(float(np.mean([ssim(*pair) for pair in pairs])), 4),
            "sharpness_ratio": round(float(sharp[:, 0].mean() / max(sharp[:, 1].mean(), 1e-9)), 3)}
