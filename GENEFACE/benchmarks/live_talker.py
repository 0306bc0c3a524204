"""A conversation without a browser: a WebSocket, a microphone with faint noise, and a clock instead of a screen."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from simple_websocket import Client, ConnectionClosed

FPS = 25
_START = 0.08
"""Seconds a browser needs from the first fragment to its picture."""
_REPORT, _IDLE = 0.25, 1.0
_WINDOW = 2048
"""Samples of one message, as the page sends them while nobody speaks."""
_VIDEO = 1


class Talker:
    """One session that asks its next question as soon as an answer was played; meanwhile it counts."""

    def __init__(self, url: str, avatar: str, *, asks: bool = True) -> None:
        self.stalls = 0
        """How often its video had run out before it was complete."""
        self.turns = 0
        """Answers that were played to their end."""
        self.seconds = 0.0
        """Of video that was played."""
        self.problems: list[str] = []
        """Errors and refusals it was told."""
        self._asks, self._sending = asks, threading.Lock()
        self._socket = Client(f"{url.replace('http', 'ws', 1)}/live", ping_interval=5)
        self._send(type="hello", avatar=avatar, conversation="", voice="", llm="", language="en", microphone=True)
        self._ready, self._over = threading.Event(), threading.Event()
        self._turn, self._cycle = 0, 1
        self._clear()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._play, self._hum)]
        for thread in self._threads:
            thread.start()

    def ready(self, seconds: float = 60.0) -> bool:
        """Wait for the session; whether it is there."""
        return self._ready.wait(seconds)

    def close(self) -> None:
        """Leave."""
        self._over.set()
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _clear(self) -> None:
        self._frames, self._began, self._lost, self._whole, self._dry = 0, 0.0, 0.0, False, False

    def _send(self, **told: Any) -> None:
        with self._sending:
            self._socket.send(json.dumps(told))

    def _read(self) -> None:
        try:
            while not self._over.is_set():
                data = self._socket.receive(timeout=1)
                if isinstance(data, bytes):
                    self._take(data)
                elif data is not None:
                    self._told(json.loads(data))
        except ConnectionClosed:
            if not self._over.is_set():
                self.problems.append("the connection was closed")

    def _take(self, data: bytes) -> None:
        kind, turn = struct.unpack(">BI", data[:5])
        if kind == _VIDEO and turn == self._turn:
            self._frames += pictures(data[5:])
            self._began = self._began or time.monotonic() + _START

    def _told(self, told: dict[str, Any]) -> None:
        kind = told["type"]
        if kind == "ready":
            self._cycle = told["cycle"]
            self._ready.set()
            self._ask()
        elif kind == "begin":
            self._clear()
            self._turn = told["turn"]
        elif kind == "end" and told["turn"] == self._turn:
            self._whole = True
        elif kind in ("error", "refused"):
            self.problems.append(f"{told['code']}: {told['message']}")
            self._clear()
            self._ask()

    def _ask(self) -> None:
        if self._asks:
            self._send(type="say", text="Tell me something about it.")

    def _play(self) -> None:
        """The screen: plays what is there, notices when nothing is, and reports."""
        reported = idled = 0.0
        shown = 0
        try:
            while not self._over.wait(0.01):
                now = time.monotonic()
                if self._began and now >= self._began:
                    at = self._position(now)
                    if shown != self._turn:
                        shown = self._turn
                        self._send(type="shown", turn=shown, first_frame_ms=None, play_ms=1000 * _START)
                    if now - reported >= _REPORT:
                        reported = now
                        self._send(type="played", turn=shown, at=round(at, 3))
                    if self._whole and at >= self._frames / FPS:
                        self._done(at)
                elif now - idled >= _IDLE and self._ready.is_set():
                    idled = now
                    self._send(type="idle", frame=int(now * FPS) % self._cycle)
        except ConnectionClosed:
            pass

    def _position(self, now: float) -> float:
        there = self._frames / FPS
        at = now - self._began - self._lost
        if at <= there or self._whole:
            self._dry = False
            return min(at, there)
        self.stalls += not self._dry
        self._dry = True
        self._lost += at - there
        return there

    def _done(self, at: float) -> None:
        self.turns += 1
        self.seconds += at
        self._send(type="done", turn=self._turn)
        self._clear()
        self._ask()

    def _hum(self) -> None:
        """The microphone: faint noise, on time."""
        noise = np.random.default_rng(1).normal(0, 20, (50, _WINDOW)).astype("<i2")
        due, number = time.monotonic(), 0
        try:
            while not self._over.wait(max(0.0, due - time.monotonic())):
                if self._ready.is_set():
                    with self._sending:
                        self._socket.send(noise[number % 50].tobytes())
                number, due = number + 1, due + _WINDOW / 16_000
        except ConnectionClosed:
            pass


def pictures(data: bytes) -> int:
    """Video frames in fragments of MP4: those of the first track."""
    count, track = 0, 0
    for kind, box in _boxes(data):
        if kind == b"tfhd":
            track = struct.unpack(">I", box[4:8])[0]
        elif kind == b"trun" and track == 1:
            count += struct.unpack(">I", box[4:8])[0]
    return count


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind in (b"moof", b"traf"):
            yield from _boxes(data[at + 8:at + size])
        else:
            yield kind, data[at + 8:at + size]
        at += max(size, 8)
