"""What the product adds to a bare ``docker run``, and what it survives: python -m benchmarks.containers --json

Measured with an engine in a container that needs no GPU (``visage-lite``), on a
real recording.  The last line of the output is one JSON object:

``overhead_ratio``  seconds of a clip through the product / of the same ``docker run`` by hand, medians
``cancel_s``        from the request to the container being gone, the slowest
``reattach_ok``     kills of web and worker after which the same container went on and its job with it
``lost_jobs``       jobs that ended in no way that was asked for
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import numpy as np
import yaml

from benchmarks.product import ROOT, Product, child_of, running
from visage.media.audio import read_sound, write_wav
from visage.types import SPEECH_RATE

CLIP = ROOT.parents[1] / "shared/data/open/videos/de_anchor_20s.mp4"
ENGINE = ROOT / "docker/lite/engine.yaml"
QUIET_SECONDS = 10.5
"""Between two kills: the supervisor takes quicker deaths for a fault and gives up after five."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench containers", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--video", type=Path, default=CLIP, help="recording of a person who speaks")
    parser.add_argument("--image", default="visage-lite:latest", help="image of the engine")
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the clips that are timed")
    parser.add_argument("--repeats", type=int, default=3, help="timed clips, each way")
    parser.add_argument("--cancels", type=int, default=5)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    with closing(docker.from_env()) as client, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        client.images.get(given.image)
        bench = Bench(client, given, Path(folder), quiet=given.json)
        print(json.dumps(bench.run()))


class Bench:
    """The measurements, one product each, so that none disturbs another."""

    def __init__(self, client: docker.DockerClient, given: argparse.Namespace, folder: Path, quiet: bool) -> None:
        self._client, self._given, self._folder, self._quiet = client, given, folder, quiet
        self._states: list[str] = []
        self._spoiled = 0

    def run(self) -> dict[str, Any]:
        """All figures."""
        home = self._folder / "home"
        long = self._describe(home, "Long", seconds=QUIET_SECONDS * self._given.kills + 60)
        self._describe(home, "Short", seconds=5)
        figures: dict[str, Any] = {}
        with running(home) as product:
            recording = product.upload("video", self._given.video)
            figures |= self._overhead(product, recording)
            figures |= self._cancel(product, recording)
            figures |= self._reattach(product, recording, long)
        return {**figures, "lost_jobs": self._spoiled}

    def _describe(self, home: Path, name: str, seconds: float) -> str:
        told = yaml.safe_load(ENGINE.read_text(encoding="utf-8"))
        told |= {"name": name, "image": self._given.image, "workspace": f"var/{name.lower()}"}
        told["train"]["argv"] += ["--seconds", str(seconds)]
        file = home / "engines" / f"{name.lower()}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(told), encoding="utf-8")
        return name

    def _overhead(self, product: Product, recording: str) -> dict[str, Any]:
        job = product.post("/api/jobs/train", upload=recording, engine="Short", id="bench", name="bench")
        self._note(product.ended(job["id"], 600), "succeeded")
        self._quiet_down(product)
        sound = self._sound()
        uploaded = product.upload("audio", sound)
        through, bare = [], []
        for _ in range(self._given.repeats):
            with timed(through):
                job = product.post("/api/jobs/generate", avatar="bench", upload=uploaded)
                self._note(product.ended(job["id"], 1200), "succeeded")
            with timed(bare):
                self._by_hand(product.home / "var/short", sound)
            self._say(f"through the product {through[-1]:.2f} s, by hand {bare[-1]:.2f} s")
        return {"overhead_ratio": round(statistics.median(through) / statistics.median(bare), 3),
                "through_s": rounded(through), "bare_s": rounded(bare)}

    @staticmethod
    def _quiet_down(product: Product, seconds: float = 600.0) -> None:
        """Wait for what a training brings with it: a new face is evaluated beside other work."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(
                job["state"] in ("queued", "running") for job in product.get("/api/jobs")["jobs"]):
            time.sleep(0.5)

    def _by_hand(self, workspace: Path, sound: Path) -> None:
        there = workspace / "data/raw/val_wavs/byhand.wav"
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(sound.read_bytes())
        subprocess.run(["docker", "run", "--rm", "--init", "--network", "none", "-v", f"{workspace}:/GeneFace",
                        "--user", f"{os.getuid()}:{os.getgid()}", "-w", "/GeneFace", self._given.image,
                        "visage-lite", "infer", "--video_id", "bench",
                        "--audio_path", "data/raw/val_wavs/byhand.wav"], check=True, stdout=subprocess.DEVNULL)
        (workspace / "infer_out/bench/pred_video/byhand.mp4").unlink()

    def _cancel(self, product: Product, recording: str) -> dict[str, Any]:
        seconds: list[float] = []
        for number in range(self._given.cancels):
            job = product.post("/api/jobs/train", upload=recording, engine="Long", id=f"gone{number}", name="gone")
            self._container(job["id"])
            self._moving(product, job["id"])
            with timed(seconds):
                product.post(f"/api/jobs/{job['id']}/cancel")
                ended = product.ended(job["id"], 60)
                while self._container(job["id"], wait=False):
                    time.sleep(0.02)
            self._note(ended, "cancelled")
            self._say(f"cancelled in {seconds[-1]:.2f} s")
        return {"cancel_s": max(seconds), "cancel_all_s": rounded(seconds)}

    def _reattach(self, product: Product, recording: str, engine: str) -> dict[str, Any]:
        job = product.post("/api/jobs/train", upload=recording, engine=engine, id="kept", name="kept")
        container = self._container(job["id"])
        self._moving(product, job["id"])
        good = 0
        for kill in range(self._given.kills):
            before = product.job(job["id"])
            time.sleep(QUIET_SECONDS)
            for part in ("backend.worker", "app.py"):
                os.kill(child_of(product.process.pid, part), signal.SIGKILL)
            good += self._went_on(product, job["id"], container, before["attempt"])
            self._say(f"kill {kill + 1}: {good} times taken up again")
        self._note(product.ended(job["id"], 900), "succeeded")
        return {"reattach_ok": good, "kills": self._given.kills}

    def _went_on(self, product: Product, job_id: str, container: str, attempt: int) -> bool:
        """Whether the job runs again, as a further attempt with the same container, and moves."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            job = product.job(job_id)
            if job["state"] not in ("queued", "running") or self._container(job_id, wait=False) != container:
                return False
            if job["state"] == "running" and job["attempt"] > attempt and job["fraction"] > 0:
                return True
            time.sleep(0.1)
        return False

    def _moving(self, product: Product, job_id: str) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until and product.job(job_id)["fraction"] <= 0.01:
            time.sleep(0.1)

    def _container(self, job_id: str, wait: bool = True) -> str:
        """Id of the container of a job; empty when there is none (and none comes, when waited for)."""
        until = time.monotonic() + (60 if wait else 0)
        while True:
            with suppress(docker.errors.NotFound):
                found = self._client.containers.list(all=True, filters={"label": f"visage.job={job_id}"})
                if found or time.monotonic() >= until:
                    return str(found[0].id) if found else ""
            time.sleep(0.1)

    def _sound(self) -> Path:
        speech = read_sound(self._given.video, SPEECH_RATE)
        wanted = int(self._given.minutes * 60 * SPEECH_RATE)
        write_wav(self._folder / "long.wav", np.resize(speech, wanted), SPEECH_RATE)
        return self._folder / "long.wav"

    def _note(self, job: dict[str, Any], wanted: str) -> None:
        if job["state"] != wanted:
            self._spoiled += 1
            self._say(f"{job['kind']} {job['state']} instead of {wanted}: {job.get('error')}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, flush=True)


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Append how long the block took."""
    began = time.monotonic()
    yield
    seconds.append(time.monotonic() - began)


def rounded(values: list[float]) -> list[float]:
    """Two digits are all that a measurement here is good for."""
    return [round(value, 2) for value in values]


if __name__ == "__main__":
    main()
