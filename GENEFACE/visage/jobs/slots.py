"""How many jobs of a lane run at once on this machine."""

from __future__ import annotations

from visage.config import Settings
from visage.containers.nvidia import offered
from visage.jobs.job import Lane


def slots(settings: Settings, lane: Lane) -> int:
    """Jobs at once; 0 for the GPU lane where there is no NVIDIA GPU and none was promised."""
    if lane is Lane.CPU:
        return settings.cpu_slots
    if lane is Lane.QUICK:
        return settings.quick_slots
    return len(offered(settings)) * settings.jobs_per_gpu
