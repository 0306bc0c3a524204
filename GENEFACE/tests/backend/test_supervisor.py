"""Keeping processes running and leaving none behind, with small real programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.ports import answers, is_free, who_listens
from backend.supervisor import port_trouble
from backend.worker import worker_status
from tests.conftest import ROOT, clean_environment, free_port
from visage.config import Settings
from visage.storage.paths import Paths

PROGRAM = """
import sys
from pathlib import Path
from backend.supervisor import Part, Supervisor
home = Path(sys.argv[1])
parts = [Part(name, [sys.executable, "-c", code]) for name, code in zip(sys.argv[2::2], sys.argv[3::2])]
sys.exit(Supervisor(parts, home).run(("all ready", "全部就绪")))
"""
SLEEP = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
FAMILY = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); " \
    "print('pid', p.pid, flush=True); p.wait()"
STUBBORN = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \
    "print('pid', os.getpid(), flush=True); time.sleep(60)"


class Started:
    """A supervisor with its parts."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, **parts: str) -> subprocess.Popen[bytes]:
        words = [word for pair in parts.items() for word in pair]
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.home), *words], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=clean_environment(LANG="C.UTF-8", LC_ALL="C.UTF-8", PYTHONPATH=str(ROOT)))
        return self.process

    def pids(self, name: str) -> list[int]:
        log = self.home / f"{name}.log"
        return [int(line.split()[1]) for line in log.read_text().splitlines() if line.startswith("pid")] \
            if log.exists() else []

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    made = Started(tmp_path)
    yield made
    made.close()


def until(what: Callable[[], object], seconds: float = 15.0) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit
        time.sleep(0.02)


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_killed_part_is_started_again_and_all_stop_together(started: Started) -> None:
    process = started.start(one=SLEEP, two=FAMILY)
    until(lambda: started.pids("one") and started.pids("two"))
    os.kill(started.pids("one")[0], signal.SIGKILL)
    until(lambda: len(started.pids("one")) == 2)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert b"all ready" in output and b"one died (signal 9); starting it again." in output
    assert not any(lives(pid) for name in ("one", "two") for pid in started.pids(name))


def test_the_kernel_ends_the_parts_of_a_killed_supervisor(started: Started) -> None:
    process = started.start(one=SLEEP)
    until(lambda: started.pids("one"))
    process.kill()
    process.communicate()
    until(lambda: not lives(started.pids("one")[0]), 2)


@pytest.mark.slow
def test_a_part_that_keeps_dying_is_given_up_loudly(started: Started) -> None:
    process = started.start(bad="import sys; sys.exit('no such thing as luck')", good=SLEEP)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"bad died 5 times in a row (exit code 1)" in errors and b"no such thing as luck" in errors
    assert not any(lives(pid) for pid in started.pids("good"))


@pytest.mark.slow
def test_a_part_that_does_not_listen_is_killed(started: Started) -> None:
    process = started.start(one=STUBBORN)
    until(lambda: started.pids("one"))
    begin = time.monotonic()
    process.terminate()
    process.communicate(timeout=20)
    assert time.monotonic() - begin < 12 and not lives(started.pids("one")[0])


def test_a_taken_port_is_told_with_who_has_it_and_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port) and f"(process {os.getpid()})" in who_listens(port)
        lines = port_trouble(Settings(home=tmp_path, port=port, voice_port=free_port()))
        assert len(lines) == 1 and f"Port {port} is taken by" in lines[0] and f"VISAGE_PORT={port + 10}" in lines[0]
        environment = clean_environment(
            VISAGE_HOME=str(tmp_path), VISAGE_PORT=str(port), VISAGE_VOICE_PORT=str(free_port()),
            LC_ALL="zh_CN.UTF-8", PYTHONIOENCODING="utf-8")
        ended = subprocess.run([sys.executable, "-m", "backend.supervisor"], cwd=ROOT, env=environment,
                               capture_output=True, timeout=30, check=False)
    assert ended.returncode == 1 and f"端口 {port} 已被占用" in ended.stderr.decode()
    assert is_free("127.0.0.1", port) and not answers(f"http://127.0.0.1:{port}/", 0.5)


def test_the_web_app_alone_brings_its_worker_along_once(tmp_path: Path) -> None:
    program = "from backend.supervisor import ensure_companions; from visage.config import read_settings; " \
        "from visage.storage.paths import Paths; import sys; s = read_settings(); p = Paths(s.home); " \
        "print(ensure_companions(s, p), flush=True); sys.stdin.read()"
    environment = clean_environment(VISAGE_HOME=str(tmp_path), VISAGE_VOICE_URL="http://127.0.0.1:9", LC_ALL="C.UTF-8")
    first = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        until(lambda: worker_status(Paths(tmp_path)).alive)
        second = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, text=True, timeout=20,
                                input="", capture_output=True, check=True)
        assert second.stdout == "[]\n"
        worker = worker_status(Paths(tmp_path)).pid
        output, _ = first.communicate("", timeout=10)
        assert "Started the worker too" in output and "['worker']" in output
        until(lambda: not lives(worker), 5)
    finally:
        if first.poll() is None:
            first.kill()
            first.communicate()
