"""Painting mouths with onnxruntime: the trained network at work, without torch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime

from visage.errors import BadMedia


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

    def paint(self, face: np.ndarray, real: np.ndarray, lips: np.ndarray, real_lips: np.ndarray) -> np.ndarray:
        """Painted crops uint8 [B, S, S, 3] of crops uint8 [B, S, S, 3] and lip maps uint8 [B, S, S, 2]."""
        return self._session.run(None, {"face": face, "real": real, "lips": lips, "real_lips": real_lips})[0]
