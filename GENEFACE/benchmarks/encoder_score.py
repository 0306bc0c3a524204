"""How well mouths of people never met are told from the speech encoder: ``python -m benchmarks.encoder_score``.

Every person of the clips is left out once; a generic read-out (ridge
regression on encoder features and log-mel rows in context, as they are and in
random Fourier features) learns from the real clips of the others and tells this
person's mouth.  ``--ahead 120`` hears no more than that beyond a frame in all.
Figures are Pearson correlations per clip, offsets corrected, averaged over the
clips of a person and then over people.  ``--encoder FILE.onnx`` tries another
network; ``none`` tries log-mel alone.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.motion import NAMES, Clip, load
from visage.engines.lite.encoder import NETWORK, encode_speech, viseme_names
from visage.engines.lite.mel import RATE, energies, frame_count, levelled
from visage.engines.lite.mouth import fit_basis, measures
from visage.engines.lite.offset import Offset, estimate_offset, shift_sound
from visage.engines.lite.silence import speech_mask
from visage.types import FPS, SPEECH_RATE

VIDEOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "open" / "videos"
_PEOPLE = {"obama1_20s_256": "obama", "obama2_20s_256": "obama", "styletalk_obama2_30s_256": "obama",
           "zh_woman_5s": "zh_woman", "zh_woman_15s": "zh_woman"}
"""Clips of one person; every other clip is a person of its own."""
_WEIGHT = 0.7
_FOURIER, _SHARP, _PENALTY = 1000, 1.0, 2.0
_NEAR = 0.06
_BELONGS = 0.25
"""Peak of the offset below which sound and picture do not belong together and a clip is left out."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One clip, set right by its offset."""

    name: str
    person: str
    sound: np.ndarray
    shapes: np.ndarray
    """Opening, width and outer height [T, 3] in units of the clip's own spread."""
    offset: Offset


def seen(clip: Clip) -> Seen:
    """The clip with its sound shifted."""
    offset = estimate_offset(clip.sound, fit_basis(clip.shapes).encode(clip.shapes))
    shapes = measures(clip.shapes)[:, :3]
    sound = shift_sound(clip.sound, offset)[:len(shapes) * SPEECH_RATE // FPS]
    shapes = shapes[:frame_count(sound)]
    shapes = (shapes - shapes.mean(0)) / (shapes.std(0) + 1e-9)
    return Seen(clip.name, _PEOPLE.get(clip.name, clip.name), sound, shapes, offset)


def context(rows: np.ndarray, count: int, before: int, after: int) -> np.ndarray:
    """Rows [2 T, D] round every frame, from ``before`` to ``after`` rows away, far ones counting less: [T, N D]."""
    away = np.arange(-before, after + 2)
    weight = np.exp(-0.5 * ((away - 0.5) / 3) ** 2)[:, None]
    return (rows[np.clip(2 * np.arange(count)[:, None] + away, 0, len(rows) - 1)] * weight).reshape(count, -1)


def heard(sound: np.ndarray, network: Path | None, strict: bool) -> np.ndarray:
    """Features [T, D] of a clip; ``strict`` ones hear 120 ms ahead in all."""
    rows, count = levelled(energies(sound)), frame_count(sound)
    parts = [context(rows, count, 10, 5 if strict else 10)]
    if network:
        parts.append(_WEIGHT * context(encode_speech(sound, network)[0], count, 4, -1 if strict else 4))
    return np.concatenate(parts, 1).astype(np.float32)


def _expanded(features: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """Features with random Fourier features of them, which stand for a Gaussian kernel."""
    rng = np.random.default_rng(seed)
    size = np.sqrt(np.mean([(one ** 2).sum(1).mean() for one in features]))
    turn = rng.normal(0, _SHARP, (features[0].shape[1], _FOURIER)).astype(np.float32) / size
    phase = rng.uniform(0, 2 * np.pi, _FOURIER).astype(np.float32)
    return [np.concatenate([one / size, np.cos(one @ turn + phase) * np.float32(np.sqrt(2 / _FOURIER)),
                            np.ones((len(one), 1), np.float32)], 1) for one in features]


def leave_one_out(clips: list[Seen], features: Callable[[Seen], np.ndarray],
                  seed: int = 0) -> dict[str, dict[str, float]]:
    """Correlations by clip."""
    made = _expanded([features(clip)[:len(clip.shapes)] for clip in clips], seed)
    spoken = [speech_mask(clip.sound).reshape(-1, 2).any(1)[:len(clip.shapes)] for clip in clips]
    square = defaultdict(lambda: np.float64(0))
    cross = defaultdict(lambda: np.float64(0))
    for clip, one, mask in zip(clips, made, spoken, strict=True):
        square[clip.person] = square[clip.person] + (one[mask].T @ one[mask]).astype(np.float64)
        cross[clip.person] = cross[clip.person] + (one[mask].T @ clip.shapes[mask]).astype(np.float64)
    whole, aims, result = sum(square.values()), sum(cross.values()), {}
    for person in square:
        left = whole - square[person]
        left[np.diag_indices(len(left) - 1)] += _PENALTY
        weights = np.linalg.solve(left, aims - cross[person])
        for clip, one in zip(clips, made, strict=True):
            if clip.person == person:
                guess = one @ weights
                result[clip.name] = {name: float(np.corrcoef(guess[:, i], clip.shapes[:, i])[0, 1])
                                     for i, name in enumerate(NAMES)}
    return result


def by_person(figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean, spread (standard deviation) and lowest over people of every measure."""
    people = defaultdict(list)
    for clip, one in figures.items():
        people[_PEOPLE.get(clip, clip)].append([one[name] for name in NAMES])
    table = np.array([np.mean(rows, 0) for rows in people.values()])
    return {name: {"mean": float(table[:, i].mean()), "spread": float(table[:, i].std()),
                   "lowest": float(table[:, i].min()), "people": len(table)} for i, name in enumerate(NAMES)}


def closures(clips: list[Seen], folder: Path, network: Path) -> dict[str, float]:
    """Of p, b and m in ``NAME.phones.json`` (ARPAbet, start, end in the uncorrected sound): the share that is heard.

    Heard means that shut lips are the likeliest look somewhere within 60 ms of
    the sound; precision is the share of such rows that lie so near to one.
    """
    near, told, people = 0, 0, []
    for clip in clips:
        file = folder / f"{clip.name}.phones.json"
        if not file.exists():
            continue
        chances = encode_speech(clip.sound, network)[1]
        lips = chances.argmax(1) == viseme_names(network).index("lips")
        beside = np.zeros(len(lips), bool)
        hits = []
        for symbol, start, end in json.loads(file.read_text(encoding="utf-8")):
            if symbol in ("P", "B", "M"):
                rows = [round((when + clip.offset.seconds) * RATE) for when in (start - _NEAR, end + _NEAR)]
                part = slice(max(rows[0], 0), max(rows[1], 0))
                beside[part] = True
                hits.append(bool(lips[part].any()))
        told, near = told + int(lips.sum()), near + int((lips & beside).sum())
        people.append(float(np.mean(hits)))
    return {"closure_recall": float(np.mean(people)), "closure_recall_spread": float(np.std(people)),
            "closure_precision": near / max(told, 1)}


def clips_of(folder: Path, cache: Path | None) -> list[Seen]:
    """All clips of a folder whose sound belongs to the picture."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".mp4", ".mpg"))
    found = [seen(load(file, cache)) for file in files]
    for clip in found:
        if clip.offset.peak < _BELONGS:
            print(f"left out: {clip.name}, peak {clip.offset.peak:.2f}")
    return [clip for clip in found if clip.offset.peak >= _BELONGS]


def main() -> None:
    """Reads the command line and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default=str(NETWORK))
    parser.add_argument("--videos", type=Path, default=VIDEOS)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--phones", type=Path)
    parser.add_argument("--ahead", type=int, choices=(120, 200), default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    network = None if given.encoder == "none" else Path(given.encoder)
    clips = clips_of(given.videos, given.cache)
    figures = leave_one_out(clips, lambda clip: heard(clip.sound, network, given.ahead == 120))
    for clip in clips:
        print(clip.name.ljust(28), f"offset {1000 * clip.offset.seconds:5.0f} ms, peak {clip.offset.peak:.2f} ",
              *(f"{name} {figures[clip.name][name]:.2f}" for name in NAMES))
    for name, value in by_person(figures).items():
        print(name.ljust(8),
              "mean {mean:.3f} spread {spread:.3f} lowest {lowest:.2f} of {people} people".format(**value))
    shut = closures(clips, given.phones, network) if given.phones and network else {}
    print(*(f"{name} {value:.3f}" for name, value in shut.items()))
    if given.json:
        print(json.dumps({"loso_corr": by_person(figures), "clips": figures, **shut}))


if __name__ == "__main__":
    main()
