"""Downloads that go on where they broke off, and that end whole or not at all."""

from __future__ import annotations

import fcntl
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
import urllib3

from visage.engines.weights.arrival import room
from visage.engines.weights.content import foreign
from visage.errors import (
    BadMedia,
    Conflict,
    NotFound,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
    VisageError,
    from_os_error,
)

_CHUNK = 1 << 16
"""What a broken connection costs at most."""
_TRIES = 5
_PATIENCE = (10.0, 60.0)
"""Seconds until a connection stands, and between two pieces of it."""
_BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError,
           urllib3.exceptions.HTTPError)


@dataclass(slots=True)
class Published:
    """What a server says of the file it sends."""

    size: int | None = None
    """Bytes."""
    sums: dict[str, str] = field(default_factory=dict)
    """Checksums by name, as model hubs send them along."""


def download(url: str, part: Path, told: Callable[[int, int], None], pause: float = 1.0) -> Published:
    """Bring what is at ``url`` into ``part``, going on after the bytes that it holds already.

    ``told`` hears the bytes there are and how many there will be (0: unknown).  Broken connections are taken up again
    a few times, after ``pause`` seconds and more.  Raises `ServiceError` and its kin, `BadMedia` for a web page in
    place of the file, `DiskFull`, and `Conflict` while another process downloads the same.
    """
    with _mine(part):
        for attempt in range(_TRIES):
            try:
                return _once(url, part, told)
            except _BROKEN as exc:
                failure = _failed(url, exc)
                have = part.stat().st_size if part.exists() else 0
                if attempt + 1 == _TRIES or isinstance(exc, requests.exceptions.SSLError):
                    raise failure from exc
                told(have, 0)
                time.sleep(pause * (attempt + 1))
        raise AssertionError("not reached")


def _once(url: str, part: Path, told: Callable[[int, int], None]) -> Published:
    have = part.stat().st_size if part.exists() else 0
    tag = part.with_name(part.name + ".tag")
    asked = {"Accept-Encoding": "identity"}
    if have and tag.exists():
        asked |= {"Range": f"bytes={have}-", "If-Range": tag.read_text()}
    else:
        have = 0
    with requests.Session() as session, session.get(url, headers=asked, stream=True, timeout=_PATIENCE) as answer:
        elsewhere = answer.status_code == 206 and not _goes_on(answer, have)
        if answer.status_code == 416 or elsewhere:  # nothing is left to send, or the file is another one by now
            if not elsewhere and (total := _total(answer)) and total == have:
                return _published(answer, total)
            part.unlink(missing_ok=True)
            return _once(url, part, told)
        _refused(url, answer)
        if answer.status_code != 206:
            have = 0
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else 0
        _keep_tag(tag, answer)
        _receive(url, answer, part, have, total, told)
        if total and part.stat().st_size < total:
            raise requests.ConnectionError("the connection broke off")
        tag.unlink(missing_ok=True)
        return _published(answer, total or part.stat().st_size)


def _receive(url: str, answer: requests.Response, part: Path, have: int, total: int,
             told: Callable[[int, int], None]) -> None:
    room(part, max(0, total - have))
    try:
        with part.open("r+b" if have else "wb") as out:
            out.seek(have)
            for chunk in answer.iter_content(_CHUNK):
                if out.tell() == 0 and (reason := foreign(chunk[:4096])):
                    raise BadMedia("The server sent something else: {reason}.", code="weights.not_the_file",
                                   hint="Open {url} in a browser to see what it wants.", reason=reason, url=url)
                out.write(chunk)
                told(out.tell(), total)
            out.truncate()
    except BadMedia:
        for file in (part, part.with_name(part.name + ".tag")):
            file.unlink(missing_ok=True)
        raise
    except OSError as exc:
        if isinstance(exc, requests.RequestException):
            raise
        raise from_os_error(exc) from exc


def _keep_tag(tag: Path, answer: requests.Response) -> None:
    """A part can only be gone on with when the server names what it is a part of."""
    strong = answer.headers.get("ETag", "")
    mark = answer.headers.get("Last-Modified", "") if not strong or strong.startswith("W/") else strong
    if mark:
        tag.write_text(mark)
    else:
        tag.unlink(missing_ok=True)


def _goes_on(answer: requests.Response, have: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _total(answer: requests.Response) -> int | None:
    found = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _published(answer: requests.Response, size: int) -> Published:
    """Model hubs name a file by its SHA-256 when it is large, else as git does."""
    for one in (*answer.history, answer):
        mark = one.headers.get("X-Linked-ETag", "") or one.headers.get("ETag", "")
        plain = mark.removeprefix("W/").strip('"').lower()
        if one.headers.get("X-Repo-Commit") and re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", plain):
            linked = one.headers.get("X-Linked-Size", "")
            name = "sha256" if len(plain) == 64 else "git_blob"
            return Published(int(linked) if linked.isdigit() else size, {name: plain})
    return Published(size)


def _refused(url: str, answer: requests.Response) -> None:
    status = answer.status_code
    if status in (401, 403):
        raise ServiceRefused("The server does not give the file away ({status}): {url}", code="weights.refused",
                             hint="Get it with a browser, then: GENEFACE/scripts/weights import FILE", status=status,
                             url=url)
    if status in (404, 410):
        raise NotFound("The file is not at {url} any more.", code="weights.gone",
                       hint="Name a mirror (--mirror), or get it elsewhere, then: GENEFACE/scripts/weights import FILE",
                       url=url)
    if status >= 500 or status == 429:
        raise requests.ConnectionError(f"the server answered {status}")
    if status not in (200, 206):
        raise ServiceError("The server answered {status}: {url}", code="weights.server",
                           hint="Try again later, or name a mirror (--mirror).", status=status, url=url)


def _failed(url: str, exc: Exception) -> VisageError:
    if isinstance(exc, requests.Timeout):
        return ServiceTimeout("The server fell silent: {url}", code="weights.slow",
                              hint="Run the command again: it goes on where it stopped. Or name a mirror (--mirror).",
                              url=url)
    return ServiceUnreachable("{url} cannot be reached: {reason}", code="weights.unreachable",
                              hint="Run the command again: it goes on where it stopped. Or name a mirror (--mirror).",
                              url=url, reason=_shortened(exc))


def _shortened(exc: Exception) -> str:
    text = str(exc)
    found = re.search(r"(Name or service not known|Temporary failure in name resolution|Connection refused|"
                      r"certificate verify failed|Network is unreachable|the server answered \d+|broke)", text)
    return found[1] if found else text[:200]


@contextmanager
def _mine(part: Path) -> Iterator[None]:
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        lock = part.with_name(part.name + ".lock").open("w")
    except OSError as exc:
        raise from_os_error(exc) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Conflict("{file} is being downloaded already.", code="weights.busy",
                           hint="Wait until the other command has ended.", file=part.name) from exc
        try:
            yield
        finally:
            Path(lock.name).unlink(missing_ok=True)
