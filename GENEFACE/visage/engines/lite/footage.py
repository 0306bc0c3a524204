"""The moving picture that mouths are painted into: a short silent clip, played to and fro for as long as one speaks."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from visage.engines.lite.crops import resized
from visage.errors import BadMedia, from_os_error
from visage.faces.align import Crops
from visage.faces.pose import Pose, angles
from visage.media.h264 import add_pictures, picture
from visage.media.planes import joined, planes_from_rgb, to_rgb
from visage.types import FPS

LONGEST = 20 * FPS
"""Frames kept: every one stays in memory while a clip is made."""
_KEYS = 10 * FPS
"""Frames between key pictures: it is read from its start only."""
_BLOCK = 40 << 20
"""Bytes that frames are kept in: what is that large goes back to the system when it is freed (glibc: from 32 MiB)."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Where the head is in each of N frames of footage."""

    squares: Crops
    """The painted squares."""
    pose: Pose
    """Poses of the head."""
    outlines: np.ndarray | None = None
    """float32 [N, 21, 2]: `crops.JAW_LINE` in crop pixels; None in packages from before it was kept."""

    def __len__(self) -> int:
        return len(self.pose)

    @property
    def angles(self) -> np.ndarray:
        """Yaw, pitch and roll in degrees, float32 [N, 3]."""
        return angles(self.pose)

    def at(self, frames: np.ndarray) -> Scene:
        """The scene of the frames of these numbers, any order, repeats allowed."""
        pose = Pose(self.pose.scale[frames], self.pose.rotation[frames], self.pose.shift[frames])
        outlines = None if self.outlines is None else self.outlines[frames]
        return Scene(Crops(self.squares.transforms[frames], self.squares.size), pose, outlines)

    def resized(self, size: int) -> Scene:
        """The same scene with painted squares of another side."""
        squares, scale = resized(self.squares, size), size / self.squares.size
        outlines = None if self.outlines is None else (self.outlines * scale + (scale - 1) / 2).astype(np.float32)
        return Scene(squares, self.pose, outlines)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` needs, for an ``.npz``."""
        return {"squares": self.squares.transforms, "size": np.array(self.squares.size), "scale": self.pose.scale,
                "rotation": self.pose.rotation, "shift": self.pose.shift,
                **({} if self.outlines is None else {"outlines": self.outlines})}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Scene:
        """The scene that `arrays` came from.  Raises `KeyError`."""
        return cls(Crops(arrays["squares"], int(arrays["size"])),
                   Pose(arrays["scale"], arrays["rotation"], arrays["shift"]), arrays.get("outlines"))


class Footage:
    """Decodes a clip as far as it was asked for and keeps the frames, as planar YUV (half the room of RGB)."""

    def __init__(self, file: Path):
        """Raises `BadMedia` when it cannot be opened."""
        try:
            self._container = av.open(str(file))
            self._decoder = self._container.decode(video=0)
        except (av.error.FFmpegError, IndexError) as exc:
            raise _broken() from exc
        self._blocks: list[np.ndarray] = []
        self._decoded = 0
        self._lock = threading.Lock()

    def __getitem__(self, number: int) -> np.ndarray:
        """Frame uint8 RGB [H, W, 3].  Raises `BadMedia` when the clip ends before it."""
        return to_rgb(self.planes(number))

    def planes(self, number: int) -> np.ndarray:
        """Frame uint8 I420 [H * 3 / 2, W], not to be written into; any thread.

        Raises `BadMedia` when the clip ends before it.
        """
        with self._lock:
            while self._decoded <= number:
                try:
                    frame = next(self._decoder)
                except (StopIteration, av.error.FFmpegError) as exc:
                    raise _broken() from exc
                self._keep(frame.reformat(format="yuv420p").to_ndarray())
            block = len(self._blocks[0])
            return self._blocks[number // block][number % block]

    def close(self) -> None:
        """Free the decoder and the frames."""
        with self._lock:
            self._container.close()
            self._blocks.clear()
            self._decoded = 0

    def _keep(self, frame: np.ndarray) -> None:
        block = -(-_BLOCK // frame.nbytes)
        if self._decoded == block * len(self._blocks):
            self._blocks.append(np.empty((block, *frame.shape), np.uint8))
        self._blocks[-1][self._decoded % block] = frame
        self._decoded += 1


def to_and_fro(count: int, length: int, start: int = 0) -> np.ndarray:
    """Frame numbers int64 [length] that run through ``count`` frames forwards and backwards without a jump."""
    period = max(1, 2 * count - 2)
    place = (np.arange(start, start + length)) % period
    return np.minimum(place, period - place) if count > 1 else np.zeros(length, np.int64)


def longest_shot(found: np.ndarray, cuts: np.ndarray, limit: int = LONGEST) -> slice:
    """The longest run of frames with a face and without a cut, at most ``limit`` frames, from its start.

    ``found`` bool [N]; ``cuts`` int [K], frames that do not continue the one before.
    """
    best, begun = slice(0, 0), 0
    breaks = set(cuts.tolist())
    for end in range(len(found) + 1):
        if end == len(found) or not found[end] or end in breaks:
            if end - begun > best.stop - best.start:
                best = slice(begun, end)
            begun = end if end < len(found) and found[end] else end + 1
    return slice(best.start, min(best.stop, best.start + limit))


def write_footage(frames: Iterable[np.ndarray], file: Path, size: int) -> Iterator[np.ndarray]:
    """Store frames uint8 RGB [size, size, 3] as nearly lossless H.264 while they are handed on; atomic.

    Raises `DiskFull` when there is no room.
    """
    part = file.with_name("." + file.name)
    try:
        with av.open(str(part), "w", format="mp4") as out:
            stream = add_pictures(out, (size, size), FPS, crf=12, preset="veryfast", every=_KEYS, threads=0)
            for number, frame in enumerate(frames):
                out.mux(stream.encode(picture(joined(planes_from_rgb(frame)), (size, size), number, FPS)))
                yield frame
            out.mux(stream.encode())
        part.replace(file)
    except OSError as exc:
        raise from_os_error(exc) from exc


def _broken() -> BadMedia:
    return BadMedia("The footage of this avatar cannot be read.", code="avatar.no_footage",
                    hint="Train the avatar again.")
