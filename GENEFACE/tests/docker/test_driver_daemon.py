"""A daemon that is restarted, or goes for good, while a container runs: on a daemon of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import docker
import pytest

from tests.docker.driver_bench import Bench, until
from tests.docker.shell_image import ready_shell
from visage.containers.client import FAILURES, connect
from visage.errors import ContainerFailed, DiskFull, NotInstalled

COUNTS = "for n in $(seq 40); do echo $n; sleep 0.1; done"


class Daemon:
    """A Docker daemon beside the machine's, with its own folder and socket.

    In the machine's own network a daemon without a bridge would remove the other one's.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        self.address = f"unix://{folder}/sock"
        self._folder, self._data = folder, data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, live_restore: bool = True) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as output:
            self._process = subprocess.Popen(
                ["unshare", "--net", "dockerd", "-H", self.address, "--data-root", str(self._data), "--bridge", "none",
                 "--exec-root", f"{self._folder}/exec", "--pidfile", f"{self._folder}/pid", "--iptables=false",
                 "--ip-forward=false", "--ip-masq=false", "--storage-driver", "vfs",
                 *(["--live-restore"] if live_restore else [])],
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        until(self._answers)

    def stop(self) -> None:
        """Stop it as a restart does."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    @property
    def runs(self) -> bool:
        """Whether it has been started."""
        return self._process is not None

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            pytest.skip(f"no second daemon here: {(self._folder / 'log').read_text()[-800:]}")
        with suppress(*FAILURES), closing(docker.DockerClient(self.address, version="1.41")) as client:
            return client.ping() if (self._folder / "sock").exists() else False
        return False


@pytest.fixture
def folder(bench: Bench) -> Iterator[Path]:
    """A short path, because a socket's may not be long."""
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("a daemon of the test's own takes root and dockerd")
    place = Path(tempfile.mkdtemp(prefix="visage-daemon-"))
    yield place
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if line.split()[1].startswith(f"{place}/"):
            subprocess.run(["umount", line.split()[1]], check=False)
    shutil.rmtree(place)


@pytest.fixture
def daemon(folder: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A running one, which the driver uses."""
    yield from _daemon(Daemon(folder, folder / "data"), bench, monkeypatch)


def _daemon(made: Daemon, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    made.start()
    monkeypatch.setenv("DOCKER_HOST", made.address)
    bench.client = docker.DockerClient(made.address, version="1.41")
    try:
        ready_shell(bench.client)
        yield made
    finally:
        bench.client.close()
        if not made.runs:
            made.start()
        with closing(connect(5.0, 60.0)) as client:
            for container in client.containers.list(all=True):
                container.remove(force=True)
        made.stop()
        bench.clean = lambda: None  # type: ignore[method-assign]


def test_a_restart_loses_no_line(bench: Bench, daemon: Daemon) -> None:
    lines: list[str] = []

    def hear(text: str) -> None:
        lines.append(text)
        if text == "5":
            daemon.stop()
            daemon.start()

    bench.driver().run(bench.order(COUNTS), hear)
    assert lines == [str(n) for n in range(1, 41)]


def test_a_restart_that_stops_containers_is_told(bench: Bench, daemon: Daemon) -> None:
    daemon.stop()
    daemon.start(live_restore=False)

    def hear(text: str) -> None:
        if text == "5":
            daemon.stop()
            daemon.start()

    with pytest.raises(ContainerFailed) as caught:
        bench.driver().run(bench.order(COUNTS), hear)
    assert caught.value.code == "container.killed"


def test_a_container_that_somebody_removed_meanwhile(bench: Bench, daemon: Daemon) -> None:
    def hear(_: str) -> None:
        daemon.stop()
        daemon.start()
        bench.containers()[0].remove(force=True)

    with pytest.raises(ContainerFailed) as caught:
        bench.driver().run(bench.order("echo ready; sleep 60"), hear)
    assert caught.value.code == "container.removed"


def test_a_daemon_that_does_not_come_back(bench: Bench, daemon: Daemon) -> None:
    with pytest.raises(NotInstalled) as caught:
        bench.driver(absence=1.0).run(bench.order("echo ready; sleep 60"), lambda _: daemon.stop())
    assert caught.value.code == "docker.lost"
    assert "systemctl start docker" in caught.value.hint
    daemon.start()
    assert bench.driver(interrupt=0.1, terminate=0.1).collect(lambda _: False) == ("job1",)


def test_a_daemon_without_room(bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = folder / "data"
    data.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", str(data)], check=False).returncode:
        pytest.skip("this user may not mount")
    for _ in _daemon(Daemon(folder, data), bench, monkeypatch):
        with suppress(OSError), (data / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(1 << 20)):
                pass
        with pytest.raises(DiskFull) as caught:
            bench.run(bench.order("true"))
        (data / "filler").unlink()
        assert caught.value.code == "docker.disk_full"
        assert "docker system df" in caught.value.hint
