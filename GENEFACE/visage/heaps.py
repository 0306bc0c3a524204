"""How a process with many threads uses memory and cores; for the first lines of a process."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os

_ARENA_MAX, _ARENAS = -8, 2
"""Name of a setting of glibc's `mallopt`, and how many heaps all threads share."""


def share_heaps() -> None:
    """Let the threads share few heaps where glibc would give each its own, which keeps what the thread once needed."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library, another system
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def one_thread_each() -> None:
    """Load numpy and OpenCV with one thread for each call.

    Where conversations share the cores, threads of a call would wait for one another: three
    times the CPU for one sentence.  numpy reads its setting on import; what is started from
    this process does not inherit it.
    """
    told = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = told or "1"
    import cv2
    import numpy  # noqa: F401

    cv2.setNumThreads(1)
    if told is None:
        del os.environ["OPENBLAS_NUM_THREADS"]


def settle() -> None:
    """What is loaded by now stays: Python's collector looks at it no more.

    It then has little to look at, so that it comes often, is quick, and finds soon what a turn has left behind.
    """
    gc.collect()
    gc.freeze()
