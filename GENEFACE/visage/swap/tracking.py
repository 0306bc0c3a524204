"""The same face from frame to frame: tracks, faces missed for a moment, points that do not tremble."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from visage.swap.contract import Face

_THUMB = 32
_CUT = 22.0
"""Mean difference of two thumbnails, grey levels, from which on another scene begins."""


@dataclass(slots=True, eq=False)
class Work:
    """One frame on its way through the pipeline."""

    number: int
    """From 0."""
    ticks: int
    """Time stamp in units of the video's time base, 0 for the first frame."""
    seconds: float
    """The same in seconds."""
    frame: np.ndarray
    """uint8 RGB [H, W, 3]; replaced by the result."""
    faces: dict[int, Face] = field(default_factory=dict)
    """The faces by number of their track."""
    cut: bool = True
    """Whether another scene begins here."""
    worked: bool = False
    """Whether a face was worked on."""
    restored: bool = False
    """Whether the restorer worked on every face."""
    unrestored: str = ""
    """Why the restorer left a swapped face as it was; empty when it did not."""
    failed: str = ""
    """Why the frame was kept as it was; empty when nothing failed."""


class Cuts:
    """Notices that another scene begins."""

    def __init__(self) -> None:
        self._thumb: np.ndarray | None = None

    def at(self, frame: np.ndarray) -> bool:
        """Whether this frame differs from the one before as a whole; True for the first."""
        # every few pixels tell enough: averaging all of a frame takes longer than finding its face
        step = max(1, min(frame.shape[:2]) // (4 * _THUMB))
        few = np.ascontiguousarray(frame[::step, ::step])
        small = cv2.cvtColor(cv2.resize(few, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        cut = self._thumb is None or float(cv2.absdiff(small, self._thumb).mean()) > _CUT
        self._thumb = small
        return cut


class Tracker:
    """Gives every face the number of its track, by overlap and, where there are embeddings, likeness."""

    def __init__(self, patience: int):
        """``patience``: frames for which a track waits for its face."""
        self._patience = patience
        self._next = 0
        self._last: dict[int, tuple[Face, int]] = {}

    def follow(self, number: int, faces: list[Face], cut: bool) -> dict[int, Face]:
        """The faces of frame ``number`` by track."""
        if cut:
            self._last = {}
        self._last = {track: seen for track, seen in self._last.items() if number - seen[1] <= self._patience + 1}
        pairs = sorted(((_fit(seen[0], face), track, place) for track, seen in self._last.items()
                        for place, face in enumerate(faces)), key=lambda pair: -pair[0])
        found: dict[int, Face] = {}
        taken: set[int] = set()
        for fit, track, place in pairs:
            if fit > 0.15 and track not in found and place not in taken:
                found[track] = faces[place]
                taken.add(place)
        for place, face in enumerate(faces):
            if place not in taken:
                found[self._next] = face
                self._next += 1
        self._last |= {track: (face, number) for track, face in found.items()}
        return found


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / max(one.area + other.area - shared, 1e-6)


def _fit(one: Face, other: Face) -> float:
    fit = overlap(one, other)
    if fit > 0 and one.embedding is not None and other.embedding is not None:
        fit *= 1.25 - one.embedding.distance(other.embedding)
    return fit


def refilled(works: Iterable[Work], span: int) -> Iterator[Work]:
    """The same frames; a face missed for up to ``span`` frames is put between where it was and where it came back.

    Frames wait only while a face is missing, so at most ``span`` are held.
    """
    held: deque[Work] = deque()
    last: Work | None = None
    for work in works:
        held.append(work)
        missing = [] if last is None or work.cut else [track for track in last.faces if track not in work.faces]
        if missing and len(held) <= span:
            continue
        if last is not None and not work.cut:
            _fill(last, held)
        while held:
            last = held.popleft()
            yield last
    yield from held


def _fill(last: Work, held: deque[Work]) -> None:
    back = held[-1]
    if any(work.cut for work in held):
        return
    for track in last.faces.keys() & back.faces.keys():
        for work in held:
            if track not in work.faces:
                share = (work.number - last.number) / (back.number - last.number)
                work.faces[track] = between(last.faces[track], back.faces[track], share)


def between(one: Face, other: Face, share: float) -> Face:
    """The face that is ``share`` of the way from one to the other."""
    mesh = None
    if one.mesh is not None and other.mesh is not None:
        mesh = (one.mesh * (1 - share) + other.mesh * share).astype(np.float32)
    box = tuple(float(a * (1 - share) + b * share) for a, b in zip(one.box, other.box, strict=True))
    five = (one.five * (1 - share) + other.five * share).astype(np.float32)
    return replace(one, box=box, five=five, mesh=mesh, score=min(one.score, other.score))


class Steady:
    """Keeps points from trembling without lag when they move: the One Euro filter (Casiez et al. 2012)."""

    def __init__(self, fps: float, slowest: float = 1.2, eager: float = 14.0):
        """``slowest``: cut-off at rest, Hz; ``eager``: by how much it rises, Hz for a face width a second."""
        self._fps = max(fps, 1.0)
        self._slowest, self._eager = slowest, eager
        self._state: dict[int, tuple[np.ndarray, np.ndarray, int]] = {}

    def forget(self) -> None:
        """Another scene begins."""
        self._state = {}

    def settle(self, track: int, number: int, face: Face) -> Face:
        """The face of a track in frame ``number`` with steady points."""
        width = max(face.box[2] - face.box[0], 1.0)
        points = np.concatenate([face.five, face.mesh[:, :2]]) if face.mesh is not None else face.five
        before = self._state.get(track)
        if before is None or number - before[2] > 3 or len(before[0]) != len(points):
            self._state[track] = (points, np.zeros((len(points), 1), np.float32), number)
            return face
        old, speed, seen = before
        step = (number - seen) / self._fps
        now = np.linalg.norm(points - old, axis=1, keepdims=True) / (width * step)
        speed = speed + _weight(1.0, step) * (now - speed)
        quick = np.maximum(speed, now * 0.5)
        steady = (old + _weight(self._slowest + self._eager * quick, step) * (points - old)).astype(np.float32)
        self._state[track] = (steady, speed, number)
        mesh = face.mesh
        if mesh is not None:
            mesh = np.concatenate([steady[5:], mesh[:, 2:]], 1)
        return replace(face, five=steady[:5], mesh=mesh)


def _weight(cut_off: np.ndarray | float, step: float) -> np.ndarray | float:
    turn = 2 * np.pi * cut_off * step
    return turn / (turn + 1)
