"""File locks that tell whether a process is alive: the kernel lets go of them whatever kills it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(file: Path, patience: float = 0.0) -> Iterator[bool]:
    """Try for ``patience`` seconds to lock ``file``; yields whether this process now holds it.

    Children, forked ones too, do not inherit the lock, so that it falls with this process alone.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    owner = os.getpid()

    def forget() -> None:
        if os.getpid() != owner and not closed:
            os.close(descriptor)

    closed: list[bool] = []
    try:
        got = _take(descriptor, patience)
        if got:
            os.register_at_fork(after_in_child=forget)
        yield got
    finally:
        closed.append(True)
        if os.getpid() == owner:
            os.close(descriptor)


def _take(descriptor: int, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)


def is_held(file: Path) -> bool:
    """Whether some living process holds the lock of ``file``."""
    if not file.exists():
        return False
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
