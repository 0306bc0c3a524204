"""Making a face clear with GFPGAN (Wang et al., CVPR 2021) or CodeFormer (Zhou et al., NeurIPS 2022) networks."""

from __future__ import annotations

import numpy as np

from visage.errors import InvalidRequest
from visage.swap.onnx.geometry import between, cut, pictures, planes
from visage.swap.onnx.network import Network
from visage.swap.onnx.recognise import SIDE as FACE_SIDE
from visage.swap.onnx.recognise import cosine, embed
from visage.swap.onnx.sanity import flaw

SIDE = 512
FIDELITY = 0.5
"""How much CodeFormer keeps of the face as it was; larger keeps more."""
LIMIT = 0.5
"""Cosine between a face before and after, below which it has become somebody else."""
_ACROSS = between("ffhq", SIDE, "arcface", FACE_SIDE)


def clear(network: Network, crops: np.ndarray, fidelity: float = FIDELITY) -> np.ndarray:
    """Crops uint8 RGB [N, 512, 512, 3] made clearer.

    ``fidelity``, 0 to 1, is used by networks that take it: larger is more faithful to the
    input, smaller is cleaner.  Raises `InvalidRequest` beyond that.
    """
    if not 0.0 <= fidelity <= 1.0:
        raise InvalidRequest("The fidelity {value} is not between 0 and 1.", code="swap.fidelity",
                             hint="1 keeps the face as it is, 0 repairs the most.", value=fidelity)
    spec = network.model.spec
    feeds = {"image": planes(crops, spec.mean, spec.std)}
    if len(spec.inputs) > 1:
        feeds["weight"] = np.full(spec.inputs[1].shape and (1,), fidelity)
    painted = network.checked(feeds, lambda out, given: flaw(out, given, -1.0, 1.0))
    return pictures(painted, -1.0, 1.0)


def drift(recogniser: Network, before: np.ndarray, after: np.ndarray) -> float:
    """Cosine between the embeddings of a crop uint8 RGB [512, 512, 3] before and after it was made clear."""
    both = np.stack([cut(one, _ACROSS, FACE_SIDE) for one in (before, after)])
    first, second = embed(recogniser, both)
    return cosine(first, second)
