"""The NVIDIA GPUs of this machine, as its driver library tells, or else as their device nodes show."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from visage.config import Settings

FRESH = 1.0
"""Seconds that a look at the GPUs is good for."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU."""

    index: int
    """Its number, as the driver and Docker count."""
    title: str = ""
    """Its model, e.g. ``"NVIDIA H100 80GB HBM3"``; empty when unknown."""
    memory_total: int | None = None
    """Bytes; None when unknown."""
    memory_free: int | None = None
    """Bytes that no program holds now; None when unknown."""

    @property
    def name(self) -> str:
        """As forms send it, e.g. ``"GPU0"``."""
        return f"GPU{self.index}"


def gpus() -> tuple[Gpu, ...]:
    """The GPUs that are seen, looked up at most every `FRESH` seconds; empty when there are none."""
    return _seen(int(time.monotonic() // FRESH))


def offered(settings: Settings) -> tuple[Gpu, ...]:
    """The GPUs that jobs may use: those that are seen or, where ``gpu_slots`` promises n, GPU0 to GPUn-1."""
    seen = {gpu.index: gpu for gpu in gpus()}
    return tuple(seen.get(index, Gpu(index)) for index in range(settings.gpu_slots)) or tuple(seen.values())


@lru_cache(maxsize=2)
def _seen(_moment: int) -> tuple[Gpu, ...]:
    return asked() or nodes(Path("/dev"))


def asked() -> tuple[Gpu, ...]:
    """What the driver library tells; empty without it, without its package, and when it fails."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        return tuple(_described(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return ()
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _described(library: Any, index: int) -> Gpu:
    handle = library.nvmlDeviceGetHandleByIndex(index)
    title = library.nvmlDeviceGetName(handle)
    model = title if isinstance(title, str) else title.decode()
    try:
        memory = library.nvmlDeviceGetMemoryInfo(handle)
    except library.NVMLError:  # some cards share the machine's memory and have none of their own to tell of
        return Gpu(index, model)
    return Gpu(index, model, int(memory.total), int(memory.free))


def nodes(folder: Path) -> tuple[Gpu, ...]:
    """The GPUs that have a device node in ``folder``; nothing more is known of them."""
    numbers = sorted(int(node.name[6:]) for node in folder.glob("nvidia[0-9]*") if node.name[6:].isdigit())
    return tuple(Gpu(number) for number in numbers)
