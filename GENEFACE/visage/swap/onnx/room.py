"""How much memory is free, and how much must be given up from the start where that is little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from visage.containers.nvidia import gpus
from visage.swap.onnx.ladder import RUNGS
from visage.swap.onnx.providers import CPU

MIB = 1 << 20
LEAST = ((1536, "all at once"), (1024, "float16 models"), (640, "pictures of 1280 pixels"), (448, "faces one by one"),
         (256, "pictures of 640 pixels"))
"""MiB that must be free beside the opened networks for each rung of the ladder; below the last the CPU computes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a device had free at one moment."""

    title: str
    """Whose memory, as the user reads it."""
    free: int
    """Bytes nobody holds."""
    total: int
    """Bytes altogether."""


def rung_for(reading: Reading | None, *, on_gpu: bool) -> int:
    """The place in `RUNGS` to begin at; 0 where nothing is known.

    On the CPU float16 saves nothing and there is nobody to hand over to, so these two rungs are left out.
    """
    if reading is None:
        return 0
    names = [rung.name for rung in RUNGS]
    place = next((names.index(name) for least, name in LEAST if reading.free >= least * MIB), len(RUNGS) - 1)
    if on_gpu:
        return place
    return 0 if place == 1 else min(place, len(RUNGS) - 2)


def read_room(provider: str, device: int = 0) -> Reading | None:
    """The memory of whoever computes; None where it cannot be told."""
    if provider == CPU:
        return machine()
    for gpu in gpus():
        if gpu.index == device and gpu.memory_free is not None and gpu.memory_total:
            return Reading(gpu.title or gpu.name, gpu.memory_free, gpu.memory_total)
    return None


def machine(meminfo: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> Reading | None:
    """This machine's memory or, where that is less, what its container may still take; None elsewhere than on Linux."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
        told = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines if "kB" in line}
        total, free = told["MemTotal"], told["MemAvailable"]
    except (OSError, KeyError, ValueError):
        return None
    limit, used = (_number(group / name) for name in ("memory.max", "memory.current"))
    if limit is not None and used is not None and limit < total:
        # pages of files count as used there and are given back when they are needed
        used -= _cached(group / "memory.stat").get("inactive_file", 0)
        total, free = limit, min(free, max(0, limit - used))
    return Reading("this machine", free, total)


def _number(file: Path) -> int | None:
    """The number in a file of the control group; None for "max" and where it is not there."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _cached(file: Path) -> Mapping[str, int]:
    try:
        rows = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        return {row[0]: int(row[1]) for row in rows if len(row) == 2}
    except (OSError, ValueError):
        return {}
