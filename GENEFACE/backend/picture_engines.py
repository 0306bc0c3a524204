"""The engines of the picture service: opened once, warmed up, kept, and told about."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from backend.face_swapper import best_swapper
from backend.services import Services
from visage import __version__
from visage.containers.nvidia import gpus
from visage.errors import VisageError
from visage.swap import open_restorer
from visage.swap.contract import Look, Restorer, Swapper
from visage.swap.onnx.providers import NAMES

_BLANK = np.full((320, 320, 3), 127, np.uint8)


class PictureEngines:
    """Engines by name, each opened when first asked for.  To be used by one thread at a time."""

    def __init__(self, services: Services):
        self._services = services
        self._swappers: dict[str, tuple[Swapper, tuple[str, ...]]] = {}
        self._restorers: dict[str, Restorer] = {}
        self.warm = threading.Event()
        """Set when the first job will find its engine open."""
        self.problem: VisageError | None = None
        """Why it could not be opened."""

    def warm_up(self) -> None:
        """Open the engine that jobs without a wish get and let it look once.  Raises `NotInstalled` (E02, E03, E08)."""
        try:
            swapper, _ = self.swapper("")
            swapper.find(_BLANK, Look(thorough=True))
        except VisageError as exc:
            self.problem = exc
            raise
        self.problem = None
        self.warm.set()

    def swapper(self, name: str) -> tuple[Swapper, tuple[str, ...]]:
        """The swapper of that name, or the best there is, and what to tell about the choice."""
        if name not in self._swappers:
            self._swappers[name] = best_swapper(self._services, name)
        return self._swappers[name]

    def restorer(self, name: str) -> Restorer:
        """The restorer of that name.  Raises `UnknownDriver` and `NotInstalled`."""
        if name not in self._restorers:
            self._restorers[name] = open_restorer(name, self._services.settings)
        return self._restorers[name]

    def close(self) -> None:
        """Let all memory go; the next job opens anew."""
        for engine in (*(swapper for swapper, _ in self._swappers.values()), *self._restorers.values()):
            engine.__exit__(None, None, None)
        self._swappers, self._restorers = {}, {}

    def described(self) -> dict[str, Any]:
        """Who computes instead of whom, with which engine, how much memory it may take, and the version."""
        settings = self._services.settings
        engine, notes = next(iter(self._swappers.values()), (None, ()))
        wanted = settings.face_provider
        got = engine.provider if engine else None
        met = wanted == "auto" or got is None or got == NAMES.get(wanted) or (wanted, got) == ("cpu", "CPU")
        told = [*notes, *getattr(engine, "notes", ())]
        networks = len(getattr(getattr(engine, "kit", None), "networks", ()))
        return {"version": __version__, "ready": self.warm.is_set(),
                "provider": {"wanted": wanted, "got": got, "fell_back": not met,
                             "strict": settings.face_strict_provider},
                "engine": engine.title if engine else None, "notes": told,
                "problem": self.problem.as_dict() if self.problem else None,
                "memory": {"workers": 1, "networks": networks, "limit_mb": settings.face_gpu_memory_mb,
                           "together_mb": settings.face_gpu_memory_mb * networks,
                           "gpus": [{"name": gpu.name, "title": gpu.title, "total": gpu.memory_total,
                                     "free": gpu.memory_free} for gpu in gpus()]}}
