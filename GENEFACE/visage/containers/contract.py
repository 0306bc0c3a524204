"""The seam of containers: what an engine that lives in an image must know before it can run."""

from __future__ import annotations

from typing import Protocol

from visage.types import Requirement


class Containers(Protocol):
    """Looks at the container engine of this machine; each answer comes within a few seconds and never raises."""

    def available(self) -> Requirement:
        """Whether the container engine answers."""

    def has_image(self, name: str, remedy: str) -> Requirement:
        """Whether an image is there; ``remedy`` is the command that makes it."""

    def gpu(self) -> Requirement:
        """Whether containers can use an NVIDIA GPU."""
