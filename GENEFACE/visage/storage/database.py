"""The database: SQLite under ``home`` unless a URL says otherwise, and its tables.

Times are seconds since 1970, UTC.  Several processes write at once: each write
is one statement or begins with its write, so that SQLite waits for its turn
instead of giving up.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc as sa_exc

from visage.errors import DiskFull, InvalidRequest, NotInstalled, ServiceUnreachable, VisageError, from_os_error

HEAD = "0005"
"""Newest step in ``migrations/versions``."""
_BUSY_SECONDS = 20
_ADVISORY_LOCK = 7_436_501
"""Any number, the same for all processes that use one PostgreSQL database; the next one is `turn`'s."""

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs", metadata,
    *(sa.Column(name, sa.String, primary_key=name == "id") for name in (
        "id", "kind", "title", "lane", "owner", "retry_of", "state", "stage", "message", "device")),
    *(sa.Column(name, sa.Float) for name in ("created", "started", "ended", "changed", "fraction", "pace", "reached")),
    *(sa.Column(name, sa.Integer) for name in ("version", "attempt", "lost", "gpu")),
    *(sa.Column(name, sa.JSON(none_as_null=True)) for name in ("request", "facts", "result", "error")),
    *(sa.Column(name, sa.Boolean) for name in ("cancelling", "container")),
)
"""One row a job; see `visage.jobs.job.Job`.

``lost`` counts attempts whose process was killed since the fraction ``reached`` by an earlier one; ``container`` is set
while a container works for the job.
"""

clips = sa.Table(
    "clips", metadata,
    *(sa.Column(name, sa.String, primary_key=name == "id") for name in (
        "id", "job", "avatar", "avatar_name", "file", "text", "voice", "owner")),
    *(sa.Column(name, sa.Float) for name in ("seconds", "created")),
    *(sa.Column(name, sa.Integer) for name in ("width", "height", "size")),
)
"""One row a finished video; see `visage.storage.records.Clip`."""

conversations = sa.Table(
    "conversations", metadata,
    sa.Column("id", sa.String, primary_key=True), sa.Column("owner", sa.String), sa.Column("avatar", sa.String),
    sa.Column("created", sa.Float),
)
"""One row a conversation."""

turns = sa.Table(
    "turns", metadata,
    sa.Column("id", sa.String, primary_key=True), sa.Column("conversation", sa.String),
    sa.Column("question", sa.String), sa.Column("answer", sa.String), sa.Column("file", sa.String),
    *(sa.Column(name, sa.JSON) for name in ("notes", "captions", "stages")),
    *(sa.Column(name, sa.Float) for name in ("created", "asked", "seconds", "heard")),
    sa.Column("frame", sa.Integer),
)
"""One row an exchange of a conversation; see `visage.storage.records.Turn`."""

evaluations = sa.Table(
    "evaluations", metadata,
    *(sa.Column(name, sa.String, primary_key=name == "id") for name in (
        "id", "job", "title", "pred", "truth", "region", "avatar", "clip", "owner")),
    *(sa.Column(name, sa.JSON) for name in ("figures", "facts")),
    sa.Column("created", sa.Float),
)
"""One row a finished evaluation; see `visage.storage.evaluations.Evaluation`."""

consents = sa.Table(
    "consents", metadata,
    *(sa.Column(name, sa.String, primary_key=name == "id") for name in (
        "id", "person", "giver", "scope", "statement", "language", "recording", "proof_name", "proof_kind",
        "proof_sha256", "owner")),
    *(sa.Column(name, sa.JSON) for name in ("uses", "photos")), sa.Column("proof_size", sa.Integer),
    *(sa.Column(name, sa.Float) for name in ("created", "expires", "revoked")),
)
"""One row a consent; see `visage.trust.consents.Consent`."""

consent_things = sa.Table(
    "consent_things", metadata,
    *(sa.Column(name, sa.String, primary_key=name == "id") for name in ("id", "consent", "kind", "path")),
    sa.Column("created", sa.Float),
)
"""One row a file or folder that was made under a consent and goes with it."""

audit = sa.Table(
    "audit", metadata,
    sa.Column("number", sa.Integer, primary_key=True), sa.Column("at", sa.Float),
    *(sa.Column(name, sa.String) for name in ("event", "subject", "owner", "digest")), sa.Column("facts", sa.JSON),
)
"""One row an event; see `visage.trust.audit.Entry`.  Rows are added and never changed."""


def open_database(where: str | Path) -> sa.Engine:
    """The engine for a SQLAlchemy URL, or for a SQLite file when given a path.

    Nothing is created but the file's folder; call `upgrade` before use.  Raises
    `InvalidRequest` for a wrong URL and `NotInstalled` for a missing driver.
    """
    try:
        url = sa.engine.make_url(where) if isinstance(where, str) and "://" in where else \
            sa.URL.create("sqlite", database=str(Path(where).absolute()))
        if url.get_backend_name() != "sqlite":
            return sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=90)
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=10, max_overflow=90)
    except (sa_exc.ArgumentError, ValueError) as exc:
        raise InvalidRequest("The database address cannot be read: {reason}.", code="database.address",
                             hint="Set VISAGE_DATABASE_URL to a form like postgresql+psycopg://user@host/name.",
                             reason=str(exc)) from exc
    except ImportError as exc:
        raise NotInstalled("The driver for this database is missing: {name}.", code="database.driver",
                           hint="pip install {name}", name=exc.name or str(exc)) from exc
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection, _record) -> None:  # type: ignore[no-untyped-def]
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables to the newest form; safe when several processes start at once."""
    if _version(engine) == HEAD:
        return
    # costs more to import than a job's process needs for the rest of its start
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with translated(), _alone(engine), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(engine: sa.Engine) -> str | None:
    """The last step that was taken; None for an empty database or one that cannot be read."""
    try:
        with engine.connect() as connection:
            return connection.scalar(sa.text("select version_num from alembic_version"))
    except (sa_exc.OperationalError, sa_exc.ProgrammingError):
        return None


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[None]:
    """Only one process at a time passes."""
    name = engine.url.database
    if engine.dialect.name == "sqlite" and name and name != ":memory:":
        with Path(name + ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    elif engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_ADVISORY_LOCK)))
            try:
                yield
            finally:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_ADVISORY_LOCK)))
    else:
        yield


@contextmanager
def turn(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction on the job table that waits until no other of its kind is open, in any process."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK + 1)))
        else:  # SQLite lets only one transaction at a time come past a write, even one that changes nothing
            connection.execute(sa.update(jobs).where(jobs.c.id == "").values(version=0))
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Database errors leave this block as errors of our tree."""
    try:
        yield
    except sa_exc.OperationalError as exc:
        reason = str(exc.orig)
        if "disk is full" in reason or "No space left" in reason:
            raise DiskFull("The disk is full: the database could not be written.", code="disk.full",
                           hint="Free some space, then try again.") from exc
        if "locked" in reason:
            raise VisageError("The database was busy for {seconds} s.", code="database.busy",
                              hint="Try again; if it stays so, restart.", seconds=_BUSY_SECONDS) from exc
        raise ServiceUnreachable("The database does not answer: {reason}.", code="database.unreachable",
                                 hint="Check VISAGE_DATABASE_URL and that the file or server is there.",
                                 reason=reason.strip()) from exc
    except OSError as exc:
        raise from_os_error(exc) from exc


def moment(seconds: float | None) -> datetime | None:
    """The UTC time of a stored number of seconds."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
