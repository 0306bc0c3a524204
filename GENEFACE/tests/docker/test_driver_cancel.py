"""Stopping a container: gently, then less so, within the time a job's process has; then it is gone."""

from __future__ import annotations

import signal
import time

import pytest

from tests.docker.driver_bench import Bench
from visage.errors import Cancelled

IDLE = "echo ready; while :; do sleep 0.05; done"
WRITES = "trap 'echo interrupted > how; exit 0' INT; trap 'echo terminated > how; exit 0' TERM; "
SLACK = 1.5
"""Seconds that a busy machine takes for the process itself."""


@pytest.mark.parametrize(("script", "how"), [
    (WRITES + IDLE, "interrupted"),
    (WRITES + "trap '' INT; " + IDLE, "terminated"),
    ("trap '' INT TERM; " + IDLE, ""),
], ids=["obeys SIGINT", "ignores SIGINT", "ignores SIGTERM too"])
def test_a_stopped_process_takes_its_container_along(bench: Bench, script: str, how: str) -> None:
    with bench.process(bench.order(script)) as process:
        assert process.stdout.readline() == "ready\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
        took = time.monotonic() - begun
    assert '"Cancelled"' in said
    assert bench.read("how").strip() == how
    assert not bench.containers()
    assert took < 2.5 + SLACK


@pytest.mark.parametrize("error", [Cancelled("The job was stopped."), OSError("no room"), KeyboardInterrupt()],
                         ids=lambda error: type(error).__name__)
def test_who_cannot_hear_a_line_stops_it(bench: Bench, error: BaseException) -> None:
    def fail(_: str) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        bench.driver(interrupt=0.1, terminate=0.1).run(bench.order(IDLE), fail)
    assert caught.value is error
    assert not bench.containers()


def test_a_container_that_is_paused_can_be_stopped(bench: Bench) -> None:
    def pause(_: str) -> None:
        bench.containers()[0].pause()
        raise Cancelled("The job was stopped.")

    with pytest.raises(Cancelled):
        bench.driver().run(bench.order(IDLE), pause)
    assert not bench.containers()


def test_a_stop_before_it_starts_leaves_nothing(bench: Bench) -> None:
    with bench.process(bench.order("echo ready; sleep 30")) as process:
        while not bench.containers():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert '"Cancelled"' in said
    assert not bench.containers()
