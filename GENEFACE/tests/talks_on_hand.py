"""Conversations for the tests, made on the spot: an avatar that rests, answers as live streams, clips of jobs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from backend.services import Services
from tests.visage.media_clips import RATE, babble, clip
from visage.config import read_settings
from visage.storage.catalog import Avatar, now

SIZE = 64
IDLE = 40
"""Frames of the resting loop."""


def shade(n: int, base: int) -> np.ndarray:
    """A frame whose grey tells who shows it and which it is: ``base`` + 2 times the number."""
    return np.full((SIZE, SIZE, 3), base + 2 * (n % 40), np.uint8)


def shown(frame: np.ndarray) -> float:
    """Its grey."""
    return float(frame.astype(float).mean())


def services_with_avatar(home: Path, avatar: str = "ada") -> Services:
    """An installation with an avatar whose loop is grey 20, 22, 24 …"""
    services = Services(read_settings(home=home))
    folder = services.catalog.folder(avatar)
    services.catalog.save(Avatar(avatar, "Ada", "lite", "photo", now(), SIZE, SIZE))
    clip(folder / "idle.mp4", [shade(n, 20) for n in range(IDLE)])
    return services


def stream(frames: Sequence[np.ndarray], sound: np.ndarray) -> list[bytes]:
    """A live answer: the header of a fragmented MP4, then its fragments."""
    out = io.BytesIO()
    height, width = frames[0].shape[:2]
    options = {"movflags": "empty_moov+delay_moov+default_base_moof", "frag_duration": "400000"}
    with av.open(out, "w", format="mp4", options=options) as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        picture.options = {"tune": "zerolatency", "preset": "ultrafast", "crf": "12", "bf": "0"}
        voice = container.add_stream("aac", rate=48_000, layout="mono")
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        step = RATE // 25
        for n, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            container.mux(picture.encode(frame))
            heard = av.AudioFrame.from_ndarray(sound[None, n * step:(n + 1) * step].astype(np.float32), format="fltp",
                                               layout="mono")
            heard.rate, heard.pts, heard.time_base = RATE, n * step, Fraction(1, RATE)
            for part in resampler.resample(heard):
                container.mux(voice.encode(part))
        container.mux(picture.encode(None))
        container.mux(voice.encode(None))
    return _boxes(out.getvalue())


def _boxes(data: bytes) -> list[bytes]:
    """Header (``ftyp`` and ``moov``) and fragments (``moof`` and ``mdat``)."""
    parts: list[bytes] = [b""]
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        if kind == b"moof":
            parts.append(b"")
        if kind != b"mfra":
            parts[-1] += data[at:at + size]
        at += size
    return parts


def answer(seconds: float, base: int = 120) -> list[bytes]:
    """A live answer of grey ``base`` and more, with sound."""
    count = round(seconds * 25)
    return stream([shade(n, base) for n in range(count)], babble(seconds))
