"""What face swapping costs on this machine: ``faceswap benchmark`` times every engine that is installed.

The material is one photo of a library and a moving clip made of it, 806 by 684
pixels, 25 frames a second, with sound; nothing of it is kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.terminal import words
from visage.config import Settings, read_settings
from visage.errors import NotInstalled
from visage.heaps import one_thread_each
from visage.media.encoder import ClipWriter
from visage.swap import DRIVERS, open_restorer, open_swapper
from visage.swap.contract import Look, Swapper
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.pipeline import swap_file

WIDTH, HEIGHT, FPS, RATE = 806, 684, 25, 16_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one engine needs here."""

    engine: str
    """Its name on screen."""
    provider: str
    """Who computes."""
    open_ms: float
    """Opening it and its first look, which a service does once."""
    find_ms: float
    """Finding the faces of one picture, median."""
    swap_ms: float
    """One face, median."""
    restore_ms: float | None
    """One face made clearer, median; None without a restorer."""
    fps: float
    """Frames a second of a video, from file to verified file."""
    realtime: float
    """How many times faster than the video plays."""

    @property
    def picture_ms(self) -> float:
        """One picture with one face, found and swapped."""
        return self.find_ms + self.swap_ms


def measure(name: str, settings: Settings, folder: Path, frames: int, runs: int) -> Cost:
    """Time one engine.  Raises `NotInstalled` when it is not here."""
    photo, target = _face(), folder / "benchmark.mp4"
    if not target.exists():
        _clip(target, photo, frames)
    picture = _frame(photo, 0)
    began = time.monotonic()
    with open_swapper(name, settings) as swapper:
        faces = swapper.find(picture, Look(thorough=True))
        opened = (time.monotonic() - began) * 1000
        if not faces:
            raise NotInstalled("{engine} finds no face in the picture of the benchmark.", code="swap.benchmark_blind",
                               hint="GENEFACE/scripts/faceswap models verify", engine=swapper.title)
        identity = swapper.identify([photo[:, ::-1].copy()])
        found = _median(lambda: swapper.find(picture, Look()), runs)
        swapped = _median(lambda: swapper.swap(picture, faces[0], identity), runs)
        made = swap_file(SwapRequest(target, folder / f"{name}.mp4", SwapOptions(), folder), swapper, identity)
        restored = _restoring(name, settings, picture, swapper, runs)
        return Cost(swapper.title, made.provider, opened, found, swapped, restored, made.fps, made.realtime)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(prog="faceswap benchmark", description="What face swapping costs here.")
    parser.add_argument("--engine", choices=list(DRIVERS), help="only this one; default: all that are installed")
    parser.add_argument("--frames", type=int, default=75, help="length of the video")
    parser.add_argument("--runs", type=int, default=15, help="how often a picture is worked on")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    told = parser.parse_args(argv)
    one_thread_each()
    settings, costs, absent = read_settings(), [], {}
    with tempfile.TemporaryDirectory(prefix="visage-benchmark-") as folder:
        for name in (told.engine,) if told.engine else DRIVERS:
            try:
                costs.append(measure(name, settings, Path(folder), max(2, told.frames), max(1, told.runs)))
            except NotInstalled as exc:
                absent[name] = exc.message
    if told.json:
        print(json.dumps({"size": [WIDTH, HEIGHT], "frames": told.frames, "absent": absent, "engines": [
            {**asdict(cost), "picture_ms": cost.picture_ms} for cost in costs]}, ensure_ascii=False, indent=1))
    else:
        _tell(costs, absent)
    return 0 if costs else 2


def _tell(costs: Sequence[Cost], absent: dict[str, str]) -> None:
    for cost in costs:
        restoring = words("no restorer", "无修复器") if cost.restore_ms is None else words(
            f"restore {cost.restore_ms:.0f} ms", f"修复 {cost.restore_ms:.0f} 毫秒")
        print(words(
            f"{cost.engine} ({cost.provider}): a picture {cost.picture_ms:.0f} ms (find {cost.find_ms:.0f}, swap "
            f"{cost.swap_ms:.0f}), {restoring}; video {WIDTH}x{HEIGHT} {cost.fps:.1f} fps, {cost.realtime:.2f} times "
            f"realtime; start {cost.open_ms:.0f} ms",
            f"{cost.engine}（{cost.provider}）：每张图片 {cost.picture_ms:.0f} 毫秒（检测 {cost.find_ms:.0f}，换脸 "
            f"{cost.swap_ms:.0f}），{restoring}；视频 {WIDTH}x{HEIGHT} 每秒 {cost.fps:.1f} 帧，实时倍率 "
            f"{cost.realtime:.2f}；启动 {cost.open_ms:.0f} 毫秒"))
    for name, why in absent.items():
        print(f"{name}: {why}")


def _restoring(name: str, settings: Settings, picture: np.ndarray, swapper: Swapper, runs: int) -> float | None:
    face = swapper.find(picture, Look(thorough=True))[0]
    try:
        with open_restorer(name, settings) as restorer:
            return _median(lambda: restorer.restore(picture, face), runs)
    except NotInstalled:
        return None


def _median(work: Callable[[], object], runs: int) -> float:
    """Milliseconds of one call on the wall's clock; the first one is not counted."""
    work()
    spans = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        spans.append((time.perf_counter() - began) * 1000)
    return statistics.median(spans)


def _face() -> np.ndarray:
    import skimage.data

    return cv2.resize(np.ascontiguousarray(skimage.data.astronaut()[0:320, 80:420]), (680, 640),
                      interpolation=cv2.INTER_CUBIC)


def _frame(photo: np.ndarray, number: int) -> np.ndarray:
    """The photo on a ground of grey, a little further to the right in every frame."""
    frame = np.full((HEIGHT, WIDTH, 3), 96, np.uint8)
    left = 20 + number % 80
    frame[22:22 + photo.shape[0], left:left + photo.shape[1]] = photo
    return frame


def _clip(out: Path, photo: np.ndarray, frames: int) -> None:
    writer = ClipWriter(out, WIDTH, HEIGHT, FPS, RATE)
    seconds = np.arange(RATE * frames // FPS) / RATE
    writer.write_sound((0.2 * np.sin(2 * np.pi * 220 * seconds)).astype(np.float32))
    for number in range(frames):
        writer.write(_frame(photo, number))
    writer.close()
