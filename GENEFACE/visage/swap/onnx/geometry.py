"""Where faces lie in the pictures of networks, and the ways there and back."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from visage.faces.align import inverse, similarity

_ARCFACE_112 = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
                         [70.7299, 92.2041]])
_FFHQ_512 = np.array([[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935], [201.26117, 371.41043],
                      [313.08905, 371.15118]])


def arcface(size: int) -> np.ndarray:
    """Five points in ArcFace's crop of a side, float64 [5, 2] (Deng et al., CVPR 2019).

    Sides that 128 divides are 112 with 8 pixels more left and right.
    """
    if size % 112 == 0:
        return _ARCFACE_112 * (size / 112)
    ratio = size / 128
    return _ARCFACE_112 * ratio + [8.0 * ratio, 0.0]


def ffhq(size: int) -> np.ndarray:
    """Five points in the crop of FFHQ (Karras et al., CVPR 2019) of a side, float64 [5, 2]."""
    return _FFHQ_512 * (size / 512)


TEMPLATES: dict[str, Callable[[int], np.ndarray]] = {"arcface": arcface, "ffhq": ffhq}
"""Templates by the names that `specs` uses."""


def align(five: np.ndarray, template: str, size: int) -> np.ndarray:
    """Turn, scale and shift (Umeyama, PAMI 1991) from a frame to a network's crop, float32 [2, 3]."""
    return similarity(np.asarray(five)[None], TEMPLATES[template](size))[0]


def between(first: str, size: int, other: str, side: int) -> np.ndarray:
    """From one template's crop to another's, float32 [2, 3]; the same for every face."""
    return similarity(TEMPLATES[first](size)[None], TEMPLATES[other](side))[0]


def cut(frame: np.ndarray, transform: np.ndarray, size: int) -> np.ndarray:
    """The square that a transform maps a frame's pixels to, [size, size, 3]; repeats the edge outside.

    Only the part of the frame that is needed is touched, and it is averaged down before it is sampled when it shrinks.
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    matrix = np.asarray(transform, np.float64)
    if scale < 0.75:
        left, top, right, bottom = reach(transform, size, frame.shape, margin=2)
        if right > left and bottom > top:
            part = frame[top:bottom, left:right]
            width = max(1, round(part.shape[1] * scale))
            height = max(1, round(part.shape[0] * scale))
            small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
            # pixel centres lie at whole numbers, so a side of n pixels reaches from -0.5 to n - 0.5
            sx, sy = part.shape[1] / width, part.shape[0] / height
            grow = np.array([[sx, 0, sx / 2 - 0.5 + left], [0, sy, sy / 2 - 0.5 + top], [0, 0, 1]])
            frame, matrix = small, matrix @ grow
    return cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def reach(transform: np.ndarray, size: int, shape: tuple[int, ...], margin: int = 0) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (whole pixels, inside the frame) of what a crop covers; empty when it lies outside."""
    corners = np.array([[-0.5, -0.5], [size - 0.5, -0.5], [size - 0.5, size - 0.5], [-0.5, size - 0.5]])
    back = inverse(np.asarray(transform)[None])[0]
    placed = corners @ back[:, :2].T + back[:, 2]
    left, top = np.floor(placed.min(0)).astype(int) - margin
    right, bottom = np.ceil(placed.max(0)).astype(int) + 1 + margin
    height, width = shape[:2]
    return max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom))


def letterbox(frame: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """A frame in the top left corner of a black square, uint8 [side, side, 3], and its scale there in x and y.

    The two scales differ by less than a pixel's rounding.
    """
    height, width = frame.shape[:2]
    scale = min(side / width, side / height)
    size = max(1, min(side, round(width * scale))), max(1, min(side, round(height * scale)))
    ways = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    square = np.zeros((side, side, 3), np.uint8)
    square[:size[1], :size[0]] = cv2.resize(frame, size, interpolation=ways)
    return square, np.array([size[0] / width, size[1] / height])


def square_around(box: tuple[float, float, float, float], size: int, room: float = 1.5) -> np.ndarray:
    """The crop that landmark networks want, ``room`` times a box's longer side around its centre, float32 [2, 3]."""
    left, top, right, bottom = box
    scale = size / (max(right - left, bottom - top, 1e-6) * room)
    return np.array([[scale, 0, size / 2 - scale * (left + right) / 2],
                     [0, scale, size / 2 - scale * (top + bottom) / 2]], np.float32)


def place(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Points [..., 2] moved by a transform [2, 3], float32."""
    return (np.asarray(points, np.float64) @ transform[:, :2].T + transform[:, 2]).astype(np.float32)


def back(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Points [..., 2] of a crop in pixels of the frame it was cut from, float32."""
    return place(points, inverse(np.asarray(transform)[None])[0])


def planes(crops: np.ndarray, mean: float, std: float, bgr: bool = False) -> np.ndarray:
    """Pictures uint8 RGB [N, S, S, 3] as a network takes them: float32 [N, 3, S, S], (x - mean) / std."""
    flat = crops[..., ::-1] if bgr else crops
    moved = np.ascontiguousarray(flat.transpose(0, 3, 1, 2), np.float32)
    moved -= np.float32(mean)
    moved *= np.float32(1 / std)
    return moved


def pictures(planes_: np.ndarray, low: float, high: float) -> np.ndarray:
    """What a network painted between two values, [N, 3, S, S], as uint8 RGB [N, S, S, 3]; beyond them is cut off."""
    share = (np.asarray(planes_, np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.clip(np.rint(share), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
