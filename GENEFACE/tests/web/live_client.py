"""A browser's side of `/live` without a browser: a real WebSocket that keeps everything it gets."""

from __future__ import annotations

import io
import json
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import requests
from simple_websocket import Client, ConnectionClosed

from tests.conftest import Installation

ANSWER = "The museum opens at nine. It closes at five in the afternoon. On Mondays it stays shut all day long."
"""What the language model of the live tests says."""
LATE = 120.0
"""Seconds that a loaded machine may take for something that takes a few."""
WINDOW = 512
"""Samples of one microphone message."""


class LiveClient:
    """One connection; a context manager.  ``events`` and ``video`` (bytes by turn) grow in a thread."""

    def __init__(self, product: Installation, *, avatar: str = "astronaut", conversation: str = "", cookie: str = "",
                 origin: str = "", hello: bool = True, **more: Any) -> None:
        # the client's Host names no port
        headers = {"Origin": origin or product.url.rpartition(":")[0]}
        self.cookie = cookie or requests.get(f"{product.url}/", timeout=20).cookies["visage"]
        headers["Cookie"] = f"visage={self.cookie}"
        self._ws = Client.connect(f"ws{product.url.removeprefix('http')}/live", headers=headers)
        self.events: list[dict[str, Any]] = []
        self.video: dict[int, bytes] = {}
        self.header = b""
        self.closed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if hello:
            self.tell("hello", avatar=avatar, conversation=conversation, voice="", llm="", language="en",
                      microphone=True, **more)

    def __enter__(self) -> LiveClient:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.closed.is_set():
            self._ws.close()

    def tell(self, kind: str, **fields: Any) -> None:
        """Send an event."""
        self._ws.send(json.dumps({"type": kind, **fields}))

    def send(self, data: str | bytes) -> None:
        """Send anything."""
        self._ws.send(data)

    def speak(self, samples: np.ndarray, pace: float = 0.0) -> None:
        """Send sound, float32 mono at 16 kHz; ``pace`` seconds pass between two windows of 32 ms."""
        for begin in range(0, len(samples), WINDOW):
            self._ws.send((np.clip(samples[begin:begin + WINDOW], -1, 1) * 32767).astype("<i2").tobytes())
            time.sleep(pace)

    def silence(self, seconds: float, pace: float = 0.0) -> None:
        """Send silence."""
        self.speak(np.zeros(int(seconds * 16_000), np.float32), pace)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """The events of that type so far."""
        return [event for event in self.events if event["type"] == kind]

    def wait(self, kind: str, seconds: float = 30.0, *, turn: int | None = None, after: int = 0) -> dict[str, Any]:
        """The first event of that type, of that turn, beyond the first ``after`` events."""
        def found() -> dict[str, Any] | None:
            return next((event for event in self.events[after:] if event["type"] == kind
                         and (turn is None or event.get("turn") == turn)), None)

        self.until(found, seconds, f"no {kind} for turn {turn}")
        event = found()
        assert event is not None
        return event

    def until(self, ready: Callable[[], Any], seconds: float = 30.0, what: str = "") -> None:
        """Wait for something."""
        limit = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < limit, f"{what}; there came {self.events}"
            assert not self.closed.is_set() or ready(), f"{what}: closed; there came {self.events}"
            time.sleep(0.02)

    def play(self, turn: int, seconds: float = 0.0) -> None:
        """Pretend to have played a turn, whole or so far."""
        self.tell("shown", turn=turn, first_frame_ms=500.0, play_ms=40.0)
        self.tell("played", turn=turn, at=seconds or 3600.0)

    def finish(self, turn: int) -> dict[str, Any]:
        """Play a turn to its end, as fast as it comes; returns its `turn` event."""
        self.wait("begin", turn=turn)
        self.tell("shown", turn=turn, first_frame_ms=500.0, play_ms=40.0)
        while not any(event["type"] == "end" and event["turn"] == turn for event in self.events):
            assert not self.closed.is_set()
            self.tell("played", turn=turn, at=3600.0)
            time.sleep(0.02)
        self.tell("done", turn=turn)
        return self.wait("turn", turn=turn)

    def clip(self, turn: int) -> tuple[int, float, float]:
        """Frames, seconds of sound and its RMS of the video of a turn, decoded."""
        with av.open(io.BytesIO(self.header + self.video[turn])) as container:
            frames = sum(1 for _ in container.decode(video=0))
        with av.open(io.BytesIO(self.header + self.video[turn])) as container:
            parts = [frame.to_ndarray().astype(np.float64) for frame in container.decode(audio=0)]
            rate = container.streams.audio[0].rate
        sound = np.concatenate(parts, axis=1)
        return frames, sound.shape[1] / rate, float(np.sqrt((sound**2).mean()))

    def _read(self) -> None:
        try:
            while True:
                data = self._ws.receive()
                if isinstance(data, bytes):
                    kind, turn = struct.unpack_from(">BI", data)
                    if kind:
                        self.video[turn] = self.video.get(turn, b"") + data[5:]
                    else:
                        self.header = data[5:]
                elif data is not None:
                    self.events.append(json.loads(data))
        except (ConnectionClosed, OSError):
            self.closed.set()
