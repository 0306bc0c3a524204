"""The networks of one engine: opened together, warmed up, and made smaller together when memory runs out."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import cv2
import numpy as np

from visage.config import Settings
from visage.errors import OutOfMemory
from visage.swap.onnx import files, providers
from visage.swap.onnx.files import Entry, Model
from visage.swap.onnx.ladder import RUNGS, Ladder, Rung
from visage.swap.onnx.network import Network, meters
from visage.swap.onnx.providers import Wish
from visage.swap.onnx.room import read_room, rung_for

log = logging.getLogger(__name__)
T = TypeVar("T")
_NAMES = {"swap": "face_swap", "restore": "face_enhance", "detect": "face_analysis", "recognise": "face_analysis"}
"""Tasks by the names that logs of face-swap services use."""
_HALVED = {"swap", "restore"}
"""Tasks whose networks are published with float16 weights, too."""


class Kit:
    """Networks by task.  Safe from several threads."""

    def __init__(self, settings: Settings, needed: Mapping[str, str], optional: Mapping[str, str] | None = None, *,
                 wish: Wish | None = None, runtime: Any = None, threads: int = 0) -> None:
        """Opens and warms up a network for each task of ``needed`` and of ``optional``, where there is a file.

        Both map tasks to file names; an empty name lets the best one be chosen.  Raises
        `NotInstalled` (E02, E03, E08) or `OutOfMemory` (E04), having closed what was open.
        """
        self.root = files.folder(settings)
        self.cache = settings.home.resolve() / "var" / "face_models"
        self.wish = wish or wish_of(settings)
        self._runtime, self._threads = runtime, threads
        self._entries: list[Entry] = files.scan(self.root)
        self._lock = threading.Lock()
        self._notes: dict[str, None] = {}
        self.networks: dict[str, Network] = {}
        self.largest, self.several = 0, False
        self._ladder = Ladder(self._apply, lambda what: self.note(f"Memory ran out; from then on: {what}."))
        try:
            for task, name in needed.items():
                self._add(task, files.choose(self._entries, task, self.root, name=name))
            for task, name in (optional or {}).items():
                if any(entry.model and entry.model.spec.task == task for entry in self._entries):
                    self._add(task, files.choose(self._entries, task, self.root, name=name))
            self._begin()
            self.run(self._warm_up)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Kit:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: who computes instead of whom, what was given up; English sentences."""
        with self._lock:
            return tuple(self._notes)

    @property
    def provider(self) -> str:
        """Who computes; several names when the networks differ."""
        return ", ".join(sorted({network.provider for network in self.networks.values()}))

    @property
    def rung(self) -> Rung:
        """What has been given up so far."""
        return self._ladder.rung

    @property
    def meters(self) -> tuple[int, float]:
        """Runs, and CPU seconds in onnxruntime."""
        return meters(list(self.networks.values()))

    def note(self, sentence: str) -> None:
        """Keep something that the user should know, once."""
        with self._lock:
            if sentence not in self._notes:
                log.warning("%s", sentence)
                self._notes[sentence] = None

    def run(self, work: Callable[[Rung], T]) -> T:
        """Do something with the networks; when memory runs out, again and more sparingly."""
        return self._ladder.run(work)

    def seen(self, frame: np.ndarray, rung: Rung) -> tuple[np.ndarray, float]:
        """What the networks see of a frame, and its scale: no side longer than the rung allows."""
        self.largest = max(self.largest, *frame.shape[:2])
        return resize_for_fusion(frame, rung.side) if rung.side else (frame, 1.0)

    def fingerprint(self, task: str) -> str:
        """SHA-256 of the file that serves a task."""
        return files.fingerprint(self.networks[task].model.path, self.cache)

    def close(self) -> None:
        """Let all memory go."""
        for network in self.networks.values():
            network.session.close()

    def _begin(self) -> None:
        """Where little memory is free beside the networks, begin more sparingly and say so."""
        main = self.networks.get("swap") or next(iter(self.networks.values()))
        reading = read_room(main.provider, self.wish.device_id)
        on_gpu = main.provider != providers.CPU
        place = rung_for(reading, on_gpu=on_gpu)
        if place and reading:
            # float16 is slow and, in some releases, wrong on the processor
            self._ladder.begin(place, frozenset() if on_gpu else frozenset({1}))
            self.note(f"Only {reading.free / 2**30:.1f} of {reading.total / 2**30:.1f} GiB of memory are free on "
                      f"{reading.title}; from the start: {self.rung.name}.")

    def _warm_up(self, _: Rung) -> None:
        for network in self.networks.values():
            network.warm_up()

    def _add(self, task: str, model: Model) -> None:
        small = files.sibling(self._entries, model, half=True) if self.wish.half and not model.half else None
        if self.wish.half and small is None and not model.half and task in _HALVED:
            self.note(f"float16 was asked for; there is no float16 file beside {model.path.name}.")
        network = self.networks[task] = self._opened(small or model)
        log.info("模型存在: %s at %s", _NAMES.get(task, task), network.model.path)
        came = network.session.outcome
        if came.fell_back:
            self.note(f"{came.wanted} was asked for, {came.got} computes: {came.reason}; {came.remedy}.")

    def _opened(self, model: Model) -> Network:
        """A network; where there is no room to open it, its float16 file, else the same on the processor."""
        ways = [(model, self.wish)]
        if small := None if model.half else files.sibling(self._entries, model, half=True):
            ways.append((small, self.wish))
        ways.append((model, dataclasses.replace(self.wish, device="cpu", strict=False, options={})))
        for place, (file, wish) in enumerate(ways):
            spare = files.sibling(self._entries, file, half=False) if file.half else None
            try:
                network = Network(file, wish, spare=spare, runtime=self._runtime, threads=self._threads,
                                  told=self.note)
            except OutOfMemory:
                if place == len(ways) - 1:
                    raise
                continue
            if place:
                self.note(f"There was no room to open {model.path.name}; {file.path.name} computes on "
                          f"{network.provider}.")
            return network
        raise AssertionError("the last way returns or raises")

    def _apply(self, rung: Rung) -> bool:
        """Bring all networks to a rung; whether that changes anything here."""
        if rung.cpu:
            return self._to_cpu()
        before = RUNGS[RUNGS.index(rung) - 1]
        if rung.half and not before.half:
            halved = [self._halve(network) for network in self.networks.values()]
            return any(halved)
        if rung.side != before.side:
            return self.largest > rung.side
        return self.several if rung.one_by_one else False

    def _halve(self, network: Network) -> bool:
        small = None if network.model.half else files.sibling(self._entries, network.model, half=True)
        if small is None:
            return False
        network.reopen(small, network.wish, spare=network.model)
        return True

    def _to_cpu(self) -> bool:
        wish = dataclasses.replace(self.wish, device="cpu", strict=False, options={})
        moved = [network for network in self.networks.values() if network.provider != providers.CPU]
        for network in moved:
            # float16 is slow and, in some releases, wrong on the processor
            whole = files.sibling(self._entries, network.model, half=False) if network.model.half else None
            network.reopen(whole or network.model, wish)
        return bool(moved)


def wish_of(settings: Settings) -> Wish:
    """What the settings want of the machine."""
    return Wish(settings.face_provider, settings.face_strict_provider, settings.face_gpu_memory_mb,
                half=settings.face_fp16)


def resize_for_fusion(image: np.ndarray, max_dim: int = 1280) -> tuple[np.ndarray, float]:
    """A picture with no side longer than ``max_dim``, and its scale; never larger than it was."""
    scale = min(1.0, max_dim / max(image.shape[:2]))
    if scale == 1.0:
        return image, 1.0
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale
