"""Words for how a process ended, and errors for what a verb may raise."""

from __future__ import annotations

import errno
import os

import pytest

from visage.errors import BadVideo, DiskFull, UnknownDriver
from visage.jobs.process import as_error, load_verb
from visage.jobs.runner import kill_leftovers, oom_kills, reason


def test_the_reason_names_signal_and_memory() -> None:
    assert reason(3, memory=True) == "it ended with exit code 3"
    assert reason(-9, memory=False) == "killed by signal 9 (SIGKILL)"
    assert reason(-9, memory=True) == "killed by signal 9 (SIGKILL), because the memory of this machine ran out"
    assert reason(-11, memory=True) == "killed by signal 11 (SIGSEGV)" and "unknown" in reason(-99, memory=False)
    assert oom_kills() >= 0


def test_only_marked_processes_are_leftovers() -> None:
    kill_leftovers("0" * 32)
    os.kill(os.getpid(), 0)


@pytest.mark.parametrize(("raised", "code"), [
    (BadVideo("x", code="video.no_face"), "video.no_face"), (OSError(errno.ENOSPC, "full", "/x"), "disk.full"),
    (MemoryError(), "job.memory"), (FileNotFoundError(errno.ENOENT, "gone", "/x"), "job.file_gone"),
    (KeyError("x"), "job.crashed"), (SystemExit(1), "job.crashed")])
def test_whatever_a_verb_raises_becomes_an_error_of_the_tree(raised: BaseException, code: str) -> None:
    assert as_error(raised).code == code
    assert isinstance(as_error(OSError(errno.ENOSPC, "full", "/x")), DiskFull)


def test_verbs_are_found_by_kind() -> None:
    assert load_verb({"a": "os.path:join"}, "a") is os.path.join
    with pytest.raises(UnknownDriver):
        load_verb({"a": "os.path:join"}, "b")
