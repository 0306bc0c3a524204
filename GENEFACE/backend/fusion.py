"""Face fusion for Python programs: find faces, describe them, put one onto another, with consent, mark and label.

Pictures are files, or arrays uint8 RGB [H, W, 3] (OpenCV reads BGR: turn it
around first).  The photo of the new face is always a file, because a consent
names it by its checksum.  What is returned carries the visible mark; ``out``
also gets the label in its metadata.
"""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import numpy as np

from backend.face_swapper import By, Wanted, best_swapper, put_on
from backend.services import Services, open_services
from visage.config import read_settings
from visage.errors import BadImage, InvalidRequest
from visage.media.images import read_image
from visage.swap.contract import Embedding, Face, Look, Swapper
from visage.swap.onnx import kit
from visage.swap.options import SwapOptions
from visage.swap.picture import write_picture
from visage.swap.selecting import ordered

log = logging.getLogger("visage.fusion")
Picture = str | Path | np.ndarray
Box = Sequence[float]
_OVERLAP = 0.3


class FoundFace(TypedDict):
    """A face in a picture."""

    bbox: list[float]
    """Left, top, right, bottom, pixels."""
    score: float
    """Confidence, 0 to 1."""
    five: list[list[float]]
    """Eyes, nose, corners of the mouth, pixels."""


def detect_faces(image: Picture, *, device: str = "auto", engine: str = "",
                 services: Services | None = None) -> list[FoundFace]:
    """All faces, the largest first; empty when there are none.  Raises `NotInstalled` and `BadImage`."""
    with _swapper(device, False, engine, services) as swapper:
        faces = swapper.find(_pixels(image), Look(thorough=True))
    return [{"bbox": [float(value) for value in face.box], "score": face.score, "five": face.five.tolist()}
            for face in faces]


def get_face_embedding(image: Picture, *, device: str = "auto", engine: str = "",
                       services: Services | None = None) -> Embedding:
    """Who the largest face looks like; compare with `Embedding.distance`.  Raises `BadImage` (E05) without a face."""
    with _swapper(device, False, engine, services) as swapper:
        return swapper.identify([_pixels(image)]).embedding


def swap_face(source_img: str | Path, target_img: Picture, fp16: bool = False, device: str = "auto", *, consent: str,
              out: str | Path | None = None, engine: str = "", options: SwapOptions | None = None,
              services: Services | None = None) -> np.ndarray:
    """The target with the photo's face, uint8 RGB [H, W, 3]; marked, and labelled where it is written to ``out``.

    ``fp16`` takes float16 model files where there are any.  Raises `Refused` (E09) unless the
    consent of that id covers the photo, and the errors of `visage.swap.faults`.
    """
    if isinstance(source_img, np.ndarray):
        raise InvalidRequest("The photo of the new face must be a file: a consent names it by its checksum.",
                             code="swap.photo_no_file",
                             hint="Give the path of the photo that the consent was given for.")
    services = _services(device, fp16, services)
    wanted = Wanted((Path(source_img),), consent, engine, "", options or SwapOptions(quality=95))
    with tempfile.TemporaryDirectory(prefix="visage-fusion-") as folder:
        target = write_picture(target_img, Path(folder) / "target.png", 100, None) \
            if isinstance(target_img, np.ndarray) else Path(target_img)
        result, _, notes = put_on(services, wanted, target, Path(out) if out else Path(folder) / "out.png",
                                  Path(folder), By(uuid.uuid4().hex, "program"))
        for note in (*result.notes, *notes):
            log.warning("%s", note)
        return read_image(result.out)


def apply_to_single_bbox(image: Picture, bbox: Box, source_img: str | Path, *, consent: str, fp16: bool = False,
                         device: str = "auto", out: str | Path | None = None, engine: str = "",
                         services: Services | None = None) -> np.ndarray:
    """`swap_face` for the one face that a box (left, top, right, bottom, pixels) means; memory is freed afterwards.

    Raises `BadImage` (E05) where no face lies there.
    """
    services = _services(device, fp16, services)
    with _swapper(device, fp16, engine, services) as swapper:
        faces = ordered(swapper.find(_pixels(image), Look(thorough=True)), "largest")
    shares = [_overlap(face, bbox) for face in faces]
    if not shares or max(shares) < _OVERLAP:
        raise BadImage("No face lies in the box {box}.", code="swap.no_face_box", box=[round(side) for side in bbox],
                       hint="Take a box of detect_faces for this very picture.")
    options = SwapOptions(who="one", order="largest", position=int(np.argmax(shares)), quality=95)
    return swap_face(source_img, image, consent=consent, out=out, engine=engine, options=options, services=services)


def resize_for_fusion(image: np.ndarray, max_dim: int = 1280) -> np.ndarray:
    """The picture with no side longer than ``max_dim``; never larger than it was."""
    return kit.resize_for_fusion(image, max_dim)[0]


def _services(device: str, fp16: bool, services: Services | None) -> Services:
    return services or open_services(read_settings(face_provider=device, face_fp16=fp16))


@contextmanager
def _swapper(device: str, fp16: bool, engine: str, services: Services | None) -> Iterator[Swapper]:
    swapper, notes = best_swapper(_services(device, fp16, services), engine)
    for note in notes:
        log.warning("%s", note)
    with swapper:
        yield swapper


def _pixels(image: Picture) -> np.ndarray:
    if not isinstance(image, np.ndarray):
        return read_image(Path(image))
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise BadImage("The picture is {dtype} of the shape {shape}, not uint8 [height, width, 3].",
                       code="swap.not_rgb", hint="Convert it to RGB with 8 bits a channel.", dtype=str(image.dtype),
                       shape=str(image.shape))
    return image


def _overlap(face: Face, bbox: Box) -> float:
    """Intersection over union."""
    low, high = np.maximum(face.box[:2], bbox[:2]), np.minimum(face.box[2:], bbox[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    return shared / max(face.area + float(np.prod(np.subtract(bbox[2:], bbox[:2]))) - shared, 1e-6)
