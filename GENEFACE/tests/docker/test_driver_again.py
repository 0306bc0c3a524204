"""A container outlives the process that started it, and is taken up again."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack

import pytest

from tests.docker.driver_bench import WAIT_FOR_GO, Bench, until
from visage.containers.contract import Order
from visage.containers.docker import _parameters
from visage.errors import ContainerFailed

ONCE = "echo started >> runs; echo one; echo two; "


def killed_while_following(bench: Bench, order: Order) -> None:
    with bench.process(order) as process:
        assert process.stdout.readline() == "one\n"
        process.kill()
        process.wait()


def status(bench: Bench) -> str:
    return bench.containers()[0].status


def test_a_running_one_is_followed_from_its_first_line(bench: Bench) -> None:
    order = bench.order(ONCE + WAIT_FOR_GO + "; echo three")
    killed_while_following(bench, order)
    assert status(bench) == "running"
    lines = []

    def hear(text: str) -> None:
        lines.append(text)
        if text == "two":
            bench.write("go")

    bench.driver().run(order, hear)
    assert lines == ["one", "two", "three"]
    assert bench.read("runs") == "started\n"
    assert not bench.containers()


@pytest.mark.parametrize("code", [0, 3])
def test_one_that_ended_unwatched_tells_everything_and_how(bench: Bench, code: int) -> None:
    order = bench.order(ONCE + WAIT_FOR_GO + f"; echo three; exit {code}")
    killed_while_following(bench, order)
    bench.write("go")
    until(lambda: status(bench) == "exited")
    lines: list[str] = []
    if code:
        with pytest.raises(ContainerFailed) as caught:
            bench.driver().run(order, lines.append)
        assert caught.value.exit_code == code
    else:
        bench.driver().run(order, lines.append)
    assert lines == ["one", "two", "three"]
    assert bench.read("runs") == "started\n"
    assert not bench.containers()


def test_one_that_was_killed_unwatched_starts_anew(bench: Bench) -> None:
    order = bench.order(ONCE + WAIT_FOR_GO)
    killed_while_following(bench, order)
    bench.containers()[0].kill()
    bench.write("go")
    assert bench.run(order) == ["one", "two"]
    assert bench.read("runs") == "started\n" * 2


def test_one_that_never_started_is_made_anew(bench: Bench) -> None:
    order = bench.order(ONCE)
    left = bench.client.containers.create(name=bench.driver()._name(order), **_parameters(order, str(bench.home)))
    assert bench.run(order) == ["one", "two"]
    assert left.id not in {container.id for container in bench.client.containers.list(all=True)}
    assert not bench.containers()


def test_one_with_other_arguments_is_replaced(bench: Bench) -> None:
    killed_while_following(bench, bench.order("echo one; sleep 60"))
    assert bench.run(bench.order(ONCE), interrupt=0.1, terminate=0.1) == ["one", "two"]
    assert bench.read("runs") == "started\n"
    assert not bench.containers()


def test_other_steps_jobs_and_installations_do_not_meet(bench: Bench) -> None:
    killed_while_following(bench, bench.order("echo one; sleep 60"))
    for other in (bench.order(ONCE, step="render"), bench.order(ONCE, job="job2")):
        assert bench.run(other) == ["one", "two"]
    elsewhere = dataclasses.replace(bench, home=bench.home / "elsewhere")
    elsewhere.work.mkdir(parents=True)
    assert elsewhere.run(elsewhere.order(ONCE)) == ["one", "two"]
    assert bench.jobs() == ["job1"]


def test_two_processes_start_it_only_once(bench: Bench) -> None:
    order = bench.order(ONCE + WAIT_FOR_GO + "; echo three")
    with ExitStack() as stack:
        both = [stack.enter_context(bench.process(order)) for _ in range(2)]
        for process in both:
            assert process.stdout.readline() == "one\n"
        bench.write("go")
        told = [process.stdout.read() for process in both]
        assert [process.wait(30) for process in both] == [0, 0], told
    assert told == ["two\nthree\n"] * 2
    assert bench.read("runs") == "started\n"
    assert not bench.containers()
