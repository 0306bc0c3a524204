"""The driver ``lite`` of the engine seam."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from visage.engines.contract import EngineInfo, RenderRequest, TrainRequest
from visage.engines.lite.modes import MODES
from visage.errors import NotInstalled, from_os_error
from visage.storage.paths import Paths
from visage.types import Report, Requirement

_NEEDS = (("torch", "torch", "GENEFACE/scripts/run"), ("mediapipe", "mediapipe", "GENEFACE/scripts/run"),
          ("onnxruntime", "onnxruntime", "pip install onnxruntime"), ("av", "av", "pip install av"))
"""Package, module, and what brings it."""
_SUMMARY = "Built in: learns a face on a CPU in minutes and speaks faster than real time."
_PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".heic", ".avif"}


class LiteEngine:
    """Learns a face on a CPU in minutes and makes it speak faster than real time; a photo will do, too."""

    def __init__(self, paths: Paths):
        self.paths = paths

    def describe(self) -> EngineInfo:
        """What it is and needs.  Cheap: imports nothing."""
        devices = ("CPU", *(f"GPU{number}" for number in range(_gpus())))
        return EngineInfo("lite", "Lite", _SUMMARY,
                          devices, tuple(_need(*row) for row in _NEEDS), photo=True, live=True, qualities=tuple(MODES))

    def train(self, request: TrainRequest, report: Report) -> Mapping[str, Any]:
        """Fill ``request.avatar`` from a recording or a photo; see `options.TrainOptions` for its options.

        Raises `BadVideo`, `BadAudio` or `BadImage` for what cannot be learnt from, `NotInstalled`, `DiskFull`.
        """
        self._require()
        try:
            return {**self._made(request, report), "versions": _versions()}
        except OSError as exc:
            raise from_os_error(exc) from exc

    def render(self, request: RenderRequest, report: Report) -> Path:
        """Write ``request.out`` and return it; raises `BadAudio`, `BadMedia`, `DiskFull`, `OutputInvalid`."""
        from visage.engines.lite.rendering import render

        try:
            return render(request, report)
        except OSError as exc:
            raise from_os_error(exc) from exc

    def _made(self, request: TrainRequest, report: Report) -> Mapping[str, Any]:
        if self._is_photo(request):
            from visage.engines.lite.photo import build

            return build(request, report)
        from visage.engines.lite.training import Training

        return Training(request, report).run()

    def _require(self) -> None:
        for need in self.describe().needs:
            if not need.ok:
                raise NotInstalled("The built-in engine needs the Python package {package}.",
                                   code="lite.package_missing", hint="{remedy}", package=need.name, remedy=need.remedy)

    @staticmethod
    def _is_photo(request: TrainRequest) -> bool:
        from visage.engines.lite.options import TrainOptions
        from visage.errors import BadMedia
        from visage.media.probe import probe

        told = TrainOptions.read(request).photo
        if told is not None:
            return bool(told)
        try:
            return probe(request.source).kind == "image"
        except BadMedia:
            return request.source.suffix.lower() in _PHOTOS


def _need(package: str, module: str, remedy: str) -> Requirement:
    if find_spec(module) is None:
        return Requirement(package, False, "not installed", remedy, essential=True)
    try:
        return Requirement(package, True, version(package), essential=True)
    except PackageNotFoundError:
        return Requirement(package, True, "installed", essential=True)


@cache
def _gpus() -> int:
    """GPUs that torch can use; asked only where NVIDIA's driver is, because importing torch takes a second."""
    if not Path("/proc/driver/nvidia/version").exists() or find_spec("torch") is None:
        return 0
    import torch

    return torch.cuda.device_count()


def _versions() -> dict[str, str]:
    found = {}
    for package, _, _ in _NEEDS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
