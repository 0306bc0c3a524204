"""Leftovers are collected; what is still needed, and what belongs to others, stays."""

from __future__ import annotations

import dataclasses

from tests.docker.driver_bench import Bench, until
from visage.containers.docker import _parameters


def make(bench: Bench, job: str, script: str, start: bool = True) -> None:
    order = bench.order(script, job=job)
    container = bench.client.containers.create(name=bench.driver()._name(order), **_parameters(order, str(bench.home)))
    if start:
        container.start()


def test_containers_of_ended_jobs_go_in_every_state(bench: Bench) -> None:
    make(bench, "created", "true", start=False)
    make(bench, "exited", "true")
    make(bench, "running", "trap 'touch told; exit' INT; while :; do sleep 0.05; done")
    make(bench, "paused", "sleep 60")
    make(bench, "needed", "sleep 60")
    make(bench, "needed-too", "true")
    states = {container.labels["visage.job"]: container for container in bench.containers()}
    states["paused"].pause()
    for job in ("exited", "needed-too"):
        until(lambda job=job: bench.client.containers.get(states[job].id).status == "exited")
    asked: list[str] = []

    def keep(job: str) -> bool:
        asked.append(job)
        return job.startswith("needed")

    assert sorted(bench.driver().collect(keep)) == ["created", "exited", "paused", "running"]
    assert sorted(asked) == ["created", "exited", "needed", "needed-too", "paused", "running"]
    assert bench.jobs() == ["needed", "needed-too"]
    assert (bench.work / "told").exists()
    assert not bench.driver().collect(keep)


def test_others_are_left_alone(bench: Bench) -> None:
    other = dataclasses.replace(bench, home=bench.home / "other")
    other.work.mkdir(parents=True)
    make(other, "theirs", "sleep 60")
    stranger = bench.client.containers.create(bench.image, ["true"])
    try:
        assert not bench.driver().collect(lambda _: False)
        assert other.jobs() == ["theirs"]
        stranger.reload()
    finally:
        stranger.remove()
        other.clean()


def test_a_killed_process_leaves_what_is_found_here(bench: Bench) -> None:
    with bench.process(bench.order("echo ready; sleep 60", job="lost")) as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait()
    assert bench.jobs() == ["lost"]
    assert bench.driver(interrupt=0.1, terminate=0.1).collect(lambda _: False) == ("lost",)
    assert not bench.containers()
