"""A spoken question for the live tests: flite's voice, which the recogniser understands."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from visage.media.audio import read_sound


@cache
def said(text: str) -> np.ndarray:
    """The text spoken, float32 mono at 16 kHz; skips where flite is not installed."""
    program = shutil.which("flite")
    if program is None:
        pytest.skip("flite is not installed (apt install flite)")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run([program, "-voice", "slt", "-t", text, "-o", str(file)], check=True, capture_output=True)
        return read_sound(file)
