"""From a tracked recording to what is learnt from and painted into: crops, lips, footage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from visage.engines.lite import crops, references
from visage.engines.lite.footage import LONGEST, Scene, longest_shot, write_footage
from visage.engines.lite.framing import SIDE
from visage.engines.lite.gate import cuts
from visage.engines.lite.lesson import Lesson, new_faces
from visage.engines.lite.mouth import LIPS, MouthBasis, fit_basis, select
from visage.engines.lite.package import Package, write_arrays
from visage.errors import BadVideo
from visage.faces.align import Crops
from visage.faces.pose import fit_pose, own_reference, to_face, to_image
from visage.faces.track import Track, smooth
from visage.types import FPS

SHORTEST_SHOT = 1.0
"""Least seconds of footage: it is played to and fro."""
ROOM = 512 << 20
"""Most bytes of crops that are learnt from: of a longer recording they are taken evenly, neighbours are alike."""

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
        """Mouth coefficients of every frame, float32 [N, K]; NaN where the mouth cannot be trusted."""
        found = np.full((len(self.shapes), self.basis.size), np.nan, np.float32)
        found[self.usable] = self.basis.encode(self.shapes[self.usable])
        return found


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


def measure(track: Track, size: int = crops.SIZE, clear: np.ndarray | None = None) -> Material:
    """Head, mouth and choice of frames of a tracked recording; ``size`` as in `measure_scene`.

    ``clear`` bool [N]: frames that may be learnt from and painted into (`coverage.Coverage.clear`); None: all.
    Raises `BadVideo` when less than `SHORTEST_SHOT` in one piece are left.
    """
    scene, shapes = measure_scene(track, size=size)
    straight = (np.abs(scene.angles[:, :2] - np.median(scene.angles[:, :2], 0)) < _TURNED).all(1)
    good = track.found & straight & (clear if clear is not None else True)
    # Larger pictures get a shorter footage: all of it is kept in memory while one speaks.
    shot = longest_shot(good, cuts(track), round(LONGEST * min(1.0, (SIDE / track.width) ** 2)))
    if shot.stop - shot.start < SHORTEST_SHOT * FPS:
        raise BadVideo("Nowhere in the video can the mouth be seen for {least} s in one piece.",
                       code="video.mouth_hidden", least=SHORTEST_SHOT,
                       hint="Keep hands and microphones away from the mouth, and look towards the camera.")
    return Material(scene, shapes, fit_basis(shapes[good]), np.flatnonzero(good), shot)


def cut_out(frames: Iterable[np.ndarray], material: Material, package: Package, size: int,
            files: Mapping[int, Path], tell: Callable[[float], None]) -> None:
    """Write the lessons of a recording, one for each side of crops in ``files``, the footage, its scene and the poster.

    ``frames`` uint8 RGB [size, size, 3], the very ones that were tracked; ``tell`` gets the share done.
    """
    cutters = [_Cutter(material, side, file) for side, file in files.items()]
    total, shot, stream = len(material.shapes), material.shot, iter(frames)

    def keep(number: int, frame: np.ndarray) -> None:
        for cutter in cutters:
            cutter.keep(number, frame)
        if number % 25 == 0:
            tell(number / total)

    for number, frame in enumerate(islice(stream, shot.start)):
        keep(number, frame)
    kept = write_footage(islice(stream, shot.stop - shot.start), package.footage, size)
    for number, frame in enumerate(kept, shot.start):
        if number == shot.start:
            package.write_poster(frame)
        keep(number, frame)
    for number, frame in enumerate(islice(stream, total - shot.stop), shot.stop):
        keep(number, frame)
    write_arrays(package.scene, material.scene.at(np.arange(shot.start, shot.stop)).arrays())
    write_arrays(package.mouth, material.basis.arrays())
    for cutter in cutters:
        cutter.save()


class _Cutter:
    """Cuts one side of crops out of frames that come one by one; they go to the disk, not into memory."""

    def __init__(self, material: Material, side: int, file: Path):
        most = max(1, ROOM // (3 * side * side))
        usable = material.usable
        self._numbers = usable[np.unique(np.linspace(0, len(usable) - 1, min(most, len(usable))).astype(int))]
        self._rows = {int(number): row for row, number in enumerate(self._numbers)}
        self._squares = crops.resized(material.scene.squares, side)
        self._faces = new_faces(file, (len(self._numbers), side, side, 3))
        self._material, self._file = material, file

    def keep(self, number: int, frame: np.ndarray) -> None:
        """One frame; those that are not learnt from are passed over."""
        row = self._rows.get(number)
        if row is not None:
            self._faces[row] = crops.take(frame, self._squares.transforms[number], self._squares.size)

    def save(self) -> None:
        """Store the lesson."""
        material, numbers = self._material, self._numbers
        scene = material.scene.at(numbers)
        squares = Crops(self._squares.transforms[numbers], self._squares.size)
        shapes = material.basis.decode(material.basis.encode(material.shapes[numbers]))
        contours = squares.place(to_image(shapes[:, :len(LIPS)], scene.pose))
        Lesson(self._faces, contours, references.keys(shapes, scene.angles), numbers).save(self._file)
