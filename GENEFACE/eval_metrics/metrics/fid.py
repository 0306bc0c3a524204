"""FID: how far the frames of a clip, as a crowd, are from those of its ground truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.metrics.frechet import Moments, frechet_distance
from eval_metrics.weights import ModelFile, fill, seek, state_of, told
from visage.errors import InvalidRequest

_BATCH = 16
"""Pictures in the network at once; at 299 x 299 they take some 300 MB."""
Extractor = Callable[[np.ndarray], np.ndarray]
"""uint8 RGB [N, H, W, 3] to features [N, D]."""


class Fid:
    """Fréchet distance of the Inception features of a clip's frames and its ground truth's.

    FID was made for sets of unrelated pictures.  Between the frames of one generated clip
    and the recording it should equal it tells whether the pictures look as if from one source
    (sharpness, colours, artefacts); it does not see whether a frame fits its moment, and as
    neighbouring frames are alike and few, it is larger than it would be for many.
    Compare clips of the same recording and about as many frames only.
    """

    info = MetricInfo("fid", "FID", needs=("truth",))

    def __init__(self, options: Options) -> None:
        self._options = options
        self._file: ModelFile | None = None
        self._extract: Extractor | None = None
        self._pred, self._truth = Moments(), Moments()

    def take(self, frames: Sequence[Frame]) -> None:
        """Gather the moments of both; the first call loads the network and raises what `seek` and `fill` do."""
        both = [frame for frame in frames if frame.truth is not None]
        if not both:
            return
        if self._extract is None:
            self._file = seek("inception", self._options)
            self._extract = extractor(self._file)
        for first in range(0, len(both), _BATCH):
            part = both[first : first + _BATCH]
            self._pred.add(self._extract(np.stack([frame.pred for frame in part])))
            self._truth.add(self._extract(np.stack([frame.truth for frame in part])))

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """Raises `InvalidRequest` for fewer than two frames."""
        count = self._pred.count
        if count < 2 or self._file is None:
            raise InvalidRequest("FID needs two frames and more; there are {frames}.", code="evaluation.fid_frames",
                                 frames=count, hint="Measure more of the clip.")
        value = frechet_distance(self._truth, self._pred)
        length = len(self._pred.mean)
        note = f"{count} frames for {length} features: too large by an amount that depends on the number of frames " \
               "(their covariance has not full rank); compare with as many frames only." if count <= length else ""
        return {"fid": Figure(
            value, better="lower", frames=count, weights=told(self._file), note=note,
            parameters={"features": length, "layer": "pool3", "resize": "299 x 299, bilinear as in TensorFlow 1",
                        "range": "(x - 128) / 128", "region": scene.region})}


def extractor(file: ModelFile) -> Extractor:
    """The network with its weights, on the GPU where there is one; raises `BadMedia` for a file that does not fit."""
    import torch

    from eval_metrics.metrics.fid_inception import Inception

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.device("meta"):  # without drawing 24 million numbers first
        network = Inception()
    fill(network, state_of(file), file)
    network.eval().to(device)

    def features(pictures: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2)).cpu().numpy()

    return features
