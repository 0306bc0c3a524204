"""Exception class → status code, one table for both servers; and what HTTP itself refuses, in words of ours."""

from __future__ import annotations

from visage import errors as tree
from visage.storage.uploads import TooLarge


class ForeignSite(tree.VisageError):
    """A page of another site made the browser send this."""

    code = "request.foreign_site"


class TooMany(tree.VisageError):
    """One browser asks more often than this machine allows."""

    code = "request.too_many"


STATUS: dict[type[tree.VisageError], int] = {
    tree.InvalidRequest: 422,
    tree.UnknownDriver: 422,
    TooLarge: 413,
    tree.NotFound: 404,
    tree.Conflict: 409,
    tree.Refused: 403,
    tree.BadMedia: 422,
    tree.NotInstalled: 424,
    tree.ServiceError: 502,
    tree.ServiceRefused: 502,
    tree.ServiceBusy: 503,
    tree.ServiceUnreachable: 503,
    tree.ServiceTimeout: 504,
    tree.ToolFailed: 500,
    tree.DiskFull: 507,
    tree.OutOfMemory: 507,
    tree.OutputInvalid: 500,
    tree.WorkerLost: 500,
    tree.Cancelled: 409,
    ForeignSite: 403,
    TooMany: 429,
    tree.VisageError: 500,
}

_UNREADABLE = ("The request could not be read.", "http.bad_request", "Correct it as docs/http-api.md has it.")
HTTP = {404: ("There is nothing at this address.", "http.not_found", "Go back to the first page: /"),
        405: ("This address does not take this kind of request.", "http.method", _UNREADABLE[2]),
        413: ("The request is too large.", "http.too_large", "Send less at once; files go to /api/uploads."),
        415: ("This kind of content is not taken here.", "http.content_type", _UNREADABLE[2]),
        429: ("Too many requests.", "http.too_many", "Wait a moment, then try again.")}
"""What HTTP itself refuses: message, code, hint."""


def status_of(error: tree.VisageError) -> int:
    """The status code of an error: its own class's, or its nearest ancestor's."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def refusal(status: int) -> tree.VisageError:
    """What to tell of a request that HTTP itself refused with this status."""
    message, code, hint = HTTP.get(status, _UNREADABLE)
    return tree.VisageError(message, code=code, hint=hint)
