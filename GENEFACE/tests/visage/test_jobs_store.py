"""The job table: states, claims, positions, estimates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from visage.errors import BadVideo, Conflict, NotFound
from visage.jobs.job import Lane, State
from visage.jobs.lock import held
from visage.jobs.rows import Pace
from visage.jobs.store import ATTEMPTS, JobStore
from visage.storage.database import open_database, upgrade
from visage.storage.paths import Paths


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    paths = Paths(tmp_path).create()
    engine = open_database(paths.database)
    upgrade(engine)
    yield JobStore(engine, paths)
    engine.dispose()


def make(store: JobStore, **given: object) -> str:
    return store.create(**{"kind": "train", "title": "t", "lane": Lane.CPU, "request": {"a": 1}, **given}).id


def test_a_job_is_stored_whole(store: JobStore) -> None:
    job = store.get(make(store, title="说话", owner="me", request={"text": "你好", "n": [1, 2.5]}))
    assert (job.title, job.owner, job.request["text"], job.request["n"]) == ("说话", "me", "你好", [1, 2.5])
    assert job.state is State.QUEUED and job.position == 0 and job.attempt == 0 and job.result is None
    assert job.created.tzinfo is not None and store.folder(job.id).is_dir()


def test_an_absent_job_is_not_found(store: JobStore) -> None:
    for ask in (store.get, store.version, store.request_cancel, store.delete):
        with pytest.raises(NotFound):
            ask("0" * 32)


def test_position_counts_the_same_lane_only(store: JobStore) -> None:
    ids = [make(store) for _ in range(3)]
    other = make(store, lane=Lane.QUICK)
    assert [store.get(i).position for i in ids] == [0, 1, 2] and store.get(other).position == 0
    store.claim(ids[0])
    assert [store.get(i).position for i in ids] == [None, 0, 1]


def test_one_of_many_claims_wins(store: JobStore) -> None:
    job_id, won = make(store), []
    threads = [threading.Thread(target=lambda: won.append(store.claim(job_id))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1 and store.get(job_id).attempt == 1


def test_every_change_raises_the_version(store: JobStore) -> None:
    job_id = make(store)
    seen = [store.version(job_id)]
    store.claim(job_id)
    seen.append(store.version(job_id))
    store.progress(job_id, stage="learn", fraction=0.5, message="half", facts={"loss": 0.1})
    seen.append(store.version(job_id))
    store.succeed(job_id, {"avatar": "x"})
    seen.append(store.version(job_id))
    assert seen == sorted(set(seen))
    job = store.get(job_id)
    assert job.state is State.SUCCEEDED and job.fraction == 1.0 and job.result == {"avatar": "x"}
    assert not store.fail(job_id, BadVideo("no")) and not store.cancelled(job_id)


def test_failure_keeps_the_error(store: JobStore) -> None:
    job_id = make(store)
    store.claim(job_id)
    store.fail(job_id, BadVideo("No face in {name}.", code="video.no_face", hint="Another.", name="a.mp4"))
    error = store.get(job_id).error
    assert error and (error["code"], error["message"], error["hint"], error["params"]) == (
        "video.no_face", "No face in a.mp4.", "Another.", {"name": "a.mp4"})


def test_cancel_of_queued_running_and_abandoned_jobs(store: JobStore) -> None:
    queued, running, abandoned = make(store), make(store), make(store)
    assert store.request_cancel(queued).state is State.CANCELLED
    store.claim(running)
    with held(store.folder(running) / "lock") as got:
        assert got
        job = store.request_cancel(running)
        assert job.state is State.RUNNING and job.cancelling and store.cancel_asked(running)
    store.claim(abandoned)
    assert store.request_cancel(abandoned).state is State.CANCELLED


def test_a_lost_job_comes_back_and_fails_in_the_end(store: JobStore) -> None:
    job_id = make(store)
    for _ in range(ATTEMPTS - 1):
        store.claim(job_id)
        assert store.lose(job_id, "killed by signal 9").state is State.QUEUED
    store.claim(job_id)
    job = store.lose(job_id, "killed by signal 9")
    assert job.state is State.FAILED and job.error and job.error["code"] == "job.worker_lost"
    assert "signal 9" in job.error["message"] and job.attempt == ATTEMPTS


def advance(store: JobStore, job_id: str, fraction: float) -> None:
    assert store.claim(job_id)
    assert store.progress(job_id, stage="learn", fraction=fraction, message="", facts={})


def test_a_job_that_comes_further_each_time_may_be_lost_often(store: JobStore) -> None:
    job_id = make(store)
    for turn in range(1, 21):
        advance(store, job_id, turn / 25)
        assert store.lose(job_id, "the worker was killed").state is State.QUEUED
    for _ in range(ATTEMPTS - 2):
        advance(store, job_id, 0.805)
        assert store.lose(job_id, "killed by signal 9").state is State.QUEUED
    advance(store, job_id, 0.809)
    assert store.lose(job_id, "killed by signal 9").state is State.FAILED, "three times at the same point"


def test_the_death_of_the_worker_is_not_counted_against_a_container(store: JobStore) -> None:
    job_id = make(store)
    for _ in range(20):
        advance(store, job_id, 0.3)
        assert store.works_in_container(job_id) and store.get(job_id).container
        assert store.lose(job_id, "the worker was killed", blame=False).state is State.QUEUED
    for _ in range(ATTEMPTS - 1):
        advance(store, job_id, 0.3)
        assert store.lose(job_id, "killed by signal 9").state is State.QUEUED
    advance(store, job_id, 0.3)
    assert store.lose(job_id, "killed by signal 9").state is State.FAILED


def test_a_requeued_job_is_not_blamed(store: JobStore) -> None:
    job_id = make(store)
    for _ in range(ATTEMPTS + 2):
        assert store.claim(job_id) and store.requeue(job_id, "The worker stopped.")
    assert store.get(job_id).state is State.QUEUED


def test_only_ended_jobs_are_deleted(store: JobStore) -> None:
    job_id = make(store)
    with pytest.raises(Conflict):
        store.delete(job_id)
    store.cancelled(job_id)
    store.delete(job_id)
    assert not store.folder(job_id).exists()
    with pytest.raises(NotFound):
        store.get(job_id)


def test_lists_are_filtered_newest_first(store: JobStore) -> None:
    first, second = make(store, owner="a"), make(store, owner="b", kind="chat")
    assert [job.id for job in store.list()] == [second, first]
    assert [job.id for job in store.list(kind="chat")] == [second]
    assert [job.id for job in store.list(owner="a", state=State.QUEUED)] == [first]
    assert len(store.list(limit=1)) == 1 and store.count(State.QUEUED) == 2


def test_pace_forgives_the_leap_to_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("visage.jobs.rows.time.monotonic", lambda: now[0])
    pace = Pace(resumed=True)
    now[0] += 1
    assert pace.step(0.6) is None
    for step in range(1, 11):
        now[0] += 1
        found = pace.step(0.6 + 0.01 * step)
    assert found == pytest.approx(0.01, rel=0.01)
