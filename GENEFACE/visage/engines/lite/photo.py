"""An avatar from one photo: nothing is trained, the package is the picture and where the face is in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np

from visage.engines.contract import TrainRequest
from visage.engines.idle import write_idle_loop
from visage.engines.lite.clock import Clock
from visage.engines.lite.framing import frame_portrait
from visage.engines.lite.gate import judge_photo
from visage.engines.lite.listen import open_listener, stored_listener
from visage.engines.lite.live import LiteFace
from visage.engines.lite.package import Package, write_arrays
from visage.engines.lite.photo_speaking import open_photo
from visage.errors import BadImage
from visage.faces import open_faces
from visage.media.images import read_image
from visage.types import Report


def build(request: TrainRequest, report: Report) -> Mapping[str, Any]:
    """Fill the package from a photo; returns the facts for its manifest.  Raises `BadImage`."""
    clock = Clock({"check": 1.0, "build": 3.0}, report)
    clock.enter("check", "Looking for the face")
    package = Package(request.avatar)
    package.folder.mkdir(parents=True, exist_ok=True)
    image = read_image(request.source)
    finder = open_faces()
    try:
        faces = finder.find(image)
        judged = judge_photo(image, faces)
        for problem in judged.problems:
            if problem.fatal:
                raise BadImage(problem.message, code=problem.code, hint=problem.hint, **problem.params)
        clock.enter("build", "Preparing the face")
        framing = frame_portrait(faces[0], image.shape[1], image.shape[0])
        photo = framing.apply(image)
        # Looked at again at its final size: the mesh is a little finer there.
        again = finder.find(photo)
    finally:
        finder.close()
    scale = framing.size / framing.side
    points = again[0].points if again else (faces[0].points - (framing.left, framing.top, 0)) * scale
    _store(package, photo, points.astype(np.float32))
    clock.tell(0.3)
    with closing(LiteFace(package.folder)) as face:
        write_idle_loop(face, package.idle)
    clock.tell(1.0, "The avatar is ready")
    return {**dict(judged.facts), "seconds_trained": 0.0, "width": framing.size, "height": framing.size}


def _store(package: Package, photo: np.ndarray, points: np.ndarray) -> None:
    write_arrays(package.scene, {"points": points})
    package.write_photo(photo)
    speaker = open_photo(package)
    package.write_poster(next(speaker.frames(speaker.basis.rest[None])))
    write_arrays(package.mouth, speaker.basis.arrays())
    write_arrays(package.listener, stored_listener(open_listener(speaker.basis)))
