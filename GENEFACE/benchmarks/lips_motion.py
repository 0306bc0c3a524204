"""How well lips follow sound: ``python -m benchmarks.lips_motion [FOLDER] [--cache FOLDER] [--json]``.

Definitions are those of the design: correlations at 25 per second with offsets
corrected; a mouth is shut below 15 % of its clip's 95th percentile; p, b and m
count as shut when that is so within 60 ms of their middle.  Nothing here is
random; the spread is that over clips or people.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lips_strangers import left_out
from benchmarks.motion import NAMES, Clip, far_from_speech, likeness, load
from benchmarks.phone_times import ENGLISH, SHUT, phones_of
from visage.engines.lite.listen import open_listener
from visage.engines.lite.mouth import fit_basis, measures
from visage.engines.lite.offset import estimate_offset, shift_sound
from visage.types import FPS, SPEECH_RATE, Phone

HELD_OUT = 20 * FPS
OWN = (("cnn_man_71s",), ("obama1_20s_256", "obama2_20s_256", "styletalk_obama2_30s_256"))
"""People of whom 30 s and more remain when 20 s are held out; several recordings are joined."""
_STEP = SPEECH_RATE // FPS
_SHUT = 0.15
_NEAR = 0.06
_LEAST = 6 * FPS


@dataclass(frozen=True, eq=False)
class Take:
    """A recording with its sound set right."""

    name: str
    shapes: np.ndarray
    """float32 [T, P, 3]."""
    sound: np.ndarray
    """As long as the shapes."""
    phones: tuple[Phone, ...]
    """p, b and m on the clock of the shapes; none where the language is not English."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What was told for frames that were not learnt from, and what was seen there."""

    told: np.ndarray
    """Measures float32 [T, 4]."""
    seen: np.ndarray
    """Measures float32 [T, 4]."""
    shuts: tuple[Phone, ...]
    """p, b and m in these frames."""
    quiet: np.ndarray
    """Openings told far from speech, over the limit of a shut mouth, float32 [Q]."""


def take(file: Path, cache: Path | None) -> Take:
    """The recording, tracked, aligned and set right."""
    clip = load(file, cache)
    offset = estimate_offset(clip.sound, fit_basis(clip.shapes).encode(clip.shapes))
    phones: list[Phone] = []
    if clip.name.startswith(ENGLISH):
        phones = [Phone(phone.symbol, phone.start + offset.seconds, phone.end + offset.seconds)
                  for phone in phones_of(clip.sound, clip.name, cache) if phone.symbol in SHUT]
    return Take(clip.name, clip.shapes, _as_long(shift_sound(clip.sound, offset), clip), tuple(phones))


def _as_long(sound: np.ndarray, clip: Clip) -> np.ndarray:
    size = len(clip.shapes) * _STEP
    return np.pad(sound[:size], (0, max(0, size - len(sound))))


def part(whole: Take, first: int, last: int) -> Take:
    """Frames ``first`` to ``last`` of a recording."""
    begin, end = first / FPS, last / FPS
    phones = tuple(Phone(phone.symbol, phone.start - begin, phone.end - begin) for phone in whole.phones
                   if begin <= (phone.start + phone.end) / 2 < end)
    return Take(whole.name, whole.shapes[first:last], whole.sound[first * _STEP:last * _STEP], phones)


def tell(learnt: list[Take], tried: Take, driver: str) -> Shown:
    """What a listener that learnt from some parts tells for another; from none, it knows the mouth alone."""
    shapes = np.concatenate([one.shapes for one in learnt or [tried]])
    basis = fit_basis(shapes)
    listener = open_listener(basis, driver)
    if learnt:
        listener.fit(np.concatenate([one.sound for one in learnt]), basis.encode(shapes))
    told = basis.measure(listener.predict(tried.sound))
    pauses = np.concatenate([tried.sound, np.zeros(2 * SPEECH_RATE, np.float32), tried.sound])
    gaps = basis.measure(listener.predict(pauses))[:, 0]
    quiet = gaps[far_from_speech(pauses, len(gaps))] / (_SHUT * np.percentile(gaps, 95))
    return Shown(told, measures(tried.shapes), tried.phones, quiet)


def shut_at(gaps: np.ndarray, phones: tuple[Phone, ...]) -> np.ndarray:
    """Whether the mouth of openings [T] is shut within 60 ms of the middle of each sound, bool [N]."""
    shut = gaps < _SHUT * np.percentile(gaps, 95)
    time = (np.arange(len(gaps)) + 0.5) / FPS
    return np.array([shut[np.abs(time - (phone.start + phone.end) / 2) <= _NEAR].any() for phone in phones], bool)


def figures(shown: Shown) -> dict[str, float]:
    """Figures of one trial."""
    told, seen = shown.told, shown.seen
    result = {f"corr_{name}": value for name, value in likeness(told, seen).items()}
    result["amplitude_ratio"] = float(told[:, 0].std() / seen[:, 0].std())
    result["swiftness_ratio"] = float(np.abs(np.diff(told[:, 0], 2)).mean() / np.abs(np.diff(seen[:, 0], 2)).mean())
    result["closed_in_silence"] = float((shown.quiet < 1).mean())
    result["shut_share_told"] = float((told[:, 0] < _SHUT * np.percentile(told[:, 0], 95)).mean())
    result["shut_share_seen"] = float((seen[:, 0] < _SHUT * np.percentile(seen[:, 0], 95)).mean())
    if shown.shuts:
        ours, real = shut_at(told[:, 0], shown.shuts), shut_at(seen[:, 0], shown.shuts)
        result |= {"closures": float(len(ours)), "closure_recall": float(ours.mean()),
                   "closure_real": float(real.mean()),
                   "closure_recall_seen": float(ours[real].mean()) if real.any() else float("nan")}
    return result


def own(takes: dict[str, Take], driver: str) -> dict[str, dict[str, float]]:
    """Figures of everybody with enough material: 20 s held out, all the rest learnt from."""
    result = {}
    for names in OWN:
        have = [takes[name] for name in names if name in takes]
        for tried in have:
            cut = len(tried.shapes) - HELD_OUT
            learnt = [one for one in have if one is not tried] + ([part(tried, 0, cut)] if cut > 0 else [])
            if sum(len(one.shapes) for one in learnt) >= 30 * FPS:
                result[tried.name] = figures(tell(learnt, part(tried, cut, len(tried.shapes)), driver))
    return result


def halves(takes: dict[str, Take], driver: str) -> dict[str, dict[str, float]]:
    """Figures of every recording, each half told by what was learnt from the other; the shortest without learning."""
    result = {}
    for name, whole in takes.items():
        count = len(whole.shapes)
        first, second = part(whole, 0, count // 2), part(whole, count // 2, count)
        trials = ([tell([first], second, driver), tell([second], first, driver)] if count >= 2 * _LEAST
                  else [tell([], whole, driver)])
        found = [figures(one) for one in trials]
        weights = {key: [one.get("closures", 0.0) if key.startswith("closure_") else 1.0 for one in found]
                   for key in set().union(*found)}
        result[name] = {key: _mean([one.get(key, float("nan")) for one in found], weight)
                        for key, weight in weights.items()}
        result[name]["closures"] = sum(one.get("closures", 0.0) for one in found)
    return result


def _mean(values: list[float], weights: list[float]) -> float:
    kept = [(value, weight) for value, weight in zip(values, weights, strict=True) if np.isfinite(value) and weight]
    if not kept:
        return float("nan")
    return float(np.average([value for value, _ in kept], weights=[weight for _, weight in kept]))


def _spread(rows: dict[str, dict[str, float]], key: str) -> dict[str, float]:
    values = [row[key] for row in rows.values() if np.isfinite(row.get(key, float("nan")))]
    return {"mean": float(np.mean(values)), "spread": float(np.std(values)), "least": min(values), "most": max(values)}


def measure(videos: Path, cache: Path | None, driver: str = "person") -> dict[str, Any]:
    """All figures of the clips in ``videos``, with their spread, and ``clips`` that have them one by one.

    ``cache`` keeps what was tracked and aligned.  Needs pocketsphinx.
    """
    files = sorted(file for file in videos.iterdir() if file.suffix in (".mp4", ".mpg"))
    takes = {one.name: one for one in (take(file, cache) for file in files)}
    known, half = own(takes, driver), halves(takes, driver)
    strangers = left_out({name: (one.sound, one.shapes) for name, one in takes.items()})
    told = {name: row for name, row in half.items() if row["closures"]}
    weights = [row["closures"] for row in told.values()]
    closures = {key: _mean([row[key] for row in told.values()],
                           [w * (row["closure_real"] if key.endswith("_seen") else 1)
                            for w, row in zip(weights, told.values(), strict=True)])
                for key in ("closure_recall", "closure_real", "closure_recall_seen")}
    return {"own_corr": {name: _spread(known, f"corr_{name}") for name in NAMES},
            "loso_corr": {name: _spread(strangers, name) for name in NAMES},
            "half_corr": {name: _spread(half, f"corr_{name}") for name in NAMES},
            **{key: {"mean": value, "spread": _spread(told, key)["spread"], "count": sum(weights)}
               for key, value in closures.items()},
            "closed_in_silence": _spread(half, "closed_in_silence"),
            "amplitude_ratio": _spread(half, "amplitude_ratio"), "swiftness_ratio": _spread(half, "swiftness_ratio"),
            "shut_share_told": _spread(half, "shut_share_told"), "shut_share_seen": _spread(half, "shut_share_seen"),
            "clips": {"own": known, "halves": half, "strangers": strangers}}


def main() -> None:
    """Read the command line, print a table and, with ``--json``, one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(__file__).resolve().parents[3] / "shared" / "data" / "open" / "videos"
    parser.add_argument("videos", nargs="?", type=Path, default=shared)
    parser.add_argument("--driver", default="person")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = measure(given.videos, given.cache, given.driver)
    for kind, rows in result["clips"].items():
        for name, row in rows.items():
            print(kind.ljust(10), name.ljust(30), *(f"{key} {value:.2f}" for key, value in sorted(row.items())))
    for name, row in result.items():
        if name != "clips":
            print(name.ljust(20), json.dumps(row, default=float))
    if given.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
