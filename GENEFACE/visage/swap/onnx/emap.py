"""The matrix that brings a face's embedding into the space of an inswapper network; it lies in that network's file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from visage.swap.onnx import failures
from visage.swap.onnx.graph import Graph, Malformed, Stored, numbers

NAME = "buff2fs"
"""What the published files call it."""
SIDE = 512


def choose(graph: Graph) -> Stored | None:
    """The matrix among the stored values: by name, else the only square one that no node reads, else the only one.

    Its place in the file says nothing: it is the last value only until a tool has saved the file again.
    """
    square = [value for value in graph.stored
              if value.shape == (SIDE, SIDE) and value.dtype in ("float32", "float16", "float64")]
    for group in ([value for value in square if value.name == NAME],
                  [value for value in square if value.name not in graph.used], square):
        if len(group) == 1:
            return group[0]
    return None


def load(path: Path, graph: Graph, sha256: str, cache: Path | None = None) -> np.ndarray:
    """The matrix of a file, float32 [512, 512]; kept in ``cache`` under the file's checksum.

    Raises `NotInstalled` (E02) when the file holds none, or several that could be it.
    """
    kept = cache / f"emap-{sha256[:32]}.npy" if cache else None
    if kept and kept.is_file():
        found = np.load(kept, allow_pickle=False)
        if found.shape == (SIDE, SIDE) and found.dtype == np.float32:
            return found
    value = choose(graph)
    if value is None:
        raise failures.no_emap(path, [one.name for one in graph.stored if one.shape == (SIDE, SIDE)])
    try:
        found = numbers(path, value)
    except Malformed as exc:
        raise failures.corrupt(path, str(exc)) from exc
    if kept:
        _keep(kept, found)
    return found


def _keep(kept: Path, found: np.ndarray) -> None:
    fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as stream:
            np.save(stream, found)
        fresh.replace(kept)
    except OSError:
        # a folder that cannot be written costs a read of the model next time, nothing else
        fresh.unlink(missing_ok=True)
