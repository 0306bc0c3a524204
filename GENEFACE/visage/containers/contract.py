"""The seam of containers: programs that live in an image of their own, run for a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from visage.types import Requirement


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of this machine as a container sees it."""

    source: Path
    """Absolute folder on this machine; made when missing."""
    target: str
    """Absolute folder in the container."""
    writable: bool = True
    """Whether the container may write there."""


@dataclass(frozen=True, slots=True)
class Order:
    """One run of one container."""

    job: str
    """Id of the job it works for; a container is found again by this and ``step``."""
    step: str
    """What it does for that job, e.g. ``"train"``; one job never runs the same step twice at once."""
    image: str
    """Image to run; looked up first, never pulled."""
    argv: tuple[str, ...]
    """Command and arguments, replacing the image's own."""
    mounts: tuple[Mount, ...]
    """What it sees of this machine; the first one's owner is the user it runs as."""
    workdir: str
    """Folder it starts in."""
    gpu: int | None = None
    """Index of the one GPU it gets; None: none."""
    memory: int = 0
    """Bytes it may use; 0: no limit of its own."""
    pids: int = 4096
    """Processes and threads it may have."""
    network: bool = False
    """Whether it may use the network."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to the image's own."""
    remedy: str = ""
    """The command that makes the image, for the error when it is missing."""


class Containers(Protocol):
    """Runs programs in containers, so that they outlive the process that started them."""

    def needs(self, image: str, remedy: str, gpu: bool) -> tuple[Requirement, ...]:
        """What it takes to run ``image`` here: the engine, the image (``remedy`` makes it) and, if asked, a GPU.

        Answers within a few seconds and never raises.
        """

    def run(self, order: Order, line: Callable[[str], None]) -> None:
        """Run a container to its end, handing over each line that it prints as soon as it is there.

        A container that an earlier, killed process started for the same job and step is taken up again: its lines are
        told from the first one.  When ``line`` raises, or `Cancelled` arrives by a signal, the container gets SIGINT,
        then SIGTERM, then SIGKILL, and is gone before the exception goes on.

        Raises `NotInstalled` (engine, image or GPU), `DiskFull`, or `ContainerFailed` with the exit code.
        """

    def collect(self, keep: Callable[[str], bool]) -> Sequence[str]:
        """Remove our containers whose job (by id) need not be kept, stopping those that still run; returns job ids."""
