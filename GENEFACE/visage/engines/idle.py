"""An avatar at rest: one whole cycle of its movement as a clip that a page plays round and round."""

from __future__ import annotations

import os
import threading
from itertools import islice
from pathlib import Path

import av

from visage.engines.contract import LiveFace
from visage.errors import VisageError
from visage.media.container import open_media, writing_failed
from visage.media.h264 import add_pictures, picture
from visage.types import FPS

_CRF, _PRESET = 20, "veryfast"
_making = threading.Lock()


def write_idle_loop(face: LiveFace, out: Path) -> Path:
    """Write frames 0 to ``cycle - 1`` of a face at rest, frame n shown at n / 25 s, and return the path; atomic.

    H.264 without sound, a key picture each second, the colours of the live stream.  Raises `DiskFull`.
    """
    size = (face.width, face.height)
    part = out.with_name(f".{out.stem}.{os.getpid()}-{id(face):x}.part")
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = add_pictures(container, size, FPS, crf=_CRF, preset=_PRESET, every=FPS, threads=0)
            for number, frame in enumerate(islice(face.rest(0), face.cycle)):
                container.mux(stream.encode(picture(frame, size, number, FPS)))
            container.mux(stream.encode(None))
        part.replace(out)
    except OSError as exc:
        raise writing_failed(out, exc) from exc
    finally:
        part.unlink(missing_ok=True)
    return out


def ensure_idle_loop(face: LiveFace, file: Path) -> Path:
    """The loop of a face, written now when ``file`` is missing or does not show its whole cycle; any thread.

    Raises `DiskFull`.
    """
    with _making:
        return file if _is_whole(face, file) else write_idle_loop(face, file)


def _is_whole(face: LiveFace, file: Path) -> bool:
    try:
        with open_media(file) as clip:
            found = clip.streams.video[0]
            return (found.frames, found.width, found.height) == (face.cycle, face.width, face.height)
    except (VisageError, IndexError):
        return False
