"""From a tracked recording to what is learnt from and painted into: crops, lips, footage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from visage.engines.lite import crops, references
from visage.engines.lite.footage import Scene, longest_shot, write_footage
from visage.engines.lite.gate import cuts
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.mouth import LIPS, MouthBasis, fit_basis, select
from visage.engines.lite.package import Package, write_arrays
from visage.faces.pose import fit_pose, own_reference, to_face, to_image
from visage.faces.track import Track, smooth

_TURNED = 35.0
"""Degrees of yaw or pitch beyond which a mouth is too foreshortened to learn from."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """One recording, measured."""

    scene: Scene
    """Head and painted square of every frame."""
    shapes: np.ndarray
    """float32 [N, P, 3]: mouth shapes in the face frame."""
    basis: MouthBasis
    """The person's mouth basis."""
    usable: np.ndarray
    """int64 [U]: frames to learn from."""
    shot: slice
    """Frames that become the footage."""

    @property
    def coefficients(self) -> np.ndarray:
        """Mouth coefficients of every frame, float32 [N, K]."""
        return self.basis.encode(self.shapes)


def measure_scene(track: Track, learnt: int | None = None, size: int = crops.SIZE) -> tuple[Scene, np.ndarray]:
    """Head and painted square of every frame, and the mouth shapes float32 [N, P, 3] in the face frame.

    ``size`` is the side of the painted square: `crops.SIZE` (``fast``) or `crops.FINE` (``fine``).

    What is the person's own (the skull, the mean place of the mouth) is taken from the first ``learnt`` frames.
    """
    points = smooth(track.points)
    known = points[:learnt][track.found[:learnt]]
    pose = fit_pose(points, own_reference(known))
    squares = crops.mouth_squares(track.points, crops.find_anchor(known), size)
    outlines = squares.place(points[:, list(crops.JAW_LINE)])
    return Scene(squares, pose, outlines), select(to_face(points, pose))


def measure(track: Track, size: int = crops.SIZE) -> Material:
    """Head, mouth and choice of frames of a tracked recording; ``size`` as in `measure_scene`."""
    scene, shapes = measure_scene(track, size=size)
    straight = (np.abs(scene.angles[:, :2] - np.median(scene.angles[:, :2], 0)) < _TURNED).all(1)
    shot = longest_shot(track.found & straight, cuts(track))
    return Material(scene, shapes, fit_basis(shapes[track.found]), np.flatnonzero(track.found & straight), shot)


def cut_out(frames: Iterable[np.ndarray], material: Material, package: Package, size: int,
            tell: Callable[[float], None]) -> Lesson:
    """The lesson of a recording; writes the footage, its scene and the poster on the way.

    ``frames`` uint8 RGB [size, size, 3], the very ones that were tracked; ``tell`` gets the share done.
    """
    scene, total = material.scene, len(material.shapes)
    wanted = np.zeros(total, bool)
    wanted[material.usable] = True
    side = scene.squares.size
    faces = np.zeros((len(material.usable), side, side, 3), np.uint8)
    stream, row = iter(frames), 0

    def keep(number: int, frame: np.ndarray) -> None:
        nonlocal row
        if wanted[number]:
            faces[row] = crops.take(frame, scene.squares.transforms[number], side)
            row += 1
        if number % 25 == 0:
            tell(number / total)

    shot = material.shot
    for number, frame in enumerate(islice(stream, shot.start)):
        keep(number, frame)
    kept = write_footage(islice(stream, shot.stop - shot.start), package.footage, size)
    for number, frame in enumerate(kept, shot.start):
        if number == shot.start:
            package.write_poster(frame)
        keep(number, frame)
    for number, frame in enumerate(islice(stream, total - shot.stop), shot.stop):
        keep(number, frame)
    write_arrays(package.scene, scene.at(np.arange(shot.start, shot.stop)).arrays())
    write_arrays(package.mouth, material.basis.arrays())
    return _lesson(material, faces)


def _lesson(material: Material, faces: np.ndarray) -> Lesson:
    scene = material.scene.at(material.usable)
    shapes = material.basis.decode(material.basis.encode(material.shapes[material.usable]))
    contours = scene.squares.place(to_image(shapes[:, :len(LIPS)], scene.pose))
    return Lesson(faces, contours, references.keys(shapes, scene.angles), material.usable)
