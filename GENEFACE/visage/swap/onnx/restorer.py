"""Driver ``onnx`` of the restorers: GFPGAN or CodeFormer networks behind the seam."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

import numpy as np

from visage.config import Settings
from visage.swap.contract import Face, Patch
from visage.swap.onnx.geometry import align, cut
from visage.swap.onnx.kit import Kit
from visage.swap.onnx.ladder import Rung
from visage.swap.onnx.paste import patch, soft_square
from visage.swap.onnx.providers import Wish
from visage.swap.onnx.restoring import LIMIT, SIDE, clear, drift

EVERY = 10
"""Faces between two that are looked at for drift, as long as none drifts."""


class OnnxRestorer:
    """Makes faces clear and watches that they stay who they are.  Raises `NotInstalled` (E02)."""

    name = "onnx"

    def __init__(self, settings: Settings, *, limit: float = LIMIT, every: int = EVERY, wish: Wish | None = None,
                 runtime: Any = None, threads: int = 0) -> None:
        """``limit``: cosine before and after from which a face counts as the same; 0 does not watch.

        Watching needs a recogniser; without its file that is told in `notes`.
        """
        self.fidelity = settings.face_fidelity
        self._limit, self._every = limit, max(1, every)
        self._lock = threading.Lock()
        self._count, self._alert = 0, False
        self.drifts: list[float] = []
        """Cosines that were measured, in no order."""
        self.refused = 0
        """Faces left as they were, because they would have become somebody else."""
        self.kit = Kit(settings, {"restore": settings.face_restorer}, {"recognise": ""} if limit > 0 else None,
                       wish=wish, runtime=runtime, threads=threads)
        if limit > 0 and "recognise" not in self.kit.networks:
            self.kit.note("Whether restored faces stay the same person is not watched: no recogniser is installed.")

    @property
    def title(self) -> str:
        """What a person reads: the model, and how faithful it is told to be."""
        model = self.kit.networks["restore"].model
        return f"{model.path.stem}, fidelity {self.fidelity:g}" if len(model.spec.inputs) > 1 else model.path.stem

    @property
    def provider(self) -> str:
        """Who computes, by the sessions' own word."""
        return self.kit.provider

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know; English sentences."""
        left = (f"{self.refused} faces were left as they were: restored they would have been somebody else.",)
        return (*self.kit.notes, *(left if self.refused else ()))

    def __enter__(self) -> OnnxRestorer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.kit.close()

    def restore(self, frame: np.ndarray, face: Face) -> Patch:
        """The face made clear, at full strength; its mask is 0 throughout when it would become somebody else."""
        return self.kit.run(lambda rung: self._restore(frame, face, rung))

    def _restore(self, frame: np.ndarray, face: Face, rung: Rung) -> Patch:
        seen, scale = self.kit.seen(frame, rung)
        crop = cut(seen, align(face.five * np.float32(scale), "ffhq", SIDE), SIDE)
        cleared = clear(self.kit.networks["restore"], crop[None], self.fidelity)[0]
        mask = soft_square(SIDE)
        if self._due() and self._strayed(crop, cleared):
            mask = np.zeros_like(mask)
        return patch(frame.shape, cleared, align(face.five, "ffhq", SIDE), mask)

    def _due(self) -> bool:
        """Whether this face is looked at: every tenth, and each one once a face has drifted."""
        with self._lock:
            self._count += 1
            return self._alert or (self._count - 1) % self._every == 0

    def _strayed(self, before: np.ndarray, after: np.ndarray) -> bool:
        recogniser = self.kit.networks.get("recognise")
        if recogniser is None:
            return False
        same = drift(recogniser, before, after)
        with self._lock:
            self.drifts.append(same)
            self._alert = same < self._limit
            self.refused += self._alert
        return same < self._limit
