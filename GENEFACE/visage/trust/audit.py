"""The log of what was agreed to and made: rows are added, never changed, and each vouches for the one before it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from visage.storage.database import audit, moment, translated, turn
from visage.storage.records import rows

EVENTS = ("consent.given", "consent.proved", "consent.revoked", "consent.erased", "voice.cloned", "face.swapped",
          "face.restored", "export", "unlabelled.agreed", "unlabelled.ended")
"""What is written down.  No entry holds a picture or a sound: files are named by their digests."""
_AGREED, _ENDED = "unlabelled.agreed", "unlabelled.ended"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event."""

    number: int
    """Counts up without gaps."""
    at: datetime
    """UTC."""
    event: str
    """One of `EVENTS`."""
    subject: str
    """Id of the consent, voice or export it is about."""
    owner: str
    """The browser that caused it, or empty."""
    facts: Mapping[str, Any]
    """What else is to be remembered."""
    digest: str
    """SHA-256 of this entry and the digest of the one before it, hexadecimal."""

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON-ready data."""
        return {"number": self.number, "at": self.at.isoformat(), "event": self.event, "subject": self.subject,
                "owner": self.owner, "facts": dict(self.facts), "digest": self.digest}


class Audit:
    """The log; safe to use from many processes."""

    def __init__(self, engine: sa.Engine, days: float = 200.0) -> None:
        self._engine, self._days = engine, days

    def note(self, event: str, subject: str, owner: str = "", **facts: Any) -> Entry:
        """Write an event down."""
        if event not in EVENTS:
            raise ValueError(f"{event} is no event of the log")
        with translated(), turn(self._engine) as connection:
            last = connection.execute(sa.select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc())
                                      .limit(1)).first()
            number, before = (last.number + 1, last.digest) if last else (1, "")
            row = {"number": number, "at": time.time(), "event": event, "subject": subject, "owner": owner,
                   "facts": facts}
            row["digest"] = _digest(before, row)
            connection.execute(sa.insert(audit).values(**row))
        return _entry(row)

    def entries(self, *, owner: str | None = None, subject: str | None = None, event: str | None = None,
                after: int = 0, limit: int = 1000) -> list[Entry]:
        """Entries behind number ``after``, oldest first."""
        query = sa.select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(limit)
        for column, value in ((audit.c.owner, owner), (audit.c.subject, subject), (audit.c.event, event)):
            if value is not None:
                query = query.where(column == value)
        return [_entry(row._mapping) for row in rows(self._engine, query)]

    def lines(self, owner: str | None = None) -> Iterator[str]:
        """The whole log as JSON lines, each with its end."""
        after = 0
        while found := self.entries(owner=owner, after=after):
            yield from (json.dumps(entry.as_dict(), ensure_ascii=False) + "\n" for entry in found)
            after = found[-1].number

    def broken_at(self) -> int:
        """Number of the first entry that was changed, or before which one is missing; 0: the log is whole."""
        after, before = 0, None
        while found := rows(self._engine, sa.select(audit).where(audit.c.number > after).order_by(audit.c.number)
                            .limit(1000)):
            for row in found:
                told = dict(row._mapping)
                # entries before the oldest one kept are gone, so nothing can be said of what it vouches for
                if before is not None and (told["number"] != after + 1 or told["digest"] != _digest(before, told)):
                    return int(told["number"])
                after, before = int(told["number"]), str(told["digest"])
        return 0

    def agreement(self) -> Entry | None:
        """The agreement on unlabelled copies that is in force: the last one, unless it was ended or is too old."""
        query = sa.select(audit).where(audit.c.event.in_([_AGREED, _ENDED])).order_by(audit.c.number.desc()).limit(1)
        found = rows(self._engine, query)
        entry = _entry(found[0]._mapping) if found else None
        old = entry is not None and entry.at.timestamp() < time.time() - self._days * 86_400
        return entry if entry and entry.event == _AGREED and not old else None

    def sweep(self) -> int:
        """Remove entries older than the log is kept; returns how many.  The newest one always stays."""
        newest = sa.select(sa.func.max(audit.c.number)).scalar_subquery()
        limit = time.time() - self._days * 86_400
        with translated(), turn(self._engine) as connection:
            old = sa.delete(audit).where(audit.c.at < limit, audit.c.number < newest)
            return int(connection.execute(old).rowcount)


def _digest(before: str, row: Mapping[str, Any]) -> str:
    told = json.dumps([before, row["number"], round(float(row["at"]), 6), row["event"], row["subject"], row["owner"],
                       row["facts"]], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def _entry(row: Mapping[str, Any]) -> Entry:
    told = dict(row)
    at = moment(told["at"])
    assert at is not None
    return Entry(**{**told, "at": at})
