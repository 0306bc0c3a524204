"""The rigid part of a face: where the head is, and its points with that taken away.

The face frame has its origin between the outer eye corners, x to the right and
y down as seen in the picture, z away from the camera, and one unit is the
distance between the outer eye corners (points 33 and 263).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CANONICAL = {
    33: (-0.500, 0.0, 0.0), 263: (0.500, 0.0, 0.0), 133: (-0.196, 0.024, -0.057), 362: (0.196, 0.024, -0.057),
    21: (-0.703, -0.215, 0.278), 251: (0.703, -0.215, 0.278), 127: (-0.753, 0.069, 0.533), 356: (0.753, 0.069, 0.533),
    54: (-0.643, -0.333, 0.147), 284: (0.643, -0.333, 0.147), 168: (0.0, -0.056, -0.247), 6: (0.0, 0.025, -0.297),
    197: (0.0, 0.101, -0.353), 195: (0.0, 0.171, -0.414), 5: (0.0, 0.248, -0.478), 4: (0.0, 0.342, -0.506),
    10: (0.0, -0.528, -0.202), 151: (0.0, -0.379, -0.235),
}
"""Eye corners, temples, nose bridge and forehead of a symmetric face, measured on a public domain portrait."""
STABLE = np.array(list(_CANONICAL))
"""Indices of the mesh points that expression hardly moves."""
REFERENCE = np.array(list(_CANONICAL.values()), np.float32)
"""Where the `STABLE` points of an average face lie in the face frame, float32 [len(STABLE), 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Of N faces: image point = ``scale * rotation @ face point + shift``."""

    scale: np.ndarray
    """float32 [N]: pixels a face unit."""
    rotation: np.ndarray
    """float32 [N, 3, 3]: from face axes to image axes."""
    shift: np.ndarray
    """float32 [N, 3]: where the origin of the face frame lies, pixels."""

    def __len__(self) -> int:
        return len(self.scale)


def fit_pose(points: np.ndarray, reference: np.ndarray | None = None) -> Pose:
    """The pose of each mesh, float32 [N, 478, 3] pixels, by least squares on the `STABLE` points (Umeyama 1991).

    ``reference`` float32 [len(STABLE), 3] is where those points lie in the face
    frame; by default those of an average face, better the person's own (`own_reference`).
    """
    target = points[:, STABLE].astype(np.float64)
    source = np.asarray(REFERENCE if reference is None else reference, np.float64)
    middle, origin = target.mean(1), source.mean(0)
    spread = source - origin
    cross = np.einsum("nsi,sj->nij", target - middle[:, None], spread)
    left, stretch, right = np.linalg.svd(cross)
    flip = np.ones_like(stretch)
    flip[:, 2] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    rotation = np.einsum("nij,nj,njk->nik", left, flip, right)
    scale = (stretch * flip).sum(1) / (spread**2).sum()
    shift = middle - scale[:, None] * np.einsum("nij,j->ni", rotation, origin)
    return Pose(scale.astype(np.float32), rotation.astype(np.float32), shift.astype(np.float32))


def to_face(points: np.ndarray, pose: Pose) -> np.ndarray:
    """Image points [N, P, 3] in the face frame, float32 [N, P, 3]: what is left moves only with expression."""
    turned = np.matmul(points - pose.shift[:, None], pose.rotation)
    return (turned / pose.scale[:, None, None]).astype(np.float32)


def to_image(shapes: np.ndarray, pose: Pose) -> np.ndarray:
    """Face-frame points [N, P, 3] in pixels, float32 [N, P, 3]; the inverse of `to_face`."""
    turned = np.matmul(shapes, pose.rotation.transpose(0, 2, 1))
    return (turned * pose.scale[:, None, None] + pose.shift[:, None]).astype(np.float32)


def misfit(points: np.ndarray, pose: Pose, reference: np.ndarray | None = None) -> np.ndarray:
    """Root mean square distance of the `STABLE` points from the reference, in face units, float32 [N]."""
    apart = to_face(points[:, STABLE], pose) - (REFERENCE if reference is None else reference)
    return np.sqrt((apart**2).sum(2).mean(1))


def own_reference(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """The `STABLE` points of one person in the face frame, float32 [len(STABLE), 3], from meshes [N, 478, 3]."""
    reference = REFERENCE
    for _ in range(rounds):
        mean = to_face(points[:, STABLE], fit_pose(points, reference)).mean(0)
        right, left = mean[STABLE == 33][0], mean[STABLE == 263][0]
        reference = ((mean - (left + right) / 2) / np.linalg.norm(left - right)).astype(np.float32)
    return reference


def angles(pose: Pose) -> np.ndarray:
    """Yaw, pitch and roll in degrees, float32 [N, 3], all 0 for a level face that looks into the camera.

    Yaw is positive when the nose points to the right of the picture, pitch when
    it points down, roll when the right side of the face in the picture is lower.
    """
    rotation = pose.rotation
    nose = -rotation[:, :, 2]
    yaw = np.arctan2(nose[:, 0], -nose[:, 2])
    pitch = np.arctan2(nose[:, 1], np.hypot(nose[:, 0], nose[:, 2]))
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
    return np.degrees(np.stack([yaw, pitch, roll], 1)).astype(np.float32)
