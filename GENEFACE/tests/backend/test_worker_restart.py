"""Workers that are killed, stopped, or one too many: every job is done once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.worker import worker_status
from tests.backend.worker_bench import Bench, processes_of
from visage.jobs.job import Job, State
from visage.jobs.lock import is_held


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def counted(bench: Bench, job: Job) -> list[int]:
    """The steps that were really done, in order."""
    return [int(line.split()[0]) for line in bench.lines(job)]


def test_after_kill_9_of_the_worker_a_job_goes_on_exactly_once(bench: Bench) -> None:
    worker = bench.start()
    job = bench.submit("count", steps=30)
    waiting = [bench.submit("count", steps=2) for _ in range(3)]
    bench.until(lambda: len(bench.lines(job)) >= 5)
    worker.kill()
    bench.until(lambda: not processes_of(job), 2)
    bench.until(lambda: not worker_status(bench.services.paths).alive, 2)
    assert bench.store.get(job.id).state is State.RUNNING
    done = len(bench.lines(job))
    time.sleep(0.3)
    assert len(bench.lines(job)) == done
    bench.start()
    ended = bench.queue.wait(job.id, 20)
    assert ended.state is State.SUCCEEDED and ended.attempt == 2 and counted(bench, job) == list(range(30))
    for other in waiting:
        assert bench.queue.wait(other.id, 20).state is State.SUCCEEDED and counted(bench, other) == [0, 1]


def test_what_a_job_had_started_is_killed_before_it_starts_again(bench: Bench) -> None:
    worker = bench.start()
    job = bench.submit("family")
    old = [int(word) for word in bench.until(lambda: bench.lines(job))[0].split()]
    worker.kill()
    bench.start()
    bench.until(lambda: bench.store.get(job.id).attempt == 2)
    assert not set(old) & set(processes_of(job))
    bench.queue.cancel(job.id)
    assert bench.queue.wait(job.id, 5).state is State.CANCELLED


def test_a_stopped_worker_puts_its_jobs_back_without_blame(bench: Bench) -> None:
    job = bench.submit("count", steps=60, pause=0.03)
    for number in range(4):
        worker = bench.start()
        bench.until(lambda seen=number: len(bench.lines(job)) > 5 * (seen + 1))
        worker.send_signal(signal.SIGINT if number % 2 else signal.SIGTERM)
        assert worker.wait(timeout=6) == 0
        now = bench.store.get(job.id)
        assert now.state is State.QUEUED and now.position == 0 and not processes_of(job)
    bench.start()
    assert bench.queue.wait(job.id, 20).state is State.SUCCEEDED and counted(bench, job) == list(range(60))


def test_a_job_is_cancelled_though_its_worker_is_dead(bench: Bench) -> None:
    worker = bench.start()
    job = bench.submit("count", steps=1000)
    bench.until(lambda: bench.lines(job))
    worker.kill()
    # a dying process has lost its environment, by which it is found, before the kernel frees its lock
    bench.until(lambda: not is_held(bench.store.folder(job.id) / "lock"), 2)
    assert bench.queue.cancel(job.id).state is State.CANCELLED and not processes_of(job)


def test_two_workers_at_once_never_do_a_job_twice(bench: Bench) -> None:
    jobs = [bench.submit("count", steps=2) for _ in range(6)]
    first, second = bench.start(), bench.start()
    for job in jobs:
        assert bench.queue.wait(job.id, 30).state is State.SUCCEEDED and counted(bench, job) == [0, 1]
        assert bench.store.get(job.id).attempt == 1
    active = worker_status(bench.services.paths).pid
    assert active in (first.pid, second.pid)
    os.kill(active, signal.SIGKILL)
    job = bench.submit("count", steps=1)
    assert bench.queue.wait(job.id, 20).state is State.SUCCEEDED
    assert worker_status(bench.services.paths).pid != active


def test_two_processes_of_one_job_are_one_too_many(bench: Bench) -> None:
    job = bench.submit("count", steps=5)
    codes = sorted(child.wait(timeout=20) for child in [bench.start("--job", job.id) for _ in range(3)])
    assert codes == [0, 4, 4] and counted(bench, job) == list(range(5))


def test_messages_lost_with_the_queue_are_sent_again(bench: Bench) -> None:
    job = bench.submit("count", steps=1)
    bench.queue.close()
    for file in bench.home.glob("var/queue.db*"):
        file.unlink()
    bench.start()
    assert bench.queue.wait(job.id, 20).state is State.SUCCEEDED
