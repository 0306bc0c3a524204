"""How fast an avatar speaks: python -m benchmarks.lips_speed AVATAR SOUND prints one JSON line.

Frames per second are wall time: they mean something only where nothing else runs.  Seconds of processor time, beside
them, hardly change with what else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from visage.engines.contract import RenderRequest
from visage.engines.lite.package import Package
from visage.engines.lite.paint import OnnxPainter, paint_times
from visage.engines.lite.precision import Precision, light_of, processor
from visage.engines.lite.rendering import render
from visage.engines.lite.speaking import Speaker
from visage.media.audio import read_sound, write_wav
from visage.media.probe import probe
from visage.types import FPS, SPEECH_RATE, silent

RUNS = 3


def measure(avatar: Path, sound: Path) -> dict[str, object]:
    """Speed of the avatar of a package folder that says a sound.

    ``render_fps`` and ``render_cpu_ms`` (user and system time of a frame, all threads; a first run loads libraries and
    does not count) with least, median and most of `RUNS` runs; ``ms_per_frame`` of the painter alone on one thread, CPU
    milliseconds, ``fp32`` and ``int8`` (None for a photo, or where there is no such network), ``used`` of the two;
    ``loss`` as the training measured it; ``load`` is the load average at the start: above 0.5 the frames per second
    are not to be trusted.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # Loads libraries and code.
        short = write_wav(home / "short.wav", read_sound(sound, SPEECH_RATE, limit=1.0), SPEECH_RATE)
        render(RenderRequest(avatar, short, home / "short.mp4"), silent)
        runs = [_rendered(avatar, sound, home / "clip.mp4") for _ in range(RUNS)]
    return {"frames": runs[0][0], "render_fps": _spread([frames / wall for frames, wall, _ in runs]),
            "render_cpu_ms": _spread([1000 * used / frames for frames, _, used in runs]),
            "ms_per_frame": _painters(Package(avatar)), "loss": _loss(Package(avatar)), "load": round(load, 2),
            "cores": len(os.sched_getaffinity(0)), "processor": processor()}


def _rendered(avatar: Path, sound: Path, out: Path) -> tuple[int, float, float]:
    """Frames, wall seconds and CPU seconds of a clip, from sound and avatar on disk to the file closed and checked."""
    begun, used = time.monotonic(), _cpu()
    render(RenderRequest(avatar, sound, out), silent)
    wall, used = time.monotonic() - begun, _cpu() - used
    return probe(out, "video").frames, wall, used


def _cpu() -> float:
    told = resource.getrusage(resource.RUSAGE_SELF)
    return told.ru_utime + told.ru_stime


def _spread(values: list[float]) -> dict[str, float]:
    return {"min": round(min(values), 1), "median": round(statistics.median(values), 1), "max": round(max(values), 1)}


def _painters(package: Package) -> dict[str, float | str | None]:
    if package.photo.is_file():
        return {"fp32": None, "int8": None, "used": None}
    files = [file for file in (package.painter, light_of(package.painter)) if file.is_file()]
    with closing(Speaker(package, 1)) as speaker:
        times = paint_times([OnnxPainter(file, 1) for file in files], speaker.example())
    told = Precision.read(package.painter)
    return {"fp32": round(times[0], 2), "int8": round(times[1], 2) if len(times) > 1 else None,
            "used": "int8" if told and told.light else "fp32"}


def _loss(package: Package) -> dict[str, float] | None:
    told = None if package.photo.is_file() else Precision.read(package.painter)
    if not told:
        return None
    return {"agreement_db": told.agreement, "worst_db": told.worst, "psnr_loss_db": told.psnr_loss,
            "sharpness_change": told.sharpness_change}


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("avatar", type=Path, help="folder of an avatar package of the built-in engine")
    parser.add_argument("sound", type=Path, help=f"what it says; half a minute at least ({30 * FPS} frames)")
    parser.add_argument("--json", action="store_true", help="as without: one JSON line is all that is printed")
    given = parser.parse_args(arguments)
    print(json.dumps(measure(given.avatar, given.sound)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
