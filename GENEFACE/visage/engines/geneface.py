"""GeneFace, which lives in an image of its own: whether it can work here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from visage.containers import open_containers
from visage.containers.nvidia import gpus
from visage.engines.contract import EngineInfo, RenderRequest, TrainRequest
from visage.errors import NotInstalled
from visage.storage.paths import Paths
from visage.types import Report, Requirement

IMAGE = "geneface:latest"
BUILD = "docker build -t geneface:latest -f GeneFace-main/Dockerfile GeneFace-main"
WEIGHTS = (
    "checkpoints/lrs3/lm3d_vae_sync/model_ckpt_steps_40000.ckpt",
    "checkpoints/lrs3/syncnet/model_ckpt_steps_40000.ckpt",
    "deep_3drecon/BFM/01_MorphableModel.mat",
    "deep_3drecon/checkpoints/facerecon/epoch_20.pth",
)
"""Files of others, below ``GeneFace-main``, without which nothing can be trained."""
FRESH = 10.0
"""Seconds that a look at the machine is good for."""


class GeneFaceEngine:
    """GeneFace (RAD-NeRF) in a container with a GPU."""

    def __init__(self, paths: Paths):
        self._paths = paths

    def describe(self) -> EngineInfo:
        """What it needs, looked up at most every `FRESH` seconds."""
        return EngineInfo("GeneFace", "GeneFace", "Neural radiance fields trained on one person, in a GPU container.",
                          tuple(gpu.name for gpu in gpus()), self._needs())

    def train(self, request: TrainRequest, report: Report) -> Mapping[str, Any]:
        """Raises `NotInstalled` with what is missing."""
        self._refuse()

    def render(self, request: RenderRequest, report: Report) -> Path:
        """Raises `NotInstalled` with what is missing."""
        self._refuse()

    def _needs(self) -> tuple[Requirement, ...]:
        return _look(self._paths.geneface, int(time.monotonic() // FRESH))

    def _refuse(self) -> NoReturn:
        missing = [need for need in self._needs() if not need.ok]
        if not missing:
            raise NotInstalled("GeneFace is complete on this machine, but this version cannot drive its container yet.",
                               code="geneface.no_driver", hint="Use the engine lite until the next version.")
        raise NotInstalled("GeneFace is not installed here; missing: {missing}.", code="geneface.not_installed",
                           hint="{remedy}", missing=", ".join(f"{need.name} ({need.detail})" for need in missing),
                           remedy="; then: ".join(need.remedy for need in missing))


@lru_cache(maxsize=4)
def _look(geneface: Path, _: int) -> tuple[Requirement, ...]:
    """What there is; the second argument changes when it is time to look again."""
    weights = _weights(geneface)
    try:
        containers = open_containers()
    except NotInstalled as exc:
        return Requirement("docker", False, exc.message, exc.hint), weights
    daemon = containers.available()
    if not daemon.ok:
        # Asking a dead daemon twice more would cost the page two more time-outs.
        unknown = "unknown, as Docker does not answer"
        return daemon, Requirement(f"image {IMAGE}", False, unknown, BUILD), weights
    return daemon, containers.has_image(IMAGE, BUILD), containers.gpu(), weights


def _weights(geneface: Path) -> Requirement:
    missing = [name for name in WEIGHTS if not (geneface / name).is_file()]
    if not missing:
        return Requirement("GeneFace weights", True, str(geneface))
    return Requirement("GeneFace weights", False, f"missing: {', '.join(missing)}",
                       "Put them below GeneFace-main/ (the sources are in GeneFace's install guide).")
