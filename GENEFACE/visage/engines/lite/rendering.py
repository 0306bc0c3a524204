"""From a sound to a finished clip of an avatar that says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from visage.engines.contract import RenderRequest
from visage.engines.lite.clock import Clock
from visage.engines.lite.listen import restore_listener
from visage.engines.lite.listen.contract import Listener
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.package import Package, read_arrays
from visage.engines.lite.planar import Picture, open_picture
from visage.errors import BadAudio, OutputInvalid
from visage.media.audio import read_sound
from visage.media.encoder import ClipWriter
from visage.media.probe import probe
from visage.types import FPS, SPEECH_RATE, Phone, Report

_SOUND_RATE = 44_100
_TELL = FPS
"""Frames between two reports."""
SHARES = {"move": 1.0, "render": 20.0, "verify": 0.5}
"""About how much of the time each stage takes."""


Mark = Callable[[np.ndarray, int], None]
"""Draws into a finished frame, uint8 I420 [H * 3 / 2, W], in place; the number counts from 0 in the clip."""


def open_package_listener(package: Package, basis: MouthBasis) -> Listener:
    """The listener of an avatar."""
    return restore_listener(read_arrays(package.listener), basis)


def render(request: RenderRequest, report: Report, mark: Mark | None = None) -> Path:
    """Write the clip, every frame marked, and return it.

    Raises `BadAudio`, `BadMedia`, `DiskFull` and `OutputInvalid`.
    """
    clock = Clock(SHARES, report)
    clock.enter("move", "Listening to the sound")
    package = Package(request.avatar)
    samples = read_sound(request.sound, SPEECH_RATE)
    if len(samples) < SPEECH_RATE // 20:
        raise BadAudio("The sound lasts only {milliseconds} ms.", code="audio.too_short",
                       hint="Use a sound of at least a tenth of a second.",
                       milliseconds=round(1000 * len(samples) / SPEECH_RATE))
    with closing(open_picture(package)) as picture:
        coefficients = move(package, picture.basis, samples, request.phones)
        clock.enter("render", "Making the pictures", frames=len(coefficients))
        write_clip(picture, coefficients, request, clock, mark)
    clock.enter("verify", "Checking the clip")
    verify(request.out, len(coefficients))
    clock.tell(1.0, "The clip is ready")
    return request.out


def move(package: Package, basis: MouthBasis, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
    """What the mouth of an avatar does to a sound at 16 kHz, coefficients float32 [T, K]."""
    return open_package_listener(package, basis).predict(samples, phones)


def write_clip(picture: Picture, coefficients: np.ndarray, request: RenderRequest, clock: Clock,
               mark: Mark | None = None) -> None:
    """Paint, mark, encode and mux; memory does not grow with the length."""
    sound = read_sound(request.sound, _SOUND_RATE)
    with (ClipWriter(request.out, *picture.size, FPS, _SOUND_RATE, planar=True) as writer,
          closing(picture.planes(coefficients)) as frames):
        for number, frame in enumerate(frames):
            if number % _TELL == 0:
                # Second by second: a writer that holds an hour of sound copies it again and again.
                writer.write_sound(sound[number // FPS * _SOUND_RATE:(number // FPS + 1) * _SOUND_RATE])
                clock.tell(number / len(coefficients))
            if mark:
                mark(frame, number)
            writer.write(frame)


def verify(clip: Path, frames: int) -> None:
    """Raises `OutputInvalid` unless the clip is a whole video of that many frames with equally long sound."""
    info = probe(clip, "video")
    if abs(info.frames - frames) > 1 or not info.has_sound:
        raise OutputInvalid("The clip has {found} frames instead of {wanted}.", code="clip.incomplete",
                            hint="Try again; if it happens again, look at the job's log.",
                            found=info.frames, wanted=frames)
