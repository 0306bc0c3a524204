"""The picture and sound of one answer, made just ahead of what the browser has played."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from visage.dialogue.playback import Playback
from visage.dialogue.scope import Scope
from visage.dialogue.turnstile import Turnstile
from visage.engines.contract import LiveFace
from visage.media.audio import resample
from visage.tts.contract import Speech
from visage.types import FPS, SPEECH_RATE

SOUND_RATE = 24_000
"""Samples per second of the sound in the video."""
AHEAD = 1.6
"""Seconds of video made before they are played: enough for a hiccup, little enough to be thrown away."""
RESERVE = 0.4
"""Seconds of video below which resting frames are shown when the next sentence is not there."""
_SAMPLES = SOUND_RATE // FPS


class Muxer(Protocol):
    """Frames and sound in, bytes out: `media.fmp4.FragmentWriter`."""

    def write(self, frame: np.ndarray, sound: np.ndarray) -> bytes:
        """The bytes that are complete with this frame and its sound."""

    def close(self) -> bytes:
        """The last bytes."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence and when it is heard."""

    text: str
    """As it is shown."""
    start: float
    """Seconds from the start of the turn's video."""
    seconds: float
    """How long it is said."""


class Show:
    """Makes the video of one turn; used by the turn's own thread."""

    def __init__(self, face: LiveFace, muxer: Muxer, start: int, scope: Scope, playback: Playback,
                 turnstile: Turnstile, out: Callable[[bytes, float], None]):
        """``start`` is the place of the first frame in the endless movement; ``out`` takes bytes and the seconds of
        video that are out with them."""
        self._face, self._muxer, self._start = face, muxer, start
        self._scope, self._playback, self._turnstile, self._out = scope, playback, turnstile, out
        self.frames = 0
        """Frames made so far."""
        self.first_frame = 0.0
        """When the first frame was made, `time.monotonic`; 0 before."""
        self._resting: Iterator[np.ndarray] | None = None

    @property
    def seconds(self) -> float:
        """Length of the video so far."""
        return self.frames / FPS

    def say(self, speech: Speech, text: str, announce: Callable[[Caption, np.ndarray], None]) -> None:
        """Show a sentence; before its first frame ``announce`` gets its caption and its sound at `SPEECH_RATE`."""
        self._resting = None
        sound = resample(speech.samples, speech.rate, SOUND_RATE)
        heard = resample(speech.samples, speech.rate, SPEECH_RATE)
        announce(Caption(text, self.seconds, len(sound) / SOUND_RATE), heard)
        frames = self._face.speak(heard, speech.phones, self._start + self.frames)
        place = 0
        while (frame := self._next(frames)) is not None:
            self._add(frame, sound[place:place + _SAMPLES])
            place += _SAMPLES

    def fill(self) -> None:
        """Nothing to say yet: rest for a frame if the browser would run dry, else wait a little."""
        if self.frames and self._lead() < RESERVE:
            self._resting = self._resting or self._face.rest(self._start + self.frames)
            frame = self._next(self._resting)
            assert frame is not None, "resting never ends"
            self._add(frame, np.zeros(0, np.float32))
        else:
            self._scope.wait(0.01)

    def finish(self) -> float:
        """Close the video; returns its seconds."""
        self._out(self._muxer.close(), self.seconds)
        return self.seconds

    def _lead(self) -> float:
        return self.seconds - self._playback.position()

    def _next(self, frames: Iterator[np.ndarray]) -> np.ndarray | None:
        while self._lead() > AHEAD:
            self._scope.wait(min(0.1, self._lead() - AHEAD + 0.01))
        self._scope.check()
        with self._turnstile.through(time.monotonic() + self._lead()):
            return next(frames, None)

    def _add(self, frame: np.ndarray, sound: np.ndarray) -> None:
        if len(sound) < _SAMPLES:
            sound = np.concatenate([sound, np.zeros(_SAMPLES - len(sound), np.float32)])
        data = self._muxer.write(frame, sound)
        self.frames += 1
        self.first_frame = self.first_frame or time.monotonic()
        if data:
            self._out(data, self.seconds)
