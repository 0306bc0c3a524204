"""The live conversation: one WebSocket (docs/live.md)."""

from __future__ import annotations

import json
from typing import Any

import structlog
from flask import Flask, current_app
from flask_sock import Sock
from pydantic import ValidationError
from simple_websocket import ConnectionClosed, Server

from backend import forms
from backend.live import Hello, LiveHouse, LiveSession
from visage.errors import InvalidRequest, VisageError
from web.outbox import Outbox
from web.visitor import owner
from web.words import translate

_LARGEST = 64 << 10
_HELLO_SECONDS = 10
_log = structlog.get_logger()


def register(app: Flask) -> None:
    """Add the route to an app."""
    app.config["SOCK_SERVER_OPTIONS"] = {"max_message_size": _LARGEST}
    app.extensions["visage_live"] = LiveHouse(app.extensions["visage"])
    Sock(app).route("/live")(_live)


def _live(ws: Server) -> None:
    outbox = Outbox(ws)
    try:
        session = _opened(ws, outbox)
        if session is not None:
            with session:
                _listen(ws, outbox, session)
    except ConnectionClosed:
        pass
    finally:
        outbox.close()


def _opened(ws: Server, outbox: Outbox) -> LiveSession | None:
    """The session of this browser; None when it was refused, which was told."""
    house: LiveHouse = current_app.extensions["visage_live"]
    try:
        told = _event(ws.receive(timeout=_HELLO_SECONDS))
        if told.pop("type", "") != "hello":
            raise InvalidRequest("The first message must be hello.", code="live.no_hello", hint="See docs/live.md.")
        return house.open(Hello(**told), owner(), outbox.put, outbox.drop)
    except ValidationError as exc:
        outbox.put(_told("refused", forms.wrong_field(exc)))
    except VisageError as exc:
        outbox.put(_told("refused", exc))
    except ConnectionClosed:
        pass
    except Exception as exc:
        outbox.put(_told("refused", _inside(exc)))
        _log.exception("a live session could not be opened", error=repr(exc))
    return None


def _listen(ws: Server, outbox: Outbox, session: LiveSession) -> None:
    while True:
        data = ws.receive()
        if data is None:
            continue
        try:
            if isinstance(data, bytes):
                session.sound(data)
            else:
                session.message(_event(data))
        except VisageError as exc:
            outbox.put({**_told("error", exc), "turn": None})
        except Exception as exc:
            outbox.put({**_told("error", _inside(exc)), "turn": None})
            _log.exception("a live message failed", error=repr(exc))


def _event(data: str | bytes | None) -> dict[str, Any]:
    try:
        told = json.loads(data) if isinstance(data, str) else None
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise InvalidRequest("This is no message of a live conversation.", code="live.no_message",
                             hint="Send a JSON object with a type; see docs/live.md.")
    return told


def _told(kind: str, error: VisageError) -> dict[str, Any]:
    return {"type": kind, **translate(error.as_dict())}


def _inside(exc: Exception) -> VisageError:
    return VisageError("Something went wrong inside: {kind}.", code="internal",
                       hint="The details are in var/logs/web.log.", kind=type(exc).__name__)


