"""What the face swap named basic is worth: ``python -m benchmarks.swap [--json] [--sheet FILE.png] [--frames N]``.

Real talking clips at 806 by 684 pixels with sound get the faces of real photos.
``embedded_fps`` is frames a second of the whole way, file to verified file, on
the wall's clock; ``cpu_ms`` is what a frame costs in processor time, all threads
together, and ``fps_two_cores`` what two free cores would make of that at best.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from visage.config import read_settings
from visage.faces import FaceFinder, open_faces
from visage.heaps import one_thread_each
from visage.media.ffmpeg import START, read_from, whole_path
from visage.media.frames import read_video
from visage.media.run import run_tool
from visage.swap import Look, Patch, Swapper, open_swapper
from visage.swap.blending import BLENDS, blend
from visage.swap.colouring import matched
from visage.swap.embedded.topology import topology
from visage.swap.joining import sound_digest
from visage.swap.options import SwapOptions, SwapRequest, SwapResult
from visage.swap.pipeline import identity_of, swap_file

OPEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "open"
PAIRS = {
    "segment10_man_5s.mp4": "woman_frontal_624.jpg",
    "zh_woman_5s.mp4": "asian_woman_red_2840.png",
    "hdtf_aoc_8s.mp4": "woman_474.png",
    "retalk1_man_6s.mp4": "obama_1080p.jpg",
}
"""Clips to the photos whose faces they get."""
SIZE = (806, 684)
HOOKS = {"onnx_overhead_ratio": "benchmarks.swap_onnx:overhead_ratio",
         "label_survives": "benchmarks.swap_labels:survives"}
"""Figures of other parts: a function without arguments, asked where its module is there; null elsewhere."""


@dataclass(slots=True)
class Clip:
    """The figures of one clip."""

    name: str
    """Its file."""
    result: SwapResult
    """What the pipeline says."""
    seconds: float
    """On the wall's clock."""
    cpu_ms: float
    """Processor time of a frame, milliseconds, all threads."""
    lip_nme: float
    """Per cent of the distance between the outer eye corners: how far the lips moved, mean over frames."""
    mesh_nme: float
    """The same of all points."""
    floor_nme: float
    """The same of the lips between the target and the target encoded once more: what the measuring itself adds."""
    flicker: float
    """Change between frames that movement does not explain, over the target's."""
    sound_same: bool
    """Whether the sound is the target's bit for bit."""
    psnr: dict[str, float] = field(default_factory=dict)
    """Of faces swapped with themselves, by blend, decibel."""
    outside_same: bool = False
    """Whether every pixel outside the mask kept its bits."""


def prepared(name: str, folder: Path, frames: int) -> Path:
    """A clip cut to `SIZE` with its sound as AAC, at 25 frames a second."""
    out = folder / name
    width, height = SIZE
    fill = f"fps=25,scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
    run_tool([*START, *read_from(OPEN / "videos" / name), "-t", f"{frames / 25:.3f}", "-map", "0:v:0", "-map", "0:a:0?",
              "-vf", fill, "-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-pix_fmt", "yuv420p",
              "-c:a", "aac", whole_path(out)])
    return out


def measured(name: str, folder: Path, frames: int, swapper: Swapper) -> Clip:
    """Swap one clip and measure."""
    target, out = prepared(name, folder, frames), folder / f"out_{name}"
    identity = identity_of(swapper, [OPEN / "photos" / PAIRS[name]])
    started, used = time.monotonic(), _cpu()
    result = swap_file(SwapRequest(target, out, SwapOptions(), folder), swapper, identity)
    seconds, cpu = time.monotonic() - started, _cpu() - used
    again = folder / f"again_{name}"
    run_tool([*START, *read_from(target), "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", whole_path(again)])
    before, after, floor = (_meshes(each) for each in (target, out, again))
    lips = np.concatenate([topology().inner_lip, topology().outer_lip])
    psnr, same = self_swaps(target, swapper)
    return Clip(name, result, seconds, 1e3 * cpu / max(result.frames_out, 1), apart(before, after, lips),
                apart(before, after, np.arange(468)), apart(before, floor, lips), flicker(out, after) /
                max(flicker(target, before), 1e-6), sound_digest(target) == sound_digest(out), psnr, same)


def apart(one: list[np.ndarray | None], other: list[np.ndarray | None], chosen: np.ndarray) -> float:
    """Mean distance of mesh points, per cent of that between the outer eye corners."""
    found = [100 * float(np.linalg.norm((a - b)[chosen, :2], axis=1).mean() / np.linalg.norm((a[33] - a[263])[:2]))
             for a, b in zip(one, other, strict=False) if a is not None and b is not None]
    return statistics.mean(found)


def self_swaps(target: Path, swapper: Swapper) -> tuple[dict[str, float], bool]:
    """Every 25th frame with its own face: PSNR inside the mask by blend, and whether all outside is untouched."""
    values: dict[str, list[float]] = {way: [] for way in BLENDS}
    same = True
    for frame in list(read_video(target))[::25]:
        faces = swapper.find(frame, Look(thorough=True))
        if not faces:
            continue
        patch = swapper.swap(frame, faces[0], swapper.identify([frame]))
        pixels = matched(patch.pixels, frame[patch.area], patch.mask)
        inside, outside = patch.mask > 0.02, np.ones(frame.shape[:2], bool)
        outside[patch.area] = patch.mask == 0
        for way in BLENDS:
            made = frame.copy()
            blend(made, Patch(patch.left, patch.top, pixels, patch.mask), way)
            same &= bool(np.array_equal(made[outside], frame[outside]))
            error = np.mean((made[patch.area][inside].astype(float) - frame[patch.area][inside]) ** 2)
            values[way].append(min(60.0, float(10 * np.log10(255**2 / max(error, 1e-6)))))
    return {way: round(statistics.mean(each), 1) for way, each in values.items()}, same


def flicker(path: Path, meshes: list[np.ndarray | None]) -> float:
    """Mean grey difference of neighbouring frames of the face, moved onto each other by optical flow."""
    frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in read_video(path)]
    boxes = [mesh for mesh in meshes if mesh is not None]
    low = np.maximum(np.min([box[:, :2].min(0) for box in boxes], 0), 0).astype(int)
    high = np.max([box[:, :2].max(0) for box in boxes], 0).astype(int)
    parts = [frame[low[1]:high[1], low[0]:high[0]] for frame in frames[:60]]
    total = []
    rows, columns = np.mgrid[:parts[0].shape[0], :parts[0].shape[1]].astype(np.float32)
    for before, after in pairwise(parts):
        flow = cv2.calcOpticalFlowFarneback(after, before, np.zeros((*after.shape, 2), np.float32),
                                            0.5, 3, 15, 3, 5, 1.1, 0)
        moved = cv2.remap(before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
        total.append(float(cv2.absdiff(moved, after)[8:-8, 8:-8].mean()))
    return statistics.mean(total)


def figures(clips: list[Clip]) -> dict[str, Any]:
    """All of them in one."""
    results = [clip.result for clip in clips]
    cpu = statistics.mean(clip.cpu_ms for clip in clips)
    lips = [clip.lip_nme for clip in clips]
    told: dict[str, Any] = {
        "size": "{}x{}".format(*SIZE), "cores": os.cpu_count(), "engine": "basic",
        "embedded_fps": round(sum(r.frames_out for r in results) / sum(clip.seconds for clip in clips), 1),
        "cpu_ms": round(cpu, 1), "fps_two_cores": round(2000 / cpu, 1),
        "self_swap_psnr": min(min(clip.psnr.values()) for clip in clips),
        "outside_roi_identical": all(clip.outside_same for clip in clips),
        "lip_nme_percent": round(statistics.mean(lips), 2), "lip_nme_worst": round(max(lips), 2),
        "lip_nme_floor": round(statistics.mean(clip.floor_nme for clip in clips), 2),
        "mesh_nme_percent": round(statistics.mean(clip.mesh_nme for clip in clips), 2),
        "flicker_ratio": round(statistics.mean(clip.flicker for clip in clips), 2),
        "frames_in_equal_out": all(r.frames_in == r.frames_out for r in results),
        "audio_identical": all(clip.sound_same for clip in clips if clip.result.sound == "copied"),
        "skipped": sum(len(r.skipped) for r in results),
    }
    for name, place in HOOKS.items():
        module, _, function = place.partition(":")
        told[name] = getattr(import_module(module), function)() if importlib.util.find_spec(module) else None
    told["clips"] = {clip.name: {"fps": round(clip.result.fps, 1), "cpu_ms": round(clip.cpu_ms, 1),
                                 "lip_nme": round(clip.lip_nme, 2), "floor": round(clip.floor_nme, 2),
                                 "flicker": round(clip.flicker, 2), "psnr": clip.psnr,
                                 "steps_ms": {step: round(1e3 * seconds / clip.result.frames_out, 2)
                                              for step, seconds in clip.result.steps.items()}} for clip in clips}
    return told


def sheet(clips: list[Clip], folder: Path, out: Path) -> None:
    """Eight frames of every clip, above as they were and below as they are now."""
    rows = []
    for clip in clips:
        for name in (clip.name, f"out_{clip.name}"):
            frames = list(read_video(folder / name))
            chosen = [frames[n] for n in np.linspace(0, len(frames) - 1, 8).astype(int)]
            rows.append(np.hstack([cv2.resize(frame, (403, 342), interpolation=cv2.INTER_AREA) for frame in chosen]))
    cv2.imwrite(str(out), np.vstack(rows)[..., ::-1])


def _meshes(path: Path) -> list[np.ndarray | None]:
    finder: FaceFinder = open_faces()
    try:
        return [faces[0].points if (faces := finder.track(frame)) else None for frame in read_video(path)]
    finally:
        finder.close()


def _cpu() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--frames", type=int, default=125, help="frames of each clip")
    parser.add_argument("--sheet", type=Path, help="a picture of what was made")
    parser.add_argument("--clips", nargs="*", default=list(PAIRS), choices=list(PAIRS))
    asked = parser.parse_args()
    # four threads share the work: those of a single call would only wait for one another
    one_thread_each()
    if not OPEN.is_dir():
        sys.exit(f"the real clips ({OPEN}) are not on this machine")
    with tempfile.TemporaryDirectory() as place, open_swapper("embedded", read_settings()) as swapper:
        folder = Path(place)
        clips = [measured(name, folder, asked.frames, swapper) for name in asked.clips]
        if asked.sheet:
            sheet(clips, folder, asked.sheet)
    told = figures(clips)
    print(json.dumps(told) if asked.json else json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
