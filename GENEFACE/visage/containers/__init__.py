"""Containers by name; Docker is the one there is."""

from __future__ import annotations

from visage.containers.contract import Containers
from visage.drivers import load

DRIVERS = {"docker": "visage.containers.docker:DockerContainers"}

__all__ = ["DRIVERS", "Containers", "open_containers"]


def open_containers(name: str = "docker") -> Containers:
    """The container engine of that name.  Raises `UnknownDriver` or `NotInstalled` (its Python package)."""
    return load("container engine", DRIVERS, name)()
