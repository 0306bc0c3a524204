"""Which of a painter's two networks is used: the exact one (fp32), or the light one (int8) where that is faster here.

The light network lies beside the exact one, and a record beside both tells what it loses and how fast they were.
A painter without a record has only the exact network.
"""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from visage.engines.lite.paint import Inputs, OnnxPainter, paint_times
from visage.errors import BadMedia, from_os_error

log = logging.getLogger(__name__)
_TELLING = {"avx2", "avx512bw", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm", "sve"}
"""Abilities of processors on which the speed of 8-bit sums depends, as Linux calls them."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What is known of a painter's light network."""

    kept: bool
    """Whether it paints well enough; if not, its file is not there."""
    agreement: float
    """PSNR of what both paint for frames held out, dB, mean over the frames."""
    worst: float
    """The same of the worst frame."""
    psnr_loss: float
    """By how much less the light one's pictures are like the real ones, dB."""
    sharpness_change: float
    """Its sharpness ratio minus that of the exact one."""
    exact_ms: float
    """CPU milliseconds a crop, one thread."""
    light_ms: float
    """The same of the light one."""
    cpu: str
    """`processor` where these two were measured."""

    @property
    def light(self) -> bool:
        """Whether the light network is used on that processor."""
        return self.kept and self.light_ms < self.exact_ms

    def write(self, painter: Path) -> None:
        """Store it beside the painter's file; atomic."""
        file = record_of(painter)
        part = file.with_name("." + file.name)
        try:
            part.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
            part.replace(file)
        except OSError as exc:
            raise from_os_error(exc) from exc

    @classmethod
    def read(cls, painter: Path) -> Precision | None:
        """What is known beside a painter's file, None when nothing.  Raises `BadMedia` when it is damaged."""
        file = record_of(painter)
        try:
            told = cls(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as exc:
            raise _damaged(file) from exc
        times = (told.exact_ms, told.light_ms)
        if not (isinstance(told.kept, bool) and all(isinstance(time, int | float) for time in times)):
            raise _damaged(file)
        if told.kept and not light_of(painter).is_file():
            raise _damaged(light_of(painter))
        return told


def light_of(painter: Path) -> Path:
    """The file of the light network of a painter."""
    return painter.with_name(f"{painter.stem}_int8.onnx")


def record_of(painter: Path) -> Path:
    """The file that tells about both networks of a painter."""
    return painter.with_suffix(".json")


def processor() -> str:
    """What decides how fast 8-bit sums are here: kind of processor and its abilities."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    return " ".join([platform.machine(), *sorted(_TELLING & set(told.lower().split()))])


def open_painter(file: Path, threads: int, example: Callable[[], Inputs]) -> OnnxPainter:
    """The faster of a painter's networks, with so many threads (0: one a core).

    On another kind of processor than that of the training both paint an ``example`` first.
    Raises `BadMedia` when a file is damaged.
    """
    told = Precision.read(file)
    if not told or not told.kept:
        return OnnxPainter(file, threads)
    light = told.light
    if told.cpu != processor():
        times = paint_times([OnnxPainter(file, 1), OnnxPainter(light_of(file), 1)], example())
        light = times[1] < times[0]
        log.info("painter measured on this processor: fp32 %.2f ms, int8 %.2f ms a frame", *times)
    return OnnxPainter(light_of(file) if light else file, threads)


def _damaged(file: Path) -> BadMedia:
    return BadMedia("{name} of this avatar is missing or damaged.", code="avatar.damaged",
                    hint="Train the avatar again.", name=file.name)
