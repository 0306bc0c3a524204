"""What a container prints, line by line, through lost connections and to the very end."""

from __future__ import annotations

import math
import struct
import time
from collections import defaultdict, deque
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import datetime, timezone

import docker
import requests
from docker.errors import APIError, NotFound, create_api_error_from_http_exception
from urllib3.exceptions import ReadTimeoutError

from visage.containers.client import FAILURES, GOING, connect

_LONGEST = 1 << 16
"""Bytes after which a line without an end is broken."""
_FEW = 10
"""States of a progress bar that are told of those which arrive together."""
_TAIL = 60
"""Lines that are kept for the error."""
_HEADER = struct.Struct(">BxxxL")
_PAUSE = 0.3
"""Seconds between two looks for a daemon that went away."""
_SYSTEM = 3
"""The stream in which the daemon tells its own failures."""


class Lost(Exception):
    """The daemon did not come back."""


class Following:
    """One container, which runs or has run, watched from its first line to its exit code."""

    def __init__(self, container_id: str, patience: float, quiet: float, absence: float) -> None:
        """Seconds: ``patience`` for a question; ``quiet`` until silence is checked; ``absence`` a daemon may take."""
        self._id, self._patience, self._quiet, self._absence = container_id, patience, quiet, absence
        self._printed: defaultdict[int, Pieces] = defaultdict(Pieces)
        self._places: defaultdict[int, Place] = defaultdict(Place)
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self.exit_code: int | None = None
        """What it ended with; None until `lines` is through."""
        self.out_of_memory = False
        """Whether a memory limit was hit; known with the exit code."""

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self._tail)

    def lines(self) -> Generator[str, None, None]:
        """Every line once, as soon as it is there; ends when the container has ended.

        Raises `NotFound` when somebody removed it, and `Lost`.
        """
        gone_since = 0.0
        while self.exit_code is None:
            try:
                with closing(connect(self._patience, self._quiet)) as client:
                    for text in self._watch(client):
                        gone_since = 0.0
                        self._tail.append(text)
                        yield text
                gone_since = 0.0
            except NotFound:
                raise
            except FAILURES as exc:
                gone_since = gone_since or time.monotonic()
                if time.monotonic() - gone_since > self._absence:
                    raise Lost(str(exc)) from exc
                time.sleep(_PAUSE)

    def _watch(self, client: docker.DockerClient) -> Iterator[str]:
        """Lines until the end, or until there was silence for long enough to look again."""
        # Asked before anything is read: who comes later than a removal would never hear the exit code.
        with _asked(client, "post", f"{self._id}/wait", self._quiet) as end:
            try:
                yield from self._read(client, follow=True)
                code = int(end.json()["StatusCode"])
            except (ReadTimeoutError, requests.ConnectionError) as exc:
                if _timed_out(exc):
                    return
                raise
        try:
            # What a container prints in its last moment, Docker often leaves out of a log that it follows.
            yield from self._read(client, follow=False)
            self.out_of_memory = bool(client.api.inspect_container(self._id)["State"]["OOMKilled"])
        except APIError as exc:
            if exc.status_code not in GOING:  # else another process that watched it removes it already
                raise
        for printed in self._printed.values():
            yield from printed.rest()
        self.exit_code = code

    def _read(self, client: docker.DockerClient, follow: bool) -> Iterator[str]:
        """New lines of the log; Docker repeats messages when it changes log files, so each is known by its time."""
        asked: dict[str, int | str] = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow)}
        if self._places:
            asked["since"] = _seconds(min(place.time for place in self._places.values()))
        for place in self._places.values():
            place.again()
        with _asked(client, "get", f"{self._id}/logs", self._quiet, **asked) as answer:
            while header := answer.raw.read(_HEADER.size):
                if len(header) < _HEADER.size:
                    raise requests.ConnectionError("the log was cut off")
                stream, size = _HEADER.unpack(header)
                message = answer.raw.read(size)
                if stream == _SYSTEM:
                    raise requests.ConnectionError(message.decode("utf-8", "replace"))
                told, _, data = message.partition(b" ")
                if self._places[stream].is_new(told, data.endswith(b"\n")):
                    yield from self._printed[stream].add(data)


class Place:
    """How far one stream has been read, known by the times of its messages; the pieces of a long line share one."""

    def __init__(self) -> None:
        self.time = b""
        """Of the last message."""
        self._whole = False
        self._known = self._counted = 0

    def again(self) -> None:
        """From here on known messages may come again."""
        self._counted = 0

    def is_new(self, told: bytes, whole: bool) -> bool:
        """Whether a message of that time has not been read before; ``whole``: it ends its line."""
        if told > self.time:
            self.time, self._known, self._counted, self._whole = told, 1, 1, whole
            return True
        if told < self.time:
            self.again()
            return False
        self._counted += 1
        if self._whole or self._counted <= self._known:
            return False
        self._known, self._whole = self._counted, whole
        return True


class Pieces:
    """One stream's bytes as they come, cut into lines.

    A carriage return ends a line too, because progress bars use it; of those that arrive together only a few are told.
    """

    def __init__(self) -> None:
        self._open, self._returned = b"", False

    def add(self, data: bytes) -> Iterator[str]:
        """The lines that ``data`` completes."""
        if self._returned:
            data = data.removeprefix(b"\n")
        self._returned = data.endswith(b"\r")
        *whole, rest = (self._open + data).split(b"\n")
        *bars, self._open = rest.split(b"\r")
        if len(self._open) > _LONGEST:
            bars, self._open = [*bars, self._open], b""
        for line in whole:
            *before, last = line.removesuffix(b"\r").split(b"\r")
            yield from _few(before)
            yield last.decode("utf-8", "replace")
        yield from _few(bars)

    def rest(self) -> Iterator[str]:
        """The last line, when nothing ended it."""
        if self._open:
            yield self._open.decode("utf-8", "replace")
        self._open = b""


def _few(bars: list[bytes]) -> list[str]:
    shown = [bar.decode("utf-8", "replace") for bar in bars if bar.strip()]
    return shown[::-1][::max(1, math.ceil(len(shown) / _FEW))][::-1]


def _asked(client: docker.DockerClient, method: str, path: str, quiet: float, **params: int | str
           ) -> requests.Response:
    """A streamed answer, to be closed, about a container; raises `NotFound` and `APIError`.

    The SDK's own calls would not tell stdout and stderr of a log apart.
    """
    api = client.api
    answer = api.request(method, f"{api.base_url}/v{api.api_version}/containers/{path}", params=params, stream=True,
                         timeout=quiet)
    try:
        answer.raise_for_status()
    except requests.HTTPError as exc:
        with answer:
            create_api_error_from_http_exception(exc)
    return answer


def _timed_out(exc: Exception) -> bool:
    return isinstance(exc, ReadTimeoutError) or any(isinstance(arg, ReadTimeoutError) for arg in exc.args)


def _seconds(told: bytes) -> str:
    """``2026-01-31T12:00:00.123456789Z`` as Docker's ``since`` takes it: seconds and nanoseconds."""
    day = datetime.strptime(told[:19].decode(), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return f"{round(day.timestamp())}.{told[20:29].decode()}"
