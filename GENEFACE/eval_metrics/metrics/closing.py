"""When lips are closed, and whether they are where they should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label, maximum_filter1d

from visage.engines.lite.silence import speech_mask

RATIO = 0.15
"""Share of the person's wide opening (95th percentile) below which a mouth is closed."""
SHUT = 0.02
"""Opening, in distances of the outer eye corners, that is closed in any case: the mesh tells less no better."""
TOLERANCE = 2
"""Frames of 40 ms by which a closure may be early or late."""
_AWAY = 13
"""Rows of 20 ms round speech that are no silence: lips take time to close and to open."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How closures that should be were met."""

    hits: tuple[bool, ...]
    """Whether each was met."""
    chance: float
    """Share that a mouth which closes as often, at any time, would meet."""


def closed(opening: np.ndarray) -> np.ndarray:
    """Whether the mouth is closed, bool [T], of its opening [T] in distances of the outer eye corners."""
    return opening < max(SHUT, RATIO * float(np.percentile(opening, 95)) if len(opening) else SHUT)


def closing(seen: np.ndarray, wanted: np.ndarray, there: np.ndarray) -> Closing:
    """Which runs of ``wanted`` frames, bool [T], have a closed frame of ``seen`` within `TOLERANCE`.

    Runs during which no face was found do not count.
    """
    near = maximum_filter1d((seen & there).astype(np.uint8), 2 * TOLERANCE + 1) > 0
    runs, count = label(wanted)
    met = [bool(near[runs == n].any()) for n in range(1, count + 1) if there[runs == n].any()]
    return Closing(tuple(met), float(near[there].mean()) if there.any() else 0.0)


def quiet_frames(sound: np.ndarray, count: int) -> np.ndarray:
    """Frames at 25 a second, bool [count], at least 120 ms away from speech, for sound at 16 kHz."""
    near = np.convolve(speech_mask(sound), np.ones(_AWAY), "same") > 0
    quiet = ~near[:len(near) // 2 * 2].reshape(-1, 2).any(1)
    return np.pad(quiet, (0, max(0, count - len(quiet))))[:count]
