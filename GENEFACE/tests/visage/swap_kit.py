"""What the tests of the ONNX engine share: the folder of stand-ins, and an onnxruntime that misbehaves on demand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest

from tests.visage import swap_networks
from visage.config import Settings
from visage.swap.onnx.files import load
from visage.swap.onnx.network import Network
from visage.swap.onnx.providers import CPU, CUDA, Wish


@pytest.fixture(scope="session")
def face_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The standard set as stand-ins; never written to."""
    return swap_networks.folder(tmp_path_factory.mktemp("face_models"))


@pytest.fixture
def face_settings(face_models: Path, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, face_models=face_models)


def opened(path: Path, **more: Any) -> Network:
    """One network on the CPU with one thread."""
    return Network(load(path), Wish(device="cpu"), threads=1, **more)


class FakeRuntime:
    """The module onnxruntime as it is on a machine with a GPU; its sessions compute on the CPU and say otherwise.

    ``fails`` maps a file's name to how many of its runs on the GPU end with ``error``; files in
    ``closed`` cannot even be opened there.
    """

    SessionOptions = onnxruntime.SessionOptions

    def __init__(self, available: tuple[str, ...] = (CUDA, CPU), got: tuple[str, ...] = (),
                 fails: dict[str, int] | None = None, error: str = "CUDA error: out of memory") -> None:
        self.available, self.got, self.error = available, got, error
        self.fails = dict(fails or {})
        self.closed: set[str] = set()
        self.opened: list[tuple[str, list[str]]] = []
        self.options: list[dict[str, Any]] = []
        self.preloaded = 0
        self.__file__ = onnxruntime.__file__

    def get_available_providers(self) -> list[str]:
        return list(self.available)

    def preload_dlls(self) -> None:
        self.preloaded += 1

    def InferenceSession(self, path: str, options: Any, providers: list[tuple[str, dict[str, Any]]]) -> Any:
        names = [name for name, _ in providers]
        self.opened.append((Path(path).name, names))
        self.options.append(dict(providers)[names[0]])
        if Path(path).name in self.closed and names[0] != CPU:
            raise RuntimeError(f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {self.error}")
        real = onnxruntime.InferenceSession(path, options, providers=[CPU])
        said = [name for name in self.got if name in names] or names
        return SimpleNamespace(run=lambda outputs, feeds: self._run(Path(path).name, said, real, outputs, feeds),
                               get_providers=lambda: said, get_inputs=real.get_inputs, get_outputs=real.get_outputs)

    def _run(self, name: str, said: list[str], real: Any, outputs: Any, feeds: Any) -> Any:
        if said[0] != CPU and self.fails.get(name, 0):
            self.fails[name] -= 1
            raise RuntimeError(f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {self.error}")
        return real.run(outputs, feeds)
