"""Jobs that share two GPUs in real processes: each gets its own, nobody blocks the others, kills change nothing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.worker_bench import Bench, processes_of
from visage.errors import InvalidRequest
from visage.jobs.job import Job, Lane, State


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, gpus=2)
    yield made
    made.close()


def ask(bench: Bench, device: str, mark: str) -> Job:
    """A job that holds a GPU until `let_go` of its mark."""
    return bench.submit("hold", lane=Lane.GPU, device=device, until=str(bench.home / mark))


def let_go(bench: Bench, mark: str) -> None:
    (bench.home / mark).touch()


def state(bench: Bench, job: Job) -> State:
    return bench.store.get(job.id).state


def test_a_job_for_a_busy_gpu_waits_while_others_go_on(bench: Bench) -> None:
    first, second = ask(bench, "GPU0", "a"), ask(bench, "GPU0", "b")
    other = ask(bench, "GPU1", "c")
    assert [bench.store.get(job.id).position for job in (first, second, other)] == [0, 1, 0]
    bench.start()
    bench.until(lambda: bench.lines(first) and bench.lines(other))
    assert state(bench, second) is State.QUEUED and bench.store.get(second.id).position == 0
    assert (bench.store.get(first.id).gpu, bench.store.get(other.id).gpu) == (0, 1)
    before = os.times().children_user
    time.sleep(2.5)
    assert os.times().children_user - before < 1 and bench.store.get(second.id).attempt == 0, "it was tried in vain"
    let_go(bench, "a")
    bench.until(lambda: bench.lines(second), 6)
    for mark in "bc":
        let_go(bench, mark)
    assert [bench.queue.wait(job.id, 20).result for job in (first, second, other)] == [
        {"gpu": 0}, {"gpu": 0}, {"gpu": 1}]


def test_auto_takes_what_is_free_and_the_older_goes_first(bench: Bench) -> None:
    jobs = [ask(bench, "auto", "a") for _ in range(2)] + [ask(bench, "auto", "b") for _ in range(2)]
    assert [bench.store.get(job.id).position for job in jobs] == [0, 1, 2, 3]
    bench.start()
    bench.until(lambda: bench.lines(jobs[0]) and bench.lines(jobs[1]))
    assert {bench.store.get(job.id).gpu for job in jobs[:2]} == {0, 1}
    assert [state(bench, job) for job in jobs[2:]] == [State.QUEUED, State.QUEUED]
    let_go(bench, "a")
    bench.until(lambda: bench.lines(jobs[2]) and bench.lines(jobs[3]), 10)
    let_go(bench, "b")
    assert {bench.queue.wait(job.id, 20).state for job in jobs} == {State.SUCCEEDED}


def test_after_kill_9_of_the_worker_each_job_has_its_gpu_again(bench: Bench) -> None:
    worker = bench.start()
    held, other = ask(bench, "auto", "a"), ask(bench, "auto", "a")
    waiting = ask(bench, "auto", "a")
    bench.until(lambda: bench.lines(held) and bench.lines(other))
    given = {job.id: bench.store.get(job.id).gpu for job in (held, other)}
    for turn in range(1, 5):
        worker.kill()
        bench.until(lambda: not processes_of(held) and not processes_of(other), 3)
        worker = bench.start()
        bench.until(lambda seen=turn: len(bench.lines(held)) > seen and len(bench.lines(other)) > seen)
    assert {line.split()[0] for line in bench.lines(held)} == {str(given[held.id])}
    assert {line.split()[0] for line in bench.lines(other)} == {str(given[other.id])}
    assert state(bench, waiting) is State.QUEUED and not bench.lines(waiting)
    let_go(bench, "a")
    assert {bench.queue.wait(job.id, 20).state for job in (held, other, waiting)} == {State.SUCCEEDED}


def test_a_killed_process_has_its_gpu_again_and_a_cancelled_one_frees_it(bench: Bench) -> None:
    bench.start()
    held, waiting = ask(bench, "GPU1", "a"), ask(bench, "GPU1", "b")
    pid = int(bench.until(lambda: bench.lines(held))[0].split()[1])
    os.kill(pid, signal.SIGKILL)
    bench.until(lambda: len(bench.lines(held)) == 2)
    assert not bench.lines(waiting)
    bench.queue.cancel(held.id)
    bench.until(lambda: bench.lines(waiting), 8)
    let_go(bench, "b")
    assert bench.queue.wait(waiting.id, 20).result == {"gpu": 1}


def test_a_stopped_worker_gives_the_gpus_back(bench: Bench) -> None:
    worker = bench.start()
    job = ask(bench, "GPU0", "a")
    bench.until(lambda: bench.lines(job))
    worker.terminate()
    assert worker.wait(timeout=8) == 0
    now = bench.store.get(job.id)
    assert (now.state, now.gpu, now.container) == (State.QUEUED, None, False)


def test_a_gpu_that_is_not_there_is_refused_and_one_that_went_away_is_told(bench: Bench) -> None:
    with pytest.raises(InvalidRequest) as found:
        ask(bench, "GPU2", "a")
    assert found.value.code == "job.no_such_gpu" and "auto, GPU0, GPU1" in found.value.hint
    job = ask(bench, "GPU1", "a")
    bench.environment["VISAGE_GPU_SLOTS"] = "1"
    bench.start()
    ended = bench.queue.wait(job.id, 20)
    assert ended.state is State.FAILED and ended.error and ended.error["code"] == "job.gpu_gone"


@pytest.mark.parametrize(("container", "told"), [(True, "begun\ntidied up\n"), (False, "begun\n")])
def test_who_has_a_container_to_stop_gets_the_time_for_it(bench: Bench, container: bool, told: str) -> None:
    bench.start()
    job = bench.submit("slow_stop", container=container)
    bench.until(lambda: bench.lines(job) and bench.store.get(job.id).fraction > 0)
    bench.queue.cancel(job.id)
    assert bench.queue.wait(job.id, 8).state is State.CANCELLED
    assert Path(job.request["trace"]).read_text() == told
