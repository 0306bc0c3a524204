"""The engine named basic: no weights of its own; a face moves as a texture over MediaPipe's mesh."""

from __future__ import annotations

from visage.swap.embedded.restorer import BasicRestorer
from visage.swap.embedded.swapper import BasicSwapper

__all__ = ["BasicRestorer", "BasicSwapper"]
