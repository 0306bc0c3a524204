"""The folder that a container works in: what is put there before a run and taken from it after."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from visage.containers.contract import Mount
from visage.engines.container.manifest import EngineManifest
from visage.errors import Conflict, OutputInvalid
from visage.media.ffmpeg import to_wav
from visage.media.run import run_tool
from visage.storage.belongings import belongings, discard
from visage.storage.paths import Paths

TREE = Path(__file__).resolve().parents[3]
"""The folder that holds this product's code."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace of one engine."""

    manifest: EngineManifest
    """Whose."""
    paths: Paths
    """The installation."""

    @property
    def folder(self) -> Path:
        """Where it is on this machine."""
        return self.paths.home / self.manifest.workspace

    def mounts(self) -> tuple[Mount, ...]:
        """What the container sees of this machine."""
        more = [Mount(self.paths.home / folder, target) for folder, target in self.manifest.mounts.items()]
        own = self.folder / self.manifest.scripts
        if self.manifest.scripts and any(not (own / file.name).exists() for file in self.shipped.glob("*")):
            more.append(Mount(self.shipped, f"{self.manifest.root}/{self.manifest.scripts}", writable=False))
        return (Mount(self.folder, self.manifest.root), *more)

    @property
    def shipped(self) -> Path:
        """Where this product's own programs for the workspace are."""
        return TREE / self.manifest.workspace / self.manifest.scripts

    @property
    def table(self) -> Path:
        """The table of the weights that the engine needs: the product's own, else the workspace's."""
        own = TREE / self.manifest.workspace / self.manifest.weights
        return own if own.is_file() else self.folder / self.manifest.weights

    def put_video(self, source: Path, avatar_id: str) -> Path:
        """Copy a recording to where the training looks for it.

        The same one stays untouched, so that an interrupted training goes on; what an unfinished training made of
        another one is cleared away.  Raises `Conflict` when a finished avatar was made of another one, and when files
        of that id came from elsewhere: somebody put or imported them.
        """
        assert self.manifest.train
        target = self.folder / self.manifest.train.video.format(id=avatar_id)
        if target.is_file():
            if target.samefile(source) or filecmp.cmp(source, target, shallow=False):
                return target
            if not self.missing(avatar_id):
                raise self._other(avatar_id)
            self.clear(avatar_id)
        elif any(belongings(self.paths.home, self._belongings, avatar_id)):
            raise self._other(avatar_id)
        _whole(target, lambda out: shutil.copyfile(source, out))
        self._give(target)
        return target

    def clear(self, avatar_id: str) -> None:
        """Delete everything that exists for an avatar."""
        discard(self.paths.home, self._belongings, avatar_id)

    @property
    def _belongings(self) -> list[str]:
        return [f"{self.manifest.workspace}/{pattern}" for pattern in self.manifest.avatar]

    @staticmethod
    def _other(avatar_id: str) -> Conflict:
        return Conflict("The avatar {id} was made of another recording.", code="engine.other_recording",
                        hint="Choose another name, or delete that avatar first.", id=avatar_id)

    def put_sound(self, source: Path, name: str) -> Path:
        """Write a sound as 16-bit mono WAV at its full speech rate to where the inference looks for it."""
        assert self.manifest.infer
        target = self.folder / self.manifest.infer.sound.format(sound=name, id="")
        _whole(target, lambda out: run_tool(to_wav(source, out)))
        self._give(target)
        return target

    def output(self, avatar_id: str, name: str) -> Path:
        """Where the inference writes its video."""
        assert self.manifest.infer
        return self.folder / self.manifest.infer.output.format(id=avatar_id, sound=name)

    def take(self, made: Path, out: Path) -> Path:
        """Bring a finished video out of the workspace.  Raises `OutputInvalid` when there is none."""
        if not made.is_file():
            raise OutputInvalid("The container of {engine} ended without writing {file}.",
                                code="engine.no_output", hint="Look at the job's log, then try again.",
                                engine=self.manifest.title or self.manifest.name, file=made.name)
        _whole(out, lambda to: _link(made, to))
        return out

    def missing(self, avatar_id: str) -> list[str]:
        """What a trained face should have and has not."""
        wanted = [pattern.format(id=avatar_id) for pattern in (self.manifest.train.done if self.manifest.train else ())]
        return [name for name in wanted if not any(self.folder.glob(name))]

    def _give(self, file: Path) -> None:
        """The container runs as the workspace's owner and must be able to write where the file lies."""
        owner = self.folder.stat()
        if os.geteuid() == 0 and (owner.st_uid or owner.st_gid):
            for path in (file, *(parent for parent in file.parents if parent.is_relative_to(self.folder))):
                os.chown(path, owner.st_uid, owner.st_gid)


def sound_name(out: Path, avatar_id: str, engine: str) -> str:
    """Name of the driving sound of a clip, as older clients know it: ``<engine>_<id>_<sound>.mp4``."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", out.stem.removeprefix(f"{engine.lower()}_{avatar_id}_")).strip("_")
    return name[:64] or "sound"


def _whole(target: Path, write) -> None:
    """Have ``write(temporary)`` make a file that gets its own name only when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        write(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
