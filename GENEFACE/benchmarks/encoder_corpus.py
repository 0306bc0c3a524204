"""Synthetic speech with known sounds: what the speech encoder of the built-in engine learns from.

``python -m benchmarks.encoder_corpus FOLDER --minutes 360`` lets every voice of
`encoder_voices` speak shuffled words, passes the sound through other throats
(WORLD), rooms and lines, and keeps log-mel rows and sounds at 50 per second.
``--part 1`` and so on add further parts with other seeds.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from benchmarks.encoder_sounds import BREATHED, SOUNDS, STOPS
from benchmarks.encoder_voices import Spoken, Voices
from visage.engines.lite.mel import RATE, energies
from visage.types import SPEECH_RATE

NAMES = tuple(SOUNDS)
"""Order of the classes."""
_CLOSURE = 0.09
_OPENED = 2
"""Rows after its burst in which a breathed stop still is itself."""


def labels(spoken: Spoken, factor: float, rows: np.ndarray) -> np.ndarray:
    """Class of every row uint8 [N].

    A stop named at its burst reaches back over the quiet of its closure; what
    follows the burst of a breathed one is breath, for the mouth is open by then.
    """
    result = np.full(len(rows), NAMES.index("rest"), np.uint8)
    loud = rows.mean(1)
    quiet = np.percentile(loud, 90) - 3.5
    for start, end, names in spoken.spans:
        edges = np.linspace(start, end, len(names) + 1) * factor * RATE
        for name, (low, high) in zip(names, pairwise(edges), strict=True):
            result[round(low):round(high)] = NAMES.index(name)
        if names[0] in STOPS:
            first = min(round(edges[0]), len(rows))
            if spoken.at_burst:
                limit, begin = max(first - round(_CLOSURE * RATE), 0), first
                while first > limit and loud[first - 1] < quiet:
                    first -= 1
                result[first:begin] = NAMES.index(names[0])
            if names[0] in BREATHED:
                _breathe(result, loud > quiet, first, min(round(edges[1]), len(rows)))
    return result


def _breathe(result: np.ndarray, loud: np.ndarray, first: int, last: int) -> None:
    """Calls breath what lies between ``first`` and ``last`` and well behind the burst."""
    burst = np.flatnonzero(loud[first + 1:last] & ~loud[first:last - 1])
    if len(burst):
        result[first + 1 + burst[-1] + _OPENED:last] = NAMES.index("breath")


def resampled(sound: np.ndarray, rate: int, factor: float) -> np.ndarray:
    """At 16 kHz, ``factor`` times as long: lower or higher, slower or faster."""
    return resample_poly(sound, round(SPEECH_RATE * factor / 50), rate // 50).astype(np.float32)


def other_throat(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same words at the same times by another throat: formants, pitch and breath changed through WORLD."""
    import pyworld

    wave = sound.astype(np.float64)
    pitch, times = pyworld.dio(wave, SPEECH_RATE, frame_period=10.0)
    envelope = pyworld.cheaptrick(wave, pitch, times, SPEECH_RATE)
    rough = pyworld.d4c(wave, pitch, times, SPEECH_RATE)
    bins = np.arange(envelope.shape[1])
    bend = rng.uniform(-0.12, 0.12) * np.sin(np.pi * bins / bins[-1])
    at = np.clip(bins * rng.uniform(0.82, 1.22) + bend * bins, 0, bins[-1])
    low = at.astype(int).clip(0, bins[-1] - 1)
    share = at - low
    envelope = envelope[:, low] ** (1 - share) * envelope[:, low + 1] ** share
    flat = np.exp(np.log(envelope).mean(1, keepdims=True))
    envelope = flat * (envelope / flat) ** rng.uniform(0.85, 1.15)
    rough = np.clip(rough ** rng.uniform(0.4, 1.5) + rng.uniform(0, 0.25), 0, 1)
    wander = np.cumsum(rng.normal(0, 0.004, len(pitch)))
    pitch = pitch * rng.uniform(0.65, 1.6) * np.exp(wander - wander.mean())
    made = pyworld.synthesize(pitch, np.ascontiguousarray(envelope), rough, SPEECH_RATE, 10.0)
    return np.pad(made, (0, max(0, len(sound) - len(made))))[:len(sound)].astype(np.float32)


def in_a_room(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With the echo of a synthetic room: early reflections and a decaying tail."""
    length = int(SPEECH_RATE * rng.uniform(0.15, 0.7))
    tail = rng.normal(0, 1, length) * 10 ** (-3 * np.arange(length) / length)
    tail[:int(0.004 * SPEECH_RATE)] = 0
    tail *= rng.uniform(0.1, 0.7) / np.sqrt((tail ** 2).sum())
    tail[0] = 1.0
    return fftconvolve(sound, tail)[:len(sound)].astype(np.float32)


def through_a_line(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a telephone, a cheap microphone or an MP3 at a low rate leaves it."""
    kind = int(rng.integers(3))
    if kind == 0:
        band = (rng.uniform(150, 320), rng.uniform(3200, 3800))
    elif kind == 1:
        band = (rng.uniform(60, 150), rng.uniform(4500, 7400))
    else:
        file = io.BytesIO()
        soundfile.write(file, np.clip(sound, -1, 1), SPEECH_RATE, format="MP3", compression_level=rng.uniform(0.6, 1.0))
        file.seek(0)
        heard = soundfile.read(file, dtype="float32")[0]
        return np.pad(heard, (0, max(0, len(sound) - len(heard))))[:len(sound)]
    return sosfilt(butter(3, band, "bandpass", fs=SPEECH_RATE, output="sos"), sound).astype(np.float32)


def changed(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A quarter by other throats, a fifth in rooms, a fifth through lines; at a level as recordings have it."""
    if rng.random() < 0.25:
        sound = other_throat(sound, rng)
    if rng.random() < 0.2:
        sound = in_a_room(sound, rng)
    sound = sound * np.float32(10 ** rng.uniform(-1.5, -0.15) / (np.abs(sound).max() + 1e-6))
    return through_a_line(sound, rng) if rng.random() < 0.2 else sound


def build(minutes: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Counter[str]]:
    """Log-mel rows float16 [N, 40] and classes uint8 [N] of ``minutes`` of speech, and rows by engine."""
    rng, voices = np.random.default_rng(seed), Voices()
    rows, classes, told = [], [], Counter[str]()
    began, need = time.monotonic(), minutes * 60 * RATE
    while (have := told.total()) < need:
        name, spoken = voices.say(rng)
        if len(spoken.sound) < spoken.rate or not spoken.spans or np.abs(spoken.sound).max() < 0.01:
            continue
        factor = float(rng.uniform(0.88, 1.14))
        plain = resampled(spoken.sound, spoken.rate, factor)
        known = labels(spoken, factor, energies(plain))
        rows.append(energies(changed(plain, rng)).astype(np.float16))
        classes.append(known)
        told[name] += len(known)
        if len(rows) % 200 == 0:
            print(f"{have / RATE / 60:.0f} minutes after {time.monotonic() - began:.0f} s", flush=True)
    return np.concatenate(rows), np.concatenate(classes), told


def main() -> None:
    """Reads the command line and writes one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=360)
    parser.add_argument("--part", type=int, default=0)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    heard, known, engines = build(given.minutes, given.part)
    np.savez(given.folder / f"part{given.part}.npz", rows=heard, classes=known)
    facts = {"minutes": len(known) / RATE / 60, "rows": dict(engines),
             "share": {name: round(float(np.mean(known == i)), 4) for i, name in enumerate(NAMES)}}
    (given.folder / f"part{given.part}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
