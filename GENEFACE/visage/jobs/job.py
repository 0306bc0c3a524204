"""A job: a verb in progress, and the states it can be in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class State(str, Enum):
    """queued → running → succeeded | failed | cancelled; a killed running job goes back to queued."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


class Lane(str, Enum):
    """Where a job waits: each lane has its own slots, so that a talk never waits for a training."""

    CPU = "cpu"
    QUICK = "quick"
    GPU = "gpu"


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the job table, as it was when read."""

    id: str
    """32 hexadecimal digits."""
    kind: str
    """The verb: ``train``, ``photo``, ``generate``, ``chat``, ``evaluate``, ``film``, ``swap``."""
    title: str
    """What a person reads."""
    lane: Lane
    """Where it waits."""
    request: Mapping[str, Any]
    """What was asked for, JSON-ready."""
    owner: str
    """The browser (or ``""`` for older clients) that asked."""
    state: State
    """Where it stands."""
    created: datetime
    """UTC."""
    started: datetime | None = None
    """UTC, of the present attempt."""
    ended: datetime | None = None
    """UTC."""
    stage: str = ""
    """As in `types.Progress`."""
    fraction: float = 0.0
    """0 to 1."""
    message: str = ""
    """Last progress message."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Newest facts of all progress, merged."""
    attempt: int = 0
    """How many times it was started."""
    position: int | None = None
    """Jobs ahead of it in its lane (on the GPU lane: of those that may take its GPU); None unless queued."""
    eta: float | None = None
    """Seconds left, estimated; None when unknown."""
    cancelling: bool = False
    """Whether somebody asked to stop it."""
    result: Mapping[str, Any] | None = None
    """What a succeeded job made."""
    error: Mapping[str, Any] | None = None
    """`VisageError.as_dict` of a failed job."""
    retry_of: str = ""
    """Id of the job that this one repeats, or empty; a verb may go on from its checkpoints."""
    device: str = "auto"
    """What was asked for: ``auto``, ``CPU``, ``GPU0`` …"""
    gpu: int | None = None
    """Index of the GPU it holds, or held when it ended; None: none (yet)."""
    container: bool = False
    """Whether a container works for it, or did when it ended."""
