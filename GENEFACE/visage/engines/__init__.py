"""Engines by name.  ``lite`` is embedded; ``GeneFace`` runs in a container."""

from __future__ import annotations

from visage.drivers import load
from visage.engines.contract import Engine, EngineInfo, RenderRequest, TrainRequest
from visage.storage.paths import Paths

DRIVERS = {
    "lite": "visage.engines.lite.engine:LiteEngine",
    "GeneFace": "visage.engines.geneface:GeneFaceEngine",
}

__all__ = ["DRIVERS", "Engine", "EngineInfo", "RenderRequest", "TrainRequest", "open_engine"]


def open_engine(name: str, paths: Paths) -> Engine:
    """The engine of that name (any case).  Raises `UnknownDriver` with the names there are."""
    known = {driver.lower(): driver for driver in DRIVERS}
    return load("engine", DRIVERS, known.get(name.strip().lower(), name))(paths)
