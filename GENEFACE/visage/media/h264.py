"""H.264 pictures for a page that changes between clips: one look, whoever writes them."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

SMPTE_170M, LIMITED = 6, 1
"""Numbers of SMPTE 170M (BT.601) for primaries, curve and matrix, and of the range 16 to 235."""


def add_pictures(container: av.container.OutputContainer, size: tuple[int, int], fps: int, *, crf: int, preset: str,
                 every: int, tune: str = "", threads: int = 1, parameters: str = "") -> av.VideoStream:
    """A stream of I420 pictures of ``size`` (width, height; even), a key picture every so many, none elsewhere.

    ``crf``, ``preset``, ``tune`` and ``parameters`` are x264's own.
    """
    width, height = size
    if width % 2 or height % 2:
        raise ValueError(f"a picture must have even sides, not {width} x {height}")
    stream = container.add_stream("libx264", rate=fps)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    told = f"keyint={every}:min-keyint={every}:scenecut=0" + (f":{parameters}" if parameters else "")
    stream.options = {"crf": str(crf), "preset": preset, "x264-params": told, **({"tune": tune} if tune else {})}
    codec = stream.codec_context
    codec.thread_count, codec.time_base = threads, Fraction(1, fps)
    codec.color_primaries = codec.color_trc = codec.colorspace = SMPTE_170M
    codec.color_range = LIMITED
    return stream


def picture(frame: np.ndarray, size: tuple[int, int], number: int, fps: int) -> av.VideoFrame:
    """An I420 frame uint8 [H * 3 / 2, W] for `add_pictures`' encoder.  Raises `ValueError` for another shape."""
    width, height = size
    if frame.shape != (height * 3 // 2, width) or frame.dtype != np.uint8:
        raise ValueError(f"a frame must be uint8 {(height * 3 // 2, width)}, not {frame.dtype} {frame.shape}")
    made = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="yuv420p")
    made.pts, made.time_base = number, Fraction(1, fps)
    return made
