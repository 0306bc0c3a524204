"""How like the person painted mouths are: ``python -m benchmarks.lips_picture [VIDEO …] --seconds S --json``.

The first 80 % of each recording are learnt from, for so many CPU seconds on
one thread, once for each seed; the true mouth shapes of the rest are painted
into the frames they come from and compared with what is there.  Sheets and
clips (real, painted, difference) go to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures
from benchmarks.renderers_material import Recording, cut_up
from visage.engines.lite import crops
from visage.engines.lite.package import Package
from visage.engines.lite.paint import OnnxPainter

RESULTS = Path(__file__).resolve().parent / "results"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "open" / "videos"
CLIPS = ("de_anchor_20s", "zh_woman_15s", "yiran31_woman_24s", "obama1_20s_256", "cnn_man_71s")
_SPREAD = ("psnr_mouth_crop", "ssim_mouth_crop", "sharpness_ratio", "flicker_ratio", "learn_cpu_s")


def measure(clips: Sequence[Path], seconds: float, seeds: Sequence[int] = (0, 1, 2), *, kept: Path | None = None,
            tracks: Path | None = None, size: int = crops.SIZE, network: Callable[[int], Any] | None = None,
            results: Path = RESULTS) -> dict[str, Any]:
    """The picture rows: ``rows`` for each clip and seed, ``mean`` and ``spread`` (standard deviation) over them.

    ``seconds``: CPU seconds of learning on one thread.  ``kept``: folder for what is cut out, so that the next run
    starts at once.  ``tracks``: folder of meshes found before (``NAME.points.npy``).  ``size``: side of the painted
    crops.  ``network``: instead of the shipped painter.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            recording = cut_up(clip, kept or Path(folder), size, tracks)
            for seed in seeds:
                with tempfile.TemporaryDirectory() as place:
                    found, pictures = measure_one(recording, Path(place), seconds, seed, network)
                rows.append({"clip": clip.stem, "seed": seed, **found})
            show(*pictures, results / f"picture_{clip.stem}")
    table = {key: np.array([row[key] for row in rows], float) for key in (*_SPREAD, "ms_per_frame")}
    return {"rows": rows, "mean": {key: round(float(values.mean()), 4) for key, values in table.items()},
            "spread": {key: round(float(values.std()), 4) for key, values in table.items()}}


def measure_one(recording: Recording, place: Path, seconds: float, seed: int,
                network: Callable[[int], Any] | None = None) -> tuple[dict[str, float], tuple[np.ndarray, np.ndarray]]:
    """Figures of one painter, learnt in the folder ``place``; real and painted crops uint8 [T, 128, 128, 3].

    ``ms_per_frame`` is the exact network's; the shipped painter is made light too, and used so where it is as good.
    """
    from visage.engines.lite.export import export_painter
    from visage.engines.lite.learn import BATCH, Plan, School
    from visage.engines.lite.quantise import lighten

    package = Package(place)
    for file in ("scene.npz", "mouth.npz"):
        shutil.copy(recording.package.folder / file, place / file)
    plan = Plan(seconds, place / "learn.pt", place / "preview.jpg", place / "losses.jsonl", every=seconds, seed=seed,
                clock=time.process_time, threads=1)
    school = School(recording.lesson, replace(plan, network=network) if network else plan)
    begun = time.process_time()
    score = school.learn(lambda _: None)
    learnt = time.process_time() - begun
    package.write_bank(recording.lesson.bank)
    export_painter(school.painter, package.painter)
    light = {} if network else lighten(package.painter, recording.lesson)
    pictures = replace(recording, package=package).painted()
    return {**figures.picture_figures(*pictures), "learn_cpu_s": round(learnt, 1), "steps": score.step,
            "samples_per_cpu_s": round(BATCH * score.step / learnt, 1), "gain": round(float(school.painter.gain), 3),
            "ms_per_frame": frame_time(package.painter, recording.lesson.faces.shape[1]), **light}, pictures


def frame_time(painter: Path, size: int, turns: int = 5) -> float:
    """CPU milliseconds of one thread for one crop, painted eight at a time: the least of some turns."""
    session = OnnxPainter(painter, 1)
    rng = np.random.default_rng(0)
    inputs = [rng.integers(0, 255, (8, size, size, planes), np.uint8) for planes in (3, 3, 2, 2)]
    least = float("inf")
    for _ in range(turns):
        begun = time.thread_time()
        session.paint(*inputs)
        least = min(least, time.thread_time() - begun)
    return round(1000 * least / 8, 2)


def show(real: np.ndarray, made: np.ndarray, stem: Path) -> None:
    """Write ``STEM.png``, a sheet, and ``STEM.mp4``: real, painted and four times their difference side by side."""
    from visage.media.encoder import ClipWriter

    figures.contact_sheet(real, made, stem.with_suffix(".png"))
    side = 3 * figures.CROP
    with ClipWriter(stem.with_suffix(".mp4"), side, figures.CROP, sound_rate=0, crf=16) as clip:
        for pair in zip(real, made, strict=True):
            apart = np.clip(128 + 4 * (pair[1].astype(np.int16) - pair[0]), 0, 255).astype(np.uint8)
            clip.write(np.hstack([*pair, apart]))


def main() -> None:
    """Read the command line, print a row for each clip and seed and, with ``--json``, one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU seconds of learning, on one thread")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, default=crops.SIZE, help="side of the painted crops")
    parser.add_argument("--kept", type=Path, help="folder for what is cut out of the recordings")
    parser.add_argument("--tracks", type=Path, help="folder of meshes found before")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    files = given.files or [SHARED / f"{name}.mp4" for name in CLIPS]
    found = measure(files, given.seconds, range(given.seeds), kept=given.kept, tracks=given.tracks, size=given.size)
    for row in found["rows"]:
        print(" ".join(f"{key}={value}" for key, value in row.items()))
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
