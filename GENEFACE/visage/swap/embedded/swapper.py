"""The swapper named basic: it moves the photo's texture, not the shape of the head."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import TracebackType

import cv2
import numpy as np

from visage.config import Settings
from visage.errors import BadImage, InvalidRequest
from visage.faces import Face as MeshFace
from visage.faces.track import sharpness
from visage.swap.contract import Embedding, Face, Identity, Look, Patch
from visage.swap.embedded.describing import SPACE, together
from visage.swap.embedded.finding import Finder
from visage.swap.embedded.masking import area_of, face_mask, facing
from visage.swap.embedded.warping import Texture, drawn, texture


class BasicSwapper:
    """Draws the face of a photo over the mesh of another.  Raises `NotInstalled` when mediapipe is not there."""

    name = "embedded"
    title = "basic"
    space = SPACE
    provider = "CPU"
    recolour = True

    def __init__(self, settings: Settings | None = None, *, mouth: bool = False, eyes: bool = False):
        """``mouth`` and ``eyes``: whether those of the photo replace those of the target, too."""
        self._finder = Finder()
        self._mouth, self._eyes = mouth, eyes

    def __enter__(self) -> BasicSwapper:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._finder.close()

    def find(self, frame: np.ndarray, look: Look) -> list[Face]:
        """All faces, the largest first; empty when there are none."""
        return self._finder.find(frame, look)

    def identify(self, pictures: Sequence[np.ndarray]) -> Identity:
        """The identity of the largest face of each photo; the clearest and most frontal photo gives the texture.

        Raises `BadImage` (E05) when none shows a face.
        """
        found = []
        notes = []
        for number, picture in enumerate(pictures, 1):
            faces = self.find(picture, Look(thorough=True, embed=True))
            if faces:
                found.append((picture, faces[0], _worth(picture, faces[0])))
                if len(faces) > 1:
                    notes.append(f"Photo {number} shows {len(faces)} faces; the largest is used.")
            else:
                notes.append(f"Photo {number} shows no face that can be used.")
        if not found:
            raise BadImage("No face was found in the photo.", code="swap.no_face_source",
                           hint="Use a clear, bright photo of one person who looks into the camera.")
        picture, face, _ = max(found, key=lambda each: each[2])
        embedding = together([each[1].embedding for each in found], [each[2] for each in found])
        photos = tuple(hashlib.sha256(np.ascontiguousarray(each[0])).hexdigest() for each in found)
        return Identity(embedding, picture, face, photos, texture(picture, face.mesh), tuple(notes))

    def swap(self, frame: np.ndarray, face: Face, identity: Identity) -> Patch:
        """The photo's texture on the mesh of ``face``.  Raises `InvalidRequest` for an identity of another engine."""
        if not isinstance(identity.own, Texture) or face.mesh is None:
            identity.embedding.check(Embedding(SPACE, identity.embedding.vector))
            raise InvalidRequest("The engine {name!r} needs the mesh of the face.", code="swap.mesh_missing",
                                 hint="Find the face with the same engine.", name=self.title)
        area = area_of(face.mesh, frame.shape)
        if area is None:
            return Patch(0, 0, frame[:0, :0], np.zeros((0, 0), np.float32))
        pixels, skin = drawn(identity.own, face.mesh, area)
        mask = face_mask(face.mesh, area, mouth=self._mouth, eyes=self._eyes, open_eyes=identity.own.open_eyes)
        return Patch(area.left, area.top, pixels, cv2.multiply(mask, skin, scale=1 / 255, dtype=cv2.CV_32F))


def _worth(picture: np.ndarray, face: Face) -> float:
    """How good a photo is as a texture: large, sharp and from the front."""
    mesh = MeshFace(face.mesh, face.score)
    detail = min(sharpness(picture, mesh), 400.0) / 400
    return 0.05 + face.score * min(mesh.width, 300) / 300 * (0.2 + detail) * (0.1 + facing(face.mesh))
