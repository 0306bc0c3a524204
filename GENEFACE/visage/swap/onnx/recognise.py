"""Who a face looks like: ArcFace embeddings (Deng et al., CVPR 2019) and what may be done with them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from visage.errors import InvalidRequest
from visage.swap.contract import Embedding, Face
from visage.swap.onnx import failures
from visage.swap.onnx.geometry import align, cut, planes
from visage.swap.onnx.network import Network
from visage.swap.onnx.sanity import vector_flaw

SIDE = 112
STRONGEST = 1.35
"""Beyond this strength embeddings leave the region that networks were trained on."""


def space_of(sha256: str) -> str:
    """Name of the space of a recogniser's embeddings: of its content, whatever the file is called."""
    return f"arcface:{sha256[:12]}"


def crops(frame: np.ndarray, fives: Sequence[np.ndarray]) -> np.ndarray:
    """Faces as the recogniser wants them, uint8 RGB [N, 112, 112, 3]."""
    return np.stack([cut(frame, align(five, "arcface", SIDE), SIDE) for five in fives])


def embed(network: Network, pictures: np.ndarray) -> np.ndarray:
    """Embeddings as the network gives them, float32 [N, 512], not of length 1.  Raises `NotInstalled` (E02) for NaN."""
    spec = network.model.spec
    raw = network.run({"image": planes(pictures, spec.mean, spec.std)})[0]
    if flaw := vector_flaw(raw):
        raise failures.wrong_output(network.model.path, flaw)
    return raw


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., D] brought to length 1, float32."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine between two vectors of any length."""
    return float(unit(one) @ unit(other))


def sharpness(picture: np.ndarray) -> float:
    """Mean strength of fine detail of an aligned crop, in grey values; blurred photos have little."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def together(raw: np.ndarray, faces: Sequence[Face], pictures: np.ndarray) -> np.ndarray:
    """One raw embedding of several photos, float32 [512]: their mean, sure and sharp ones counting more."""
    marks = np.array([max(face.score, 1e-3) * (1.0 + sharpness(picture))
                      for face, picture in zip(faces, pictures, strict=True)])
    return (raw * (marks / marks.sum())[:, None]).sum(0).astype(np.float32)


def strengthened(source: np.ndarray, target: np.ndarray, strength: float) -> np.ndarray:
    """The source's embedding at a strength, float32 [512] of length 1: 0 is the target's, 1 the source's own.

    More than 1 leads away from the target.  It is done here, in ArcFace's space, because
    differences mean nothing once they have been projected.
    """
    if not 0.0 <= strength <= STRONGEST:
        raise InvalidRequest("The identity strength {strength} is not between 0 and {most}.",
                             code="swap.strength", hint="1 is the face of the photo.", strength=strength,
                             most=STRONGEST)
    one, other = unit(source), unit(target)
    return unit(other + np.float32(strength) * (one - other))


def described(raw: np.ndarray, space: str) -> Embedding:
    """A raw vector as the seam's embedding."""
    return Embedding(space, unit(raw))
