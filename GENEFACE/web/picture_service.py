"""The picture service over HTTP: ``/runsync``, ``/run`` and ``/status`` as serverless platforms have them, on :8000."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from flask import Flask, Response, jsonify, request

from backend.picture_service import Handler, PictureService
from visage.containers.nvidia import gpus
from web.status import refusal

_KEPT = 100
_LONGEST = 96 << 20
_WAITING = 32


class _Jobs:
    """Jobs of this process, one at a time; the newest hundred are remembered."""

    def __init__(self, handler: Handler):
        self._handler, self._guard = handler, threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="picture")
        self._all: OrderedDict[str, Future[tuple[dict[str, Any], int]]] = OrderedDict()

    def _timed(self, job: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        begun = time.monotonic()
        return self._handler(job), round((time.monotonic() - begun) * 1000)

    @property
    def waiting(self) -> int:
        """Jobs that have not ended."""
        with self._guard:
            return sum(not future.done() for future in self._all.values())

    def begin(self, asked: Mapping[str, Any]) -> str | None:
        """The id of a new job; None when too many wait."""
        number = str(asked.get("id") or uuid.uuid4().hex)
        with self._guard:
            if sum(not future.done() for future in self._all.values()) >= _WAITING:
                return None
            self._all[number] = self._pool.submit(self._timed, {**asked, "id": number})
            while len(self._all) > _KEPT and next(iter(self._all.values())).done():
                self._all.popitem(last=False)
        return number

    def told(self, number: str, *, wait: bool) -> dict[str, Any] | None:
        """A job as platforms tell it; None when there is none of that id."""
        with self._guard:
            future = self._all.get(number)
        if future is None:
            return None
        if wait:
            future.exception()
        if not future.done():
            return {"id": number, "status": "IN_PROGRESS" if future.running() else "IN_QUEUE"}
        if future.exception():
            return {"id": number, "status": "FAILED", "error": f"{type(future.exception()).__name__} inside"}
        output, took = future.result()
        state, error = ("FAILED", {"error": output["error"]}) if "error" in output else ("COMPLETED", {})
        return {"id": number, "status": state, "output": output, "executionTime": took, **error}


def create_picture_app(service: PictureService) -> Flask:
    """The service as a WSGI application."""
    app = Flask("picture_service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LONGEST
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    jobs = _Jobs(service.handle)

    def begun(wait: bool) -> tuple[Response, int]:
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict):
            return _failed(400)
        number = jobs.begin(asked)
        return _failed(503) if number is None else (jsonify(jobs.told(number, wait=wait)), 200)

    def status(number: str) -> tuple[Response, int]:
        told = jobs.told(number, wait=False)
        return _failed(404) if told is None else (jsonify(told), 200)

    for rule, method, view in (("/runsync", "POST", lambda: begun(True)), ("/run", "POST", lambda: begun(False)),
                               ("/status/<number>", "GET", status), ("/ready", "GET", lambda: _ready(service)),
                               ("/metrics", "GET", lambda: _metrics(service, jobs)),
                               ("/health", "GET", lambda: jsonify(service.health()))):
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method])
    return app


def _ready(service: PictureService) -> tuple[Response, int]:
    """200 as soon as the first job finds its engine open; until then, and where it cannot be opened, 503."""
    problem = service.engines.problem
    if problem:
        return jsonify(ready=False, error=problem.message, code=problem.code, hint=problem.hint), 503
    ready = service.engines.warm.is_set()
    return jsonify(ready=ready), 200 if ready else 503


def _metrics(service: PictureService, jobs: _Jobs) -> Response:
    gauges = {"queue": ("Jobs that wait or run.", float(jobs.waiting)),
              "ready": ("1 when the first job finds its engine open.", float(service.engines.warm.is_set()))}
    memory = [(gpu.name, kind, float(value)) for gpu in gpus()
              for kind, value in (("total", gpu.memory_total), ("free", gpu.memory_free)) if value is not None]
    return Response(service.meter.text(gauges, memory), content_type="text/plain; version=0.0.4; charset=utf-8")


def _failed(status: int) -> tuple[Response, int]:
    error = refusal(status)
    return jsonify(status="error", error=error.message, code=error.code, hint=error.hint), status
