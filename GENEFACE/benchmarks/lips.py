"""All figures of lips: ``scripts/bench lips [--json] [--clips NAME …] [--seeds N] [--seconds S] [--without PART …]``.

``motion``: mouths told from sound, on every clip.  ``picture``: mouths painted
from true shapes, each clip and seed learnt anew.  ``speed``: a whole training
of one clip, then frames a second; wants a machine that does nothing else.
``sheets``: for each clip a whole training, a viewing sheet and a video side by
side in benchmarks/results/lips (long: it is left out unless asked for).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import lips_motion, lips_picture, lips_sheet, lips_speed
from visage.config import read_settings
from visage.engines import TrainRequest, open_engine
from visage.media.audio import read_sound, write_wav
from visage.storage.paths import Paths
from visage.types import SPEECH_RATE, silent

OPEN = Path(__file__).resolve().parents[3] / "shared" / "data" / "open" / "videos"
RESULTS = Path(__file__).resolve().parent / "results" / "lips"
CLIPS = ("de_anchor_20s", "zh_woman_15s", "yiran31_woman_24s", "obama1_20s_256", "cnn_man_71s")
PARTS = ("motion", "picture", "speed")
TARGETS: dict[str, tuple[float, float]] = {
    "loso_corr.opening": (0.62, 1), "loso_corr.width": (0.55, 1), "loso_corr.outer": (0.60, 1),
    "own_corr.opening": (0.70, 1), "own_corr.width": (0.60, 1), "own_corr.outer": (0.72, 1),
    "closure_recall": (0.85, 1), "closed_in_silence": (0.98, 1), "amplitude_ratio": (0.8, 1.2),
    "psnr_mouth_crop": (35.5, 99), "ssim_mouth_crop": (0.965, 1), "sharpness_ratio": (0.85, 1.15),
    "flicker_ratio": (0, 1.15), "render_fps": (150, 1e9), "ms_per_frame": (0, 4), "train_s": (0, 300)}
"""Key → least and most that it should be."""


def motion(asked: argparse.Namespace) -> dict[str, Any]:
    """The rows of `lips_motion`, flattened: mean, and spread over clips."""
    found = lips_motion.measure(asked.videos, asked.cache)
    rows: dict[str, Any] = {}
    for key in ("loso_corr", "own_corr"):
        rows |= {f"{key}.{name}": value for name, value in found[key].items()}
    rows |= {key: found[key] for key in ("closure_recall", "closure_recall_seen", "closure_real", "closed_in_silence",
                                         "amplitude_ratio", "swiftness_ratio")}
    return rows


def picture(asked: argparse.Namespace) -> dict[str, Any]:
    """The rows of `lips_picture`: mean, and spread over clips and seeds; ``rows`` one by one."""
    found = lips_picture.measure([clip_of(asked.videos, name) for name in asked.clips], asked.seconds,
                                 range(asked.seeds), tracks=asked.cache)
    keys = ("psnr_mouth_crop", "ssim_mouth_crop", "sharpness_ratio", "flicker_ratio", "learn_cpu_s")
    return {**{key: {"mean": found["mean"][key], "spread": found["spread"][key]} for key in keys},
            "picture_rows": found["rows"]}


def speed(asked: argparse.Namespace) -> dict[str, Any]:
    """A training as a user starts it, and how fast its avatar renders a minute of speech."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        begun = time.monotonic()
        trained(clip_of(asked.videos, asked.clips[0]), home / "avatar", home)
        took = time.monotonic() - begun
        sound = write_wav(home / "minute.wav", read_sound(clip_of(asked.videos, "cnn_man_71s"), SPEECH_RATE, limit=60),
                          SPEECH_RATE)
        found = lips_speed.measure(home / "avatar", sound)
    painter = found["ms_per_frame"]
    return {"train_s": {"mean": round(took, 1), "clip": asked.clips[0]}, "speed": found,
            "render_fps": {"mean": found["render_fps"]["median"], **found["render_fps"]},  # type: ignore[index,dict-item]
            "ms_per_frame": {"mean": painter[str(painter["used"])], "used": painter["used"]}}  # type: ignore[index]


def sheets(asked: argparse.Namespace) -> dict[str, Any]:
    """Train each clip as a user does, and draw what it shows beside what is real."""
    made = []
    for name in asked.clips:
        clip = clip_of(asked.videos, name)
        with tempfile.TemporaryDirectory() as folder:
            trained(clip, Path(folder) / "avatar", Path(folder))
            pair = lips_sheet.generate(clip, Path(folder) / "avatar", seconds=12.0)
            made += [str(lips_sheet.write_sheet(pair, RESULTS / f"{name}.png")),
                     str(lips_sheet.write_beside(pair, clip, RESULTS / f"{name}.mp4"))]
    return {"sheets": made}


def trained(clip: Path, avatar: Path, home: Path) -> None:
    """Fill the folder of an avatar as the product does, with the settings' own time."""
    settings = read_settings(home=home)
    engine = open_engine("lite", settings, Paths(home))
    avatar.mkdir(parents=True, exist_ok=True)
    engine.train(TrainRequest(clip, avatar, 10, options={"seconds": settings.lite_train_seconds}), silent)


def clip_of(videos: Path, name: str) -> Path:
    """The clip of that name.  Ends the program when it is not there."""
    found = next((file for file in sorted(videos.glob(f"{name}.*")) if file.suffix in (".mp4", ".mpg")), None)
    return found or sys.exit(f"There is no clip {name} in {videos}.")


def judged(key: str, row: dict[str, Any]) -> str:
    """One line of the table: figure, spread, target, and whether it was reached."""
    low, high = TARGETS[key]
    limit = f"≥ {low}" if high in (1, 99, 1e9) else f"≤ {high}" if not low else f"{low} … {high}"
    good = low <= row["mean"] <= high or (high == 1 and row["mean"] >= low)
    spread = f"± {row['spread']:.3f}" if "spread" in row else ""
    return f"{key:22} {row['mean']:9.3f} {spread:9} {limit:12} {'reached' if good else 'MISSED'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and one JSON object at the end when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--videos", type=Path, default=OPEN, help="folder of talking clips")
    parser.add_argument("--clips", nargs="+", default=list(CLIPS), help="those that painters learn; the first is timed")
    parser.add_argument("--seeds", type=int, default=1, help="painters learnt a clip (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=160.0, help="CPU seconds of learning (default %(default)s)")
    parser.add_argument("--cache", type=Path, help="folder that keeps tracked meshes and aligned phones")
    parser.add_argument("--without", nargs="*", default=[], choices=PARTS, help="parts to leave out")
    parser.add_argument("--sheets", action="store_true", help="also train every clip and draw its viewing sheet")
    asked = parser.parse_args(arguments)
    if not asked.videos.is_dir():
        sys.exit(f"The folder {asked.videos} is not on this machine; name one with --videos.")
    parts: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "speed": speed, "motion": motion, "picture": picture}
    found: dict[str, Any] = {"load": round(os.getloadavg()[0], 2), "cores": len(os.sched_getaffinity(0))}
    for part in [*(part for name, part in parts.items() if name not in asked.without),
                 *([sheets] if asked.sheets else [])]:
        told = part(asked)
        for key, row in told.items():
            if key in TARGETS:
                print(judged(key, row), flush=True)
        found |= told
    if asked.json:
        print(json.dumps(found, default=float))
    return 0


if __name__ == "__main__":
    sys.exit(main())
