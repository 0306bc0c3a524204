"""A face as a texture: the triangles of one mesh drawn with the pixels under another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from visage.swap.embedded.masking import Area, face_mask, openness
from visage.swap.embedded.topology import POINTS, topology
from visage.swap.occlusion import own_skin

_COARSE = 3
"""The map is worked out for every third pixel across and down: between them it is nearly straight."""
_STRETCH = 3.0
"""Times as much as the usual triangle that one may be stretched."""
_SHIFT = 4
"""Bits of a pixel's fraction with which triangles are drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """A photo at full, half, quarter … size with the mesh of its face."""

    levels: tuple[np.ndarray, ...]
    """uint8 RGB, each half as large as the one before."""
    skin: tuple[np.ndarray, ...]
    """uint8 [h, w] of every level: 255 where the photo shows the face itself, 0 where hair lies over it."""
    mesh: np.ndarray
    """float32 [478, 3], pixels of the first level."""

    open_eyes: tuple[float, float]
    """How far the eyes are open, left and right in the picture: `masking.openness`."""

    def level_for(self, mesh: np.ndarray) -> tuple[int, np.ndarray]:
        """Number and mesh [468, 2] of the level that is sampled least askew for a face of that mesh."""
        ratio = _extent(self.mesh) / max(_extent(mesh), 1.0)
        step = int(np.clip(np.floor(np.log2(max(ratio, 1.0)) + 0.4), 0, len(self.levels) - 1))
        flat = self.mesh[:POINTS, :2]
        # the centres of pixels move when an image is halved
        return step, (flat + 0.5) / 2**step - 0.5


def texture(picture: np.ndarray, mesh: np.ndarray) -> Texture:
    """The face of a photo, ready to be drawn elsewhere; only the part of the photo around it is kept."""
    low = np.maximum(np.floor(mesh[:, :2].min(0)) - 8, 0).astype(int)
    high = np.ceil(mesh[:, :2].max(0)).astype(int) + 9
    part = picture[low[1]:high[1], low[0]:high[0]]
    own = (mesh - np.float32([*low, 0])).astype(np.float32)
    share = face_mask(own, Area(0, 0, part.shape[1], part.shape[0]), mouth=True, eyes=True)
    share = share / max(float(share.max()), 1e-3)
    skin: np.ndarray = (own_skin(part, share) * 255).astype(np.uint8)
    for outline in topology().brows:
        # brows may be as dark as hair, and near the edge in a turned head
        hull = cv2.convexHull(np.round(own[outline, :2] * 16).astype(np.int32))
        cv2.fillConvexPoly(skin, hull, 255, cv2.LINE_AA, 4)
    # at the edge of a turned head the photo shows what is behind it
    skin = cv2.multiply(skin, np.minimum(1.6 * share, 1), dtype=cv2.CV_8U)
    left, right = (openness(own[eye, :2]) for eye in topology().eyes)
    return Texture(_halved(part), _halved(skin), own, (left, right))


def _halved(picture: np.ndarray) -> tuple[np.ndarray, ...]:
    levels = [np.ascontiguousarray(picture)]
    while min(levels[-1].shape[:2]) > 64 and len(levels) < 5:
        last = levels[-1]
        # an odd side is made even: otherwise the levels would not lie on each other
        last = cv2.copyMakeBorder(last, 0, last.shape[0] % 2, 0, last.shape[1] % 2, cv2.BORDER_REPLICATE)
        levels.append(cv2.resize(last, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return tuple(levels)


def drawn(face: Texture, mesh: np.ndarray, area: Area) -> tuple[np.ndarray, np.ndarray]:
    """The texture on another mesh, uint8 RGB [height, width, 3] of the area, and where it is skin, uint8.

    Outside the mesh neither means anything.
    """
    level, source = face.level_for(mesh)
    across = dense_map(mesh, source, area)
    pixels = cv2.remap(face.levels[level], across, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # hair has soft edges: every fourth pixel tells enough
    few = cv2.resize(across, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    skin = cv2.remap(face.skin[level], few, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return pixels, cv2.resize(skin, (area.width, area.height), interpolation=cv2.INTER_LINEAR)


def dense_map(mesh: np.ndarray, source: np.ndarray, area: Area) -> np.ndarray:
    """For every pixel of the area where it lies in the source, float32 [height, width, 2].

    An index map of the triangles, far ones first so that near ones cover them;
    each has the affine map of its corners.
    """
    corners = topology().all
    corners = corners[np.argsort(-mesh[corners, 2].mean(1), kind="stable")]
    target = mesh[:, :2] - np.float32([area.left, area.top])
    small = (-(-area.height // _COARSE), -(-area.width // _COARSE))
    # the last row and column reach past an odd area; the map is cut to it afterwards
    index = np.zeros(small, np.int32)
    fixed = np.round(((target[corners] + 0.5) / _COARSE - 0.5) * (1 << _SHIFT)).astype(np.int32)
    for number, triangle in enumerate(fixed, 1):
        cv2.fillConvexPoly(index, triangle, number, cv2.LINE_8, _SHIFT)
    maps = np.concatenate([np.zeros((1, 2, 3), np.float32), _affine(target[corners], source[corners])])
    ys, xs = (np.arange(count, dtype=np.float32) * _COARSE + (_COARSE - 1) / 2 for count in small)
    coarse = cv2.merge([_along(row, index, xs, ys[:, None]) for row in maps.transpose(1, 2, 0)])
    full = cv2.resize(coarse, (small[1] * _COARSE, small[0] * _COARSE), interpolation=cv2.INTER_LINEAR)
    return full[:area.height, :area.width]


def _along(row: np.ndarray, index: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """One coordinate of the source, from one row [3, N] of the triangles' maps."""
    made = np.take(row[0], index)
    made *= xs
    second = np.take(row[1], index)
    second *= ys
    made += second
    made += np.take(row[2], index)
    return made


def _affine(target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The affine maps float32 [N, 2, 3] that bring triangles [N, 3, 2] onto others."""
    one, two = target[:, 1] - target[:, 0], target[:, 2] - target[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    area = np.where(np.abs(area) < 1e-3, 1e-3, area)
    inverse = np.stack([np.stack([two[:, 1], -two[:, 0]], 1), np.stack([-one[:, 1], one[:, 0]], 1)], 1)
    inverse = inverse / area[:, None, None]
    edges = np.stack([source[:, 1] - source[:, 0], source[:, 2] - source[:, 0]], 2)
    linear = edges @ inverse
    usual = np.median(linear, axis=0)
    # Edge-on or from behind, as those round the nostrils are seen, a triangle is stretched over pixels at random.
    odd = (np.linalg.det(linear) <= 0) | (np.linalg.norm(linear, axis=(1, 2)) > _STRETCH * np.linalg.norm(usual))
    linear[odd] = usual
    shift = source.mean(1) - np.einsum("nij,nj->ni", linear, target.mean(1))
    return np.concatenate([linear, shift[:, :, None]], 2).astype(np.float32)


def _extent(mesh: np.ndarray) -> float:
    return float(np.sqrt(np.prod(np.ptp(mesh[:POINTS, :2], axis=0))))
