"""Face finding, landmarks, alignment and tracking, shared by engines, swap and evaluation."""

from __future__ import annotations

from visage.drivers import load
from visage.faces.contract import Face, FaceFinder

DRIVERS = {"mediapipe": "visage.faces.mediapipe:MediaPipeFaces"}

__all__ = ["DRIVERS", "Face", "FaceFinder", "open_faces"]


def open_faces(name: str = "mediapipe") -> FaceFinder:
    """A new finder of that name.  Raises `UnknownDriver` or `NotInstalled`."""
    return load("face finder", DRIVERS, name)()
