"""The one place where a program is run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from visage.errors import DiskFull, NotInstalled, ToolFailed


@cache
def ffmpeg_path() -> str:
    """The ffmpeg binary: the system's, else the one that imageio-ffmpeg brings.  Raises `NotInstalled`."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
        return imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as exc:
        raise NotInstalled("There is no ffmpeg on this machine.", code="tool.ffmpeg_missing",
                           hint="pip install imageio-ffmpeg") from exc


def run_tool(argv: Sequence[str], timeout: float = 3600.0, folder: Path | None = None) -> bytes:
    """Run a command line to its end and return what it printed on stdout; a list, never a shell string.

    ``argv[0] == "ffmpeg"`` means `ffmpeg_path`.  ``timeout`` in seconds.  Raises
    `ToolFailed` with argv and the end of stderr, `DiskFull` when stderr says so,
    `NotInstalled` when there is no such program.  On any exception, a
    cancellation too, the program and all its children are killed.
    """
    line = [ffmpeg_path() if argv[0] == "ffmpeg" else argv[0], *argv[1:]]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder,
                                       start_new_session=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        except FileNotFoundError as exc:
            raise NotInstalled("There is no program {name} on this machine.", code="tool.missing",
                               hint="Install {name} and try again.", name=argv[0]) from exc
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired as exc:
            _kill(process)
            raise ToolFailed("{name} did not end within {seconds} s.", code="tool.timeout", argv=line,
                             stderr=_tail(err), hint="Try again when the machine is less busy.",
                             name=argv[0], seconds=round(timeout)) from exc
        except BaseException:
            _kill(process)
            raise
        if status != 0:
            raise _failure(line, argv[0], status, _tail(err))
        out.seek(0)
        return out.read()


def _failure(line: list[str], name: str, status: int, stderr: str) -> ToolFailed | DiskFull:
    if "No space left on device" in stderr or "Disk quota exceeded" in stderr:
        return DiskFull("The disk is full: {name} could not write its output.", name=name,
                        hint="Free some space (old clips, avatars and uploads), then try again.")
    last = stderr.strip().splitlines()[-1:] or ["it printed nothing"]
    return ToolFailed("{name} failed with status {status}: {reason}", argv=line, stderr=stderr,
                      hint="The whole message is in the job's log.", name=name, status=status, reason=last[0])


def _kill(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(file) -> str:
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - 4000))
    return file.read().decode("utf-8", "replace")
