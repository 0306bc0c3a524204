"""The two ways this engine learns a face: ``fast`` for live conversations and files, ``fine`` for files."""

from __future__ import annotations

from dataclasses import dataclass

from visage.engines.lite import crops
from visage.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Mode:
    """One way."""

    name: str
    """As requests say it."""
    size: int
    """Side of the painted square, pixels."""
    side: int
    """Largest side of the pictures it makes, pixels."""
    seconds: float
    """Time that ten epochs, the default, spend learning on a CPU."""
    live_share: float
    """Part of that time spent on a second, small painter for live conversations; 0: the painter is small itself."""


FAST = Mode("fast", crops.SIZE, 512, 240.0, 0.0)
FINE = Mode("fine", crops.FINE, 768, 2400.0, 0.12)
MODES = {mode.name: mode for mode in (FAST, FINE)}
GPU_SHARE = 0.25
"""Part of the time that a GPU needs for more than a CPU learns in the whole of it."""


def learning_seconds(mode: Mode, ten_epochs: float, epochs: int, device: str) -> float:
    """Time to spend learning, from that of ten epochs on a CPU; ``device`` as in `TrainRequest`."""
    quick = mode is FINE and device.upper().startswith("GPU")
    return ten_epochs / 10 * max(1, epochs) * (GPU_SHARE if quick else 1.0)


def find_mode(name: object) -> Mode:
    """The mode of that name; none or an empty one: `FAST`.  Raises `InvalidRequest`."""
    found = MODES.get(str(name or FAST.name))
    if found is None:
        raise InvalidRequest("The built-in engine has no quality {quality!r}.", code="lite.quality",
                             hint="Choose {known}.", quality=str(name), known=" or ".join(MODES))
    return found
