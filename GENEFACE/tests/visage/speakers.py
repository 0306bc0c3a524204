"""Speech of different people for the tests of cloning: flite's voices, and sounds that are not speech."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from visage.media.audio import read_sound
from visage.tts.cloning.world import RATE

SAMPLE = ("A rainbow is a division of white light into many beautiful colors. These take the shape of a long round "
          "arch, with its path high above. There is, according to legend, a boiling pot of gold at one end.")
OTHERS = ("Please turn on the kitchen light before you leave the house.",
          "My brother wants to buy four red apples and some cheese.",
          "The weather tomorrow will be cold with a little rain in the afternoon.")


@cache
def flite(voice: str, text: str = SAMPLE) -> np.ndarray:
    """float32 mono at `RATE`; skips the test where flite is not installed."""
    if not shutil.which("flite"):
        pytest.skip("flite is not on this machine (apt install flite)")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True, timeout=60)
        return read_sound(file, RATE)


def melody(seconds: float = 12.0) -> np.ndarray:
    """A plucked instrument playing notes of 0.3 s."""
    pitches = np.random.default_rng(1).integers(0, 14, round(seconds / 0.3))
    time = np.arange(round(0.3 * RATE)) / RATE
    notes = [sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * k * time) / k for k in range(1, 9)) * np.exp(-3 * time)
             for step in pitches]
    tune = np.concatenate(notes)
    return (tune / np.abs(tune).max() / 2).astype(np.float32)


def noise(seconds: float, loudness: float) -> np.ndarray:
    """White noise of that RMS."""
    return (np.random.default_rng(2).normal(size=round(seconds * RATE)) * loudness).astype(np.float32)
