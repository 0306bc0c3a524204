"""What a YAML file tells of an engine in a container, checked word by word."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from visage.errors import InvalidRequest

SHIPPED = Path(__file__).parent / "manifests"
"""The engines that this product describes itself."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,31}")
_KNOWN = {"id", "epochs", "sound", "root"}
"""What ``{…}`` may stand for: the avatar, how thoroughly, the driving sound's name, the workspace in the container."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Training(_Part):
    """How a face is learnt."""

    argv: tuple[str, ...] = Field(min_length=1)
    """Command and arguments."""
    video: str = "data/raw/videos/{id}.mp4"
    """Where the recording is put, below the workspace."""
    done: tuple[str, ...] = ()
    """Files or folders below the workspace that are there when it has succeeded."""


class Inference(_Part):
    """How a face is made to speak."""

    argv: tuple[str, ...] = Field(min_length=1)
    """Command and arguments."""
    sound: str = "data/raw/val_wavs/{sound}.wav"
    """Where the driving sound is put, below the workspace."""
    output: str = "infer_out/{id}/pred_video/{sound}.mp4"
    """The video that it writes, below the workspace."""


class EngineManifest(_Part):
    """One engine in an image."""

    name: str
    """What forms send; unique whatever its case."""
    title: str = ""
    """What a person reads; default: the name."""
    summary: str = ""
    """One English sentence."""
    image: str
    """Image to run."""
    build: str
    """The command that makes the image, shown when it is missing."""
    workspace: str
    """Folder below the installation's home that the container works in."""
    root: str = "/workspace"
    """Where the container sees the workspace."""
    mounts: Mapping[str, str] = {}
    """More folders below home → where the container sees them."""
    scripts: str = ""
    """Folder below the workspace whose programs this product ships: an installation with a home of its own sees
    them there, too."""
    gpu: Literal["required", "optional", "none"] = "required"
    """Whether it works on a GPU, a CPU, or either."""
    network: bool = False
    """Whether the container may use the network."""
    memory_gb: float = Field(0.0, ge=0)
    """Memory it may use; 0: what the machine has."""
    pids: int = Field(4096, ge=16)
    """Processes and threads it may have."""
    environment: Mapping[str, str] = {}
    """Variables it gets."""
    train: Training | None = None
    """Absent: it cannot learn a face."""
    infer: Inference | None = None
    """Absent: it cannot make one speak."""
    avatar: tuple[str, ...] = Field(min_length=1)
    """Globs below the workspace of all that belongs to a trained face: deleted with it."""
    package: tuple[str, ...] = ()
    """Globs below the workspace of what it needs to speak: exported and imported; default: ``avatar``."""
    fixed_ids: bool = False
    """Whether those files name the id inside, so that the avatar can be imported under its own id only."""
    poster: str = "checkpoints/{id}/poster.jpg"
    """A picture of the face, below the workspace, written by the training."""
    idle: str = "checkpoints/{id}/idle.mp4"
    """A short silent clip of the face, below the workspace, written by the training."""
    weights: str = ""
    """A table of files it needs (``weights.json``), below the workspace."""

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("is not a name: use Latin letters, digits, dot, - and _")
        return value

    @field_validator("workspace", "mounts", "poster", "idle", "avatar", "package", "weights", "scripts")
    @classmethod
    def _below(cls, value: Any) -> Any:
        for path in [value] if isinstance(value, str) else value:
            _relative(path)
        return value

    @field_validator("train", "infer")
    @classmethod
    def _files_below(cls, value: Training | Inference | None) -> Training | Inference | None:
        if value is not None:
            for path in (value.video, *value.done) if isinstance(value, Training) else (value.sound, value.output):
                _relative(path)
        return value

    @model_validator(mode="after")
    def _fields_known(self) -> EngineManifest:
        texts: list[str] = [*self.avatar, *self.package, self.poster, self.idle]
        if self.train:
            texts += [*self.train.argv, self.train.video, *self.train.done]
        if self.infer:
            texts += [*self.infer.argv, self.infer.sound, self.infer.output]
        for text in texts:
            for _, field, _, _ in string.Formatter().parse(text):
                if field is not None and field not in _KNOWN:
                    raise ValueError(f"{{{field}}} stands for nothing; known are {', '.join(sorted(_KNOWN))}")
        globs = (*self.avatar, *self.package)
        if any("{id}" not in PurePosixPath(text).parts and "{id}." not in text for text in globs):
            raise ValueError("each glob of avatar and package names the avatar by {id}: others' files are not its own")
        return self


def read_manifest(file: Path) -> EngineManifest:
    """The manifest of a YAML file.  Raises `InvalidRequest` naming the file and the first wrong field."""
    try:
        return EngineManifest(**yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as exc:
        first = exc.errors()[0]
        reason = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".lstrip(": ")
    except (OSError, TypeError, ValueError, yaml.YAMLError) as exc:
        reason = " ".join(str(exc).split())[:300]
    raise InvalidRequest("The engine file {file} cannot be used: {reason}.", code="engine.bad_manifest",
                         hint="Correct it; docs/adding-a-driver.md shows each field.", file=file.name,
                         reason=reason)


def read_manifests(folders: Sequence[Path]) -> dict[str, EngineManifest | InvalidRequest]:
    """All manifests by name; one in a later folder replaces one of the same name in an earlier.

    A file that cannot be used is there by its own name, as the error, so that one slip does not hide the others.
    """
    found: dict[str, EngineManifest | InvalidRequest] = {}
    for file in (file for folder in folders for file in sorted(folder.glob("*.yaml"))):
        told: EngineManifest | InvalidRequest
        try:
            told = read_manifest(file)
            name = told.name
        except InvalidRequest as exc:
            told, name = exc, file.stem
        found = {known: one for known, one in found.items() if known.lower() != name.lower()} | {name: told}
    return found


def _relative(path: str) -> None:
    parts = PurePosixPath(path).parts
    if path and (PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path):
        raise ValueError(f"{path} leaves the folder it must lie in")
