"""What waits to be sent over a WebSocket: sent by a thread of its own, so that a slow browser holds nobody up."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from typing import Any

from simple_websocket import ConnectionClosed, Server
from wsproto.events import Ping
from wsproto.utilities import LocalProtocolError

PING_SECONDS = 1.0
"""The browser is asked so often whether it is there."""
GONE_SECONDS = 4.5
"""A browser of which nothing comes for so long is gone, and one that takes nothing."""
_LIMIT = 24 << 20
"""Bytes that may wait; more means that nobody reads."""
_UNREAD = 256
"""Messages of the browser that may wait for their turn; it has to wait with more."""
_BROKEN = (ConnectionClosed, LocalProtocolError, OSError)


class Outbox:
    """The way to one browser.  Any thread may put; nothing here blocks but the sender's own thread.

    It also notices when the browser is gone, and hangs up; `ConnectionClosed` then ends who waits for messages.
    """

    def __init__(self, ws: Server) -> None:
        self._ws = ws
        self._line = _prepare(ws)
        self._waiting: deque[tuple[int, str | bytes]] = deque()
        self._size = 0
        self._ready = threading.Condition()
        self._closed = False
        self._pinged = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="live-outbox", daemon=True)
        self._thread.start()

    def put(self, item: dict[str, Any] | bytes) -> None:
        """Send an event or a binary message; after `close` nothing happens."""
        data = item if isinstance(item, bytes) else json.dumps(item, default=str)
        turn = struct.unpack_from(">xI", data)[0] if isinstance(data, bytes) else 0
        with self._ready:
            if self._closed:
                return
            self._waiting.append((turn, data))
            self._size += len(data)
            if self._size > _LIMIT:
                self._closed = True
                self._waiting.clear()
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
        """Send what waits, for at most ``wait`` seconds, and end the connection."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(wait)
        if not self._thread.is_alive():
            with contextlib.suppress(*_BROKEN):
                self._ws.close()
        _hang_up(self._ws)

    def _run(self) -> None:
        try:
            while (data := self._next()) is not None:
                if data:
                    self._ws.send(data)
                elif self._line.quiet() > GONE_SECONDS:
                    break
                else:
                    self._ws.sock.send(self._ws.ws.send(Ping()))
            else:
                return
        except _BROKEN:
            pass
        with self._ready:
            self._closed = True
            self._waiting.clear()
        _hang_up(self._ws)

    def _next(self) -> str | bytes | None:
        """What is to be sent now: ``""`` when it is time to ask whether the browser is there, None when all is done."""
        with self._ready:
            while not self._waiting:
                if self._closed:
                    return None
                left = self._pinged + PING_SECONDS - time.monotonic()
                if left <= 0:
                    break
                self._ready.wait(left)
            if not self._waiting or self._pinged + PING_SECONDS <= time.monotonic():
                self._pinged = time.monotonic()
                return ""
            _, data = self._waiting.popleft()
            self._size -= len(data)
            return data


class _Line:
    """A socket whose ``send`` sends everything, one sender at a time, and which reads no faster than is understood."""

    def __init__(self, sock: socket.socket, ws: Server) -> None:
        self._sock, self._ws = sock, ws
        self._lock = threading.Lock()
        self._alive = time.monotonic()

    def quiet(self) -> float:
        """Seconds since anything came."""
        return time.monotonic() - self._alive

    def send(self, data: bytes) -> None:
        with self._lock:
            self._sock.sendall(data)

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(size)
        self._alive = time.monotonic()
        while data and len(self._ws.input_buffer) > _UNREAD and self._ws.connected:
            time.sleep(0.01)
            self._alive = time.monotonic()
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _prepare(ws: Server) -> _Line:
    """Small messages go at once, large ones whole, and a dead line does not block for ever."""
    sock = ws.sock
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    seconds = int(GONE_SECONDS)
    limit = struct.pack("ll", seconds, int((GONE_SECONDS - seconds) * 1e6))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    ws.sock = _Line(sock, ws)
    return ws.sock


def _hang_up(ws: Server) -> None:
    ws.connected = False
    with contextlib.suppress(OSError):
        ws.sock.shutdown(socket.SHUT_RDWR)
    ws.event.set()
