"""The seam of metrics: frames and sound of a clip go in once, a figure or a reason comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

Need = Literal["truth", "face", "sound"]
"""What a metric cannot do without: the ground truth, a face that is found, a sound track."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One moment of the clip, and of the ground truth at the same moment."""

    index: int
    """Number on the common clock, from 0."""
    time: float
    """Seconds from the start of the clip."""
    pred: np.ndarray
    """The clip's picture in the chosen region, uint8 [H, W, 3], RGB."""
    truth: np.ndarray | None = None
    """The ground truth's picture in the same region and size; None without ground truth."""
    pred_points: np.ndarray | None = None
    """Landmarks of the clip's face in pixels of its whole picture, float32 [478, 3]; None when none is found."""
    truth_points: np.ndarray | None = None
    """Landmarks of the ground truth's face, scaled to the clip's whole picture."""
    pred_whole: np.ndarray | None = None
    """The clip's whole picture, for metrics that cut out their own part; None when nobody asked."""
    truth_whole: np.ndarray | None = None
    """The ground truth's whole picture in the same size; None when nobody asked or there is none."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of a pair before its frames come, and of its sound."""

    pred: Path
    """The clip."""
    truth: Path | None
    """The ground truth, if there is one."""
    fps: float
    """Frames per second of the common clock."""
    frames: int
    """Frames that will come at most."""
    region: str
    """``full``, ``face`` or ``mouth``."""
    sound: np.ndarray | None
    """The clip's sound at 16 kHz, float32 [N]; None when it has none."""
    truth_sound: np.ndarray | None
    """The ground truth's sound at 16 kHz."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How the pair was brought together: rates, sizes, offset, what was cut (see `pairing`)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What metrics are built with; `open_metrics` hands it to every constructor."""

    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of weights that the caller names, by the name of the model."""
    models: Path | None = None
    """Folder of downloaded weights; None: the product's own."""
    online: bool = True
    """Whether missing weights may be downloaded."""
    seed: int = 0
    """Start of whatever is drawn by chance."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a metric found."""

    value: float | None
    """The figure; None when there is none (``reason`` says why) or it is infinite (``note`` says so)."""
    unit: str = ""
    """E.g. ``"dB"``; empty for a bare number."""
    better: Literal["higher", "lower", "nearer to 1", "nearer to 0", ""] = ""
    """Direction."""
    frames: int = 0
    """Frames (or windows) that count in it."""
    error: float | None = None
    """Standard error of the mean, allowing for neighbouring frames being alike (see `spread`)."""
    series: Sequence[float] = ()
    """A value a frame (NaN where none), for curves; same clock as `Frame.index` times ``every``."""
    every: int = 1
    """Frames between two values of the series."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What it was computed with: windows, constants, sizes."""
    weights: Mapping[str, str] = field(default_factory=dict)
    """Name, source and SHA-256 of model files used."""
    reason: str = ""
    """Why there is no value, in one English sentence."""
    remedy: str = ""
    """The command or step that mends it."""
    note: str = ""
    """What a reader must know, e.g. that identical pictures have no finite PSNR."""
    title: str = ""
    """What a person reads when a metric gives several; empty: the metric's title."""


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What a metric is."""

    name: str
    """Key in the report, e.g. ``"psnr"``."""
    title: str
    """What a person reads, e.g. ``"PSNR"``."""
    needs: tuple[Need, ...] = ()
    """What it cannot do without; the pipeline answers for it when that is missing."""
    gives: tuple[str, ...] = ()
    """Keys it yields; empty: just its name."""
    whole: bool = False
    """Whether it needs `Frame.pred_whole` and `Frame.truth_whole`."""
    consecutive: bool = False
    """Whether it needs every frame, however large the stride (what changes from frame to frame)."""


class Metric(Protocol):
    """Computes one figure or several that share their work, in one pass over the frames.

    Built with `Options`; a constructor that raises `VisageError` (weights that are
    not there) answers for all its keys, and no frame is sent.  Each metric runs in a
    thread of its own.
    """

    info: MetricInfo
    """An attribute of the class, so that it is known even when the constructor raises."""

    def take(self, frames: Sequence[Frame]) -> None:
        """Take the next frames in order.  Keeps numbers, not pictures, so that a long clip fits in memory."""

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """The figures by key.  Raises `VisageError` for what cannot be computed; others are caught and told, too."""
