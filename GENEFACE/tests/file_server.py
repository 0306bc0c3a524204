"""A web server for downloads: ranges, tags, redirects, and the faults of real ones."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Please log in.</body></html>"


@dataclass
class Store:
    """What the server sends, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Path → content."""
    break_after: int = 0
    """Bytes after which each connection is cut; 0: never."""
    breaks: int = 0
    """How many connections are still to be cut."""
    status: int = 0
    """Answer everything with this; 0: as it should be."""
    ranges: bool = True
    """Whether a part can be asked for."""
    hub: bool = False
    """Whether it names checksums, as model hubs do."""
    lie: str = ""
    """The checksum it names, instead of the true one."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and range of every request."""
    url: str = ""
    """Where it listens."""


@contextmanager
def serving(store: Store) -> Iterator[Store]:
    """The store behind a real socket."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

        def do_GET(self) -> None:
            store.asked.append((self.path, self.headers.get("Range", "")))
            _answer(self, store)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        store.url = f"http://127.0.0.1:{server.server_port}"
        yield store
        server.shutdown()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, store: Store) -> None:
    content = store.files.get(handler.path)
    if store.status or content is None:
        _send(handler, store.status or 404, {}, b"no")
        return
    tag = f'"{hashlib.md5(content).hexdigest()}"'
    headers = {"ETag": tag, "Content-Type": "application/octet-stream"}
    if store.hub:
        headers |= {"X-Repo-Commit": "0" * 40, "X-Linked-Size": str(len(content)),
                    "X-Linked-ETag": f'"{store.lie or hashlib.sha256(content).hexdigest()}"'}
    wanted = handler.headers.get("Range", "")
    if wanted and store.ranges and handler.headers.get("If-Range", tag) == tag:
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start >= len(content):
            _send(handler, 416, {"Content-Range": f"bytes */{len(content)}"}, b"")
            return
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        _send(handler, 206, headers, content[start:], _cut(store))
    else:
        _send(handler, 200, headers, content, _cut(store))


def _cut(store: Store) -> int:
    if store.break_after and store.breaks:
        store.breaks -= 1
        return store.break_after
    return 0


def _send(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, cut: int = 0) -> None:
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    with contextlib.suppress(ConnectionError):  # whoever has seen enough goes away
        handler.end_headers()
        handler.wfile.write(body[:cut] if cut else body)
    if cut:
        handler.close_connection = True
