"""High dynamic range to what every screen shows: PQ and HLG light in BT.2020 to pixels of BT.709."""

from __future__ import annotations

from functools import cache

import numpy as np

CURVES = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
"""Numbers of the transfer curves of high dynamic range (ITU-T H.273)."""
WHITE = 203.0
"""Light of a white sheet in high dynamic range, cd/m² (ITU-R BT.2408)."""
_PEAK = 1000.0
"""Brightest light of the screen for which HLG is worked out, cd/m²."""
_KNEE = 0.6
"""Share of white up to which light stays as it is; above it comes closer and closer to 1."""
_PRIMARIES = np.float32([[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349],
                         [-0.018151, -0.100579, 1.118730]])
"""BT.2020 to BT.709, linear light (ITU-R BT.2087)."""
_HLG_LUMA = np.float32([[0.2627, 0.6780, 0.0593]])
_GREYS = 4096


def toned(codes: np.ndarray, curve: int) -> np.ndarray:
    """Pixels uint8 RGB [H, W, 3] of BT.709 for codes uint16 RGB [H, W, 3] of BT.2020, full range.

    ``curve`` is one of `CURVES`.  Light below 60 % of white stays as it is, brighter
    light is compressed by the strongest of its colours, so that hues stay.
    """
    # Where sound alone is read, as in the voice server's image, OpenCV need not be there.
    import cv2

    light = _linear(curve)[codes]
    if curve == 18:
        # what a screen adds to the light of the scene, ITU-R BT.2100 table 5, at 1000 cd/m²
        luma = cv2.transform(light, _HLG_LUMA)
        light *= (cv2.pow(np.maximum(luma, 1e-6), 0.2) * np.float32(_PEAK / WHITE))[..., None]
    light = np.maximum(cv2.transform(light, _PRIMARIES), 0)
    strongest = light.max(axis=2)
    over = np.maximum(strongest - _KNEE, 0)
    shown = np.minimum(strongest, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over / (1 - _KNEE)))
    light *= (shown / np.maximum(strongest, 1e-6))[..., None]
    # the root spreads the dark steps, which the eye sees best
    return _display()[(cv2.sqrt(light) * (_GREYS - 1) + 0.5).astype(np.uint16)]


@cache
def _linear(curve: int) -> np.ndarray:
    """Light of every code, float32 [65536]: for PQ in shares of white, for HLG of the scene, 0 to 1."""
    code = np.arange(65536) / 65535
    if curve == 16:
        # ITU-R BT.2100 table 4
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = code ** (1 / m2)
        light = 10000 / WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    else:
        # ITU-R BT.2100 table 5
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return light.astype(np.float32)


@cache
def _display() -> np.ndarray:
    """Grey levels uint8 [4096] of roots of light, for a screen after ITU-R BT.1886."""
    light = (np.arange(_GREYS) / (_GREYS - 1)) ** 2
    return np.round(255 * light ** (1 / 2.4)).astype(np.uint8)
