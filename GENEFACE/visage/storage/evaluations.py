"""Finished evaluations: what was measured, and where its reports lie."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from visage.errors import NotFound
from visage.storage.database import evaluations
from visage.storage.records import filled, rows, write

REPORTS = {"json": "application/json", "html": "text/html", "csv": "text/csv"}
"""Endings of the reports, and what they are."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One clip, measured in one region."""

    id: str
    """32 hexadecimal digits."""
    job: str
    """The job that measured."""
    title: str
    """What a person reads."""
    pred: str
    """Name of the clip."""
    truth: str
    """Name of the ground truth; empty: there was none."""
    region: str
    """``full``, ``face`` or ``mouth``."""
    avatar: str
    """Id of the avatar that speaks, or empty."""
    clip: str
    """Id of the clip, or empty."""
    owner: str
    """The browser that asked, or empty."""
    figures: Mapping[str, Any]
    """Key → ``{"title", "value", "unit", "better", "error", "frames", "reason", "remedy", "note"}``."""
    facts: Mapping[str, Any]
    """How it was measured; of an avatar's: ``seen``, ``epochs``, ``engine``, ``exam_seconds`` too."""
    created: datetime
    """UTC."""


class Evaluations:
    """All finished evaluations; their reports lie in a folder each."""

    def __init__(self, engine: sa.Engine, root: Path) -> None:
        self._engine = engine
        self.root = root

    def report(self, evaluation_id: str, ending: str) -> Path:
        """The file of a report (``ending`` of `REPORTS`).  Raises `NotFound` when either is unknown."""
        file = self.root / self.get(evaluation_id).id / f"report.{ending}"
        if ending not in REPORTS or not file.is_file():
            raise NotFound("The evaluation {id} has no report {name}.", code="evaluation.no_report",
                           hint="Measure it again.", id=evaluation_id, name=f"report.{ending}")
        return file

    def add(self, made: Path, *, job: str, title: str, pred: str, truth: str, region: str, avatar: str, clip: str,
            owner: str, figures: Mapping[str, Any], facts: Mapping[str, Any]) -> Evaluation:
        """Keep an evaluation and the folder ``made`` of its reports, which is moved.

        The same job and region again takes the place of what an attempt that was killed may have left.
        """
        evaluation_id = uuid.uuid5(uuid.UUID(job), region).hex
        folder = self.root / evaluation_id
        shutil.rmtree(folder, ignore_errors=True)
        self.root.mkdir(parents=True, exist_ok=True)
        shutil.move(made, folder)
        write(self._engine, sa.delete(evaluations).where(evaluations.c.id == evaluation_id))
        write(self._engine, sa.insert(evaluations).values(
            id=evaluation_id, job=job, title=title, pred=pred, truth=truth, region=region, avatar=avatar, clip=clip,
            owner=owner, figures=dict(figures), facts=dict(facts), created=time.time()))
        return self.get(evaluation_id)

    def get(self, evaluation_id: str) -> Evaluation:
        """One evaluation; raises `NotFound`."""
        found = rows(self._engine, sa.select(evaluations).where(evaluations.c.id == evaluation_id))
        if not found:
            raise NotFound("There is no evaluation {id}.", code="evaluation.missing",
                           hint="It may have been deleted.", id=evaluation_id)
        return filled(Evaluation, found[0])

    def list(self, avatar: str | None = None, clip: str | None = None, limit: int = 50) -> Sequence[Evaluation]:
        """Evaluations, newest first."""
        query = sa.select(evaluations).order_by(evaluations.c.created.desc(), evaluations.c.id).limit(limit)
        for column, value in ((evaluations.c.avatar, avatar), (evaluations.c.clip, clip)):
            if value is not None:
                query = query.where(column == value)
        return [filled(Evaluation, row) for row in rows(self._engine, query)]

    def delete(self, evaluation_id: str) -> None:
        """Forget an evaluation and its reports; raises `NotFound`."""
        found = self.get(evaluation_id)
        write(self._engine, sa.delete(evaluations).where(evaluations.c.id == found.id))
        shutil.rmtree(self.root / found.id, ignore_errors=True)
