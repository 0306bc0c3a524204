"""A speech encoder of our own: what sound is being made, whoever makes it.

Trained by ``benchmarks/encoder_train.py`` on synthetic speech alone; `speech.json`
beside the network holds its facts and checksum.  Runs on onnxruntime, one thread.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from visage.engines.lite.mel import (
    BANDS,
    RATE,
    Levels,
    energies,
    energies_between,
    first_sample,
    levelled,
    levelled_twice,
    whole_rows,
)
from visage.engines.lite.once import once
from visage.errors import NotInstalled
from visage.types import FPS, SPEECH_RATE

Encoded = tuple[np.ndarray, np.ndarray]
"""Features [N, 64] and viseme probabilities [N, 20], float32."""

FEATURES = 64
"""Numbers per row."""
NETWORK = Path(__file__).with_name("speech.onnx")
"""The one that ships."""
_BLOCK = 1500
_PAST, _AHEAD = 64, 6
"""Rows that the network hears before (38 would do) and beyond each: 120 ms."""


@cache
def _session(file: Path) -> tuple[Any, tuple[str, ...]]:
    import onnxruntime

    try:
        data, card = file.read_bytes(), json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise NotInstalled("The speech encoder is missing: {file}.", code="encoder.missing",
                           hint="Fetch the whole repository again.", file=exc.filename) from exc
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        raise NotInstalled("The speech encoder is damaged: {file}.", code="encoder.damaged",
                           hint="Fetch the whole repository again.", file=str(file))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]), tuple(card["classes"])


class RowStream:
    """The network over levelled rows that come in pieces; each row is told once the 120 ms after it are there."""

    def __init__(self, network: Path = NETWORK):
        self._session, self._classes = _session(network)
        self._rows = np.empty((0, BANDS), np.float32)
        self._told = 0

    def add(self, rows: np.ndarray, ended: bool = False) -> Encoded:
        """Features [N, 64] and viseme probabilities [N, 20] of the rows that are complete by now, all if ``ended``."""
        self._rows = np.concatenate([self._rows, rows])
        ready = len(self._rows) - (0 if ended else _AHEAD)
        if ready <= self._told:
            return np.empty((0, FEATURES), np.float32), np.empty((0, len(self._classes)), np.float32)
        features, logs = self._session.run(None, {"rows": self._rows[None]})
        part = slice(self._told, ready)
        forget = max(0, ready - _PAST)
        self._rows, self._told = self._rows[forget:], ready - forget
        return features[0, part], np.exp(logs[0, part])


class SpeechStream:
    """`encode_speech` for a voice that is still speaking: the same numbers, 120 ms behind what was heard."""

    def __init__(self, network: Path = NETWORK):
        self._levels, self._stream = Levels(), RowStream(network)
        self._samples = np.empty(0, np.float32)
        self._begins = self._heard = 0

    def add(self, samples: np.ndarray) -> Encoded:
        """Features and probabilities of the rows that are complete by now, after more sound at 16 kHz."""
        self._samples = np.concatenate([self._samples, samples])
        return self._advance(whole_rows(self._begins + len(self._samples)), False)

    def finish(self) -> Encoded:
        """The rest; all together are as many rows as `encode_speech` gives.  To be called once, at the end."""
        total = self._begins + len(self._samples)
        return self._advance(RATE * round(total * FPS / SPEECH_RATE) // FPS if total else 0, True)

    def _advance(self, rows: int, ended: bool) -> Encoded:
        new = np.empty((0, BANDS), np.float32)
        if rows > self._heard:
            new = self._levels(energies_between(self._samples, self._begins, self._heard, rows))
            self._heard = rows
            drop = first_sample(rows) - self._begins
            self._samples, self._begins = self._samples[drop:], self._begins + drop
        return self._stream.add(new, ended)


@once
def encode_speech(samples: np.ndarray, network: Path = NETWORK) -> Encoded:
    """Features float32 [2 T, 64] and viseme probabilities [2 T, 20] at 50 per second, for sound at 16 kHz.

    Works block by block, so that memory grows with the rows only.  Raises
    `NotInstalled` when the network is missing or damaged.
    """
    return encode_rows(levelled(energies(samples)), network)


@once
def encode_utterance(samples: np.ndarray, network: Path = NETWORK) -> Encoded:
    """The same of a sound that is there as a whole, a file or a sentence of a live answer: all of it tells its level.

    Beginnings are heard better than by `encode_speech`, which knows no more of a voice than what came before.
    """
    return encode_rows(levelled_twice(energies(samples)), network)


def encode_rows(rows: np.ndarray, network: Path = NETWORK) -> Encoded:
    """The same of levelled rows float32 [2 T, BANDS]."""
    stream = RowStream(network)
    parts = [stream.add(rows[first:first + _BLOCK], first + _BLOCK >= len(rows))
             for first in range(0, len(rows), _BLOCK)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def viseme_names(network: Path = NETWORK) -> tuple[str, ...]:
    """Names of the classes of `encode_speech`."""
    return _session(network)[1]
