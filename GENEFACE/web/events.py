"""Server-Sent Events: a generator of events in, a streaming answer out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, stream_with_context

BEAT = 15.0
"""Seconds of silence after which a comment is sent: proxies keep the line open, and a dead browser is noticed."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    name: str
    """What the page listens for; ``""`` is a comment that keeps the line open."""
    data: Any = None
    """JSON-ready."""
    id: str = ""
    """What a reconnecting browser sends back as ``Last-Event-ID``."""

    def encode(self) -> str:
        """The event as the wire has it."""
        if not self.name:
            return ": still here\n\n"
        head = f"id: {self.id}\n" if self.id else ""
        return f"{head}event: {self.name}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n"


def stream(events: Iterable[Event]) -> Response:
    """A ``text/event-stream`` answer."""
    def lines() -> Iterator[str]:
        yield "retry: 1000\n\n"
        for event in events:
            yield event.encode()

    return Response(stream_with_context(lines()), mimetype="text/event-stream",
                    headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
