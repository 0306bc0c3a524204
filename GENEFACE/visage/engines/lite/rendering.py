"""From a sound to a finished clip of an avatar that says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from visage.engines.contract import RenderRequest
from visage.engines.lite.clock import Clock
from visage.engines.lite.listen import restore_listener
from visage.engines.lite.listen.contract import Listener
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.package import Package, read_arrays
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


class Renderer(Protocol):
    """Shows mouths: `speaking.Speaker` and `photo_speaking.PhotoSpeaker`."""

    def frames(self, coefficients: np.ndarray, start: int = 0) -> Iterator[np.ndarray]:
        """Frames uint8 RGB [H, W, 3] that show coefficients [T, K], one each."""

    def close(self) -> None:
        """Free what it holds."""


def open_renderer(package: Package) -> tuple[Renderer, MouthBasis]:
    """What shows this avatar, and its mouth basis.  Raises `BadMedia` when the package is damaged."""
    if package.photo.is_file():
        from visage.engines.lite.photo_speaking import open_photo

        speaker = open_photo(package)
        return speaker, speaker.basis
    from visage.engines.lite.speaking import Speaker

    return Speaker(package), package.read_basis()


def open_package_listener(package: Package, basis: MouthBasis) -> Listener:
    """The listener of an avatar."""
    return restore_listener(read_arrays(package.listener), basis)


def render(request: RenderRequest, report: Report) -> Path:
    """Write the clip and return it.  Raises `BadAudio`, `BadMedia`, `DiskFull` and `OutputInvalid`."""
    clock = Clock(SHARES, report)
    clock.enter("move", "Listening to the sound")
    package = Package(request.avatar)
    samples = read_sound(request.sound, SPEECH_RATE)
    if len(samples) < SPEECH_RATE // 20:
        raise BadAudio("The sound lasts only {milliseconds} ms.", code="audio.too_short",
                       hint="Use a sound of at least a tenth of a second.",
                       milliseconds=round(1000 * len(samples) / SPEECH_RATE))
    renderer, basis = open_renderer(package)
    try:
        coefficients = move(package, basis, samples, request.phones)
        clock.enter("render", "Making the pictures", frames=len(coefficients))
        write_clip(renderer, coefficients, request, clock)
    finally:
        renderer.close()
    clock.enter("verify", "Checking the clip")
    verify(request.out, len(coefficients))
    clock.tell(1.0, "The clip is ready")
    return request.out


def move(package: Package, basis: MouthBasis, samples: np.ndarray, phones: Sequence[Phone] = ()) -> np.ndarray:
    """What the mouth of an avatar does to a sound at 16 kHz, coefficients float32 [T, K]."""
    return open_package_listener(package, basis).predict(samples, phones)


def write_clip(renderer: Renderer, coefficients: np.ndarray, request: RenderRequest, clock: Clock) -> None:
    """Paint, encode and mux; memory does not grow with the length."""
    sound = read_sound(request.sound, _SOUND_RATE)
    writer: ClipWriter | None = None
    try:
        for number, frame in enumerate(renderer.frames(coefficients)):
            writer = writer or ClipWriter(request.out, frame.shape[1], frame.shape[0], FPS, _SOUND_RATE)
            if number % _TELL == 0:
                # Second by second: a writer that holds an hour of sound copies it again and again.
                writer.write_sound(sound[number // FPS * _SOUND_RATE:(number // FPS + 1) * _SOUND_RATE])
                clock.tell(number / len(coefficients))
            writer.write(frame)
    except BaseException:
        if writer:
            writer.abort()
        raise
    if writer:
        writer.close()


def verify(clip: Path, frames: int) -> None:
    """Raises `OutputInvalid` unless the clip is a whole video of that many frames with equally long sound."""
    info = probe(clip, "video")
    if abs(info.frames - frames) > 1 or not info.has_sound:
        raise OutputInvalid("The clip has {found} frames instead of {wanted}.", code="clip.incomplete",
                            hint="Try again; if it happens again, look at the job's log.",
                            found=info.frames, wanted=frames)
