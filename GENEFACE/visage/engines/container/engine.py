"""An engine in a container: everything that its manifest tells, done."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from visage.config import Settings
from visage.containers import open_containers
from visage.containers.contract import Order
from visage.containers.nvidia import offered
from visage.engines.container.lines import Listener
from visage.engines.container.manifest import EngineManifest
from visage.engines.container.workspace import Workspace, sound_name
from visage.engines.contract import EngineInfo, RenderRequest, TrainRequest
from visage.engines.weights import missing
from visage.errors import ContainerFailed, InvalidRequest, NotInstalled, OutputInvalid, from_os_error
from visage.media.probe import probe
from visage.storage.paths import Paths, identifier
from visage.types import Report, Requirement

FRESH = 10.0
"""Seconds that a look at the machine is good for."""


class ContainerEngine:
    """Trains and renders by running the image of a manifest."""

    def __init__(self, manifest: EngineManifest, settings: Settings, paths: Paths) -> None:
        self.manifest = manifest
        self._settings = settings
        self._paths = paths
        self._space = Workspace(manifest, paths)

    def describe(self) -> EngineInfo:
        """What it needs, looked up at most every `FRESH` seconds."""
        told = self.manifest
        cards = () if told.gpu == "none" else tuple(gpu.name for gpu in offered(self._settings))
        devices = cards if told.gpu == "required" else ("CPU", *cards)
        # Who promises a GPU that is not seen here (Docker may run elsewhere) learns from Docker whether it is there.
        gpu = told.gpu == "required" and not self._settings.gpu_slots
        place = _look(self._paths.home, told.image, told.build, gpu, int(time.monotonic() // FRESH))
        return EngineInfo(told.name, told.title or told.name, told.summary, devices,
                          needs=(*place, *self._weights("train")), needs_to_render=(*place, *self._weights("infer")),
                          trains=told.train is not None, renders=told.infer is not None,
                          needs_gpu=told.gpu == "required", outlives=True, plain_ids=True,
                          fixed_ids=told.fixed_ids,
                          belongings=tuple(f"{told.workspace}/{pattern}" for pattern in told.avatar),
                          travels=tuple(f"{told.workspace}/{pattern}" for pattern in told.package or told.avatar))

    def train(self, request: TrainRequest, report: Report) -> Mapping[str, Any]:
        """Fill ``request.avatar`` with a picture and a silent clip; the model itself stays in the workspace.

        Raises what `Containers.run` raises, or the error that the container told of.
        """
        if self.manifest.train is None:
            self._cannot("learn faces", "engine.no_training")
        avatar_id = identifier(request.avatar.name, plain=True)
        self._require()
        try:
            self._space.put_video(request.source, avatar_id)
            argv = [word.format(id=avatar_id, epochs=request.epochs, sound="", root=self.manifest.root)
                    for word in self.manifest.train.argv]
            result = self._run("train", argv, request, report)
            return self._settle(avatar_id, request.avatar, result)
        except OSError as exc:
            raise from_os_error(exc) from exc

    def render(self, request: RenderRequest, report: Report) -> Path:
        """Write ``request.out`` and return it; raises as `train` does, and `BadAudio`."""
        if self.manifest.infer is None:
            self._cannot("make faces speak", "engine.no_inference")
        avatar_id = identifier(request.avatar.name, plain=True)
        self._require(to_render=True)
        name = sound_name(request.out, avatar_id, self.manifest.name)
        try:
            sound = self._space.put_sound(request.sound, name)
            argv = [word.format(id=avatar_id, epochs="", sound=name, root=self.manifest.root)
                    for word in self.manifest.infer.argv]
            self._run("infer", argv, request, report)
            clip = self._space.take(self._space.output(avatar_id, name), request.out)
            sound.unlink(missing_ok=True)
            return clip
        except OSError as exc:
            raise from_os_error(exc) from exc

    def _run(self, step: str, argv: list[str], request: TrainRequest | RenderRequest, report: Report
             ) -> dict[str, Any]:
        told = self.manifest
        order = Order(job=request.job or f"{told.name}-{request.avatar.name}", step=step, image=told.image,
                      argv=tuple(argv), mounts=self._space.mounts(), workdir=told.root,
                      gpu=self._gpu(request.device), memory=int(told.memory_gb * (1 << 30)), pids=told.pids,
                      network=told.network, environment=told.environment, remedy=told.build)
        listener = Listener(report)
        try:
            open_containers("docker", self._paths.home).run(order, listener)
        except ContainerFailed as exc:
            raise listener.translated(exc) from exc
        return listener.result

    def _gpu(self, device: str) -> int | None:
        """Index of the GPU to use; without the scheduler's choice the first one, where one is required."""
        if device.startswith("GPU"):
            return int(device[3:])
        cards = offered(self._settings) if self.manifest.gpu == "required" else ()
        return cards[0].index if cards else None

    def _settle(self, avatar_id: str, package: Path, result: dict[str, Any]) -> dict[str, Any]:
        """What the manifest of the avatar is told, its picture and its silent clip; proves that the model is there."""
        lacking = self._space.missing(avatar_id)
        pictures = {"poster.jpg": self.manifest.poster, "idle.mp4": self.manifest.idle}
        for name, pattern in pictures.items():
            made = self._space.folder / pattern.format(id=avatar_id)
            if made.is_file():
                shutil.copyfile(made, package / name)
            else:
                lacking.append(pattern.format(id=avatar_id))
        if lacking:
            raise OutputInvalid("The training of {engine} ended, but {files} is not there.",
                                code="engine.training_incomplete", hint="Look at the job's log, then train again.",
                                engine=self.manifest.title or self.manifest.name, files=", ".join(lacking))
        info = probe(package / "idle.mp4", "video")
        return {**result, "width": info.width, "height": info.height}

    def _weights(self, purpose: str) -> tuple[Requirement, ...]:
        if not self.manifest.weights:
            return ()
        return (missing(self._paths, purpose, self.manifest.name, self._space.table),)

    def _require(self, *, to_render: bool = False) -> None:
        lacking = self.describe().lacking(to_render=to_render)
        if lacking:
            raise NotInstalled("{engine} cannot work here: {need} is lacking.", code="engine.not_installed",
                               hint="{remedy}", engine=self.manifest.title or self.manifest.name,
                               need=lacking[0].name, detail=lacking[0].detail, remedy=lacking[0].remedy)

    def _cannot(self, verb: str, code: str) -> NoReturn:
        raise InvalidRequest("{engine} cannot {verb}.", code=code, hint="Choose another engine.", verb=verb,
                             engine=self.manifest.title or self.manifest.name)


@lru_cache(maxsize=16)
def _look(home: Path, image: str, build: str, gpu: bool, _: int) -> tuple[Requirement, ...]:
    """What the containers need; the last argument changes when it is time to look again."""
    try:
        return open_containers("docker", home).needs(image, build, gpu)
    except NotInstalled as exc:
        return (Requirement("docker", False, exc.message, exc.hint),)
