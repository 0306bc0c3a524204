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

from visage.engines.lite.mel import BANDS, energies, levelled
from visage.engines.lite.once import once
from visage.errors import NotInstalled

FEATURES = 64
"""Numbers per row."""
_NETWORK = Path(__file__).with_name("speech.onnx")
_BLOCK = 1500
_PAST, _AHEAD = 64, 8


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


@once
def encode_speech(samples: np.ndarray, network: Path = _NETWORK) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 [2 T, 64] and viseme probabilities [2 T, 20] at 50 per second, for sound at 16 kHz.

    Works block by block, so that memory grows with the rows only.  Raises
    `NotInstalled` when the network is missing or damaged.
    """
    session, classes = _session(network)
    rows = levelled(energies(samples))
    features = np.empty((len(rows), FEATURES), np.float32)
    chances = np.empty((len(rows), len(classes)), np.float32)
    for first in range(0, len(rows), _BLOCK):
        last, begin = min(first + _BLOCK, len(rows)), max(first - _PAST, 0)
        piece = rows[begin:last + _AHEAD]
        assert piece.shape[1] == BANDS
        told, logs = session.run(None, {"rows": piece[None]})
        features[first:last] = told[0, first - begin:last - begin]
        chances[first:last] = np.exp(logs[0, first - begin:last - begin])
    return features, chances


def viseme_names(network: Path = _NETWORK) -> tuple[str, ...]:
    """Names of the classes of `encode_speech`."""
    return _session(network)[1]
