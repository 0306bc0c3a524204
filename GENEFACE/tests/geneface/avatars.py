"""A workspace with a trained avatar in the stand-in's terms, and runs of the real inference pipeline in a container."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import numpy as np
from docker.models.containers import Container

from tests.geneface.upstream import CONFIGS, TABLE
from visage.media.run import ffmpeg_path

SCRIPTS = Path(__file__).resolve().parents[2] / "GeneFace-main" / "scripts"
SIDE = 96
BITS = 12
OPEN, SHUT = 0.2, 0.02
"""Least distance of the lips while the stand-in speaks, and of the person's own closed mouth."""


def flat(*names: str) -> str:
    """Configurations of the stand-in one after the other, as a saved config.yaml holds them; later ones win."""
    lines = {line.partition(":")[0]: line for name in names for line in CONFIGS[name].splitlines()
             if ":" in line and not line.startswith((" ", "-", "base_config"))}
    return "\n".join(lines.values()) + "\n"


class Avatars:
    """A workspace to mount at /GeneFace, and the folder of weights beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "GeneFace-main"
        self.cache = folder / "model_cache"
        shutil.copytree(SCRIPTS, self.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        self.cache.mkdir()
        self._weights()
        self.write("checkpoints/lrs3/lm3d_vae_sync/config.yaml",
                   flat("egs/egs_bases/audio2motion/vae_sync.yaml", "egs/datasets/lrs3/lm3d_vae_sync.yaml")
                   .replace("work_dir: ''", "work_dir: checkpoints/lrs3/lm3d_vae_sync"))

    def write(self, path: str, text: str = "stand-in\n") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def _weights(self) -> None:
        for weight in TABLE:
            if "infer" not in weight["needed_for"] or weight["optional"] or weight["root"] == "image":
                continue
            for entry in weight["files"]:
                file = (self.cache if weight["root"] == "cache" else self.root) / entry["path"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(entry.get("text", "stand-in\n"))

    def train(self, name: str, poses: int = 40, postnet: tuple[int, ...] = (1000, 4000)) -> None:
        """An avatar with a training video of ``poses`` frames, and those checkpoints of its postnet."""
        nerf = ("egs/egs_bases/radnerf/base.yaml", "egs/egs_bases/radnerf/lm3d_radnerf.yaml")
        self._experiment(name, "lm3d_radnerf", 2000, flat(*nerf))
        self._experiment(name, "lm3d_radnerf_torso", 2000,
                         flat(*nerf, "egs/datasets/videos/May/lm3d_radnerf_torso.yaml").replace("May", name))
        for step in postnet:
            self._experiment(name, "lm3d_postnet_sync", step, flat(
                "egs/egs_bases/audio2motion/vae_sync.yaml", "egs/egs_bases/postnet/base.yaml",
                "egs/datasets/videos/May/lm3d_postnet_sync.yaml").replace("May", name))
        self._dataset(name, poses)

    def _experiment(self, name: str, kind: str, step: int, config: str) -> None:
        folder = f"checkpoints/{name}/{kind}"
        kept = [line for line in config.splitlines() if not line.startswith("work_dir")]
        self.write(f"{folder}/config.yaml", "\n".join([*kept, f"work_dir: {folder}"]) + "\n")
        self.write(f"{folder}/model_ckpt_steps_{step}.ckpt")

    def _dataset(self, name: str, poses: int) -> None:
        processed = f"data/processed/videos/{name}"
        samples = []
        for index in range(poses):
            self.write(f"{processed}/ori_imgs/{index}.lms", "1.0 2.0\n" * 68)
            face = np.zeros((68, 3))
            gap = SHUT if index % 5 == 0 else OPEN + index / poses
            face[[61, 62, 63], 1], face[[65, 66, 67], 1] = gap / 2, -gap / 2
            samples.append({"idx": index, "c2w": np.eye(4), "idexp_lm3d": face, "deepspeech_win": np.zeros((16, 29)),
                            "torso_img_fname": str(self.write(f"{processed}/torso_imgs/{index}.png")
                                                   .relative_to(self.root)),
                            "gt_img_fname": str(self.write(f"{processed}/gt_imgs/{index}.jpg").relative_to(self.root))})
        cut = poses * 10 // 11
        dataset = {"H": SIDE, "W": SIDE, "focal": 1.0, "cx": 48.0, "cy": 48.0, "bg_img": np.zeros((SIDE, SIDE, 3)),
                   "idexp_lm3d_mean": np.zeros((1, 68, 3)), "idexp_lm3d_std": np.ones((1, 68, 3)),
                   "train_samples": samples[:cut], "val_samples": samples[cut:]}
        file = self.root / f"data/binary/videos/{name}/trainval_dataset.npy"
        file.parent.mkdir(parents=True)
        np.save(file, dataset, allow_pickle=True)


@dataclass
class Answer:
    """What a run said and how it ended."""

    status: int
    log: str

    @property
    def lines(self) -> list[dict]:
        """The lines that are for a program."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    @property
    def result(self) -> dict:
        assert self.status == 0, self.log
        return self.lines[-1]["result"]

    @property
    def error(self) -> dict:
        return self.lines[-1]["error"]

    def rendered(self) -> int:
        """How often the renderer was started."""
        return self.log.count("stand-in: rendering")


@contextmanager
def inferring(engine: docker.DockerClient, image: str, avatars: Avatars, *arguments: str, user: int = 0,
              tmpfs: dict[str, str] | None = None, **environment: str) -> Iterator[Container]:
    """The pipeline in a container as the product starts it, removed afterwards."""
    volumes = {str(avatars.root): {"bind": "/GeneFace", "mode": "rw"},
               str(avatars.cache): {"bind": "/root/.cache/torch/hub/checkpoints", "mode": "rw"}}
    container = engine.containers.run(
        image, ["bash", "scripts/infer_pipeline.sh", *arguments], detach=True, init=True, working_dir="/GeneFace",
        volumes=volumes, network_mode="none", cap_drop=["ALL"], security_opt=["no-new-privileges"], user=str(user),
        tmpfs=tmpfs or {},
        environment={"GENEFACE_ALLOW_CPU": "1", **environment}, labels={"visage.test": "infer"})
    try:
        yield container
    finally:
        container.remove(force=True)


def ended(container: Container) -> Answer:
    """Wait for the run."""
    status = container.wait(timeout=280)["StatusCode"]
    return Answer(status, container.logs().decode())


def until(container: Container, words: str, seconds: float = 60) -> None:
    """Wait until the container has said that."""
    end = time.monotonic() + seconds
    while words not in container.logs().decode():
        container.reload()
        assert container.status in ("created", "running") and time.monotonic() < end, container.logs().decode()
        time.sleep(0.05)


def pictures(video: Path) -> tuple[list[int], np.ndarray]:
    """What each frame of a video shows: the number of its pose, and how far its lips are apart."""
    raw = subprocess.run([ffmpeg_path(), "-v", "error", "-i", str(video), "-fps_mode", "passthrough", "-pix_fmt",
                          "gray", "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    grey = np.frombuffer(raw, np.uint8).reshape(-1, SIDE, SIDE).astype(float)
    width = SIDE // BITS
    bits = grey[:, 10:38].reshape(-1, 28, BITS, width)[:, :, :, 2:6].mean((1, 3)) > 128
    return (bits @ (1 << np.arange(BITS))).tolist(), (grey[:, 60:86].mean((1, 2)) - 30) / 200


def sound_of(file: Path, rate: int) -> np.ndarray:
    """The sound of a file, mono float32 at ``rate``."""
    raw = subprocess.run([ffmpeg_path(), "-v", "error", "-i", str(file), "-vn", "-ac", "1", "-ar", str(rate), "-f",
                          "f32le", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.float32)
