"""The files of one avatar package of this engine, and how each is read and written.

Every file is written under another name first, so that one that exists is whole.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from visage.engines.lite import crops
from visage.engines.lite.footage import Scene
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.references import Bank
from visage.errors import BadMedia, from_os_error


@dataclass(frozen=True, slots=True)
class Package:
    """One folder."""

    folder: Path
    """Absolute."""

    @property
    def footage(self) -> Path:
        """The clip that mouths are painted into."""
        return self.folder / "footage.mp4"

    @property
    def scene(self) -> Path:
        """Where the head is in the footage."""
        return self.folder / "scene.npz"

    @property
    def mouth(self) -> Path:
        """The mouth basis."""
        return self.folder / "mouth.npz"

    @property
    def listener(self) -> Path:
        """What turns sound into mouth coefficients."""
        return self.folder / "listener.npz"

    @property
    def painter(self) -> Path:
        """The trained network."""
        return self.folder / "painter.onnx"

    @property
    def references(self) -> Path:
        """Real crops of the person."""
        return self.folder / "references.npz"

    @property
    def live(self) -> Package:
        """The same avatar as live conversations show it: with a small painter of its own, where it has one."""
        light = LivePackage(self.folder)
        return light if light.painter.is_file() else self

    @property
    def photo(self) -> Path:
        """The picture of a photo avatar; a package has either this or footage."""
        return self.folder / "photo.png"

    @property
    def poster(self) -> Path:
        """A still."""
        return self.folder / "poster.jpg"

    @property
    def idle(self) -> Path:
        """The avatar at rest: one whole cycle of its movement, without sound."""
        return self.folder / "idle.mp4"

    @property
    def work(self) -> Path:
        """What only training needs."""
        return self.folder / "work"

    def read_basis(self) -> MouthBasis:
        """The person's mouth basis.  Raises `BadMedia`."""
        return MouthBasis.from_arrays(read_arrays(self.mouth))

    def read_scene(self) -> Scene:
        """The scene of the footage.  Raises `BadMedia`."""
        return Scene.from_arrays(read_arrays(self.scene))

    def read_bank(self) -> Bank:
        """The reference crops.  Raises `BadMedia`."""
        stored = read_arrays(self.references)
        ends = np.cumsum(stored["lengths"])
        pictures = [cv2.imdecode(stored["pictures"][end - length:end], cv2.IMREAD_COLOR)
                    for end, length in zip(ends, stored["lengths"], strict=True)]
        faces = np.stack([picture[..., ::-1] for picture in pictures])
        return Bank(faces, stored["contours"], stored["keys"])

    def write_bank(self, bank: Bank) -> None:
        """Store the reference crops as JPEGs inside one file."""
        pictures = [cv2.imencode(".jpg", face[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 96])[1] for face in bank.faces]
        write_arrays(self.references, {
            "pictures": np.concatenate([picture.reshape(-1) for picture in pictures]),
            "lengths": np.array([picture.size for picture in pictures]),
            "contours": bank.contours, "keys": bank.keys})

    def write_photo(self, picture: np.ndarray) -> None:
        """Store the picture of a photo avatar, uint8 RGB [H, W, 3], without loss."""
        _write(self.photo, cv2.imencode(".png", picture[..., ::-1])[1].tobytes())

    def write_poster(self, picture: np.ndarray) -> None:
        """Store a still uint8 RGB [H, W, 3]."""
        _write(self.poster, cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


@dataclass(frozen=True, slots=True)
class LivePackage(Package):
    """A package whose avatar was learnt ``fine``, with the painter and the crops that are fast enough to be live."""

    @property
    def painter(self) -> Path:
        """The small network."""
        return self.folder / "painter_live.onnx"

    @property
    def references(self) -> Path:
        """Real crops of the person, as small as the network wants them."""
        return self.folder / "references_live.npz"

    def read_scene(self) -> Scene:
        """As `Package.read_scene`, for crops of `crops.SIZE`."""
        scene = Package.read_scene(self)
        return scene.resized(crops.SIZE)


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz``.  Raises `BadMedia` when it is missing or damaged."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
        raise BadMedia("{name} of this avatar is missing or damaged.", code="avatar.damaged",
                       hint="Train the avatar again.", name=file.name) from exc


def write_arrays(file: Path, arrays: dict[str, np.ndarray]) -> None:
    """Store arrays as an ``.npz``; atomic.  Raises `DiskFull`."""
    part = file.with_name(f".{file.name}")
    try:
        with part.open("wb") as out:
            np.savez_compressed(out, **arrays)
        part.replace(file)
    except OSError as exc:
        raise from_os_error(exc) from exc


def _write(file: Path, data: bytes) -> None:
    part = file.with_name(f".{file.name}")
    try:
        part.write_bytes(data)
        part.replace(file)
    except OSError as exc:
        raise from_os_error(exc) from exc
