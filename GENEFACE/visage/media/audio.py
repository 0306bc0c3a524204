"""Sound in and out of files: float32 mono, -1 to 1, on the clock of the picture."""

from __future__ import annotations

import uuid
import wave
from collections.abc import Iterable, Iterator
from math import gcd
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler

from visage.errors import BadAudio
from visage.media.container import open_media, writing_failed
from visage.media.frames import picture_start
from visage.media.probe import probe
from visage.types import SPEECH_RATE

_SLACK = 0.03
"""Seconds by which time stamps of sound may wander before silence is put in or samples are left out."""
_BLOCK = 1 << 18
"""Samples converted at once, and put together at once while reading: an hour of sound needs no second copy."""


def read_sound(path: Path, rate: int = SPEECH_RATE, limit: float | None = None) -> np.ndarray:
    """The sound of any file that has some, float32 mono [samples] at ``rate``.

    Sample 0 belongs to the first frame that `read_video` gives (without a picture:
    to the first sample); gaps are silence.  ``limit`` in seconds.  Raises
    `BadAudio` (no sound, or it cannot be decoded) and `NotFound`.
    """
    path = Path(path)
    with open_media(path, BadAudio) as container:
        if not container.streams.audio:
            raise BadAudio("{name} has no sound.", code="audio.none", hint="Use a recording with sound.",
                           name=path.name)
        start = picture_start(container)
    most = None if limit is None else round(limit * rate)
    with open_media(path, BadAudio) as container:
        blocks = list(_blocks(_resampled(container, start, rate, most)))
    if not blocks:
        raise BadAudio("The sound of {name} cannot be decoded.", code="audio.undecodable",
                       hint="Save it again as WAV, MP3 or M4A.", name=path.name)
    return np.concatenate(blocks)[:most].astype(np.float32, copy=False)


def sound_seconds(path: Path) -> float:
    """How long the sound of a file plays.  Raises `BadAudio`, `NotFound`."""
    return probe(path, "audio").seconds


def write_wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write float mono samples as 16-bit WAV, whole or not at all; returns the path.  Raises `DiskFull`."""
    path = Path(path)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file, wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            for start in range(0, len(samples), _BLOCK):
                part = np.clip(samples[start:start + _BLOCK], -1, 1) * 32767
                sound.writeframesraw(part.round().astype("<i2").tobytes())
        temporary.replace(path)
    except OSError as exc:
        raise writing_failed(path, exc) from exc
    finally:
        temporary.unlink(missing_ok=True)
    return path


def resample(samples: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Samples at ``rate`` as they sound at ``target`` samples a second, float32; polyphase, no delay."""
    if rate == target or not len(samples):
        return np.asarray(samples, np.float32)
    divisor = gcd(rate, target)
    from scipy.signal import resample_poly  # costs more than half a second, and most callers never get here

    return resample_poly(np.asarray(samples, np.float32), target // divisor, rate // divisor).astype(np.float32)


def _resampled(container: av.container.InputContainer, start: float | None, rate: int,
               most: int | None) -> Iterator[np.ndarray]:
    """The sound at ``rate`` as it is decoded, ended where ``most`` samples are there; nothing when none can be."""
    resampler: AudioResampler | None = None
    read = 0
    for chunk, native in _timeline(container, start):
        if resampler is None:
            resampler = AudioResampler("fltp", "mono", rate)
        frame = av.AudioFrame.from_ndarray(chunk[None], format="fltp", layout="mono")
        frame.rate = native
        for part in resampler.resample(frame):
            read += part.samples
            yield part.to_ndarray()[0]
        if most is not None and read >= most:
            break
    if resampler is not None:
        yield np.concatenate([np.zeros(0, np.float32), *(part.to_ndarray()[0] for part in resampler.resample(None))])


def _blocks(parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same samples in few large arrays: small ones by the ten thousand would hold on to twice their memory."""
    held: list[np.ndarray] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count >= _BLOCK:
            yield np.concatenate(held)
            held, count = [], 0
    if held:
        yield np.concatenate(held)


def _timeline(container: av.container.InputContainer, start: float | None) -> Iterator[tuple[np.ndarray, int]]:
    """Mono chunks at the sound's own rate, without gap or overlap from second ``start`` on."""
    stream = container.streams.audio[0]
    mixer: AudioResampler | None = None
    native = done = 0
    for frame in _decoded(container, stream):
        if mixer is None:
            native = frame.sample_rate
            mixer = AudioResampler("fltp", "mono", native)
        now = float(frame.pts * frame.time_base) if frame.pts is not None else None
        if start is None:
            start = now or 0.0
        chunk = np.concatenate([part.to_ndarray()[0] for part in mixer.resample(frame)] or [np.zeros(0, np.float32)])
        ahead = 0 if now is None else round((now - start) * native) - done
        if done == 0 or abs(ahead) > _SLACK * native:
            if ahead < 0:
                chunk = chunk[-ahead:]
            elif ahead > 0:
                chunk = np.concatenate([np.zeros(ahead, np.float32), chunk])
        if len(chunk):
            done += len(chunk)
            yield chunk, native


def _decoded(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue
