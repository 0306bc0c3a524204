"""The quality gate of photos: whether one picture is enough to make it speak."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from visage.engines.lite.findings import GateReport, Problem, problem
from visage.faces.contract import Face
from visage.faces.pose import angles, fit_pose, to_face
from visage.faces.track import sharpness

_SMALL, _TINY = 160, 64
"""Widths of a face in pixels below which it looks soft, and is refused."""
_TURNED, _ASIDE, _BENT = 25.0, 38.0, 35.0
"""Degrees: yaw to warn of, yaw and pitch to refuse."""
_SOFT, _BLURRED = 30.0, 13.0
_RIVAL = 0.6
"""Share of the largest face's width from which a second face is as important."""
_LIPS = [0, 37, 267, 17, 84, 314, 61, 291, 39, 269, 181, 405]
_AROUND_MOUTH = [164, 167, 393, 18, 83, 313, 200, 201, 421, 199, 57, 287, 212, 432]
_UPPER = [9, 107, 336, 151, 108, 337, 117, 346, 118, 347, 50, 280]
"""Forehead and upper cheeks."""


def judge_photo(image: np.ndarray, faces: Sequence[Face]) -> GateReport:
    """What is wrong with a photo, uint8 RGB [H, W, 3], given the faces in it, the largest first."""
    if not faces:
        return GateReport((problem("There is no face in the photo.", code="photo.no_face", fatal=True,
                                   hint="Use a photo of one person who looks into the camera."),), {"faces": 0})
    face = faces[0]
    yaw, pitch, roll = (float(value) for value in angles(fit_pose(face.points[None]))[0])
    detail = sharpness(image, face)
    problems = [*_company(faces), *_size(face), *_border(image, face), *_turn(yaw, pitch), *_detail(detail),
                *_mouth(image, face)]
    facts = {"faces": len(faces), "face_width": round(face.width), "sharpness": round(detail, 1), "yaw": round(yaw, 1),
             "pitch": round(pitch, 1), "roll": round(roll, 1), "source_width": image.shape[1],
             "source_height": image.shape[0]}
    return GateReport(tuple(sorted(problems, key=lambda found: not found.fatal)), facts)


def _company(faces: Sequence[Face]) -> list[Problem]:
    if len(faces) < 2:
        return []
    if faces[1].width > _RIVAL * faces[0].width:
        return [problem("There are {count} faces in the photo and none stands out.", code="photo.several_faces",
                        fatal=True, hint="Crop the photo to one person.", count=len(faces))]
    return [problem("There are {count} faces in the photo; the largest is used.", code="photo.other_faces",
                    hint="Crop the photo if that is the wrong one.", count=len(faces))]


def _size(face: Face) -> list[Problem]:
    width = int(face.width)
    if width < _TINY:
        return [problem("The face is {width} pixels wide; at least {least} are needed.", code="photo.face_small",
                        fatal=True, hint="Use a larger photo, or one taken closer.", width=width, least=_TINY)]
    if width < _SMALL:
        return [problem("The face is only {width} pixels wide; the clip will look soft.", code="photo.face_modest",
                        hint="A face of 250 pixels or more looks best.", width=width)]
    return []


def _border(image: np.ndarray, face: Face) -> list[Problem]:
    left, top, right, bottom = face.box
    height, width = image.shape[:2]
    over = max(-left, -top, right - width, bottom - height) / face.width
    if over < 0.02:
        return []
    return [problem("The border of the photo cuts into the face.", code="photo.face_cut_off", fatal=over > 0.12,
                    hint="Use a photo that shows the whole head.")]


def _turn(yaw: float, pitch: float) -> list[Problem]:
    if abs(yaw) > _ASIDE or abs(pitch) > _BENT:
        return [problem("The face looks away, {degrees}° from the camera.", code="photo.turned_away", fatal=True,
                        degrees=round(max(abs(yaw), abs(pitch))),
                        hint="Use a photo that shows the face from the front.")]
    if abs(yaw) > _TURNED:
        return [problem("The face is turned by {degrees}°; the mouth will look a little flat.", code="photo.turned",
                        hint="A photo from the front speaks better.", degrees=round(abs(yaw)))]
    return []


def _detail(detail: float) -> list[Problem]:
    if detail < _BLURRED:
        return [problem("The face is too blurred.", code="photo.blurred", fatal=True, hint="Use a sharp photo.")]
    if detail < _SOFT:
        return [problem("The face is rather soft; the clip will be as well.", code="photo.soft",
                        hint="A sharper photo looks better.")]
    return []


def _mouth(image: np.ndarray, face: Face) -> list[Problem]:
    shape = to_face(face.points[None], fit_pose(face.points[None]))[0]
    if covered(image, face):
        return [problem("The mouth seems to be covered.", code="photo.mouth_covered", fatal=True,
                        hint="Use a photo without a mask, and without a hand before the mouth.")]
    if np.linalg.norm(shape[13] - shape[14]) > 0.15:
        return [problem("The mouth is wide open; it cannot be shut well.", code="photo.mouth_open",
                        hint="A photo with closed lips speaks best.")]
    return []


def covered(image: np.ndarray, face: Face) -> bool:
    """Whether the colours say that something hides the mouth: not skin around it, and no lips that stand out from that.

    A beard is another colour too, but lips stand out from it.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    upper, around, lips = (_colour(lab, face, points) for points in (_UPPER, _AROUND_MOUTH, _LIPS))
    return _apart(upper, around) > 14 and _apart(around, lips) < 7


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """How different two colours are, lightness counting half."""
    return float(np.linalg.norm((one - other) * (0.5, 1, 1)))


def _colour(lab: np.ndarray, face: Face, points: list[int]) -> np.ndarray:
    """Median colour of small patches around mesh points."""
    reach = max(1, int(0.02 * face.width))
    height, width = lab.shape[:2]
    patches = []
    places = np.clip(face.points[points, :2].round(), 0, (width - 1, height - 1)).astype(int)
    for x, y in places:
        patches.append(lab[max(0, y - reach):y + reach + 1, max(0, x - reach):x + reach + 1].reshape(-1, 3))
    return np.median(np.concatenate(patches), axis=0)
