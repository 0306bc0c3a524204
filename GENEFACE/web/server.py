"""The HTTP server: gunicorn in this process, one worker with many threads (each live connection holds one)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

THREADS = 128


class _Server(BaseApplication):
    def __init__(self, app: Flask, options: dict[str, Any]):
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def serve(app: Flask, host: str, port: int, threads: int = THREADS, started: Callable[[], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT.  ``host`` and ``port`` are where to listen.

    ``started`` is called in the process that answers, which is another one than the caller's.
    """
    hook = {"post_worker_init": lambda _worker: started()} if started else {}
    _Server(app, {"bind": f"{host}:{port}", "workers": 1, "threads": threads, "worker_class": "gthread",
                  "timeout": 0, "graceful_timeout": 2, "keepalive": 5, "loglevel": "warning",
                  "limit_request_line": 8190, "proc_name": "visage", **hook}).run()
