"""The NVIDIA GPUs of this machine, found without any package of theirs."""

from __future__ import annotations

from pathlib import Path


def gpus() -> tuple[str, ...]:
    """Their names as forms send them: ``("GPU0", …)``; empty when there are none."""
    numbers = sorted(int(node.name[6:]) for node in Path("/dev").glob("nvidia[0-9]*") if node.name[6:].isdigit())
    return tuple(f"GPU{number}" for number in numbers)
