"""Failures of the voice server, in the shape its old clients parse."""

from __future__ import annotations

import logging
from typing import Any

from werkzeug.exceptions import HTTPException

from visage import errors
from web import status

log = logging.getLogger(__name__)


def status_of(exc: Exception) -> int:
    """HTTP status for an exception; 500 for an unforeseen one."""
    if isinstance(exc, HTTPException):
        return exc.code or 500
    return status.status_of(exc) if isinstance(exc, errors.VisageError) else 500


def failure_of(exc: Exception) -> dict[str, Any]:
    """``{"ok": false, "error", "code", "hint", "params", "kind"}``; an unforeseen exception is logged, not shown."""
    if isinstance(exc, errors.VisageError):
        told = exc
    elif isinstance(exc, HTTPException):
        told = status.refusal(exc.code or 500)
    else:
        log.error("unforeseen failure", exc_info=exc)
        told = errors.VisageError("Something went wrong inside: {kind}.", code="internal",
                                  hint="The details are in the voice server's log.", kind=type(exc).__name__)
    return {"ok": False, "error": told.message, **told.as_dict()}
