"""What a container says on its standard output: JSON lines amid the log of the programs it runs.

::

    {"stage": "landmarks", "index": 4, "of": 12, "progress": 0.35, "overall": 0.12, "message": "…", "facts": {…}}
    {"result": {"width": 512, "height": 512, …}}
    {"error": {"code": "…", "message": "…", "hint": "…", "params": {…}}}

``overall`` (the share of the whole job by expected time) may be left out: then all stages count alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from visage.errors import (
    BadVideo,
    ContainerFailed,
    InvalidRequest,
    NotInstalled,
    VisageError,
)
from visage.types import Progress, Report

_KINDS: Mapping[int, type[VisageError]] = {2: InvalidRequest, 3: NotInstalled, 4: BadVideo, 5: NotInstalled}
"""Exit code of a pipeline → what kind of error it is."""
_LONGEST_TEXT = 2000


@dataclass(slots=True)
class Listener:
    """Takes a container's lines down: progress goes on to ``report``, all else to the job's log."""

    report: Report
    """Where progress goes."""
    result: dict[str, Any] = field(default_factory=dict)
    """What the container said that it made."""
    error: Mapping[str, Any] | None = None
    """Why it failed, in its own words."""
    _done: float = 0.0

    def __call__(self, line: str) -> None:
        """One line; raises what ``report`` raises."""
        told = _told(line)
        if told is None:
            print(line, flush=True)
        elif isinstance(told.get("error"), dict):
            self.error = told["error"]
        elif isinstance(told.get("result"), dict):
            self.result.update(told["result"])
        elif isinstance(told.get("stage"), str):
            self.report(self._step(told))
        else:
            print(line, flush=True)

    def _step(self, told: Mapping[str, Any]) -> Progress:
        share = _number(told.get("overall"))
        if share is None:
            index, of = _number(told.get("index")) or 1.0, _number(told.get("of")) or 1.0
            share = (index - 1 + (_number(told.get("progress")) or 0.0)) / max(of, 1.0)
        self._done = min(1.0, max(self._done, share))
        facts = told.get("facts")
        return Progress(str(told["stage"])[:40], self._done, str(told.get("message") or "")[:_LONGEST_TEXT],
                        facts if isinstance(facts, dict) else {})

    def translated(self, failure: ContainerFailed) -> VisageError:
        """The error that the container told of, as its exit code says; else the failure as it was seen."""
        if self.error is None or not self.error.get("message"):
            return failure
        params = self.error.get("params")
        message, hint = (str(self.error.get(name) or "")[:_LONGEST_TEXT] for name in ("message", "hint"))
        kind = _KINDS.get(failure.exit_code, ContainerFailed)
        extra: dict[str, Any] = {}
        if kind is ContainerFailed:
            extra = {"argv": failure.argv, "stderr": failure.stderr, "exit_code": failure.exit_code}
        told = kind("{reason}", reason=message, code=str(self.error.get("code") or "container.told"), **extra)
        told.hint = hint
        told.params = {**told.params, **(params if isinstance(params, dict) else {})}
        return told


def _told(line: str) -> Mapping[str, Any] | None:
    text = line.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)
