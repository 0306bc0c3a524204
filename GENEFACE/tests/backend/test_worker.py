"""Jobs in real processes: done, failed, cancelled, killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.worker import worker_status
from tests.backend.worker_bench import Bench, processes_of
from visage.jobs.job import Lane, State
from visage.jobs.store import ATTEMPTS


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_job_is_done_and_told(bench: Bench) -> None:
    assert not worker_status(bench.services.paths).alive
    worker = bench.start()
    job = bench.queue.wait(bench.submit("count", steps=3).id, 20)
    assert job.state is State.SUCCEEDED and job.result == {"steps": 3, "attempt": 1}
    assert job.fraction == 1 and job.facts["step"] == 2 and "step 2" in bench.log(job)
    status = worker_status(bench.services.paths)
    assert status.alive and status.pid == worker.pid
    worker.terminate()
    assert worker.wait(timeout=5) == 0 and not worker_status(bench.services.paths).alive


def test_progress_is_written_sparingly_and_never_goes_back(bench: Bench) -> None:
    bench.start()
    job = bench.queue.wait(bench.submit("talkative", lane=Lane.CPU).id, 20)
    assert job.state is State.SUCCEEDED and job.stage == "end" and job.message == "almost done"
    assert job.facts == {"step": 999, "loss": 0.5} and bench.store.version(job.id) < 60
    assert job.result and job.result["niceness"] >= 10


def test_errors_are_kept_and_faults_are_logged(bench: Bench) -> None:
    bench.start()
    jobs = {kind: bench.submit(kind) for kind in ("refuse", "fault", "broken", "unheard_of")}
    ended = {kind: bench.queue.wait(job.id, 20) for kind, job in jobs.items()}
    assert {job.state for job in ended.values()} == {State.FAILED}
    codes = {kind: (job.error or {})["code"] for kind, job in ended.items()}
    assert codes == {"refuse": "video.no_face", "fault": "job.crashed", "broken": "job.crashed",
                     "unheard_of": "job.unknown_kind"}
    assert "ValueError: an odd value" in bench.log(ended["fault"]) and "Traceback" in bench.log(ended["fault"])


def test_a_queued_job_is_cancelled_at_once(bench: Bench) -> None:
    job = bench.submit("count", steps=3)
    assert bench.queue.cancel(job.id).state is State.CANCELLED
    bench.start()
    other = bench.queue.wait(bench.submit("count", steps=1).id, 20)
    assert other.state is State.SUCCEEDED and not bench.lines(job)


@pytest.mark.parametrize("kind", ["count", "deaf", "family"])
def test_a_running_job_is_gone_two_seconds_after_cancel(bench: Bench, kind: str) -> None:
    bench.start()
    job = bench.submit(kind, steps=1000)
    bench.until(lambda: bench.lines(job) and bench.store.get(job.id).fraction > 0)
    begin = time.monotonic()
    bench.queue.cancel(job.id)
    assert bench.queue.wait(job.id, 5).state is State.CANCELLED
    bench.until(lambda: not processes_of(job), 1)
    assert time.monotonic() - begin < 2


def test_a_killed_job_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.start()
    job = bench.submit("count", steps=40)
    bench.until(lambda: len(bench.lines(job)) >= 5)
    os.kill(int(bench.lines(job)[0].split()[1]), signal.SIGKILL)
    ended = bench.queue.wait(job.id, 20)
    assert ended.state is State.SUCCEEDED and ended.attempt == 2
    assert [line.split()[0] for line in bench.lines(job)] == [str(step) for step in range(40)]


def test_three_lost_processes_are_a_failure_with_its_reason(bench: Bench) -> None:
    bench.start()
    job = bench.queue.wait(bench.submit("die").id, 30)
    assert job.state is State.FAILED and job.error and job.error["code"] == "job.worker_lost"
    assert "SIGKILL" in job.error["message"] and job.attempt == ATTEMPTS == len(bench.lines(job))


def test_slots_are_respected_and_training_never_delays_a_talk(bench: Bench) -> None:
    training = [bench.submit("count", lane=Lane.CPU, steps=10) for _ in range(2)]
    talk = bench.submit("count", steps=4)
    bench.start()
    assert bench.queue.wait(talk.id, 20).state is State.SUCCEEDED
    assert State.RUNNING in {bench.store.get(job.id).state for job in training} or \
        bench.store.get(training[0].id).state.ended
    first, second = (bench.queue.wait(job.id, 30) for job in training)
    assert first.ended and second.started and first.ended <= second.started
