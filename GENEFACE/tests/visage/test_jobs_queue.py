"""Delivery: in order, again when lost, never needed twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from visage.config import Settings
from visage.errors import Conflict, NotInstalled
from visage.jobs import queue as queue_module
from visage.jobs.job import Lane, State
from visage.jobs.queue import JobQueue
from visage.jobs.store import JobStore
from visage.storage.database import open_database, upgrade
from visage.storage.paths import Paths


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    paths = Paths(tmp_path).create()
    engine = open_database(paths.database)
    upgrade(engine)
    made = JobQueue(Settings(home=tmp_path), JobStore(engine, paths), paths)
    yield made
    made.close()
    engine.dispose()


def delivered(queue: JobQueue, lane: Lane) -> list[str]:
    return [task.args[0] for task in queue.task(lane).huey.pending()]


def test_messages_wait_in_the_order_of_the_positions(queue: JobQueue) -> None:
    ids = [queue.submit("train", "t", Lane.CPU, {}).id for _ in range(3)]
    quick = queue.submit("chat", "t", Lane.QUICK, {}).id
    assert delivered(queue, Lane.CPU) == ids and delivered(queue, Lane.QUICK) == [quick]


def test_lost_messages_are_sent_again_in_their_old_order(queue: JobQueue) -> None:
    ids = [queue.submit("train", "t", Lane.CPU, {}).id for _ in range(3)]
    assert queue.reconcile(patience=0) == 0
    assert queue.task(Lane.CPU).huey.dequeue().args[0] == ids[0]
    assert queue.reconcile({ids[0]}, patience=0) == 0
    assert queue.reconcile(patience=0) == 1 and delivered(queue, Lane.CPU) == ids


def test_retry_makes_a_new_job_with_the_same_request(queue: JobQueue) -> None:
    first = queue.submit("train", "t", Lane.CPU, {"x": 1}, owner="me")
    with pytest.raises(Conflict):
        queue.retry(first.id)
    assert queue.cancel(first.id).state is State.CANCELLED
    again = queue.retry(first.id)
    assert again.id != first.id and again.retry_of == first.id
    assert (again.request, again.owner, again.state) == ({"x": 1}, "me", State.QUEUED)


def test_wait_returns_at_the_end_or_at_the_timeout(queue: JobQueue) -> None:
    job = queue.submit("train", "t", Lane.CPU, {})
    begin = time.monotonic()
    assert queue.wait(job.id, timeout=0.2).state is State.QUEUED and time.monotonic() - begin < 1
    timer = threading.Timer(0.2, queue.cancel, [job.id])
    timer.start()
    assert queue.wait(job.id, timeout=5).state is State.CANCELLED
    timer.join()


def test_the_gpu_lane_needs_a_gpu(queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "offered", lambda _: ())
    with pytest.raises(NotInstalled) as found:
        queue.submit("train", "t", Lane.GPU, {})
    assert found.value.code == "job.no_gpu"


def test_many_threads_hand_in_jobs_at_once(queue: JobQueue) -> None:
    failures: list[BaseException] = []

    def hand_in() -> None:
        try:
            for _ in range(8):
                queue.submit("generate", "t", Lane.QUICK, {})
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=hand_in) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(delivered(queue, Lane.QUICK)) == 64
