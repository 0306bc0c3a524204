"""From a row of the job table to a `Job`, with what is worked out when it is read."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

from visage.jobs.job import Job, Lane, State
from visage.storage.database import jobs, moment

_SETTLING_SECONDS = 2.0
"""Before that an estimate would jump about."""


def as_job(row: sa.Row[Any], position: int | None) -> Job:
    """The job of a row; ``position`` counts the jobs ahead of it when it is queued."""
    state = State(row.state)
    return Job(
        id=row.id, kind=row.kind, title=row.title, lane=Lane(row.lane), request=row.request or {}, owner=row.owner,
        state=state, created=moment(row.created) or moment(0.0), started=moment(row.started),  # type: ignore[arg-type]
        ended=moment(row.ended), stage=row.stage, fraction=row.fraction, message=row.message, facts=row.facts or {},
        attempt=row.attempt, position=position if state is State.QUEUED else None,
        eta=time_left(row) if state is State.RUNNING else None, cancelling=bool(row.cancelling),
        result=row.result, error=row.error, retry_of=row.retry_of,
        device=row.device, gpu=row.gpu, container=bool(row.container),
    )


def time_left(row: sa.Row[Any]) -> float | None:
    """Seconds until a running job is done, or None while nobody can know."""
    now = time.time()
    if not row.pace or row.started is None or now - row.started < _SETTLING_SECONDS:
        return None
    return round(max(0.0, (1.0 - row.fraction) / row.pace - (now - row.changed)), 1)


def ahead() -> sa.ScalarSelect[int]:
    """Column: how many queued jobs of the same lane, for the same GPU or for any, were created before this one."""
    earlier = jobs.alias()
    before = sa.or_(earlier.c.created < jobs.c.created,
                    sa.and_(earlier.c.created == jobs.c.created, earlier.c.id < jobs.c.id))
    apart = sa.and_(jobs.c.lane == Lane.GPU.value, jobs.c.device.like("GPU%"), earlier.c.device.like("GPU%"),
                    jobs.c.device != earlier.c.device)
    return (sa.select(sa.func.count()).select_from(earlier)
            .where(earlier.c.state == State.QUEUED.value, earlier.c.lane == jobs.c.lane, before, sa.not_(apart))
            .correlate(jobs).scalar_subquery())


class Pace:
    """Share of a job done per second, smoothed, of one attempt.

    A resumed attempt leaps to where its checkpoint was: that leap took no work and is not counted.
    """

    MEMORY = 30.0
    """Seconds after which what was seen counts for a third."""
    LEAP = 0.03
    """Smallest first step of a resumed attempt that is taken for a leap."""

    def __init__(self, resumed: bool) -> None:
        self._start = self._last = time.monotonic()
        self._fraction = self._origin = 0.0
        self._may_leap = resumed
        self._recent: float | None = None

    def step(self, fraction: float) -> float | None:
        """The pace (1/s) after a report of ``fraction``; None when nothing has moved yet."""
        now = time.monotonic()
        gain, passed = fraction - self._fraction, now - self._last
        if gain <= 0 or passed <= 0:
            return self._recent
        self._fraction, self._last = fraction, now
        if self._may_leap and gain >= self.LEAP:
            self._may_leap, self._origin, self._start = False, fraction, now
            return self._recent
        overall = (fraction - self._origin) / (now - self._start)
        weight = min(1.0, passed / self.MEMORY)
        self._recent = overall if self._recent is None else (1 - weight) * self._recent + weight * gain / passed
        young = max(0.0, 1.0 - (now - self._start) / self.MEMORY)
        return young * overall + (1.0 - young) * self._recent
