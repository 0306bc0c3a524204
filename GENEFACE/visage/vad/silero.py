"""Driver ``silero``: the Silero network from its wheel, run by onnxruntime; the package itself, which needs torchaudio,
is never imported."""

from __future__ import annotations

import functools
import threading
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from visage.errors import NotInstalled
from visage.types import SPEECH_RATE
from visage.vad.contract import WINDOW

PACKAGE = "silero-vad==6.2.3"
CONTEXT = 64
"""Samples of the window before that the network wants to see again."""
INAUDIBLE = 10 ** (-78 / 20)
"""Root mean square below which nobody asks the network: the own noise of a 16-bit microphone."""
FORGET = 16
"""Inaudible windows in a row after which the stream starts afresh, as the network's memory is of another moment."""
_LOADING = threading.Lock()


class SileroVad:
    """One stream; the network is loaded once a process and shared.  About 0.1 ms a window, nothing in silence.

    Raises `NotInstalled` when the wheel or its file is missing.
    """

    name = "silero"
    note = ""

    def __init__(self) -> None:
        self._quiet: int
        self._state: np.ndarray
        with _LOADING:
            self._network = _network()
        self._rate = np.array(SPEECH_RATE, np.int64)
        self.reset()

    def probability(self, window: np.ndarray) -> float:
        """How likely speech is in the next window; 0 without asking where nothing can be heard."""
        if window.shape != (WINDOW,):
            raise ValueError(f"a window has {WINDOW} samples, not {window.shape}")
        window = np.nan_to_num(window.astype(np.float32, copy=False), posinf=1.0, neginf=-1.0)
        if float(np.dot(window, window)) < INAUDIBLE ** 2 * WINDOW:
            self._quiet += 1
            if self._quiet == FORGET:
                self.reset()
            self._input[0, :CONTEXT] = window[-CONTEXT:]
            return 0.0
        self._quiet = 0
        self._input[0, CONTEXT:] = window
        feed = {"input": self._input, "state": self._state, "sr": self._rate}
        likely, self._state = self._network.run(None, feed)
        self._input[0, :CONTEXT] = window[-CONTEXT:]
        return float(likely[0, 0])

    def reset(self) -> None:
        """Forget the stream."""
        self._input = np.zeros((1, CONTEXT + WINDOW), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)
        self._quiet = FORGET


def model_file() -> Path:
    """The network in the installed wheel, found without importing it.  Raises `NotInstalled`."""
    found = util.find_spec("silero_vad")
    for folder in (found.submodule_search_locations or ()) if found else ():
        file = Path(folder) / "data" / "silero_vad.onnx"
        if file.is_file():
            return file
    raise NotInstalled("The Silero voice activity network is missing.", code="vad.no_model",
                       hint="pip install --no-deps {package}", package=PACKAGE)


@functools.cache
def _network() -> Any:
    import onnxruntime

    file = model_file()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # its warnings tell of unused constants in the file
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # onnxruntime's own exceptions share no base but this
        raise NotInstalled("The Silero voice activity network in {file} cannot be loaded: {reason}.",
                           code="vad.bad_model", hint="pip install --force-reinstall --no-deps {package}",
                           file=str(file), reason=str(exc).splitlines()[0], package=PACKAGE) from exc
