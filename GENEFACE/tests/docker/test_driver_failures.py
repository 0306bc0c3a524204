"""Each way to fail has an error of its own, with its cause and the command that mends it; nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from docker.errors import APIError
from docker.types import Mount as Bind

from tests.docker.driver_bench import Bench
from visage.containers.contract import Mount, Order
from visage.containers.failures import GPU_REMEDY, refused
from visage.errors import ContainerFailed, DiskFull, NotInstalled, VisageError, revived

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root")


def failure(bench: Bench, order: Order, **patience: float) -> VisageError:
    with pytest.raises(VisageError) as caught:
        bench.run(order, **patience)
    assert not bench.containers()
    return caught.value


def test_an_exit_code_is_told_with_the_last_lines(bench: Bench) -> None:
    order = bench.order("echo before >&2; echo 'the cause' >&2; exit 4")
    error = failure(bench, order)
    assert isinstance(error, ContainerFailed)
    assert (error.code, error.exit_code, error.argv) == ("container.failed", 4, list(order.argv))
    assert error.stderr == "before\nthe cause"
    assert "the cause" in error.message
    assert revived(json.loads(json.dumps(error.as_dict()))).as_dict() == error.as_dict()


def test_a_program_that_the_image_lacks(bench: Bench) -> None:
    order = Order(job="job1", step="train", image=bench.image, argv=("no-such-program",), workdir="/work",
                  mounts=(Mount(bench.work, "/work"),))
    error = failure(bench, order)
    assert isinstance(error, ContainerFailed)
    assert error.exit_code == 127
    assert "no-such-program" in error.message


def test_too_much_memory(bench: Bench) -> None:
    error = failure(bench, bench.order("echo ready; tail /dev/zero; exit 1", memory=32 << 20))
    assert isinstance(error, ContainerFailed)
    assert error.code == "container.memory"
    assert "32 MiB" in error.message


def test_too_many_processes(bench: Bench) -> None:
    error = failure(bench, bench.order("for n in $(seq 30); do sleep 20 & done; echo all started", pids=8))
    assert isinstance(error, ContainerFailed)
    assert "fork" in error.stderr
    assert "all started" not in error.stderr


@pytest.mark.parametrize(("act", "code"), [
    (lambda container: container.kill(), 137),
    (lambda container: container.stop(), 143),
    (lambda container: container.remove(force=True), 137),
], ids=["kill", "stop", "remove"])
def test_somebody_else_ends_it(bench: Bench, act: Callable, code: int) -> None:
    with pytest.raises(ContainerFailed) as caught:
        bench.driver().run(bench.order("echo ready; sleep 60"), lambda _: act(bench.containers()[0]))
    assert (caught.value.code, caught.value.exit_code) == ("container.killed", code)


def test_an_image_that_is_not_there(bench: Bench) -> None:
    error = failure(bench, bench.order("true", image="visage-test-none:1", remedy="docker build -t visage-test-none ."))
    assert isinstance(error, NotInstalled)
    assert (error.code, error.hint) == ("docker.no_image", "docker build -t visage-test-none .")
    assert "visage-test-none:1" in error.message


def test_a_gpu_that_docker_cannot_hand_out(bench: Bench) -> None:
    if "nvidia" in bench.client.info().get("Runtimes", {}) or shutil.which("nvidia-container-runtime-hook"):
        pytest.skip("Docker can hand out GPUs here")
    error = failure(bench, bench.order("echo ran", gpu=0))
    assert isinstance(error, NotInstalled)
    assert (error.code, error.hint) == ("docker.no_gpu", GPU_REMEDY)
    assert "could not select device driver" in error.message


def test_no_daemon(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (f"unix://{bench.home}/none.sock", f"unix://{bench.work}", "tcp://127.0.0.1:9", "nonsense"):
        monkeypatch.setenv("DOCKER_HOST", place)
        for call in (lambda: bench.run(bench.order("true")), lambda: bench.driver().collect(lambda _: False)):
            with pytest.raises(NotInstalled) as caught:
                call()
            assert caught.value.code == "docker.no_daemon"
            assert place in caught.value.message
            assert caught.value.hint
        assert not bench.driver().needs(bench.image, "", True)[0].ok


@as_root
def test_no_permission(bench: Bench) -> None:
    setpriv = shutil.which("setpriv") or pytest.skip("setpriv is not on this machine")
    other = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*other, "test", "-r", __file__], check=False).returncode:
        pytest.skip("another user may not read this source")
    with bench.process(bench.order("true"), *other) as process:
        said, _ = process.communicate(timeout=60)
    error = json.loads(said.splitlines()[-1])
    assert (error["kind"], error["code"]) == ("NotInstalled", "docker.no_permission")
    assert "usermod -aG docker" in error["hint"]


@pytest.fixture
def tiny_disk(bench: Bench) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    place = bench.home / "tiny"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=40", "none", str(place)]
    if subprocess.run(argv, check=False).returncode:
        pytest.skip("this user may not mount")
    yield place
    bench.clean()
    subprocess.run(["umount", str(place)], check=True)


@as_root
def test_a_full_disk_below_a_folder(bench: Bench, tiny_disk: Path) -> None:
    order = bench.order("dd if=/dev/zero of=/work/file bs=1M count=4", mounts=(Mount(tiny_disk, "/work"),))
    error = failure(bench, order)
    assert isinstance(error, DiskFull)
    assert error.code == "container.disk_full"
    assert str(tiny_disk) in error.message
    assert "docker system df" in error.hint


@as_root
def test_no_room_for_a_folder(bench: Bench, tiny_disk: Path) -> None:
    with suppress(OSError):
        for number in range(100):  # each folder takes one of the few that this disk can have
            (tiny_disk / f"folder{number}").mkdir()
    with pytest.raises(VisageError) as caught:
        bench.run(bench.order("true", mounts=(Mount(tiny_disk / "a" / "b", "/work"),)))
    assert caught.value.code == "disk.full"


def test_a_daemon_that_does_not_see_our_folders(bench: Bench) -> None:
    with pytest.raises(APIError) as caught:
        bench.client.containers.create(bench.image, ["true"], mounts=[Bind("/work", f"{bench.home}/none", type="bind")])
    error = refused(caught.value, bench.order("true"))
    assert (type(error), error.code) == (NotInstalled, "docker.elsewhere")


def test_what_docker_refuses_for_another_reason(bench: Bench) -> None:
    error = failure(bench, bench.order("true", workdir="relative"))
    assert isinstance(error, ContainerFailed)
    assert (error.code, error.exit_code) == ("container.not_started", 125)
    assert "relative" in error.message
