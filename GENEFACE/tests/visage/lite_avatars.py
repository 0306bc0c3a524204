"""Avatars made on the spot for tests: a public-domain photo that speaks, and a face learnt from that clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from visage.config import Settings
from visage.engines import Engine, RenderRequest, TrainRequest, open_engine
from visage.media.audio import resample, write_wav
from visage.storage.paths import Paths
from visage.tts.contract import SpeechRequest
from visage.tts.espeak import EspeakSynthesizer
from visage.types import SPEECH_RATE, Phone, Progress, silent

QUIET = 1.5
"""Seconds of silence at the end of `speech`."""


def lite(home: Path) -> Engine:
    """The engine under test."""
    return open_engine("lite", Settings(), Paths(home))


@cache
def portrait() -> np.ndarray:
    """NASA's portrait of Eileen Collins, uint8 RGB [512, 512, 3]."""
    return data.astronaut()


@cache
def said() -> tuple[np.ndarray, tuple[Phone, ...]]:
    """Some eight seconds of speech at 16 kHz, and its phones."""
    text = ("My mother made some bread and jam for both of us. People who live by the sea often buy fish, "
            "and we always have apples, plums and warm bread at home.")
    spoken = EspeakSynthesizer().speak(SpeechRequest(text))
    return resample(spoken.samples, spoken.rate, SPEECH_RATE), spoken.phones


def speech(folder: Path, seconds: float) -> Path:
    """The beginning of `said`, then `QUIET` seconds of silence."""
    sound = np.concatenate([said()[0][:round(seconds * SPEECH_RATE)], np.zeros(round(QUIET * SPEECH_RATE), np.float32)])
    return write_wav(folder / f"speech{seconds}.wav", sound, SPEECH_RATE)


def photo_avatar(folder: Path) -> Path:
    """A photo avatar in a new folder."""
    picture = folder / "portrait.png"
    cv2.imwrite(str(picture), portrait()[..., ::-1])
    avatar = folder / "photo"
    lite(folder).train(TrainRequest(picture, avatar), silent)
    return avatar


def talking_clip(folder: Path) -> Path:
    """A recording of one person speaking: the photo avatar does."""
    out, (sound, phones) = folder / "talking.mp4", said()
    wav = write_wav(folder / "talking.wav", sound, SPEECH_RATE)
    lite(folder).render(RenderRequest(photo_avatar(folder), wav, out, phones), silent)
    return out


def trained_avatar(folder: Path, clip: Path) -> Path:
    """An avatar in a new folder that learnt from a clip for two seconds only."""
    avatar = folder / "trained"
    lite(folder).train(TrainRequest(clip, avatar, options={"seconds": 2}), silent)
    return avatar


@dataclass
class Told:
    """A `Report` that remembers."""

    steps: list[Progress] = field(default_factory=list)

    def __call__(self, progress: Progress) -> None:
        self.steps.append(progress)

    @property
    def stages(self) -> list[str]:
        """Stages in the order in which they came."""
        return list(dict.fromkeys(step.stage for step in self.steps))

    @property
    def rises(self) -> bool:
        """Whether the fraction never went back and ended at 1."""
        fractions = [step.fraction for step in self.steps]
        return fractions == sorted(fractions) and fractions[-1] == 1.0
