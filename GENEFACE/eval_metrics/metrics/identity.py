"""Identity similarity: whether a face recogniser takes the clip's face for that of its ground truth."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.sampling import Every
from eval_metrics.spread import standard_error
from eval_metrics.weights import ModelFile, seek, told
from visage.errors import BadMedia, InvalidRequest
from visage.faces.align import similarity, warp

EVERY = 5
"""Frames between two that are compared."""
SIDE = 112
"""Pixels each way of the crop that recognisers of the ArcFace family are trained with."""
PLACES = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
"""Where the five points lie in it: the eye on the left of the picture, the other, tip of the nose, corners of the
mouth left and right (Deng et al., CVPR 2019)."""
_EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
"""Mesh points around each eye; their mean is its middle, whether it is open or closed."""
_NOSE, _MOUTH = 4, (61, 291)
_SMALLEST = 32.0
"""Pixels between the eyes and the mouth below which a crop would be mostly invented."""
_LICENCE = "The recogniser may be used for non-commercial research only."
Embed = Callable[[np.ndarray], np.ndarray]
"""uint8 RGB [N, 112, 112, 3] to unit vectors [N, D]."""


class Identity:
    """Cosine of the two faces' embeddings in every fifth frame, whatever the region; the clip's is their mean.

    1 is the same picture; what counts as the same person depends on the recogniser.
    """

    info = MetricInfo("identity", "Identity similarity", needs=("truth", "face"), whole=True)

    def __init__(self, options: Options) -> None:
        self._options = options
        self._file: ModelFile | None = None
        self._embed: Embed | None = None
        self._sample = Every(EVERY)
        self._values: list[float] = []

    def take(self, frames: Sequence[Frame]) -> None:
        """Compare every fifth frame with a face in both; the first call loads the network."""
        picked = self._sample.pick(frames)
        if self._embed is None and any(_complete(frame) for frame in picked):
            self._file = seek("arcface", self._options)
            self._embed = embedder(self._file)
        for frame in picked:
            if self._embed is None or not _complete(frame):
                self._values.append(math.nan)
                continue
            one, other = self._embed(np.stack([crop(frame.pred_whole, frame.pred_points),
                                               crop(frame.truth_whole, frame.truth_points)]))
            self._values.append(float(one @ other))

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """Raises `InvalidRequest` when no frame shows a large enough face in both."""
        kept = [value for value in self._values if math.isfinite(value)]
        if not kept or self._file is None:
            raise InvalidRequest("No frame shows a face of some size in both pictures.", code="evaluation.no_faces",
                                 hint="Look at both videos: one large frontal face is needed.")
        lost = len(self._values) - len(kept)
        notes = [_LICENCE] if self._file.published else []
        notes += [f"{lost} frames without a face in both do not count."] if lost else []
        return {"identity": Figure(
            math.fsum(kept) / len(kept), better="higher", frames=len(kept), error=standard_error(kept),
            series=self._values, every=self._sample.every, weights=told(self._file),
            parameters={"crop": SIDE, "aligned_by": "eyes, nose, mouth corners", "every": self._sample.every},
            note=" ".join(notes))}


def five_points(mesh: np.ndarray) -> np.ndarray:
    """Eyes, tip of the nose and corners of the mouth [5, 2] of a mesh [478, 3]."""
    eyes = [mesh[list(eye), :2].mean(0) for eye in _EYES]
    return np.stack([*eyes, mesh[_NOSE, :2], *mesh[list(_MOUTH), :2]])


def crop(picture: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """The aligned face of a picture, uint8 [112, 112, 3]."""
    return warp(picture, similarity(five_points(mesh)[None], PLACES)[0], SIDE)


def embedder(file: ModelFile) -> Embed:
    """The recogniser; raises `BadMedia` for a network that does not turn [N, 3, 112, 112] into [N, D]."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = max(1, (os.cpu_count() or 2) // 2)
    settings.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(file.path), settings, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0].name
        found = session.run(None, {entry: np.zeros((1, 3, SIDE, SIDE), np.float32)})[0]
    except Exception as exc:  # the runtime has many classes of its own
        raise _unfit(file, str(exc).partition("\n")[0]) from exc
    if found.ndim != 2 or len(found) != 1:
        raise _unfit(file, f"it gives {list(found.shape)}, not one vector a picture")

    def embed(pictures: np.ndarray) -> np.ndarray:
        given = (pictures.astype(np.float32).transpose(0, 3, 1, 2) - 127.5) / 127.5
        # one at a time: some of these networks are exported for single pictures
        vectors = np.concatenate([session.run(None, {entry: given[n : n + 1]})[0] for n in range(len(given))])
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    return embed


def _complete(frame: Frame) -> bool:
    """Whether both pictures show a face large enough to be told."""
    if any(part is None for part in (frame.pred_whole, frame.truth_whole, frame.pred_points, frame.truth_points)):
        return False
    return all(_height(points) >= _SMALLEST for points in (frame.pred_points, frame.truth_points))


def _height(mesh: np.ndarray) -> float:
    five = five_points(mesh)
    return float(np.linalg.norm(five[3:].mean(0) - five[:2].mean(0)))


def _unfit(file: ModelFile, reason: str) -> BadMedia:
    return BadMedia("{file} cannot be used as {name}: {reason}.", code="evaluation.unfit_weights",
                    file=file.path.name, name=file.name, reason=reason.rstrip("."),
                    hint="Remove it and get it again: GENEFACE/scripts/weights list")
