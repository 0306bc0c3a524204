"""The seam of engines: a driver learns a face from a recording and makes it speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from visage.types import Phone, Report, Requirement


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is and whether it can work here."""

    name: str
    """The name that forms send, e.g. ``"GeneFace"``."""
    title: str
    """What a person reads."""
    summary: str
    """One English sentence."""
    devices: tuple[str, ...]
    """Device choices it accepts here, e.g. ``("CPU",)``."""
    needs: tuple[Requirement, ...]
    """What it needs; usable when every one is ok."""
    needs_to_render: tuple[Requirement, ...] | None = None
    """What it needs to make a face speak, where that differs from ``needs``."""
    photo: bool = False
    """Whether it makes an avatar from one photo without training."""
    trains: bool = True
    """Whether it can learn a face."""
    renders: bool = True
    """Whether it can make a face speak."""
    needs_gpu: bool = False
    """Whether it refuses to work on a CPU."""
    outlives: bool = False
    """Whether its work goes on in a container when the process that asked for it is killed."""
    plain_ids: bool = False
    """Whether the ids of its avatars must do without ``-``."""
    fixed_ids: bool = False
    """Whether what it keeps of an avatar names the id inside, so that it can be imported under its own id only."""
    belongings: tuple[str, ...] = ()
    """Globs, below the installation's home and with ``{id}``, of what an avatar has outside its own folder: deleted
    with it."""
    qualities: tuple[str, ...] = ()
    """Ways it can learn a face, the usual one first, for the option ``quality``; empty: there is one way only."""
    live: bool = False
    """Whether it can show its avatars in a live conversation: `engines.open_live`."""
    travels: tuple[str, ...] = ()
    """Those of `belongings` that are needed to speak: exported and imported with the avatar."""

    def lacking(self, *, to_render: bool = False) -> list[Requirement]:
        """What is not there, the most basic first."""
        wanted = self.needs_to_render if to_render and self.needs_to_render is not None else self.needs
        return [need for need in wanted if not need.ok]

    @property
    def installed(self) -> bool:
        """Whether every need is met."""
        return all(need.ok for need in self.needs)


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Learn a face."""

    source: Path
    """The recording (or, for a photo avatar, the picture)."""
    avatar: Path
    """Folder to fill: the avatar package.  May hold what an earlier attempt left: go on from there."""
    epochs: int = 10
    """How thoroughly: 10 is the default that yields a good avatar; 1 is a quick look."""
    device: str = "auto"
    """``auto``, ``CPU``, ``GPU0`` …"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's own options, validated by the engine."""
    job: str = ""
    """Id of the job that asks: what an engine started elsewhere for it is found again by this."""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """Make an avatar speak."""

    avatar: Path
    """Folder of the avatar package."""
    sound: Path
    """What to say: any sound file that can be decoded."""
    out: Path
    """The MP4 to write; written under another name first, so that it exists only when whole."""
    phones: tuple[Phone, ...] = ()
    """Phone times of the sound where they are known."""
    device: str = "auto"
    """``auto``, ``CPU``, ``GPU0`` …"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's own options."""
    job: str = ""
    """Id of the job that asks: what an engine started elsewhere for it is found again by this."""


class Engine(Protocol):
    """Makes faces talk."""

    def describe(self) -> EngineInfo:
        """What it is and needs.  Cheap: called for every page."""

    def train(self, request: TrainRequest, report: Report) -> Mapping[str, Any]:
        """Fill ``request.avatar``; returns facts for the manifest (seconds, frames, losses, quality figures)."""

    def render(self, request: RenderRequest, report: Report) -> Path:
        """Write ``request.out`` and return it."""


class LiveFace(Protocol):
    """An avatar, loaded, that speaks sentence by sentence, faster than real time.  Used by one thread at a time.

    Its movement apart from the mouth repeats after ``cycle`` frames; any number of frames from
    ``start`` on, speaking or not, continues without a jump what showed ``start - 1``.
    A frame is uint8 I420 [height * 3 / 2, width], BT.601 limited range, both sides even.
    """

    width: int
    """Pixels of a frame across."""
    height: int
    """Pixels of a frame down."""
    cycle: int
    """Frames of the movement at rest, after which it repeats."""

    def rest(self, start: int) -> Iterator[np.ndarray]:
        """Endless frames with the mouth closed, the first at ``start`` of the endless movement."""

    def speak(self, samples: np.ndarray, phones: Sequence[Phone], start: int) -> Iterator[np.ndarray]:
        """One frame for each 1/25 s of a sentence, float32 mono at `types.SPEECH_RATE`, the mouth shut at both ends.

        The first frames come before the last ones are made.
        """

    def close(self) -> None:
        """Free what it holds."""
