"""Every error this product raises on purpose.

    VisageError
    ├── InvalidRequest          the caller asked for something that cannot be
    │   └── UnknownDriver       no driver, engine or voice of that name
    ├── NotFound                an avatar, job, clip or upload that is not there
    ├── Conflict                it exists already, or its state forbids this
    ├── Refused                 nobody has agreed to it, or the agreement does not reach so far
    ├── BadMedia                a file that is not what it should be
    │   ├── BadVideo
    │   ├── BadAudio
    │   └── BadImage
    ├── NotInstalled            a package, model, image or device is missing; the hint mends it
    ├── ServiceError            another server failed us
    │   ├── ServiceUnreachable  no answer at all
    │   ├── ServiceRefused      it answered 401 or 403: the key
    │   ├── ServiceBusy         it answered 429: too many requests, or no money left
    │   └── ServiceTimeout      it took too long
    ├── ToolFailed              a program we ran failed: keeps argv and stderr
    │   └── ContainerFailed     it ran in a container: keeps its exit code too
    ├── DiskFull                no room left to write
    ├── OutOfMemory             the memory of a device is exhausted
    ├── OutputInvalid           a job ended, but its output is missing or does not probe
    ├── WorkerLost              the process that did the job was killed
    └── Cancelled               the user stopped it

A message says what happened, its hint what to do next.  Both are templates
filled from ``params``, so that another language can fill its own template of
the same ``code``.  Only ``web/status.py`` knows status codes.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from typing import Any


class VisageError(Exception):
    """Base of the tree.

    ``message`` and ``hint`` are English templates; ``params`` fills their
    ``{names}``; ``code`` is the dotted name under which translations are found.
    """

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "", **params: Any):
        self.code = code or type(self).code
        self.params = params
        self.message = message.format_map(params) if params else message
        self.hint = hint.format_map(params) if params else hint
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-ready data: kind (its class), code, message, hint, params."""
        params = {name: value if isinstance(value, int | float | str) else str(value)
                  for name, value in self.params.items()}
        return {"kind": type(self).__name__, "code": self.code, "message": self.message, "hint": self.hint,
                "params": params}


class InvalidRequest(VisageError):
    """The caller asked for something that cannot be."""

    code = "request.invalid"


class UnknownDriver(InvalidRequest):
    """No driver, engine or voice of that name."""

    code = "request.unknown_driver"


class NotFound(VisageError):
    """An avatar, job, clip or upload that is not there."""

    code = "not_found"


class Conflict(VisageError):
    """It exists already, or its state forbids this."""

    code = "conflict"


class Refused(VisageError):
    """Nobody has agreed to it, or the agreement does not reach so far."""

    code = "consent.refused"


class BadMedia(VisageError):
    """A file that is not what it should be."""

    code = "media.bad"


class BadVideo(BadMedia):
    """A video that cannot be used; the message says which part and why."""

    code = "video.bad"


class BadAudio(BadMedia):
    """A sound that cannot be used."""

    code = "audio.bad"


class BadImage(BadMedia):
    """A picture that cannot be used."""

    code = "image.bad"


class NotInstalled(VisageError):
    """A package, model, image or device is missing; the hint is the command that mends it."""

    code = "not_installed"


class ServiceError(VisageError):
    """Another server failed us."""

    code = "service.failed"


class ServiceUnreachable(ServiceError):
    """No answer at all."""

    code = "service.unreachable"


class ServiceRefused(ServiceError):
    """The server did not accept our key."""

    code = "service.refused"


class ServiceBusy(ServiceError):
    """Too many requests, or the account is empty."""

    code = "service.busy"


class ServiceTimeout(ServiceError):
    """The server took too long."""

    code = "service.timeout"


class ToolFailed(VisageError):
    """A program we ran failed; ``argv`` and the end of ``stderr`` are kept."""

    code = "tool.failed"

    def __init__(self, message: str, *, argv: list[str], stderr: str, **rest: Any):
        self.argv = list(argv)
        self.stderr = stderr[-4000:]
        super().__init__(message, **rest)

    def as_dict(self) -> dict[str, Any]:
        """Adds the command and what it printed."""
        return {**super().as_dict(), "argv": self.argv, "stderr": self.stderr}


class ContainerFailed(ToolFailed):
    """A program in a container failed; ``exit_code`` is what it ended with, 137 also when it was killed."""

    code = "container.failed"

    def __init__(self, message: str, *, exit_code: int, **rest: Any):
        self.exit_code = exit_code
        super().__init__(message, exit_code=exit_code, **rest)


class DiskFull(VisageError):
    """No room left to write."""

    code = "disk.full"


class OutOfMemory(VisageError):
    """The memory of a device is exhausted, after everything smaller was tried."""

    code = "memory.exhausted"


class OutputInvalid(VisageError):
    """A job ended, but its output is missing or does not probe."""

    code = "job.output_invalid"


class WorkerLost(VisageError):
    """The process that did the job was killed."""

    code = "job.worker_lost"


class Cancelled(VisageError):
    """The user stopped it."""

    code = "job.cancelled"


def revived(told: Mapping[str, Any]) -> VisageError:
    """The error that `VisageError.as_dict` told of, after a stay in a database or another process."""
    kind = next((kind for kind in _tree(VisageError) if kind.__name__ == told.get("kind")), VisageError)
    error = kind.__new__(kind)
    VisageError.__init__(error, str(told["message"]), code=told.get("code"))
    error.hint, error.params = str(told.get("hint", "")), dict(told.get("params", {}))
    if isinstance(error, ToolFailed):
        error.argv, error.stderr = list(told.get("argv", [])), str(told.get("stderr", ""))
    if isinstance(error, ContainerFailed):
        error.exit_code = int(error.params.get("exit_code", 1))
    return error


def _tree(kind: type[VisageError]) -> Iterator[type[VisageError]]:
    yield kind
    for branch in kind.__subclasses__():
        yield from _tree(branch)


def from_os_error(exc: OSError) -> VisageError:
    """The error of our tree for an operating-system error, so that a full disk is named as such."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("The disk is full: {path} could not be written.", path=exc.filename or "a file",
                        hint="Free some space (clips are in static/, avatars and uploads in var/), then try again.")
    return VisageError("{reason}: {path}", code="os.failed", reason=exc.strerror or str(exc), path=exc.filename or "")
