"""What of a job is safe on disk: finished stretches of the video and a list of them, so that a killed job goes on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import av

from visage.errors import DiskFull, from_os_error
from visage.swap.tracking import Work

_LIST = "manifest.json"
VERSION = 2
"""Of what is kept on disk: another version begins anew."""


@dataclass(slots=True)
class Stretch:
    """A finished part of the video."""

    file: str
    """Its name in the job's folder."""
    frames: int
    """How many."""
    start: int
    """Time stamp of its first frame, ticks."""
    worked: int
    """Frames in which a face was worked on."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Number of a frame that failed to why."""
    restored: int = 0
    """Frames in which every face worked on was restored."""
    unrestored: dict[str, str] = field(default_factory=dict)
    """Number of a frame whose swapped face could not be restored to why."""


class JobFolder:
    """The folder of one job: found again by the same job after a kill, never shared by two at a time."""

    def __init__(self, key: str, root: Path | None = None):
        """``key`` says what the job is: target, identity and options.  Raises `DiskFull`."""
        root = Path(root or tempfile.gettempdir())
        self.path = root / f"visage-swap-{key[:20]}"
        self._key = key
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock: TextIO = (self.path / "lock").open("w")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # the same job runs already: this one works for itself
                self._lock.close()
                self.path = root / f"visage-swap-{key[:20]}-{uuid.uuid4().hex[:8]}"
                self.path.mkdir()
                self._lock = (self.path / "lock").open("w")
        except OSError as exc:
            raise from_os_error(exc) from exc
        self.stretches = self._kept()

    @property
    def frames(self) -> int:
        """Frames that are finished."""
        return sum(stretch.frames for stretch in self.stretches)

    def next_part(self) -> Path:
        """Where the next stretch is written."""
        return self.path / f"{len(self.stretches):05}.part"

    def keep(self, part: Path, works: Sequence[Work]) -> None:
        """Note that the stretch of these frames is finished.  Raises `DiskFull`."""
        final = part.with_suffix(".mp4")
        part.replace(final)
        skipped, unrestored = ({str(work.number): why for work in works if (why := getattr(work, name))}
                               for name in ("failed", "unrestored"))
        self.stretches.append(Stretch(final.name, len(works), works[0].ticks, sum(work.worked for work in works),
                                      skipped, sum(work.restored for work in works), unrestored))
        self._write()

    def close(self, *, done: bool) -> None:
        """Let go of the folder; when the job is done nothing of it stays."""
        self._lock.close()
        if done:
            shutil.rmtree(self.path, ignore_errors=True)

    def _write(self) -> None:
        told = {"version": VERSION, "key": self._key, "stretches": [asdict(each) for each in self.stretches]}
        new = self.path / f"{_LIST}.new"
        try:
            new.write_text(json.dumps(told, indent=1), encoding="utf-8")
            new.replace(self.path / _LIST)
        except OSError as exc:
            error = from_os_error(exc)
            raise (error if isinstance(error, DiskFull) else exc) from exc

    def _kept(self) -> list[Stretch]:
        try:
            told = json.loads((self.path / _LIST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        if told.get("version") != VERSION or told.get("key") != self._key:
            return []
        kept = []
        for each in told["stretches"]:
            stretch = Stretch(**each)
            if _frames(self.path / stretch.file) != stretch.frames:
                break
            kept.append(stretch)
        return kept


def key_of(target: Path, *facts: Any) -> str:
    """The name of a job: SHA-256 over the target's path, size and time and everything else that changes the result."""
    state = target.stat()
    told = json.dumps([str(target.resolve()), state.st_size, state.st_mtime_ns, *facts], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def _frames(path: Path) -> int:
    """Packets of picture in a file; -1 when it cannot be read to its end."""
    try:
        with av.open(str(path)) as container:
            return sum(packet.size > 0 for packet in container.demux(container.streams.video[0]))
    except (av.FFmpegError, OSError, IndexError):
        return -1
