"""Where this engine finds and leaves things in a container, and what it remembers of a training."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from visage.errors import NotFound
from visage.storage.paths import Paths, child

_NOTE = "training.json"
_NEEDED = ("idle.mp4", "poster.jpg", "painter.onnx", "listener.npz", "scene.npz")


@dataclass(frozen=True, slots=True)
class Training:
    """What was asked for; the same again goes on where it stopped."""

    source: str
    """Fingerprint of the recording."""
    epochs: int
    """As asked."""
    seconds: float | None
    """Time to spend learning; None: what ``epochs`` means."""
    quality: str = "fast"
    """As asked."""


@dataclass(frozen=True, slots=True)
class ContainerFiles:
    """The folder that is mounted into the container."""

    root: Path
    """Absolute."""

    @property
    def paths(self) -> Paths:
        """The same folder as engines expect it."""
        return Paths(self.root)

    def avatar(self, avatar_id: str) -> Path:
        """Folder of an avatar package."""
        return child(self.root / "checkpoints", avatar_id)

    def clip(self, avatar_id: str, sound: Path) -> Path:
        """Where the clip of an avatar that says ``sound`` goes; its folder is made."""
        folder = child(self.root / "infer_out", avatar_id) / "pred_video"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{sound.stem}.mp4"

    def trained(self, avatar_id: str) -> Path:
        """Folder of a whole avatar.  Raises `NotFound`."""
        folder = self.avatar(avatar_id)
        if all((folder / name).is_file() for name in _NEEDED):
            return folder
        raise NotFound("There is no avatar {id}.", code="avatar.missing",
                       hint="Train it first, or choose one of the list.", id=avatar_id)

    def resume(self, avatar_id: str, task: Training) -> Mapping[str, Any] | None:
        """The result of a training that ended already; else make ready for it.

        What an unfinished attempt at the same task left stays; what another left is removed, other engines' files not.
        """
        folder, note = self.avatar(avatar_id), self._note(avatar_id)
        if note.get("task") != asdict(task):
            _clear(folder)
        elif note.get("result") and all((folder / name).is_file() for name in _NEEDED):
            return note["result"]
        self._write(avatar_id, task, None)
        return None

    def finish(self, avatar_id: str, task: Training, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Remember a training's result, and return it."""
        self._write(avatar_id, task, facts)
        return facts

    def _note(self, avatar_id: str) -> Mapping[str, Any]:
        try:
            told = json.loads((self.avatar(avatar_id) / _NOTE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _write(self, avatar_id: str, task: Training, result: Mapping[str, Any] | None) -> None:
        folder = self.avatar(avatar_id)
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{_NOTE}"
        part.write_text(json.dumps({"task": asdict(task), "result": result}), encoding="utf-8")
        part.replace(folder / _NOTE)


def fingerprint(file: Path) -> str:
    """Tells recordings apart: a digest of the whole file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _clear(folder: Path) -> None:
    """Remove what this engine wrote; another one may keep its model in the same folder."""
    from visage.engines.lite.package import LivePackage, Package

    package, light = Package(folder), LivePackage(folder)
    shutil.rmtree(package.work, ignore_errors=True)
    for file in (package.footage, package.scene, package.mouth, package.listener, package.painter,
                 package.references, light.painter, light.references, package.poster, package.idle, folder / _NOTE,
                 *folder.glob("painter*_int8.onnx"), *folder.glob("painter*.json")):
        file.unlink(missing_ok=True)
