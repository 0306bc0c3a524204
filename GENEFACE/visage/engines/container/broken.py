"""An engine whose description cannot be read: it is listed with the reason and does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visage.engines.contract import EngineInfo, RenderRequest, TrainRequest
from visage.errors import InvalidRequest
from visage.types import Report, Requirement


class BrokenEngine:
    """Stands for a YAML file with a mistake; ``error`` tells which."""

    def __init__(self, name: str, error: InvalidRequest) -> None:
        self._name = name
        self._error = error

    def describe(self) -> EngineInfo:
        """The mistake, as the one thing that this engine needs to have mended."""
        need = Requirement(f"{self._name}.yaml", False, self._error.message, self._error.hint)
        return EngineInfo(self._name, self._name, "", (), (need,))

    def train(self, request: TrainRequest, report: Report) -> Mapping[str, Any]:
        """Raises the mistake."""
        raise self._error

    def render(self, request: RenderRequest, report: Report) -> Path:
        """Raises the mistake."""
        raise self._error
