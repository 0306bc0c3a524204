"""A network that is ready to run: one session, however many threads ask."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visage.swap.onnx import failures
from visage.swap.onnx.graph import Port
from visage.swap.onnx.providers import ONE_AT_A_TIME, Outcome, Wish, get_execution_providers, outcome

log = logging.getLogger(__name__)
WAYS = ("shared", "per-thread", "locked")
"""How threads use a session: ``run`` of the CPU and CUDA may overlap; others wait for each other, or have one each."""


class Session:
    """One file in onnxruntime.  Opened once, never for a single request."""

    def __init__(self, path: Path, wish: Wish, *, way: str = "", threads: int = 0, runtime: Any = None) -> None:
        """``way`` is one of `WAYS`, empty: what the provider needs; ``threads`` computes with so many, 0: all cores.

        Raises `NotInstalled` (E02 for the file, E03 for the provider in strict mode).
        """
        self.path = path
        self.wish = wish
        self._runtime = runtime or _onnxruntime()
        self._threads = threads or len(os.sched_getaffinity(0))
        self._own = threading.local()
        self._lock = threading.Lock()
        self._count = threading.Lock()
        self.runs = 0
        self.seconds = 0.0
        """CPU time of the calling threads inside onnxruntime; all of its work when it computes with one thread."""
        self._first = self._open()
        self.outcome: Outcome = outcome(wish, self._first.get_providers(), self._runtime)
        self._warn()
        self.way = way or ("locked" if self.provider in ONE_AT_A_TIME or wish.options.get("enable_cuda_graph")
                           else "shared")
        self.inputs = tuple(_port(one) for one in self._first.get_inputs())
        self.outputs = tuple(one.name for one in self._first.get_outputs())

    @property
    def provider(self) -> str:
        """Who computes, by the session's own word."""
        return self.outcome.got

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """All outputs.  Raises `OutOfMemory` (E04), `NotInstalled` (E08) or `VisageError`."""
        session = self._mine()
        before = time.thread_time()
        try:
            if self.way == "locked":
                with self._lock:
                    return session.run(None, dict(feeds))
            return session.run(None, dict(feeds))
        except Exception as exc:  # onnxruntime's errors share no parent of their own
            raise failures.of_runtime(exc, self.path) from exc
        finally:
            with self._count:
                self.runs += 1
                self.seconds += time.thread_time() - before

    def close(self) -> None:
        """Let the memory go; the session cannot run afterwards."""
        self._first = None
        self._own = threading.local()

    def _mine(self) -> Any:
        if self.way != "per-thread":
            return self._first
        if not hasattr(self._own, "session"):
            self._own.session = self._open()
        return self._own.session

    def _open(self) -> Any:
        providers = get_execution_providers(self.wish, self._runtime)
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        try:
            return self._runtime.InferenceSession(str(self.path), options, providers=providers)
        except Exception as exc:  # onnxruntime's errors share no parent of their own
            error = failures.of_runtime(exc, self.path)
            raise (failures.corrupt(self.path, str(exc)[:300]) if error.code == "swap.run_failed" else error) from exc

    def _warn(self) -> None:
        came = self.outcome
        if not came.fell_back:
            return
        if self.wish.strict:
            raise failures.other_provider(came.wanted, came.got, came.reason, came.remedy)
        log.warning("%s: %s was asked for, %s computes: %s; %s", self.path.name, came.wanted, came.got, came.reason,
                    came.remedy)


def batches(stack: np.ndarray, most: int | None) -> Sequence[np.ndarray]:
    """A stack [N, …] in parts of at most ``most``; None: whole."""
    if most is None or len(stack) <= most:
        return [stack]
    return [stack[start:start + most] for start in range(0, len(stack), most)]


def _port(one: Any) -> Port:
    kinds = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}
    return Port(one.name, kinds.get(one.type, ""),
                tuple(side if isinstance(side, int) and side > 0 else None for side in one.shape))


def _onnxruntime() -> Any:
    import onnxruntime

    return onnxruntime
