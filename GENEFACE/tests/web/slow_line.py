"""Bad networks: a TCP proxy that can stop forwarding, and a browser that does not read."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class SlowLine:
    """Forwards to a product; a context manager.  While ``open`` is cleared nothing passes in either direction."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._target = (place.hostname, place.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.open = threading.Event()
        self.open.set()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> SlowLine:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                self.open.wait()
                sink.sendall(data)
        with contextlib.suppress(OSError):
            self.open.wait()
            sink.shutdown(socket.SHUT_WR)


def deaf_browser(url: str) -> socket.socket:
    """A WebSocket at `/live` that takes as little as it can."""
    place = urlsplit(url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect((place.hostname, place.port))
    deaf.sendall(f"GET /live HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    assert deaf.recv(1000).startswith(b"HTTP/1.1 101")
    return deaf


def frame(sock: socket.socket, text: str) -> None:
    """Send a short text message by hand."""
    assert len(text) < 126
    sock.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode())
