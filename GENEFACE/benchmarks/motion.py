"""How well mouths are told from sound: ``python -m benchmarks.motion [VIDEO …] [--driver NAME] [--json]``.

Each person's first 80 % teach a listener, the last 20 % try it, both set right
by the offset found in the first.  ``other_*`` tries one person's listener on
the others' voices.  ``--cache`` keeps tracks between runs.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from visage.engines.lite.listen import BEST, Listener, open_listener
from visage.engines.lite.mouth import MouthBasis, fit_basis, measures, select
from visage.engines.lite.offset import Offset, estimate_offset, shift_sound
from visage.engines.lite.silence import speech_mask
from visage.faces import open_faces
from visage.faces.pose import fit_pose, own_reference, to_face
from visage.faces.track import smooth, track_video
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.types import FPS, SPEECH_RATE

NAMES = ("opening", "width", "outer")
_CLIPS = ("de_anchor_20s", "cnn_man_71s", "zh_woman_15s", "yiran31_woman_24s", "hdtf_bobmenendez_8s")
_STEP = SPEECH_RATE // FPS


@dataclass(frozen=True, eq=False)
class Clip:
    """One person's recording."""

    name: str
    shapes: np.ndarray
    """float32 [T, P, 3]."""
    sound: np.ndarray
    """At 16 kHz, offset not corrected."""


def load(file: Path, cache: Path | None) -> Clip:
    """The clip, tracked, or as tracked before."""
    kept = cache / f"{file.stem}.points.npy" if cache else None
    if kept and kept.exists():
        points = np.load(kept)
    else:
        finder = open_faces()
        points = track_video(read_video(file, FPS), finder).points
        finder.close()
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, points)
    points = smooth(points)
    shapes = select(to_face(points, fit_pose(points, own_reference(points))))
    return Clip(file.stem, shapes, read_sound(file, SPEECH_RATE))


def far_from_speech(sound: np.ndarray, count: int) -> np.ndarray:
    """Frames bool [count] at least 120 ms away from speech."""
    rows = speech_mask(sound)
    near = np.convolve(rows, np.ones(13), "same") > 0
    quiet = ~near.reshape(-1, 2).any(1)
    return np.pad(quiet, (0, max(0, count - len(quiet))))[:count]


def likeness(told: np.ndarray, seen: np.ndarray) -> dict[str, float]:
    """Correlations of told and seen measures [T, 4]."""
    return {name: float(np.corrcoef(told[:, i], seen[:, i])[0, 1]) for i, name in enumerate(NAMES)}


def try_one(clip: Clip, driver: str) -> tuple[dict[str, float], Listener, MouthBasis, Offset]:
    """Figures of one person, and what was learnt."""
    split = int(len(clip.shapes) * 0.8)
    basis = fit_basis(clip.shapes[:split])
    coefficients = basis.encode(clip.shapes)
    offset = estimate_offset(clip.sound[:split * _STEP], coefficients[:split])
    sound = shift_sound(clip.sound, offset)
    listener = open_listener(basis, driver)
    fit = listener.fit(sound[:split * _STEP], coefficients[:split])
    test = sound[split * _STEP:len(clip.shapes) * _STEP]
    told, seen = basis.measure(listener.predict(test)), measures(clip.shapes[split:])
    count = min(len(told), len(seen))
    told, seen = told[:count], seen[:count]
    pauses = np.concatenate([test, np.zeros(2 * SPEECH_RATE, np.float32), test])
    shown = basis.measure(listener.predict(pauses))[:, 0]
    quiet = far_from_speech(pauses, len(shown))
    figures = {f"mouth_corr_{name}": value for name, value in likeness(told, seen).items()}
    figures |= {"closed_in_silence": float((shown[quiet] < 0.15 * np.percentile(shown, 95)).mean()),
                "amplitude_ratio": float(told[:, 0].std() / seen[:, 0].std()), "offset_ms": 1000 * offset.seconds,
                "offset_peak": offset.peak, "learn_cpu_s": fit.seconds}
    return figures, listener, basis, offset


def run(files: list[Path], driver: str, cache: Path | None) -> dict[str, dict[str, float]]:
    """Figures by clip, and their mean."""
    clips = [load(file, cache) for file in files]
    result, learnt = {}, []
    for clip in clips:
        figures, listener, basis, offset = try_one(clip, driver)
        learnt.append((listener, basis, offset))
        result[clip.name] = figures
    for index, (listener, basis, _) in enumerate(learnt):
        others = []
        for other, (_, _, offset) in zip(clips, learnt, strict=True):
            if other is clips[index]:
                continue
            told = basis.measure(listener.predict(shift_sound(other.sound, offset)[:len(other.shapes) * _STEP]))
            count = min(len(told), len(other.shapes))
            others.append(likeness(told[:count], measures(other.shapes[:count])))
        if others:
            means = {f"other_{name}": float(np.mean([one[name] for one in others])) for name in NAMES}
            result[clips[index].name] |= means
    keys = next(iter(result.values())).keys()
    result["mean"] = {key: float(np.mean([figures[key] for figures in result.values()])) for key in keys}
    return result


def main() -> None:
    """Read the command line, print a table and, with ``--json``, one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--driver", default=BEST)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    shared = Path(__file__).resolve().parents[3] / "shared" / "data" / "open" / "videos"
    files = given.files or [shared / f"{name}.mp4" for name in _CLIPS]
    result = run(files, given.driver, given.cache)
    for name, figures in result.items():
        print(name.ljust(24), *(f"{key} {value:.2f}" for key, value in figures.items()))
    if given.json:
        print(json.dumps({name: {key: round(value, 3) for key, value in one.items()} for name, one in result.items()}))


if __name__ == "__main__":
    main()
