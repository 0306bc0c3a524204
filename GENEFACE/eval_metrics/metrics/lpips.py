"""LPIPS: how different two pictures look to a network, weighted as people judged (Zhang et al., CVPR 2018)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.sampling import Every
from eval_metrics.spread import standard_error
from eval_metrics.weights import ModelFile, fill, seek, state_of, told
from visage.errors import InvalidRequest

EVERY = 5
"""Frames between two that are compared: five a second at 25 frames per second."""
SMALLEST = 64
"""Pixels a picture must have each way, below which the deeper layers see next to nothing."""
_BATCH = 4
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
"""Mean and deviation of the colours, for pictures from -1 to 1, as published with the heads of version 0.1."""
_CONVOLUTIONS = {0: (3, 64, 11, 4, 2), 3: (64, 192, 5, 1, 2), 6: (192, 384, 3, 1, 1), 8: (384, 256, 3, 1, 1),
                 10: (256, 256, 3, 1, 1)}
"""AlexNet's, by their place in ``features`` of its published file: channels in and out, kernel, stride, padding."""
_POOLED = (3, 6)
"""Convolutions before which a maximum over 3 x 3 halves the size."""
Compare = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Two uint8 RGB [N, H, W, 3] to distances [N]."""


class Lpips:
    """LPIPS (AlexNet, version 0.1) of every fifth frame against the ground truth; the clip's is their mean."""

    info = MetricInfo("lpips", "LPIPS", needs=("truth",))

    def __init__(self, options: Options) -> None:
        self._options = options
        self._files: tuple[ModelFile, ...] = ()
        self._compare: Compare | None = None
        self._sample = Every(EVERY)
        self._values: list[float] = []

    def take(self, frames: Sequence[Frame]) -> None:
        """Compare every fifth frame; the first call loads the network and raises what `seek` and `fill` do."""
        both = self._sample.pick([frame for frame in frames if frame.truth is not None])
        if not both:
            return
        if min(both[0].pred.shape[:2]) < SMALLEST:
            raise InvalidRequest("LPIPS needs pictures of {needed} pixels each way.", code="evaluation.lpips_small",
                                 needed=SMALLEST, hint="Measure the whole picture: --region full.")
        if self._compare is None:
            backbone, heads = (seek(name, self._options) for name in ("alexnet", "lpips"))
            self._files = (backbone, heads)
            self._compare = comparer(backbone, heads)
        for first in range(0, len(both), _BATCH):
            part = both[first : first + _BATCH]
            self._values += self._compare(np.stack([frame.pred for frame in part]),
                                          np.stack([frame.truth for frame in part])).tolist()

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """Raises `InvalidRequest` when there were no frames."""
        if not self._values:
            raise InvalidRequest("There are no frames to compare.", code="evaluation.lpips_frames",
                                 hint="Measure more of the clip.")
        return {"lpips": Figure(
            math.fsum(self._values) / len(self._values), better="lower", frames=len(self._values),
            error=standard_error(self._values), series=self._values, every=self._sample.every,
            weights=told(*self._files),
            parameters={"backbone": "AlexNet", "version": "0.1", "region": scene.region,
                        "every": self._sample.every})}


def comparer(backbone: ModelFile, heads: ModelFile) -> Compare:
    """The network with its weights, on the GPU where there is one; raises `BadMedia` for files that do not fit."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    features = nn.ModuleDict({str(place): nn.Conv2d(*sizes[:3], stride=sizes[3], padding=sizes[4])
                              for place, sizes in _CONVOLUTIONS.items()})
    # of the backbone's file the classifier is left out; every other name must fit
    kept = {name.removeprefix("features."): value for name, value in state_of(backbone).items()
            if name.startswith("features.")}
    fill(features, kept, backbone)
    linear = nn.ModuleDict({f"lin{n}": nn.ModuleDict({"model": nn.ModuleDict({
        "1": nn.Conv2d(sizes[1], 1, 1, bias=False)})}) for n, sizes in enumerate(_CONVOLUTIONS.values())})
    fill(linear, state_of(heads), heads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    features, linear = features.eval().to(device), linear.eval().to(device)
    shift, scale = (torch.tensor(three, device=device).view(1, 3, 1, 1) for three in (_SHIFT, _SCALE))

    def layers(pictures: np.ndarray) -> list[torch.Tensor]:
        x = (torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1 - shift) / scale
        found = []
        for place in _CONVOLUTIONS:
            x = F.relu(features[str(place)](F.max_pool2d(x, 3, 2) if place in _POOLED else x))
            found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def compare(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            apart = [(one - other).square() for one, other in zip(layers(pred), layers(truth), strict=True)]
            parts = [linear[f"lin{n}"]["model"]["1"](one).mean((1, 2, 3)) for n, one in enumerate(apart)]
            return torch.stack(parts).sum(0).cpu().numpy()

    return compare
