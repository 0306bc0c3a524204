"""Containers by name; Docker is the one there is."""

from __future__ import annotations

from pathlib import Path

from visage.containers.contract import Containers, Mount, Order
from visage.drivers import load

DRIVERS = {"docker": "visage.containers.docker:DockerContainers"}

__all__ = ["DRIVERS", "Containers", "Mount", "Order", "open_containers"]


def open_containers(name: str, home: Path) -> Containers:
    """The container engine of that name, for the installation at ``home``: it sees no other one's containers.

    Raises `UnknownDriver` or `NotInstalled` (its Python package).
    """
    return load("container engine", DRIVERS, name)(home)
