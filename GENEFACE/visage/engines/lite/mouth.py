"""The shape language of the built-in engine: what a mouth does, as a few numbers per frame.

Listeners write these numbers, renderers read them.  A shape is the points of
the mesh that move with speech, in the face frame (head motion removed, one
unit is the distance of the outer eye corners); a `MouthBasis` says which few
directions one person's shapes vary in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

OUTER_LIP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
"""Outer contour of the lips as a closed ring: right corner (of the person), upper lip, left corner, lower lip."""
INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
"""Inner contour, point by point beside `OUTER_LIP`."""
LIPS = OUTER_LIP + INNER_LIP
"""The 40 lip points: the first entries of `POINTS`."""
JAW = (152, 148, 176, 149, 150, 136, 377, 400, 378, 379, 365, 175, 199, 200, 18, 83, 313, 182, 406, 194, 418, 204, 424)
"""Chin and jaw line, which follow the lower lip."""
AROUND = (164, 167, 393, 165, 391, 92, 322, 186, 410, 57, 287, 43, 273, 106, 335, 202, 422, 212, 432, 214, 434, 4)
"""Skin round the mouth, and the tip of the nose that `jaw` is measured from."""
POINTS = LIPS + JAW + AROUND
"""Mesh indices of a shape, in its order; ``P = len(POINTS)``."""

_ROW = {index: row for row, index in enumerate(POINTS)}
_UPPER = np.array([_ROW[index] for index in INNER_LIP[1:10]])
_LOWER = np.array([_ROW[index] for index in INNER_LIP[:10:-1]])
_WEIGHT = np.full((len(POINTS), 3), 0.35, np.float32)
_WEIGHT[:len(LIPS)] = 1.0
# Depth from one camera is the noisiest of the three: it may colour a shape, not decide it.
_WEIGHT[:, 2] *= 0.25


def select(points: np.ndarray) -> np.ndarray:
    """Shapes float32 [..., P, 3] out of face-frame mesh points [..., 478, 3]."""
    return np.ascontiguousarray(points[..., list(POINTS), :], np.float32)


def _distance(shapes: np.ndarray, first: int, second: int) -> np.ndarray:
    # Frontal view: depth noise would put a floor under a closed mouth.
    return np.linalg.norm(shapes[..., _ROW[first], :2] - shapes[..., _ROW[second], :2], axis=-1)


def opening(shapes: np.ndarray) -> np.ndarray:
    """Gap between the inner lips (points 13 and 14) of shapes [..., P, 3], in eye distances [...]."""
    return _distance(shapes, 13, 14)


def width(shapes: np.ndarray) -> np.ndarray:
    """Distance of the mouth corners (61 and 291) of shapes [..., P, 3], in eye distances [...]."""
    return _distance(shapes, 61, 291)


def outer(shapes: np.ndarray) -> np.ndarray:
    """Height of the lips with their red (0 to 17) of shapes [..., P, 3], in eye distances [...]."""
    return _distance(shapes, 0, 17)


def jaw(shapes: np.ndarray) -> np.ndarray:
    """Chin to tip of the nose (152 to 4) of shapes [..., P, 3], in eye distances [...]."""
    return _distance(shapes, 152, 4)


def measures(shapes: np.ndarray) -> np.ndarray:
    """Opening, width, outer height and jaw of shapes [..., P, 3] as float32 [..., 4]."""
    return np.stack([opening(shapes), width(shapes), outer(shapes), jaw(shapes)], -1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class MouthBasis:
    """The directions in which one person's mouth moves, and how far."""

    mean: np.ndarray
    """float32 [P, 3]: the average shape."""
    components: np.ndarray
    """float32 [K, P, 3]: what one unit of each coefficient adds."""
    spread: np.ndarray
    """float32 [K]: standard deviation of each coefficient while the person speaks."""
    rest: np.ndarray
    """float32 [K]: coefficients of the closed, quiet mouth."""
    span: np.ndarray
    """float32 [2, 4]: 5th and 95th percentile of opening, width, outer height and jaw while speaking."""

    @property
    def size(self) -> int:
        """Number of coefficients, K."""
        return len(self.components)

    @cached_property
    def _inverse(self) -> np.ndarray:
        flat = (self.components * _WEIGHT).reshape(self.size, -1).astype(np.float64)
        return np.linalg.pinv(flat, rcond=1e-6)

    @cached_property
    def _slope(self) -> tuple[np.ndarray, np.ndarray]:
        """Measures at the closed mouth [4], and the coefficients [4, K] that change each of them alone."""
        at = measures(self.decode(self.rest[None]))[0]
        step = np.maximum(self.spread, 1e-6)
        ahead = measures(self.decode(np.diag(step))) - measures(self.decode(np.zeros((1, self.size), np.float32)))
        rise = (ahead / step[:, None]).T.astype(np.float64)
        prior = np.diag(step.astype(np.float64) ** 2)
        spread = rise @ prior @ rise.T
        return at, (prior @ rise.T @ np.linalg.inv(spread + 1e-3 * np.trace(spread) / 4 * np.eye(4))).T

    def encode(self, shapes: np.ndarray) -> np.ndarray:
        """Coefficients float32 [N, K] of shapes [N, P, 3]; lips count more than skin, depth least."""
        flat = ((shapes - self.mean) * _WEIGHT).reshape(len(shapes), -1)
        return (flat @ self._inverse).astype(np.float32)

    def decode(self, coefficients: np.ndarray) -> np.ndarray:
        """Shapes float32 [N, P, 3] of coefficients [N, K]; the lips may touch but never cross."""
        shapes = (self.mean + np.tensordot(coefficients, self.components, axes=1)).astype(np.float32)
        down = np.sign(self.mean[_ROW[152], 1] - self.mean[_ROW[4], 1])
        overlap = np.maximum(down * (shapes[:, _UPPER, 1] - shapes[:, _LOWER, 1]), 0) / 2
        shapes[:, _UPPER, 1] -= down * overlap
        shapes[:, _LOWER, 1] += down * overlap
        return shapes

    def measure(self, coefficients: np.ndarray) -> np.ndarray:
        """Opening, width, outer height and jaw [N, 4] of coefficients [N, K]."""
        return measures(self.decode(coefficients))

    def pose(self, wanted: np.ndarray) -> np.ndarray:
        """Likeliest coefficients [N, K] that show the wanted measures [N, 4] (opening, width, outer, jaw)."""
        at, back = self._slope
        return (self.rest + (wanted - at) @ back).astype(np.float32)

    def change(self, wanted: np.ndarray) -> np.ndarray:
        """Likeliest coefficients [N, K] to add for wanted changes of the measures [N, 4]."""
        return (wanted @ self._slope[1]).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` needs, to be stored in an ``.npz``."""
        return {name: getattr(self, name) for name in ("mean", "components", "spread", "rest", "span")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> MouthBasis:
        """The basis that `arrays` came from.  Raises `KeyError` when one is missing."""
        return cls(*(np.asarray(arrays[name], np.float32) for name in ("mean", "components", "spread", "rest", "span")))


def fit_basis(points: np.ndarray, size: int = 8) -> MouthBasis:
    """The basis of one person from face-frame mesh points [N, 478, 3] (or shapes [N, P, 3]) of a recording.

    Frames with a point that is not finite are left out.  Raises `ValueError`
    when fewer than ``size + 1`` frames are left.
    """
    shapes = points if points.shape[1] == len(POINTS) else select(points)
    shapes = shapes[np.isfinite(shapes).all((1, 2))].astype(np.float64)
    if len(shapes) <= size:
        raise ValueError(f"{len(shapes)} frames are too few for {size} mouth components")
    mean = shapes.mean(0)
    flat = ((shapes - mean) * _WEIGHT).reshape(len(shapes), -1)
    directions = np.linalg.svd(flat, full_matrices=False)[2][:size]
    components = directions.reshape(size, *mean.shape) / _WEIGHT
    coefficients = flat @ directions.T
    signs = np.where(np.corrcoef(coefficients.T, opening(shapes))[-1, :-1] < 0, -1.0, 1.0)
    coefficients, components = coefficients * signs, components * signs[:, None, None]
    gaps = opening(shapes)
    quiet = gaps <= np.percentile(gaps, 10)
    basis = MouthBasis(*(part.astype(np.float32) for part in (
        mean, components, coefficients.std(0), np.median(coefficients[quiet], 0),
        np.percentile(measures(shapes), [5, 95], axis=0))))
    return _with_shut_rest(basis)


def _with_shut_rest(basis: MouthBasis) -> MouthBasis:
    """The same basis with a rest shape that is really shut, also for a person who was never seen with closed lips."""
    limit = 0.08 * float(basis.span[1, 0])
    rest = basis.rest.copy()
    for _ in range(8):
        now = measures(basis.decode(rest[None]))[0]
        if now[0] <= limit:
            break
        down = basis.pose(np.array([[limit * 0.8 - now[0], 0, 0, 0]]) + basis._slope[0]) - basis.rest
        rest = rest + 0.7 * down[0]
    return MouthBasis(basis.mean, basis.components, basis.spread, rest, basis.span)
