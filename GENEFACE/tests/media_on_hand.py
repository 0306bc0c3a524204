"""Videos that people really send, good and bad, made of one small talking portrait."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from tests.clip_commands import reencode, rotated
from tests.visage.media_clips import babble, clip, portrait
from visage.media.run import run_tool

SECONDS = 5.2


def swaying(picture: np.ndarray, seconds: float = SECONDS) -> list[np.ndarray]:
    """A picture that moves a little from side to side, 25 times a second."""
    return [np.roll(picture, round(4 * np.sin(index / 9)), 1) for index in range(round(seconds * 25))]


def wav(seconds: float, rate: int = 8000) -> bytes:
    """A WAV with a quiet hum."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        second = (3000 * np.sin(np.arange(rate) * 0.3)).astype("<i2")
        file.writeframes(np.resize(second, round(seconds * rate)).tobytes())
    return out.getvalue()


class Clips:
    """The clips, each written when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str) -> bytes:
        """The bytes of the clip that the method of that name makes."""
        file = self._folder / f"{name}.mp4"
        if not file.exists():
            getattr(self, name)(file)
        return file.read_bytes()

    def good(self, out: Path) -> None:
        """A face that can be learned."""
        clip(out, swaying(portrait()), babble(SECONDS))

    def no_face(self, out: Path) -> None:
        """A grey wall."""
        wall = np.random.default_rng(1).integers(90, 110, (96, 96, 3)).astype(np.uint8)
        clip(out, swaying(wall), babble(SECONDS))

    def two_faces(self, out: Path) -> None:
        """Two people side by side."""
        clip(out, swaying(np.concatenate([portrait(), portrait()], 1)), babble(SECONDS))

    def no_sound(self, out: Path) -> None:
        """A silent film."""
        clip(out, swaying(portrait()))

    def one_second(self, out: Path) -> None:
        """Too little."""
        clip(out, swaying(portrait(), 1.0), babble(1.0))

    def variable_rate(self, out: Path) -> None:
        """Every fifth frame left out, as telephones do."""
        run_tool(reencode(self._source(), out, "libx264", r"select='not(eq(mod(n\,5)\,2))'"))

    def rotated(self, out: Path) -> None:
        """Recorded lying on its side, with a note that says so."""
        lying = self._folder / "lying.mov"
        run_tool(reencode(self._source(), lying, "libx264", "transpose=2"))
        run_tool(rotated(lying, out, 90))

    def four_k(self, out: Path) -> None:
        """3840 by 2160 pixels."""
        run_tool(reencode(self._source(), out, "libx264", "scale=2160:2160,pad=3840:2160:840:0"))

    def odd_size(self, out: Path) -> None:
        """Neither side can be halved."""
        plain = self._folder / "odd.mkv"
        argv = reencode(self._source(), plain, "ffv1", "format=yuv444p,crop=253:251:1:2", "matroska")
        run_tool(["yuv444p" if word == "yuv420p" else word for word in argv if word not in ("-preset", "ultrafast")])
        out.write_bytes(plain.read_bytes())

    def hevc(self, out: Path) -> None:
        """As telephones record."""
        run_tool(reencode(self._source(), out, "libx265"))

    def truncated(self, out: Path) -> None:
        """Its last third never arrived."""
        whole = self("good")
        out.write_bytes(whole[:len(whole) * 2 // 3])

    def index_lost(self, out: Path) -> None:
        """Nor did the index, which stood at its end."""
        whole = self._folder / "whole.mov"
        run_tool(reencode(self._source(), whole, "libx264"))
        out.write_bytes(whole.read_bytes()[:-5000])

    def _source(self) -> Path:
        self("good")
        return self._folder / "good.mp4"
