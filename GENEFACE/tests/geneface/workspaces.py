"""A workspace as the product mounts it, with the weights that training needs, and trainings in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.models.containers import Container

from tests.geneface.avatars import Answer, ended
from tests.geneface.upstream import weight_files, write_files

SCRIPTS = Path(__file__).resolve().parents[2] / "GeneFace-main" / "scripts"
ANYBODY = 4711
"""A user that the image does not know."""
LRS3 = ["train.data", "val.data", "sizes_train.npy", "sizes_val.npy", "stats.npy", "spk_id2spk_idx.npy"]


class Workspace:
    """Folders to mount at /GeneFace and at the cache of weights."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "GeneFace-main"
        self.cache = folder / "model_cache"
        shutil.copytree(SCRIPTS, self.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        write_files(self.root, weight_files("workspace"))
        write_files(self.cache, weight_files("cache"))
        (self.cache / hub("refs/main")).write_text(next(
            Path(name).parent.name for name in weight_files("cache") if name.endswith("config.json")))

    def put(self, video: Path | bytes, name: str = "Ann_1", suffix: str = "mp4") -> str:
        """Place a training video; its path for the pipeline."""
        file = self.root / "data" / "raw" / "videos" / f"{name}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(video if isinstance(video, bytes) else video.read_bytes())
        return f"data/raw/videos/{file.name}"

    def put_lrs3(self) -> None:
        """The data that a postnet is trained with."""
        write_files(self.root / "data" / "binary" / "lrs3", LRS3)

    def order_fault(self, words: str) -> None:
        """Have a program of the stand-in fail or hang; an empty text: none."""
        file = self.root / "data" / "processed" / "stand_in_fault"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(words)

    def made(self, name: str = "Ann_1") -> dict[str, bytes]:
        """Everything that a training has left for an id, but for locks, times and what upstream leaves behind."""
        return {str(file.relative_to(self.root)): file.read_bytes()
                for folder in (f"data/processed/videos/{name}", f"data/binary/videos/{name}", f"checkpoints/{name}")
                for file in sorted((self.root / folder).rglob("*"))
                if file.is_file() and ".stages" not in file.parts and file.name not in (".lock", "interrupted")}

    @contextmanager
    def training(self, engine: docker.DockerClient, image: str, *arguments: str, user: int = ANYBODY,
                 environment: dict[str, str] | None = None, **more: object) -> Iterator[Container]:
        """The pipeline in a container as the product starts it, removed afterwards."""
        self.hand_over(user)
        container = engine.containers.run(
            image, ["bash", "scripts/train_pipeline.sh", *arguments], detach=True, init=True, working_dir="/GeneFace",
            volumes={str(self.root): {"bind": "/GeneFace", "mode": "rw"},
                     str(self.cache): {"bind": "/root/.cache/torch/hub/checkpoints", "mode": "rw"}},
            network_mode="none", cap_drop=["ALL"], security_opt=["no-new-privileges"], user=f"{user}:{user}",
            environment={"GENEFACE_ALLOW_CPU": "1"} if environment is None else environment,
            labels={"visage.test": "train"}, **more)
        try:
            yield container
        finally:
            container.remove(force=True)

    def train(self, engine: docker.DockerClient, image: str, *arguments: str, **more: object) -> Answer:
        """A training to its end."""
        with self.training(engine, image, *arguments, **more) as container:
            return ended(container)

    def hand_over(self, user: int) -> None:
        """Make it all that user's."""
        if os.geteuid() == 0:
            for place in (self.root, self.cache):
                for file in (place, *place.rglob("*")):
                    os.chown(file, user, user, follow_symlinks=False)


def hub(name: str) -> str:
    """A file of HuBERT in the cache."""
    return f"huggingface/hub/models--facebook--hubert-large-ls960-ft/{name}"


def done(answer: Answer) -> list[str]:
    """Stages that were found done already, in their order."""
    return [line["stage"] for line in answer.lines if line.get("message") == "already done"]


def stages(answer: Answer) -> list[str]:
    """Stages that were announced, in their order."""
    return list(dict.fromkeys(line["stage"] for line in answer.lines if "stage" in line))
