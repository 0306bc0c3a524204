"""A model at work: its session, its ports by role, and what to do when its answers cannot be used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from visage.errors import VisageError
from visage.swap.onnx import failures
from visage.swap.onnx.files import Model
from visage.swap.onnx.providers import Wish
from visage.swap.onnx.sessions import Session, batches
from visage.swap.onnx.specs import roles

_FREE = {"image": (1, 3, 640, 640)}


class Network:
    """One model, one session.  Safe from several threads; `reopen` waits until nobody computes."""

    def __init__(self, model: Model, wish: Wish, *, spare: Model | None = None, runtime: Any = None, threads: int = 0,
                 told: Callable[[str], None] = lambda _: None) -> None:
        """``spare`` is the float32 file of the same kind, taken when float16 answers with nonsense."""
        self._runtime, self._threads, self._told = runtime, threads, told
        self._spare = spare if spare is not None and not spare.half else None
        self._lock = threading.Lock()
        self._open(model, wish)

    def _open(self, model: Model, wish: Wish) -> None:
        session = Session(model.path, wish, threads=self._threads, runtime=self._runtime)
        self.model, self.wish, self.session = model, wish, session
        self._roles = roles(model.spec, model.graph)
        lengths = [port.shape[0] for port in self._roles.values() if port.shape and len(port.shape) > 1]
        self.most: int | None = min((length for length in lengths if length), default=None)

    @property
    def provider(self) -> str:
        """Who computes."""
        return self.session.provider

    def reopen(self, model: Model, wish: Wish, spare: Model | None = None) -> None:
        """Go on with another file or on another device.  Raises as `Session` does; then nothing is open."""
        with self._lock:
            self._replace(model, wish)
            self._spare = spare

    def _replace(self, model: Model, wish: Wish) -> None:
        # the memory of the old session must be free before the new one asks for some
        self.session.close()
        self._open(model, wish)

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """All outputs as float32 for inputs by role; a stack longer than the file allows goes in parts."""
        cast = {self._roles[role].name: (role, np.asarray(value, self._roles[role].dtype or "float32"))
                for role, value in feeds.items()}
        length = len(feeds["image"])
        if self.most is None or length <= self.most:
            return self._answers({name: value for name, (_, value) in cast.items()})
        parts = []
        for place in batches(np.arange(length), self.most):
            parts.append(self._answers({name: value if role == "weight" else value[place]
                                        for name, (role, value) in cast.items()}))
        return [np.concatenate(answers) for answers in zip(*parts, strict=True)]

    def checked(self, feeds: Mapping[str, np.ndarray], flaw: Callable[[np.ndarray, np.ndarray], str]) -> np.ndarray:
        """The first output, looked at by ``flaw(output, image)``; what float16 spoils is computed in float32.

        Raises `NotInstalled` (E02) when no file here gives a usable answer.
        """
        model = self.model
        answer = self.run(feeds)[0]
        found = flaw(answer, feeds["image"])
        if not found:
            return answer
        with self._lock:
            # another thread may have changed the file while this one computed
            if self.model is model:
                if self._spare is None or self._spare is model:
                    raise failures.wrong_output(model.path, found)
                self._told(f"{model.path.name} gave a picture that is {found}; "
                           f"{self._spare.path.name} took its place.")
                self._replace(self._spare, self.wish)
        answer = self.run(feeds)[0]
        if found := flaw(answer, feeds["image"]):
            raise failures.wrong_output(self.model.path, found)
        return answer

    def warm_up(self) -> None:
        """Run it once on black, so that the first picture does not wait for what a session does at its first run."""
        feeds = {}
        for role, port in self._roles.items():
            free = _FREE.get(role, (1, 1, 1, 1))
            shape = [side or free[min(place, len(free) - 1)] for place, side in enumerate(port.shape or ())]
            if role != "weight":
                shape[0] = 1
            feeds[role] = np.zeros(shape, np.float32)
        self.run(feeds)

    def _answers(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        session = self.session
        try:
            answers = session.run(feeds)
        except VisageError:
            with self._lock:
                fresh = self.session
            if fresh is session:
                raise
            # it was closed for another one when this thread came to use it
            answers = fresh.run(feeds)
        return [np.asarray(answer, np.float32) for answer in answers]


def meters(networks: Sequence[Network]) -> tuple[int, float]:
    """Runs so far and CPU seconds of the calling threads inside onnxruntime, over all networks."""
    return sum(one.session.runs for one in networks), sum(one.session.seconds for one in networks)
