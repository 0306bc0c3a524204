"""One fragment of an MP4 (ISO/IEC 14496-12, "movie fragments"): moof with its tracks, and mdat."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_INDEPENDENT, _DEPENDENT = 0x0200_0000, 0x0101_0000
"""Sample flags: depends on none; depends on others and is no place to begin."""
_RUN = 0x1 | 0x200 | 0x400
"""Of a ``trun``: there are a data offset, sizes and flags."""
_TRACK = 0x20000 | 0x8
"""Of a ``tfhd``: offsets count from the moof; there is a duration."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One coded picture or frame of sound."""

    data: bytes
    """As it lies in the file."""
    key: bool
    """Whether decoding can begin here."""


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one track, in a row."""

    track: int
    """Its id, from 1."""
    start: int
    """Decode time of the first, in units of the track's time scale; so is ``duration``."""
    duration: int
    """Of every sample."""
    samples: Sequence[Sample]
    """At least one."""


def fragment(number: int, runs: Sequence[Run]) -> bytes:
    """The ``number``-th fragment of a file, from 1."""
    # Offsets are as long whatever they say: measured with zeros first.
    size = len(_moof(number, runs, [0] * len(runs)))
    offsets, at = [], size + 8
    for run in runs:
        offsets.append(at)
        at += sum(len(sample.data) for sample in run.samples)
    return _moof(number, runs, offsets) + _box(b"mdat", *(sample.data for run in runs for sample in run.samples))


def _moof(number: int, runs: Sequence[Run], offsets: Sequence[int]) -> bytes:
    tracks = [_traf(run, offset) for run, offset in zip(runs, offsets, strict=True)]
    return _box(b"moof", _box(b"mfhd", struct.pack(">II", 0, number)), *tracks)


def _traf(run: Run, offset: int) -> bytes:
    samples = b"".join(struct.pack(">II", len(one.data), _INDEPENDENT if one.key else _DEPENDENT)
                       for one in run.samples)
    return _box(b"traf", _box(b"tfhd", struct.pack(">III", _TRACK, run.track, run.duration)),
                _box(b"tfdt", struct.pack(">IQ", 1 << 24, run.start)),
                _box(b"trun", struct.pack(">IIi", _RUN, len(run.samples), offset), samples))


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I", 8 + sum(map(len, parts))) + kind + b"".join(parts)
