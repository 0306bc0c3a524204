"""How fast and how small the evaluation is: ``python -m benchmarks.eval [--json]``.

``speedup`` sets it against the plain computation (`benchmarks.plain_evaluation`)
with the same libraries in the same run; both must come to the same figures.
``peak_rss_mb`` is that of the command line on a long pair of 512 by 512 pixels,
made by repeating a real clip.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.plain_evaluation import WITHOUT_WEIGHTS, plain_evaluation
from eval_metrics.evaluation import EvaluationRequest, evaluate
from visage.faces import open_faces
from visage.media.ffmpeg import START, read_from, whole_path
from visage.media.probe import probe
from visage.media.run import run_tool

ROOT = Path(__file__).resolve().parents[1]
OPEN = ROOT.parents[1] / "shared" / "data" / "open"
PAIRS = {
    "joygen_shaheen_256": ("pairs/joygen_lse/pair_001_vA_aB.mp4", "pairs/joygen_gt/gt_fragment07_shaheen.mp4"),
    "joygen_jaein_256": ("pairs/joygen_lse/pair_034_vB_aA.mp4", "pairs/joygen_gt/gt_fragment06_jaein.mp4"),
    "wav2lip_man_700": ("pairs/stvls/wav2lip.mp4", "videos/retalk1_man_6s.mp4"),
    "joygen_zh_900": ("pairs/joygen_zh5s/generated.mp4", "videos/zh_woman_5s.mp4"),
}
"""Clips and what they should equal, by name and side in pixels."""
LONG = "videos/zh_woman_15s.mp4"
_ALIKE = 1e-5


@dataclass(frozen=True, slots=True)
class Timing:
    """One pair, computed both ways."""

    name: str
    """As in `PAIRS`."""
    frames: int
    """Frames compared."""
    seconds: float
    """Of the evaluation."""
    plain: float
    """Seconds of the plain computation."""
    cpu: tuple[float, float]
    """Processor time of both, seconds: what is left of the gain where other work takes the cores."""
    parts: dict[str, float]
    """Of these, by metric."""

    @property
    def speedup(self) -> float:
        """How many times faster the evaluation is."""
        return self.plain / self.seconds


def timed(name: str, pred: Path, truth: Path, ours_first: bool) -> Timing:
    """Both ways, one after the other; whose turn is first changes, since the machine is not the same at all times.

    Raises `AssertionError` when they come to different figures.
    """
    order = [lambda: _ours(pred, truth), lambda: _clocked(plain_evaluation, pred, truth)]
    results = [work() for work in (order if ours_first else order[::-1])]
    (mine, seconds, cpu), ((values, parts), plain, plain_cpu) = results if ours_first else results[::-1]
    for key, value in values.items():
        own = mine["details"][key]["value"]
        same = own == value or abs(own - value) <= _ALIKE * max(1.0, abs(value))
        assert same, f"{name}: {key} is {own}, plainly computed {value}"
    return Timing(name, mine["pair"]["measured"], seconds, plain, (cpu, plain_cpu), parts)


def _ours(pred: Path, truth: Path) -> tuple[dict[str, Any], float, float]:
    return _clocked(evaluate, EvaluationRequest(pred, truth, WITHOUT_WEIGHTS))


def _clocked(work: Any, *arguments: Any) -> tuple[Any, float, float]:
    """The result, and the wall and processor time it took, seconds."""
    began, used = time.perf_counter(), time.process_time()
    result = work(*arguments)
    return result, time.perf_counter() - began, time.process_time() - used


def long_pair(source: Path, folder: Path, minutes: float, side: int = 512) -> tuple[Path, Path]:
    """A clip and its ground truth of ``minutes``, ``side`` by ``side`` pixels, unlike only by compression."""
    files = []
    times = int(60 * minutes / probe(source, "video").seconds) + 1
    for name, quality in (("pred", 30), ("truth", 14)):
        once, out = folder / f"{name}-once.mp4", folder / f"{name}.mp4"
        run_tool([*START, *read_from(source), "-vf", f"scale={side}:{side},setsar=1", "-r", "25", "-c:v", "libx264",
                  "-preset", "veryfast", "-crf", str(quality), "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mp4",
                  whole_path(once)])
        run_tool([*START, "-stream_loop", str(times), *read_from(once), "-t", f"{60 * minutes:.3f}", "-c", "copy",
                  "-f", "mp4", whole_path(out)])
        files.append(out)
    return files[0], files[1]


def peak(pred: Path, truth: Path) -> dict[str, Any]:
    """Largest resident set of the command line with all its metrics, MB, what it measured and how long it took."""
    argv = [sys.executable, "-m", "eval_metrics.evaluate", "--pred_video", str(pred), "--gt_video", str(truth),
            "--offline"]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(argv, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if process.returncode:
            raise RuntimeError(f"the evaluation of the long pair ended with {process.returncode}")
        result = json.loads(out.read())
    seconds = time.perf_counter() - began
    return {"peak_rss_mb": round(used.ru_maxrss * 1024 / 1e6, 1), "long_seconds": round(seconds, 1),
            "long_minutes": round(result["pair"]["frames"] / 1500, 2),
            "long_frames_per_s": round(result["pair"]["measured"] / seconds, 1),
            "long_measured": sum(row["value"] is not None for row in result["details"].values())}


def figures(timings: list[Timing]) -> dict[str, Any]:
    """What the benchmark tells: medians over pairs and rounds, with the smallest and the largest."""
    rates = [one.frames / one.seconds for one in timings]
    gains = [one.speedup for one in timings]
    return {"frames_per_s": round(statistics.median(rates), 2), "frames_per_s_range": [round(min(rates), 2),
            round(max(rates), 2)], "speedup": round(statistics.median(gains), 2),
            "speedup_range": [round(min(gains), 2), round(max(gains), 2)], "runs": len(timings),
            "cpu_speedup": round(statistics.median(one.cpu[1] / one.cpu[0] for one in timings), 2),
            "pairs": {one.name: {"frames": one.frames, "seconds": round(one.seconds, 2), "plain": round(one.plain, 2),
                                 "speedup": round(one.speedup, 2)} for one in timings}}


def main() -> None:
    """Read the command line, print a line a pair and, with ``--json``, one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=OPEN, help="folder of open clips")
    parser.add_argument("--pairs", nargs="+", choices=PAIRS, default=list(PAIRS))
    parser.add_argument("--rounds", type=int, default=1, help="times that every pair is computed both ways")
    parser.add_argument("--minutes", type=float, default=10, help="length of the long pair; 0: leave it out")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    open_faces().close()
    timings = []
    for turn in range(given.rounds):
        for name in given.pairs:
            one = timed(name, *(given.data / file for file in PAIRS[name]), ours_first=len(timings) % 2 == 0)
            timings.append(one)
            parts = "  ".join(f"{metric} {seconds:.1f}" for metric, seconds in one.parts.items())
            print(f"{turn + 1}  {name:22}{one.frames:5} frames  {one.seconds:6.1f} s  plain {one.plain:6.1f} s  "
                  f"x{one.speedup:.2f}  ({parts})", flush=True)
    told = {**figures(timings), "cores": os.cpu_count()}
    if given.minutes:
        with tempfile.TemporaryDirectory() as folder:
            told |= peak(*long_pair(given.data / LONG, Path(folder), given.minutes))
        print("peak {peak_rss_mb} MB on {long_minutes} minutes in {long_seconds} s".format_map(told), flush=True)
    if given.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
