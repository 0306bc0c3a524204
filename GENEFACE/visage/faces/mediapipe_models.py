"""MediaPipe's two models, detector and mesh, with pixels in and pixels out and its chatter kept off the terminal."""

from __future__ import annotations

import contextlib
import math
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from visage.errors import NotInstalled

_NOISE = re.compile(rb"inference_feedback_manager|landmark_projection_calculator|XNNPACK delegate|GetPrototype"
                    rb"|absl::InitializeLog|gl_context|^\s*$")
_STDERR = threading.RLock()
"""Held while the process's stderr is bent away: two finders in two threads must not keep each other's."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where the detector saw a face, in pixels."""

    centre: tuple[float, float]
    """Middle of the face."""
    width: float
    """Width of the face, roughly cheek to cheek."""
    roll: float
    """Angle of the line between the eyes, radians, positive when the right end of it is lower."""
    score: float
    """The detector's confidence, 0 to 1."""

    def moved(self, x: float, y: float) -> Sighting:
        """The same, seen from an origin ``x, y`` further left and up."""
        return replace(self, centre=(self.centre[0] + x, self.centre[1] + y))


class Models:
    """The detector for stills, the mesh for crops and the mesh that follows a video."""

    def __init__(self, solutions: Any):
        mesh = solutions.face_mesh.FaceMesh
        self._detection = solutions.face_detection.FaceDetection
        self._detector = self._detection(model_selection=1, min_detection_confidence=0.5)
        self._near: Any = None
        self._still = mesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.2)
        self._video = mesh(static_image_mode=False, max_num_faces=2, refine_landmarks=True)
        self._warned: set[Any] = set()
        for model in (self._detector, self._still, self._video):
            model.process(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image: np.ndarray, *, near: bool = False) -> list[Sighting]:
        """Every face that the detector sees in uint8 RGB [H, W, 3].

        ``near``: with the detector for faces that fill much of the picture, which sees some heads in half profile.
        """
        height, width = image.shape[:2]
        found = []
        for detection in (self._close_by() if near else self._detector).process(image).detections or ():
            box = detection.location_data.relative_bounding_box
            right, left = detection.location_data.relative_keypoints[:2]
            roll = math.atan2((left.y - right.y) * height, (left.x - right.x) * width)
            centre = ((box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height)
            found.append(Sighting(centre, box.width * width, roll, float(detection.score[0])))
        return found

    def _close_by(self) -> Any:
        if self._near is None:
            with _quiet():
                self._near = self._detection(model_selection=0, min_detection_confidence=0.6)
                self._near.process(np.zeros((64, 64, 3), np.uint8))
        return self._near

    def fit(self, crop: np.ndarray) -> list[np.ndarray]:
        """Meshes, float32 [478, 3] pixels, of a crop that a face fills."""
        return self._meshes(self._still, crop)

    def follow(self, frame: np.ndarray) -> list[np.ndarray]:
        """Meshes, float32 [478, 3] pixels, of the next frame of a video; at most two."""
        return self._meshes(self._video, frame)

    def forget(self) -> None:
        """What comes next does not continue what `follow` saw."""
        with _quiet():
            self._video.reset()
            self._video.process(np.zeros((64, 64, 3), np.uint8))
        self._warned.discard(self._video)

    def _meshes(self, model: Any, image: np.ndarray) -> list[np.ndarray]:
        height, width = image.shape[:2]
        # a graph warns once more when it meets its first face, and again after a reset
        with contextlib.nullcontext() if model in self._warned else _quiet():
            found = model.process(image).multi_face_landmarks or ()
        if found:
            self._warned.add(model)
        scale = np.float32([width, height, width])
        return [np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * scale for face in found]

    def close(self) -> None:
        """Free the graphs."""
        for model in (self._detector, self._still, self._video, *([self._near] if self._near else [])):
            model.close()


def load_models() -> Models:
    """The models, loaded.  Raises `NotInstalled` when mediapipe is absent or too new to bring its models."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _quiet():
        try:
            import mediapipe
            solutions = mediapipe.solutions
        except (ImportError, AttributeError) as exc:
            raise NotInstalled("Faces cannot be found: the package mediapipe 0.10.21 is missing.",
                               code="faces.mediapipe_missing", hint="python -m backend.doctor --mend") from exc
        return Models(solutions)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what native code prints on stderr; afterwards print what is not MediaPipe's usual chatter."""
    with _STDERR:
        sys.stderr.flush()
        try:
            kept = os.dup(2)
        except OSError:
            yield
            return
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
                os.close(kept)
                caught.seek(0)
                lines = [line for line in caught if not _NOISE.search(line)]
                if lines:
                    os.write(2, b"".join(lines))
