"""The line to a service, which any thread can cut, and the answer that comes over it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any


class Line:
    """The connections of one request; given to the SDK's HTTP client as ``event_hooks=line.hooks``."""

    def __init__(self) -> None:
        self._cut = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    @property
    def hooks(self) -> dict[str, Any]:
        """Event hooks for an ``httpx.Client``, through which the line learns of its connections."""
        return {"request": [self._watch], "response": []}

    def cut(self) -> None:
        """End every connection, those that are just being made too; a thread that waits for one is woken."""
        with self._lock:
            self._cut.set()
            ended, self._sockets = self._sockets, []
        for connection in ended:
            _shut(connection)

    def wait(self, seconds: float) -> bool:
        """Sleep until the line is cut; whether it was."""
        return self._cut.wait(seconds)

    def _watch(self, request: Any) -> None:
        request.extensions = {**request.extensions, "trace": self._traced}

    def _traced(self, event: str, told: dict[str, Any]) -> None:
        if not event.endswith(("connect_tcp.complete", "start_tls.complete", "connect_unix_socket.complete")):
            return
        connection = told["return_value"].get_extra_info("socket")
        with self._lock:
            if not self._cut.is_set():
                self._sockets.append(connection)
                return
        _shut(connection)


class Pieces:
    """An `Answer` made by a generator; ``line`` is cut when it is closed while a thread waits inside."""

    def __init__(self, made: Iterator[str], line: Line | None = None) -> None:
        self._made = made
        self._line = line
        self._closed = threading.Event()
        self._inside = threading.Lock()

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> str:
        try:
            with self._inside:
                return self._further()
        finally:
            if self._closed.is_set():
                self._finish()

    def close(self) -> None:
        """Stop the server's work and free what is held; a thread that waits for a piece finds the end instead."""
        self._closed.set()
        if self._line is not None:
            self._line.cut()
        self._finish()

    def _further(self) -> str:
        if self._closed.is_set():
            raise StopIteration
        try:
            piece = next(self._made)
        except Exception:
            if self._closed.is_set():
                raise StopIteration from None
            raise
        if self._closed.is_set():
            raise StopIteration
        return piece

    def _finish(self) -> None:
        # Whoever is inside comes here again after it has left, so the generator is closed in any case.
        if self._inside.acquire(blocking=False):
            try:
                self._made.close()  # type: ignore[attr-defined]
            finally:
                self._inside.release()


def _shut(connection: socket.socket) -> None:
    # Closing alone does not wake a thread that waits for data; of a TLS socket only the transport is to end,
    # since its own shutdown() takes the session away from the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
