"""What the user of a measurement says: sentences and silences in one file, which a browser hears over and over."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from visage.media.audio import read_sound, write_wav
from visage.types import SPEECH_RATE

QUESTIONS = ("Where do you live?", "What is the weather like today?", "Can you tell me about your family?",
             "How long does it take to learn a language?", "Do you like music?", "What should we do tomorrow?")
INTERRUPTIONS = ("Stop, please. I have another question for you.", "Wait a moment. What about the other side?",
                 "Hold on. Let me ask something different.", "No, that is not what I wanted to know.")
VOICE = "slt"


def spoken(file: Path, sentences: Sequence[str], silence: float, before: float = 1.0) -> Path:
    """Write the sentences, each followed by ``silence`` seconds, after ``before`` seconds of it; by flite, 16 kHz.

    Raises `RuntimeError` where flite is not installed.
    """
    program = shutil.which("flite")
    if program is None:
        raise RuntimeError("flite, which speaks the questions, is not on this machine: apt-get install flite")
    gap = np.zeros(round(silence * SPEECH_RATE), np.float32)
    parts = [np.zeros(round(before * SPEECH_RATE), np.float32)]
    with tempfile.TemporaryDirectory() as folder:
        for number, sentence in enumerate(sentences):
            one = Path(folder) / f"{number}.wav"
            subprocess.run([program, "-voice", VOICE, "-t", sentence, "-o", str(one)], check=True, capture_output=True)
            parts += [_trimmed(read_sound(one, SPEECH_RATE)), gap]
    return write_wav(file, np.concatenate(parts), SPEECH_RATE)


def _trimmed(sound: np.ndarray) -> np.ndarray:
    """Without the quiet at both ends that the synthesizer adds."""
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0]:loud[-1] + 1] if len(loud) else sound
