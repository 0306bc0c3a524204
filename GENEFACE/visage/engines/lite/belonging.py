"""Whether the sound of a recording belongs to the lips in it, and how far apart they are."""

from __future__ import annotations

import numpy as np

from visage.engines.lite.findings import Problem, problem
from visage.engines.lite.mouth import fit_basis, select
from visage.engines.lite.offset import Offset, estimate_offset
from visage.faces.pose import fit_pose, own_reference, to_face
from visage.faces.track import Track, smooth
from visage.types import FPS, SPEECH_RATE

BELONGS = 0.15
"""Least correlation of mouth and sound: recordings have 0.25 to 0.6, with a sound from elsewhere up to 0.14."""
_LEAST = 5.0
"""Seconds of which an offset can be told."""
_ENOUGH = 30.0
"""Seconds that are looked at first: somebody waits for the answer."""


def find_offset(track: Track, samples: np.ndarray) -> Offset | None:
    """The offset of a tracked recording; ``samples`` are its sound at `SPEECH_RATE`.

    Told from the beginning where that is clear, else from all of it.  None
    when there is too little of face or sound to tell.
    """
    begun = _found_in(track, samples, round(_ENOUGH * FPS))
    return begun if begun and begun.peak >= BELONGS else _found_in(track, samples, len(track))


def _found_in(track: Track, samples: np.ndarray, most: int) -> Offset | None:
    count = min(len(track), most, len(samples) * FPS // SPEECH_RATE)
    found = track.found[:count]
    if found.sum() < _LEAST * FPS:
        return None
    points = smooth(track.points[:count])
    shapes = select(to_face(points, fit_pose(points, own_reference(points[found]))))
    coefficients = fit_basis(shapes[found]).encode(shapes)
    coefficients[~found] = np.nan
    return estimate_offset(samples[:count * SPEECH_RATE // FPS], coefficients)


def sound_elsewhere(offset: Offset) -> Problem | None:
    """What is wrong when the sound does not belong to the lips; None when it does."""
    if offset.peak >= BELONGS:
        return None
    return problem("The sound does not belong to the lips (correlation {peak}).", code="video.sound_elsewhere",
                   fatal=True, hint="Use a recording with its own sound, in which one person speaks.",
                   peak=round(offset.peak, 2))


def offset_facts(offset: Offset) -> dict[str, float | int | str]:
    """``offset_ms``, by which the sound is put later, and ``offset_peak``, how sure that is."""
    return {"offset_ms": round(1000 * offset.seconds), "offset_peak": round(offset.peak, 3)}
