"""Child processes that never outlive their parent and whose output goes to a log file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUICK_SECONDS = 10.0
"""A child that lives shorter than this has died quickly."""
QUICK_DEATHS = 5
"""So many quick deaths in a row, and nothing is started again."""
_LOG_LIMIT = 10 << 20
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the processes that make the product."""

    name: str
    """Also the name of its log."""
    command: Sequence[str]
    """argv."""
    ready: Callable[[], bool] = lambda: True
    """Whether it works already."""


class Child:
    """A part that is kept running."""

    def __init__(self, part: Part, logs: Path) -> None:
        self.part = part
        self.log = logs / f"{part.name}.log"
        self.quick_deaths = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._start_at = 0.0

    @property
    def pid(self) -> int:
        """Its process; 0 before the first start."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start it now."""
        self._process = spawn(self.part, self.log)
        self._started = time.monotonic()

    def look_after(self) -> str:
        """Start it again when it has died, later and later; returns how it died, in the moment when that is seen."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return ""
        code = self._process.poll()
        if code is None:
            return ""
        kill_group(self._process.pid)
        quick = time.monotonic() - self._started < QUICK_SECONDS
        self.quick_deaths = self.quick_deaths + 1 if quick else 1
        self._process = None
        self._start_at = time.monotonic() + min(8.0, 0.2 * 2 ** self.quick_deaths)
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def finish(self, until: float) -> None:
        """Wait for its end until that moment (`time.monotonic`), then kill it and what it started."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.05, until - time.monotonic()))
        kill_group(self._process.pid)
        self._process.wait()

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def spawn(part: Part, log: Path) -> subprocess.Popen[bytes]:
    """Start a part in a session of its own; the kernel ends it when this process dies."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            list(part.command), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, "VISAGE_SUPERVISED": "1", "PYTHONUNBUFFERED": "1"},
            preexec_fn=_end_with_parent)  # noqa: PLW1509 - this process has one thread when it starts children


def kill_group(pid: int) -> None:
    """Kill what is left of a session."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _end_with_parent() -> None:
    _LIBC.prctl(1, signal.SIGTERM)
