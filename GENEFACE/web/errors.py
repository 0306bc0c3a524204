"""Every failure of every route of the web app is the same JSON."""

from __future__ import annotations

import structlog
from flask import Flask, Response, jsonify, make_response
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, HTTPException

from backend import forms
from visage import errors as tree
from web.status import refusal, status_of
from web.words import translate

_log = structlog.get_logger()


def answer(error: tree.VisageError) -> tuple[Response, int]:
    """The failure shape of docs/http-api.md, in the language of the request."""
    told = translate(error.as_dict())
    return jsonify({"status": "error", "error": told["message"], **told}), status_of(error)


def wrong_field(error: ValidationError) -> Response:
    """The answer to a body or query that does not fit its model."""
    response, status = answer(forms.wrong_field(error))
    return make_response(response, status)


def register(app: Flask) -> None:
    """Make every failure of this app answer in one shape."""

    @app.errorhandler(tree.VisageError)
    def _known(error: tree.VisageError) -> tuple[Response, int]:
        return answer(error)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        told = translate(refusal(status).as_dict())
        return jsonify({"status": "error", "error": told["message"], **told}), status

    @app.errorhandler(RecursionError)
    def _nested(_error: RecursionError) -> tuple[Response, int]:
        return _http(BadRequest())

    @app.errorhandler(OSError)
    def _system(error: OSError) -> tuple[Response, int]:
        known = tree.from_os_error(error)
        return answer(known) if isinstance(known, tree.DiskFull) else _unexpected(error)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> tuple[Response, int]:
        _log.exception("request failed", error=repr(error))
        hidden = tree.VisageError("Something went wrong inside: {kind}.", code="internal",
                                  hint="The details are in var/logs/web.log.", kind=type(error).__name__)
        return answer(hidden)
