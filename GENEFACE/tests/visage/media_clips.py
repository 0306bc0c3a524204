"""Small clips for the tests, made on the spot: a public domain portrait that moves, a tone or a voice-like sound."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from skimage import data

from visage.media.encoder import ClipWriter

RATE = 16_000


@cache
def portrait() -> np.ndarray:
    """A face in the middle of 256 by 256 pixels, about 105 wide."""
    import cv2
    return cv2.resize(data.astronaut()[0:228, 110:338], (256, 256), interpolation=cv2.INTER_AREA)


def babble(seconds: float, rate: int = RATE) -> np.ndarray:
    """Sound made like speech: a buzz with a gliding pitch through three moving resonances, in syllables and pauses."""
    rng = np.random.default_rng(4)
    if seconds == 0:
        return np.zeros(0, np.float32)
    time = np.arange(round(seconds * rate)) / rate
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time) + 8 * np.sin(2 * np.pi * 2.3 * time)
    phase = np.cumsum(pitch) / rate
    sound = np.zeros_like(time)
    centres = [(500, 200, 3.1), (1500, 500, 2.3), (2500, 300, 1.7)]
    for harmonic in range(1, 30):
        at = harmonic * pitch
        gain = sum(np.exp(-(((at - middle - swing * np.sin(2 * np.pi * speed * time)) / 180) ** 2))
                   for middle, swing, speed in centres)
        sound += (gain + 0.02) * np.sin(2 * np.pi * harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2.2 * time + 0.6 * np.sin(2 * np.pi * 0.4 * time)) * 1.6 + 0.5, 0, 1)
    pauses = (np.sin(2 * np.pi * 0.28 * time) > -0.8).astype(float)
    hiss = rng.normal(0, 0.2, len(time)) * (np.roll(syllables, rate // 12) > 0.9) * (syllables < 0.6)
    envelope = np.convolve(pauses, np.ones(rate // 20) / (rate // 20), "same")
    return (0.12 * envelope * (syllables * sound + hiss) + rng.normal(0, 5e-4, len(time))).astype(np.float32)


def clip(path: Path, frames: list[np.ndarray], sound: np.ndarray | None = None, fps: int = 25) -> Path:
    """Write frames and 16 kHz sound as MP4."""
    height, width = frames[0].shape[:2]
    with ClipWriter(path, width, height, fps, sound_rate=0 if sound is None else RATE, preset="ultrafast") as writer:
        for frame in frames:
            writer.write(frame)
        if sound is not None:
            writer.write_sound(sound)
    return path


def numbered(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames whose grey says which they are: 8 times the number."""
    return [np.full((height, width, 3), 8 * (n % 30) + 8, np.uint8) for n in range(count)]


def number(frame: np.ndarray) -> int:
    """Which of the `numbered` frames this is."""
    return round((float(frame.mean()) - 8) / 8)
