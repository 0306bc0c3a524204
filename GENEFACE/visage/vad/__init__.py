"""Voice activity by name of driver."""

from __future__ import annotations

from visage.config import Settings
from visage.drivers import load
from visage.errors import NotInstalled
from visage.vad.contract import WINDOW, Vad

DRIVERS = {
    "silero": "visage.vad.silero:SileroVad",
    "energy": "visage.vad.energy:EnergyVad",
}

__all__ = ["DRIVERS", "WINDOW", "Vad", "open_vad"]


def open_vad(settings: Settings) -> Vad:
    """A new stream of the driver that ``settings.vad`` names, or of the best one there is when it is empty.

    Raises `UnknownDriver`, and `NotInstalled` when a named driver cannot be opened.  Where none is named and silero is
    absent, the energy driver listens; its ``name`` and ``note`` say so.
    """
    name = settings.vad.strip().lower()
    if name:
        return load("voice activity detector", DRIVERS, name)()
    try:
        return load("voice activity detector", DRIVERS, "silero")()
    except NotInstalled:
        return load("voice activity detector", DRIVERS, "energy")()
