"""A container from its start to its end: what it prints, what it may do, whom its files belong to."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from docker.types import LogConfig

from tests.docker.driver_bench import WAIT_FOR_GO, Bench
from visage.containers.contract import Mount
from visage.containers.docker import HOME, JOB, STEP
from visage.containers.following import Following
from visage.errors import VisageError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving folders away takes root")


def test_a_line_is_there_while_the_container_runs(bench: Bench) -> None:
    lines = []

    def hear(text: str) -> None:
        lines.append(text)
        if text == "ready":
            assert [container.status for container in bench.containers()] == ["running"]
            bench.write("go")

    bench.driver().run(bench.order(f"echo ready >&2; {WAIT_FOR_GO}; echo done"), hear)
    assert lines == ["ready", "done"]
    assert not bench.containers()


def test_labels_say_whom_it_works_for(bench: Bench) -> None:
    seen: dict[str, str] = {}
    bench.driver().run(bench.order("echo ready; sleep 0.2", job="a-job"),
                       lambda _: seen.update(bench.containers()[0].labels))
    assert (seen[JOB], seen[STEP], seen[HOME]) == ("a-job", "train", str(bench.home))


def test_neither_swap_nor_log_grows_without_end(bench: Bench) -> None:
    seen: dict[str, Any] = {}
    bench.driver().run(bench.order("echo ready; sleep 0.2", memory=64 << 20),
                       lambda _: seen.update(bench.containers()[0].attrs["HostConfig"]))
    assert seen["Memory"] == seen["MemorySwap"] == 64 << 20
    assert seen["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "32m", "max-file": "2"}}


def test_both_streams_long_lines_and_the_unfinished_last_one(bench: Bench) -> None:
    script = r"""printf 'bar 1\rbar 2\rbar 3\n'; printf 'half' >&2; echo out; sleep 0.2; printf ' and half\n' >&2
                 head -c 40000 /dev/zero; echo; printf '\303'; sleep 0.2; printf '\251\377 the end'"""
    lines = bench.run(bench.order(script))
    assert lines[:3] == ["bar 1", "bar 2", "bar 3"]
    assert lines.count("out") == lines.count("half and half") == 1
    assert [len(line) for line in lines if line.startswith("\0")] == [40000]
    assert lines[-1] == "é\ufffd the end"


def test_what_is_printed_last_is_never_lost(bench: Bench) -> None:
    for number in range(8):
        assert bench.run(bench.order(f"echo one; sleep 0.{number}; seq 1 50; printf last"))[-2:] == ["50", "last"]


def test_lines_are_told_once_though_the_log_changes_files(bench: Bench) -> None:
    # Slowly: Docker itself skips a file that fills while it still reads the one before.
    script = "for n in $(seq 101 116); do seq ${n}001 ${n}999; sleep 0.25; done; echo last"
    container = bench.client.containers.run(
        bench.image, ["sh", "-c", script], detach=True, init=True, labels={HOME: str(bench.home), JOB: "job1"},
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "400k", "max-file": "12"}))
    following = Following(container.id, patience=2.0, quiet=30.0, absence=5.0)
    with closing(following.lines()) as lines:
        told = list(lines)
    assert told == [str(n * 1000 + k) for n in range(101, 117) for k in range(1, 1000)] + ["last"]
    assert following.exit_code == 0


def test_a_silence_is_waited_through(bench: Bench) -> None:
    assert bench.run(bench.order("echo one; sleep 2.5; echo two"), quiet=0.5) == ["one", "two"]


def test_nobody_types_and_it_starts_where_it_is_told(bench: Bench) -> None:
    lines = bench.run(bench.order('cat; pwd; echo "$COLOUR"', workdir="/tmp", environment={"COLOUR": "blue"}))
    assert lines == ["/tmp", "blue"]


@as_root
@pytest.mark.parametrize("user", [0, 1000])
def test_it_runs_as_the_owner_of_its_first_folder(bench: Bench, user: int) -> None:
    os.chown(bench.work, user, user)
    extra = Mount(bench.home / "work" / "new" / "folder", "/extra")
    order = bench.order("id -u; id -g; touch mine /extra/mine", mounts=(Mount(bench.work, "/work"), extra))
    assert bench.run(order) == [str(user)] * 2
    for file in (bench.work / "mine", extra.source / "mine", extra.source):
        assert (file.stat().st_uid, file.stat().st_gid) == (user, user)


def test_it_has_no_power_over_the_machine(bench: Bench) -> None:
    told = dict(line.split(":\t") for line in bench.run(bench.order("cat /proc/self/status")) if ":\t" in line)
    assert all(int(told[kind], 16) == 0 for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"))
    assert told["NoNewPrivs"] == "1"


def test_it_has_a_network_only_when_told(bench: Bench) -> None:
    def cards(network: bool) -> list[str]:
        return bench.run(bench.order("ls /sys/class/net", network=network))

    assert "eth0" not in cards(False)
    assert "eth0" in cards(True)


def test_a_folder_can_be_for_reading_only(bench: Bench) -> None:
    shown = Mount(bench.home / "shown", "/shown", writable=False)
    lines = bench.run(bench.order("touch /shown/file || echo refused", mounts=(Mount(bench.work, "/work"), shown)))
    assert "refused" in lines
    assert not list(shown.source.iterdir())


def test_there_is_room_for_loaders_to_share_memory(bench: Bench) -> None:
    assert int(bench.run(bench.order("df --output=size -B1 /dev/shm"))[-1]) == 1 << 30


def test_a_folder_that_cannot_be_made_is_named(bench: Bench) -> None:
    bench.write("file")
    place = bench.work / "file" / "folder"
    with pytest.raises(VisageError) as caught:
        bench.run(bench.order("true", mounts=(Mount(place, "/work"),)))
    assert caught.value.code == "container.folder"
    assert str(place) in caught.value.message
    assert "mkdir" in caught.value.hint


@as_root
def test_a_folder_it_could_not_write_in_is_named_before_it_starts(bench: Bench) -> None:
    os.chown(bench.work, 1000, 1000)
    other = bench.home / "other"
    other.mkdir()
    with pytest.raises(VisageError) as caught:
        bench.run(bench.order("touch ran", mounts=(Mount(bench.work, "/work"), Mount(other, "/other"))))
    assert caught.value.code == "container.folder_owner"
    assert caught.value.hint == f"sudo chown -R 1000:1000 {other}"
    assert not bench.read("ran")
    assert not bench.containers()


def test_an_answer_is_quick(bench: Bench) -> None:
    begun = time.monotonic()
    needs = bench.driver().needs(bench.image, "build it", gpu=True)
    assert time.monotonic() - begun < 5
    assert [need.name for need in needs] == ["docker", f"image {bench.image}", "GPU in containers"]
    assert needs[0].ok
    assert needs[1].ok
    missing = bench.driver().needs("visage-test-none:1", "build it", gpu=False)
    assert [(need.ok, need.remedy) for need in missing] == [(True, ""), (False, "build it")]


def test_nothing_is_left_on_this_side(bench: Bench) -> None:
    open_files = Path("/proc/self/fd")
    bench.run(bench.order("echo one"))
    before = len(list(open_files.iterdir()))
    for _ in range(3):
        bench.run(bench.order("echo one"))
    assert len(list(open_files.iterdir())) <= before
