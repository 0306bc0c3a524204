"""A chat-completions server on a real socket that answers, refuses, stalls or breaks as a test asks."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODES = ("answer", "empty", "cut", "closed", "drop", "malformed", "strange", "html", "silent", "stalled", "busy",
         "busy_once", "broken", "refused", "forbidden", "missing", "error_event", "filtered", "thinking")


class GlmServer:
    """The server; a context manager.

    ``mode`` may be changed between requests.  ``answer`` is what it says, in ``pieces`` of a few characters, the first
    after ``first`` seconds, the others ``pause`` seconds apart.  With ``key`` set, any other key is refused.
    ``requests`` holds the JSON bodies, ``keys`` the keys that were sent, ``aborted`` is set once a client went away
    before the end of its answer.
    """

    def __init__(self, answer: str = "你好，世界。How are you?", mode: str = "answer", *, key: str = "",
                 models: tuple[str, ...] = ("tiny",), first: float = 0.0, pause: float = 0.0,
                 port: int = 0):
        self.answer, self.mode, self.key, self.models, self.pause = answer, mode, key, models, pause
        self.first = first
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.aborted = threading.Event()
        self.released = threading.Event()
        server = self
        self._http = _Quiet(("127.0.0.1", port), type("Handler", (_Handler,), {"glm": server}))
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def base_url(self) -> str:
        """What a client is given as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def pieces(self) -> list[str]:
        """The answer as it is streamed."""
        return [self.answer[n:n + 4] for n in range(0, len(self.answer), 4)]

    def __enter__(self) -> GlmServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that go away are the point of some tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    glm: GlmServer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        if self._allowed():
            self._json(200, {"object": "list", "data": [
                {"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.glm.models]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.glm.requests.append(json.loads(body))
        if not self._allowed():
            return
        mode = self.glm.mode
        refusals = {"busy": (429, "余额不足"), "broken": (500, "out of memory"), "refused": (401, "bad key"),
                    "forbidden": (403, "no access"), "missing": (404, "model not found")}
        if mode == "busy_once":
            self.glm.mode, mode = "answer", "busy"
        if mode in refusals:
            status, reason = refusals[mode]
            self._json(status, {"error": {"code": "1113", "message": f"{reason} ({self._key()})"}})
        elif mode == "drop":
            self.close_connection = True
        elif mode == "html":
            self._send(200, "text/html", b"<html><body>Sign in to the network</body></html>")
        else:
            try:
                if mode == "silent":
                    self._hold()
                    self.close_connection = True
                else:
                    self._stream(mode)
            except OSError:
                self.close_connection = True
                self.glm.aborted.set()

    def _stream(self, mode: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        # Without chunks the end of the connection is the end of the answer, so a cut looks like an end.
        chunked = mode != "closed"
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        self.end_headers()
        self._hold(self.glm.first)
        pieces = [] if mode in {"empty", "filtered"} else self.glm.pieces()
        if mode == "thinking":
            self._event({"reasoning_content": "hmm"}, chunked=chunked)
        for number, piece in enumerate(pieces):
            if number == 2 and mode in {"cut", "closed"}:
                self.close_connection = True
                return
            if number == 2 and mode == "stalled":
                self._hold()
            if number == 2 and mode in {"malformed", "strange", "error_event"}:
                self._raw({"malformed": "{oops", "strange": '{"choices": [7]}',
                           "error_event": '{"error": {"message": "overloaded"}}'}[mode], chunked)
            self._event({"role": "assistant", "content": piece}, chunked=chunked)
            if self.glm.pause:
                time.sleep(self.glm.pause)
        self._event({"content": ""}, "sensitive" if mode == "filtered" else "stop", chunked)
        self._raw("[DONE]", chunked)
        self._write(b"0\r\n\r\n")

    def _hold(self, seconds: float = 30.0) -> None:
        """Say nothing for a while; notices at once when the client goes away."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.glm.released.is_set():
            self.connection.settimeout(min(0.02, seconds))
            try:
                gone = not self.connection.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
            except OSError:
                gone = True
            finally:
                self.connection.settimeout(None)
            if gone:
                self.glm.aborted.set()
                raise ConnectionResetError
            time.sleep(0.01)

    def _event(self, delta: dict[str, Any], finish: str | None = None, chunked: bool = True) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self._raw(json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "tiny",
                              "choices": [choice]}), chunked)

    def _raw(self, data: str, chunked: bool) -> None:
        line = f"data: {data}\n\n".encode()
        self._write(b"%x\r\n%s\r\n" % (len(line), line) if chunked else line)

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _allowed(self) -> bool:
        self.glm.keys.append(self._key())
        if self.glm.key and self._key() != self.glm.key:
            self._json(401, {"error": {"message": f"bad key {self._key()}"}})
            return False
        return True

    def _key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _json(self, status: int, data: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(data).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
