"""Five points set by hand, where no detector sees a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from visage.errors import BadImage, InvalidRequest
from visage.faces.align import inverse, similarity, warp
from visage.swap.contract import Face, Look, Swapper

_SIDE = 512
_PLACES = np.float32([[0.39, 0.44], [0.61, 0.44], [0.5, 0.55], [0.41, 0.66], [0.59, 0.66]]) * _SIDE
"""Where the five points of a face come to stand: upright and with room around it."""
Five = Sequence[tuple[float, float]]
"""Points in pixels, in the order of `contract.FIVE`."""


def levelled(picture: np.ndarray, five: Five) -> tuple[np.ndarray, np.ndarray]:
    """The surroundings of five points, upright, uint8 RGB [512, 512, 3], and the way there, float32 [2, 3].

    Raises `InvalidRequest` when there are not five, or they do not lie like those of a face.
    """
    points = np.asarray(five, np.float32)
    if points.shape != (5, 2) or not np.isfinite(points).all() or np.linalg.norm(points[0] - points[1]) < 4:
        raise InvalidRequest("Five points are needed: both eyes, tip of the nose, both corners of the mouth.",
                             code="swap.five_points", hint="Set each of the five points once, in this order.")
    there = similarity(points[None], _PLACES)[0]
    return warp(picture, there, _SIDE), there


def marked_face(swapper: Swapper, picture: np.ndarray, five: Five) -> Face:
    """The face at five points, in pixels of the picture.  Raises `BadImage` (E05) when nothing there is one."""
    crop, there = levelled(picture, five)
    faces = swapper.find(crop, Look(thorough=True, embed=True))
    if not faces:
        raise BadImage("Nothing like a face lies at the five points.", code="swap.no_face_marked",
                       hint="Set the points again, or use another picture.")
    face = min(faces, key=lambda each: float(np.abs(each.five - _PLACES).mean()))
    back = inverse(there[None])[0]
    box = cv2.transform(np.float32([[face.box[:2], (face.box[2], face.box[1]), face.box[2:],
                                     (face.box[0], face.box[3])]]), back)[0]
    mesh = face.mesh
    if mesh is not None:
        scale = float(np.hypot(back[0, 0], back[1, 0]))
        mesh = np.concatenate([mesh[:, :2] @ back[:, :2].T + back[:, 2], mesh[:, 2:] * scale], 1).astype(np.float32)
    return replace(face, box=(*map(float, box.min(0)), *map(float, box.max(0))), mesh=mesh,
                   five=(face.five @ back[:, :2].T + back[:, 2]).astype(np.float32))
