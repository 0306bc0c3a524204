"""What is asked of the pipeline, and what it tells afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from visage.errors import InvalidRequest
from visage.swap.blending import BLENDS

ORDERS = ("left-right", "right-left", "top-bottom", "bottom-top", "largest", "smallest", "best", "worst")
"""How the faces of a frame are counted."""
WHO = ("all", "one", "reference")
"""Which faces are worked on: every one, one by its position, or those like a reference face."""

Mark = Callable[[np.ndarray, float], np.ndarray]
"""A finished frame, uint8 RGB [H, W, 3], and its time in seconds to the frame with its visible label."""
Seal = Callable[[Path], None]
"""Writes the label into a finished file under its temporary name; raises when it does not stay there."""


@dataclass(frozen=True, slots=True)
class SwapOptions:
    """How faces are chosen, made and written.  Raises `InvalidRequest` for what cannot be."""

    who: str = "all"
    """One of `WHO`."""
    order: str = "largest"
    """One of `ORDERS`."""
    position: int = 0
    """Which face in that order, from 0: the one worked on, or the reference in its frame."""
    frame: int = 0
    """Number of the frame of the target that shows the reference, from 0."""
    distance: float = 0.3
    """Largest distance to the reference, (1 - cosine) / 2."""
    least_score: float = 0.0
    """Faces found with less confidence are left alone."""
    five: tuple[tuple[float, float], ...] = ()
    """Five points set by hand (`contract.FIVE`, pixels): the face of a picture in which none is found."""
    blend: str = "alpha"
    """One of `blending.BLENDS`."""
    colour: bool = True
    """Whether colours are matched to the frame, where the engine's are the photo's."""
    occlusion: bool = True
    """Whether what lies in front of the face stays there."""
    smooth: bool = True
    """Whether the points of a face are kept from trembling."""
    strength: float = 1.0
    """Share of the new face, 0 to 1."""
    restore: float = 0.8
    """Share of the restorer's face, 0 to 1, where there is a restorer."""
    max_dim: int = 0
    """Longest side of the output, pixels; 0: as the target."""
    encoder: str = "libx264"
    """Name of the video encoder that is tried first."""
    quality: int = 66
    """0 to 100 of the video or JPEG; roughly, libx264 gets the rate factor 51 - quality / 2."""
    sound: bool = True
    """Whether the target's sound is kept."""
    refill: int = 6
    """Frames for which a face may be missed before it counts as gone; held in memory meanwhile."""
    skip_limit: float = 10.0
    """Per cent of frames that may fail and be kept as they were."""
    segment: int = 250
    """Frames after which finished work is safe on disk."""

    def __post_init__(self) -> None:
        for name, value, known in (("who", self.who, WHO), ("order", self.order, ORDERS),
                                   ("blend", self.blend, BLENDS)):
            if value not in known:
                raise InvalidRequest("{value!r} is no choice for {name}; there are: {known}.", code="swap.option",
                                     hint="Choose one of these.", name=name, value=value, known=", ".join(known))
        for name, number, low, high in (("distance", self.distance, 0, 1), ("strength", self.strength, 0, 1),
                                        ("restore", self.restore, 0, 1), ("quality", self.quality, 0, 100),
                                        ("skip_limit", self.skip_limit, 0, 100), ("segment", self.segment, 1, 100_000),
                                        ("refill", self.refill, 0, 50), ("max_dim", self.max_dim, 0, 16_384),
                                        ("position", self.position, 0, 1000), ("frame", self.frame, 0, 10**8)):
            if not low <= number <= high:
                raise InvalidRequest("{name} must lie between {low} and {high}, not {value}.", code="swap.range",
                                     hint="Choose a value within these limits.", name=name, low=low, high=high,
                                     value=number)


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """One picture or video to work on."""

    target: Path
    """The picture or video."""
    out: Path
    """Where the result goes; its suffix says the format.  Exists only when whole and verified."""
    options: SwapOptions = field(default_factory=SwapOptions)
    """How."""
    root: Path | None = None
    """Folder below which the job keeps its own; None: the system's folder for temporary files."""
    mark: Mark | None = None
    """Puts the visible label on every frame, last of all."""
    seal: Seal | None = None
    """Writes the label into the file, before it is verified and gets its name."""


@dataclass(frozen=True, slots=True)
class SwapResult:
    """What was done."""

    out: Path
    """The file."""
    kind: str
    """``"image"`` or ``"video"``."""
    frames_in: int
    """Frames of the target."""
    frames_out: int
    """Frames of the result, as read back."""
    swapped: int
    """Frames in which a face was worked on."""
    skipped: Mapping[int, str]
    """Number of every frame that failed and was kept as it was, and why."""
    seconds: float
    """How long it took, without what an earlier attempt had finished."""
    fps: float
    """Frames worked on a second."""
    realtime: float
    """How many times faster than the video plays; 0 for a picture."""
    provider: str
    """What really computed."""
    sound: str
    """``"copied"``, ``"re-encoded"`` or ``"none"``."""
    encoder: str
    """What really encoded."""
    resumed: int
    """Frames that an earlier attempt had finished."""
    steps: Mapping[str, float]
    """CPU seconds of each step, where it ran in this attempt."""
    restored: int = 0
    """Frames in which every face worked on was restored, too."""
    unrestored: Mapping[int, str] = field(default_factory=dict)
    """Number of every frame whose swapped face the restorer left as it was, and why."""
    notes: tuple[str, ...] = ()
    """What the user should know, English sentences."""

    @property
    def enhanced(self) -> bool:
        """Whether the restorer worked, and on every frame in which there was a face."""
        return self.restored > 0 and not self.unrestored


def unrestored_note(unrestored: Mapping[int, str]) -> str:
    """What the user is told when the restorer failed, with the first reason."""
    number = min(unrestored)
    return (f"The restorer failed in {len(unrestored)} frames, whose faces were swapped but not restored; "
            f"the first (number {number}): {unrestored[number]}")
