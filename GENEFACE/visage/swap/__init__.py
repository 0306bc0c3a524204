"""Another face on a picture or a video, by name of driver."""

from __future__ import annotations

from visage.config import Settings
from visage.drivers import load
from visage.swap.contract import Embedding, Face, Identity, Look, Patch, Restorer, Swapper

DRIVERS = {
    "embedded": "visage.swap.embedded:BasicSwapper",
    "onnx": "visage.swap.onnx:OnnxSwapper",
}
RESTORERS = {
    "embedded": "visage.swap.embedded:BasicRestorer",
    "onnx": "visage.swap.onnx:OnnxRestorer",
}

__all__ = ["DRIVERS", "RESTORERS", "Embedding", "Face", "Identity", "Look", "Patch", "Restorer", "Swapper",
           "open_restorer", "open_swapper"]


def open_swapper(name: str, settings: Settings) -> Swapper:
    """A new swapper of that name.  Raises `UnknownDriver`, and `NotInstalled` (E02) when its models are missing."""
    return load("face swapper", DRIVERS, name)(settings)


def open_restorer(name: str, settings: Settings) -> Restorer:
    """A new restorer of that name.  Raises as `open_swapper` does."""
    return load("face restorer", RESTORERS, name)(settings)
