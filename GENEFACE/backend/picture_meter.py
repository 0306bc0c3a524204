"""What the picture service has done so far, in numbers, and those as Prometheus reads them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Meter:
    """Counts jobs, failures and the seconds of each step.  Safe from several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._jobs: dict[str, int] = {"done": 0, "failed": 0}
        self._failures: dict[str, int] = defaultdict(int)
        self._steps: dict[str, tuple[int, float]] = {}

    def note(self, answer: Mapping[str, Any]) -> None:
        """Count one answer of the handler, with its steps."""
        with self._guard:
            failed = "error" in answer
            self._jobs["failed" if failed else "done"] += 1
            if failed:
                self._failures[str(answer.get("fault") or answer.get("code") or "unknown")] += 1
            for step in answer.get("steps", ()):
                count, seconds = self._steps.get(step["name"], (0, 0.0))
                self._steps[step["name"]] = count + 1, seconds + step["ms"] / 1000

    def text(self, gauges: Mapping[str, tuple[str, float]], devices: Iterable[tuple[str, str, float]] = ()) -> str:
        """All of it in Prometheus' text format 0.0.4.

        ``gauges`` maps names to what they mean and their values now; ``devices`` are
        GPU, ``total`` or ``free``, and bytes.
        """
        with self._guard:
            jobs, failures, steps = dict(self._jobs), dict(self._failures), dict(self._steps)
        lines = _block("requests_total", "counter", "Jobs by how they ended.",
                       [({"result": name}, value) for name, value in jobs.items()])
        lines += _block("failures_total", "counter", "Failed jobs by number or code of the error.",
                        [({"fault": name}, value) for name, value in failures.items()])
        lines += _block("step_seconds", "summary", "Seconds of each step.", [
            row for name, (count, seconds) in steps.items()
            for row in (({"step": name, "": "_sum"}, seconds), ({"step": name, "": "_count"}, count))])
        for name, (meaning, value) in gauges.items():
            lines += _block(name, "gauge", meaning, [({}, value)])
        lines += _block("gpu_memory_bytes", "gauge", "Memory of each GPU.",
                        [({"gpu": gpu, "kind": kind}, value) for gpu, kind, value in devices])
        return "\n".join(lines) + "\n"


def _block(name: str, kind: str, meaning: str, rows: Iterable[tuple[dict[str, str], float]]) -> list[str]:
    """One metric; the label without a name is what its own name ends in."""
    full = f"visage_picture_{name}"
    lines = [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}"]
    for labels, value in rows:
        ending = labels.pop("", "")
        told = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        lines.append(f"{full}{ending}{f'{{{told}}}' if told else ''} {value:.10g}")
    return lines
