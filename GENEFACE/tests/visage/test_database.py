"""Tables are made once, whoever comes first; clips and conversations are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from visage.errors import InvalidRequest, NotFound, NotInstalled, ServiceUnreachable
from visage.jobs.job import Lane
from visage.jobs.store import JobStore
from visage.storage.database import HEAD, metadata, open_database, upgrade
from visage.storage.paths import Paths
from visage.storage.records import Clips, Conversations

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {"job": "j", "avatar": "a", "avatar_name": "Ada", "file": "x.mp4", "text": "你好", "voice": "v",
           "seconds": 1.5, "width": 512, "height": 512, "size": 3 << 30}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(tmp_path / "100% mine" / "visage.db")
    upgrade(engine)
    yield engine
    engine.dispose()


def test_upgrade_from_empty_and_again(engine: sa.Engine) -> None:
    upgrade(engine)
    names = set(sa.inspect(engine).get_table_names())
    assert {"jobs", "clips", "conversations", "turns", "evaluations", "consents", "consent_things",
            "audit", "alembic_version"} == names
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_the_steps_make_the_tables_that_the_code_knows(engine: sa.Engine) -> None:
    assert ScriptDirectory(str(ROOT / "visage" / "storage" / "migrations")).get_current_head() == HEAD
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        kinds = {change[0] for change in compare_metadata(context, metadata) if isinstance(change, tuple)}
    assert not kinds & {"add_table", "remove_table", "add_column", "remove_column"}


def test_jobs_of_an_older_installation_are_kept(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "old.db")
    config = Config()
    config.set_main_option("script_location", str(ROOT / "visage" / "storage" / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "insert into jobs (id, kind, title, lane, request, owner, state, created, changed, stage, message, facts) "
            "values ('a', 'train', 'Ada', 'gpu', '{}', '', 'queued', 1, 1, '', '', '{}')")
    upgrade(engine)
    job = JobStore(engine, Paths(tmp_path)).get("a")
    assert (job.title, job.device, job.gpu, job.container, job.position) == ("Ada", "auto", None, False, 0)
    engine.dispose()


def test_turns_of_an_older_installation_are_kept(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "old.db")
    config = Config()
    config.set_main_option("script_location", str(ROOT / "visage" / "storage" / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql("insert into conversations values ('c', 'me', 'ada', 1)")
        connection.exec_driver_sql("insert into turns values ('t', 'c', 'Why?', 'So.', 'a.mp4', '[\"n\"]', 2)")
    upgrade(engine)
    turn = Conversations(engine).turns("c")[0]
    assert (turn.question, turn.file, turn.notes) == ("Why?", "a.mp4", ("n",))
    assert (turn.captions, turn.stages, turn.asked, turn.seconds, turn.heard, turn.frame) == ((), (), 0, 0, 1, 0)
    engine.dispose()


def test_processes_that_start_together_upgrade_once(tmp_path: Path) -> None:
    code = ("import sys; from visage.storage.database import *; e = open_database(sys.argv[1]); upgrade(e); "
            "e.dispose()")
    children = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(tmp_path / "v.db")], cwd=ROOT,
                                 stderr=subprocess.PIPE) for _ in range(3)]
    for one in children:
        assert one.stderr is not None
        _, stderr = one.communicate(timeout=60)
        assert one.returncode == 0, stderr.decode()


def test_wrong_addresses_are_named() -> None:
    with pytest.raises(InvalidRequest) as found:
        open_database("nonsense://x")
    assert found.value.code == "database.address"
    with pytest.raises(NotInstalled):
        open_database("mysql://nobody@127.0.0.1/x")


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "v.db").mkdir()
    engine = open_database(tmp_path / "v.db")
    with pytest.raises(ServiceUnreachable):
        upgrade(engine)
    engine.dispose()


def test_clips(engine: sa.Engine) -> None:
    store = Clips(engine)
    first, second = store.add(**NUMBERS, owner="me"), store.add(**{**NUMBERS, "avatar": "b"})
    assert store.get(first.id) == first and first.size == 3 << 30 and first.text == "你好"
    assert [clip.id for clip in store.list()] == [second.id, first.id]
    assert [clip.id for clip in store.list(avatar="a")] == [first.id] == [c.id for c in store.list(owner="me")]
    assert store.delete(first.id) == first
    with pytest.raises(NotFound):
        store.get(first.id)


def test_conversations_and_their_turns(engine: sa.Engine) -> None:
    store = Conversations(engine)
    talk = store.add("ada", owner="me")
    for number in range(3):
        store.add_turn(talk.id, f"q{number}", f"a{number}", notes=["offline"])
    assert [turn.question for turn in store.turns(talk.id)] == ["q0", "q1", "q2"]
    assert [turn.question for turn in store.turns(talk.id, limit=2)] == ["q1", "q2"]
    assert store.turns(talk.id)[0].notes == ("offline",)
    with pytest.raises(NotFound):
        store.get(talk.id, owner="somebody else")
    store.delete(talk.id)
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from turns")).scalar() == 0
    for ask in (store.get, store.turns):
        with pytest.raises(NotFound):
            ask(talk.id)


@pytest.mark.skipif(not os.environ.get("TEST_POSTGRESQL_URL"), reason="TEST_POSTGRESQL_URL names no server")
def test_postgresql(tmp_path: Path) -> None:
    engine = open_database(os.environ["TEST_POSTGRESQL_URL"])
    upgrade(engine)
    upgrade(engine)
    store = JobStore(engine, Paths(tmp_path).create())
    job = store.create("train", "t", Lane.CPU, {"text": "你好"})
    assert store.claim(job.id) and not store.claim(job.id) and store.lose(job.id, "x").attempt == 1
    assert store.request_cancel(job.id).state.ended
    store.delete(job.id)
    engine.dispose()
