"""Results as an evaluation writes them, made up on the spot: known numbers, a truth, an absent figure, bad names."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import lfilter

SIX = ("niqe", "psnr", "ssim", "fid", "lse_c", "lse_d")


def series(count: int, mean: float, spread: float, seed: int, memory: float = 0.8) -> list[float | None]:
    """Values a frame that resemble their neighbours."""
    noise = np.random.default_rng(seed).normal(size=count + 200)
    values = lfilter([1], [1, -memory], noise)[200:] * np.sqrt(1 - memory**2)
    return [float(value) for value in mean + spread * values]


def detail(
    title: str, values: list[float | None] | None = None, value: float | None = None, **rest: Any
) -> dict[str, Any]:
    """One entry of a result's details."""
    held = [each for each in values or [] if each is not None]
    return {
        "title": title,
        "value": float(np.mean(held)) if held and value is None else value,
        "unit": "",
        "better": "",
        "frames": len(held),
        "error": float(np.std(held) / np.sqrt(len(held) / 9)) if held else None,
        "seconds": 0.42,
        "parameters": {},
        "weights": {},
        "reason": "",
        "remedy": "",
        "note": "",
        "every": 1,
        "series": values or [],
    } | rest


def result(
    pred: str = "generated.mp4",
    truth: str | None = "truth.mp4",
    count: int = 250,
    seed: int = 0,
    psnr: float = 31.0,
    **rest: Any,
) -> dict[str, Any]:
    """A whole result; ``psnr`` is the mean of its PSNR."""
    times = np.arange(count) / 25
    mouth = np.clip(0.1 + 0.08 * np.sin(9 * times) * np.sin(1.3 * times), 0, None)
    weights = {"parameters": "niqe_v1.npz (sha256 " + "ab" * 32 + ")"}
    details = {
        "psnr": detail(
            "PSNR", series(count, psnr, 1.5, seed + 1), unit="dB", better="higher", parameters={"peak": 255}
        ),
        "ssim": detail(
            "SSIM", series(count, 0.93, 0.01, seed + 2), better="higher", parameters={"window": [11, 11], "sigma": 1.5}
        ),
        "niqe": detail("NIQE", series(count, 5.2, 0.2, seed + 3), better="lower", weights=weights),
        "fid": detail(
            "FID",
            reason="There are no Inception weights on this machine.",
            remedy="scripts/weights inception",
            better="lower",
        ),
        "lse_c": detail(
            "LSE-C", reason="There are no SyncNet weights on this machine.", remedy="scripts/weights syncnet"
        ),
        "lse_d": detail(
            "LSE-D", reason="There are no SyncNet weights on this machine.", remedy="scripts/weights syncnet"
        ),
        "lmd": detail(
            "LMD", series(count, 2.1, 0.4, seed + 4), unit="px", better="lower", note="Of frames with a face in both."
        ),
        "fps_check": detail("Frame rate", value=1.0, better="nearer to 1"),
        "lip_correlation": detail("Lip correlation", value=0.62, better="higher"),
        "mouth_opening": detail("Mouth opening", [float(value) for value in mouth]),
        "sound_envelope": detail("Loudness", [float(value) for value in 3 * np.roll(mouth, 2)], unit="dB"),
    }
    file = {
        "name": pred,
        "width": 512,
        "height": 512,
        "fps": 25.0,
        "frames": count,
        "seconds": count / 25,
        "variable_rate": False,
        "codec": "h264",
        "sound_codec": "aac",
        "sound_rate": 16000,
        "sound_seconds": count / 25,
    }
    pair = {
        "pred": file,
        "truth": file | {"name": truth, "width": 640, "height": 640} if truth else None,
        "fps": 25.0,
        "clock": "truth",
        "frames": count,
        "size": [512, 512],
        "resampled": {"pred": False, "truth": False},
        "truth_cropped": None,
        "truth_scaled": [0.8, 0.8],
        "offset": {"frames": 2, "seconds": 0.08, "source": "sound", "found": True},
    }
    return {
        **{key: details[key]["value"] for key in SIX},
        "details": details,
        "pair": pair,
        "pred": pred,
        "truth": truth,
        "region": "full",
        "product": {"visage": "0.1"},
        "seconds": 12.3,
        "warnings": [],
        "worst": [],
    } | rest
