"""Two videos of one face with their heads held still, so that they can be compared although the heads move apart.

An avatar moves its head as it likes.  Turn in the picture, size and place of the face are taken out by the corners of
the eyes and the bridge of the nose; nodding and turning to a side are not.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from visage.errors import BadVideo
from visage.faces import open_faces
from visage.faces.align import ANCHORS, Crops, similarity
from visage.faces.track import Track, track_video
from visage.media.audio import read_sound
from visage.media.encoder import ClipWriter
from visage.media.frames import read_video
from visage.types import FPS, SPEECH_RATE

_REACH = 1.3
"""Side of the square over that of the face."""
_SMALLEST, _LARGEST = 128, 384
_QUALITY = 6
"""H.264's crf: what it loses must not count."""


def stand_still(pred: Path, truth: Path, folder: Path) -> tuple[Path, Path]:
    """Both videos as squares in which the faces lie alike, with their sounds; the truth says where and how large.

    Raises `BadVideo` when one shows no face.
    """
    tracks = [_follow(file) for file in (pred, truth)]
    anchors = [track.points[:, ANCHORS, :2] for track in tracks]
    target = anchors[1].mean(0)
    square, size = _square(tracks[1], target)
    made = []
    for name, file, own in (("pred", pred, anchors[0]), ("truth", truth, anchors[1])):
        crops = Crops(_onto(similarity(own, target), square, size), size)
        made.append(_cut(file, crops, folder / f"still-{name}.mp4"))
    return made[0], made[1]


def _follow(file: Path) -> Track:
    with closing(open_faces()) as finder:
        track = track_video(read_video(file, FPS), finder)
    if not track.found.any():
        raise BadVideo("No face is found in {name}, so it cannot be compared.", code="evaluate.no_face",
                       hint="Look at the video; train the avatar again from a clearer one.", name=file.name)
    return track


def _square(track: Track, target: np.ndarray) -> tuple[tuple[float, float, float], int]:
    """Left, top and side of the square round the still face, in the track's pixels; and its side in the crop."""
    still = Crops(similarity(track.points[:, ANCHORS, :2], target), 1).place(track.points).mean(0)
    low, high = still.min(0), still.max(0)
    side = float(_REACH * (high - low).max())
    left, top = (low + high) / 2 - side / 2
    size = int(np.clip(side, _SMALLEST, _LARGEST)) // 2 * 2
    return (float(left), float(top), side), size


def _onto(transforms: np.ndarray, square: tuple[float, float, float], size: int) -> np.ndarray:
    """Transforms [N, 2, 3] into the track's pixels, on to those of the crop."""
    left, top, side = square
    onto = transforms.copy()
    onto[:, :, 2] -= (left, top)
    return (onto * np.float32(size / side)).astype(np.float32)


def _cut(file: Path, crops: Crops, out: Path) -> Path:
    with ClipWriter(out, crops.size, crops.size, FPS, SPEECH_RATE, crf=_QUALITY) as writer:
        writer.write_sound(read_sound(file, SPEECH_RATE))
        for index, frame in enumerate(read_video(file, FPS)):
            if index < len(crops):
                writer.write(crops.cut(frame, index))
    return out
