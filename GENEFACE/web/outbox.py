"""What waits to be sent over a WebSocket: sent by a thread of its own, so that a slow browser holds nobody up."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import deque
from typing import Any

from simple_websocket import ConnectionClosed, Server

STUCK_SECONDS = 4
"""A browser that takes no byte for so long is gone."""
_LIMIT = 24 << 20
"""Bytes that may wait; more means that nobody reads."""


class Outbox:
    """The way to one browser.  Any thread may put; nothing here blocks but the sender's own thread."""

    def __init__(self, ws: Server) -> None:
        self._ws = ws
        _prepare(ws)
        self._waiting: deque[tuple[int, str | bytes]] = deque()
        self._size = 0
        self._ready = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="live-outbox", daemon=True)
        self._thread.start()

    def put(self, item: dict[str, Any] | bytes) -> None:
        """Send an event or a binary message; after `close` nothing happens."""
        data = item if isinstance(item, bytes) else json.dumps(item, ensure_ascii=False, default=str)
        turn = struct.unpack_from(">xI", data)[0] if isinstance(data, bytes) else 0
        with self._ready:
            if self._closed:
                return
            self._waiting.append((turn, data))
            self._size += len(data)
            if self._size > _LIMIT:
                self._closed = True
                _hang_up(self._ws)
            self._ready.notify()

    def drop(self, turn: int) -> None:
        """Forget the video of a turn that waits."""
        with self._ready:
            kept = [(number, data) for number, data in self._waiting
                    if not (isinstance(data, bytes) and number == turn)]
            self._waiting = deque(kept)
            self._size = sum(len(data) for _, data in kept)

    def close(self, wait: float = 1.0) -> None:
        """Send what waits, for at most ``wait`` seconds, then no more."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(wait)

    def _run(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                _, data = self._waiting.popleft()
                self._size -= len(data)
            try:
                self._ws.send(data)
            except (ConnectionClosed, OSError):
                with self._ready:
                    self._closed = True
                    self._waiting.clear()
                _hang_up(self._ws)
                return


class _Whole:
    """A socket whose ``send`` sends everything, one sender at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()

    def send(self, data: bytes) -> None:
        with self._lock:
            self._sock.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _prepare(ws: Server) -> None:
    """Small messages go at once, large ones whole, and a dead line does not block for ever."""
    sock = ws.sock
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STUCK_SECONDS, 0))
    ws.sock = _Whole(sock)


def _hang_up(ws: Server) -> None:
    with contextlib.suppress(OSError):
        ws.sock.shutdown(socket.SHUT_RDWR)
