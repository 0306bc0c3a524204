"""Painting mouths with onnxruntime: the trained network at work, without torch."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import onnxruntime

from visage.errors import BadMedia

INPUTS = ("face", "real", "lips", "real_lips")
"""What a painter is given, by name: crops, reference crops, and the lip maps of both."""
Inputs = tuple[np.ndarray, ...]
"""The arrays of `INPUTS`: uint8 [B, S, S, 3], [B, S, S, 3], [B, S, S, 2], [B, S, S, 2]."""
_TURNS = 4


class OnnxPainter:
    """The painter of one package."""

    def __init__(self, file: Path, threads: int = 0):
        """``threads`` 0: one a core.  Raises `BadMedia` when the file is not a painter."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.log_severity_level = 3
        # Idle threads that spin would take the core that the encoder needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as exc:  # onnxruntime's errors have no common parent of their own
            raise BadMedia("The trained network of this avatar cannot be read.", code="avatar.no_network",
                           hint="Train the avatar again.") from exc

    def paint(self, *inputs: np.ndarray) -> np.ndarray:
        """Painted crops uint8 [B, S, S, 3] of `Inputs`."""
        return self._session.run(None, dict(zip(INPUTS, inputs, strict=True)))[0]


def paint_times(painters: list[OnnxPainter], inputs: Inputs) -> list[float]:
    """CPU milliseconds of this thread that each painter needs for a crop, the least of some turns.

    The painters must have one thread each.  Others who use the cores hardly change it.
    """
    least = [float("inf")] * len(painters)
    for _ in range(_TURNS):
        for number, painter in enumerate(painters):
            begun = time.thread_time()
            painter.paint(*inputs)
            least[number] = min(least[number], time.thread_time() - begun)
    return [1000 * seconds / len(inputs[0]) for seconds in least]
