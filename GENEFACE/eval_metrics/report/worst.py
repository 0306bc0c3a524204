"""The moments at which a clip is worst: its picture, the true one, and where they differ."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from eval_metrics.report.markup import Html, both, tag
from eval_metrics.report.plain import frame_numbers, number_in, rate_of, series_of, text_in

SIDE = 320
"""Longest side of a picture, pixels."""
MOST, EACH = 8, 3
"""Moments in all, and of one figure."""
KEYS = ("ssim", "psnr", "lpips", "lmd", "identity", "niqe", "cpbd", "sharpness")
"""Figures whose worst frames show, most telling first."""
_APART = 0.5
"""Seconds between two moments of one figure: neighbours look alike."""
_NEAR = 0.2
"""Seconds within which two figures mean the same moment."""
_BYTES = 3_000_000
"""Size of all pictures together above which no more are added."""
_HEAT = np.array(
    [
        (0.0, 13, 12, 20),
        (0.2, 58, 24, 92),
        (0.45, 158, 44, 100),
        (0.7, 233, 112, 55),
        (0.9, 250, 200, 80),
        (1.0, 255, 250, 210),
    ]
)
"""Share of the scale, and its red, green and blue."""
_SCALES = (16, 32, 64, 128, 255)


def choose(
    result: Mapping[str, Any], keys: Sequence[str] = KEYS, most: int = MOST, each: int = EACH, apart: float = _APART
) -> list[dict[str, Any]]:
    """The worst frames by figure: ``key``, ``index`` on the common clock, ``time`` in seconds, ``value``.

    In turn the worst of every figure, then the second worst …; never two of one figure within ``apart`` seconds,
    and a moment that is bad by several figures counts once towards ``most``.
    """
    fps = rate_of(result) or 25.0
    queues = [_ranked(key, result["details"].get(key) or {}, fps, each, apart) for key in keys]
    chosen: list[dict[str, Any]] = []
    for turn in range(each):
        for queue in queues:
            if turn >= len(queue):
                continue
            entry = _shown_already(queue[turn], chosen, result, fps)
            if len({other["index"] for other in chosen} | {entry["index"]}) <= most:
                chosen.append(entry)
    return chosen


def _shown_already(
    entry: dict[str, Any], chosen: Sequence[Mapping[str, Any]], result: Mapping[str, Any], fps: float
) -> dict[str, Any]:
    """The entry, moved to a frame just beside it that is shown anyway: two pictures of one moment tell no more."""
    near = [other for other in chosen if abs(other["index"] - entry["index"]) <= _NEAR * fps]
    detail = result["details"][entry["key"]]
    values = dict(zip(frame_numbers(detail), series_of(detail), strict=True))
    for other in near:
        if values.get(other["index"]) is not None:
            return entry | {"index": other["index"], "time": other["time"], "value": values[other["index"]]}
    return entry


def _ranked(key: str, detail: Mapping[str, Any], fps: float, each: int, apart: float) -> list[dict[str, Any]]:
    badness = {
        "higher": lambda value: -value,
        "lower": lambda value: value,
        "nearer to 1": lambda value: abs(value - 1),
        "nearer to 0": abs,
    }.get(text_in(detail.get("better")))
    if badness is None:
        return []
    points = [
        (frame, value)
        for frame, value in zip(frame_numbers(detail), series_of(detail), strict=True)
        if value is not None
    ]
    ranked: list[dict[str, Any]] = []
    for frame, value in sorted(points, key=lambda point: -badness(point[1])):
        if len(ranked) < each and all(abs(frame - entry["index"]) >= apart * fps for entry in ranked):
            ranked.append({"key": key, "index": frame, "time": round(frame / fps, 4), "value": value})
    return ranked


def worst_frames(
    result: Mapping[str, Any],
    pred: Path,
    truth: Path | None = None,
    keys: Sequence[str] = KEYS,
    most: int = MOST,
    each: int = EACH,
    side: int = SIDE,
) -> list[dict[str, Any]]:
    """The entries of `choose` with ``pred``, ``truth`` and ``difference`` as data URIs (JPEG).

    Decodes both files once more up to the last of these frames, just as they were decoded to be measured.  The
    difference is the mean over the colours of its size, as heat of which ``scale`` (of 255) is the brightest.
    Raises `BadVideo` and `NotFound`.
    """
    entries = choose(result, keys, most, each)
    wanted = {entry["index"] for entry in entries}
    clips = _pictures(result, pred, "pred", wanted), _pictures(result, truth, "truth", wanted) if truth else {}
    differences = {
        index: _difference(clips[0][index], clips[1][index]) for index in wanted if all(index in clip for clip in clips)
    }
    scale = _scale(list(differences.values()))
    written: dict[tuple[str, int], str] = {}
    size = 0
    for index in dict.fromkeys(entry["index"] for entry in entries):
        uris = {
            (name, index): _uri(_fitted(clip[index], side))
            for name, clip in zip(("pred", "truth"), clips, strict=True)
            if index in clip
        }
        if index in differences:
            uris["difference", index] = _uri(_fitted(heat(differences[index] / scale), side))
        size += sum(map(len, uris.values()))
        if size > _BYTES:
            break
        written |= uris
    return [
        entry
        | {name: written.get((name, entry["index"])) for name in ("pred", "truth", "difference")}
        | {"scale": scale}
        for entry in entries
        if ("pred", entry["index"]) in written
    ]


def _pictures(result: Mapping[str, Any], file: Path, whose: str, wanted: set[int]) -> dict[int, np.ndarray]:
    """Pictures of a file at frames of the common clock, as the result's facts say they were brought together."""
    from visage.media.frames import read_video

    pair = result.get("pair") or {}
    fps = rate_of(result) or 25.0
    lag = round(number_in((pair.get("offset") or {}).get("frames")) or 0)
    begin = max(lag, 0) if whose == "pred" else max(-lag, 0)
    left, top, width, height = (whose == "truth" and pair.get("truth_cropped")) or (0, 0, None, None)
    part = np.s_[top : top + height if height else None, left : left + width if width else None]
    last = max(wanted, default=-1)
    frames = islice(read_video(file, fps), begin, begin + last + 1)
    return {number: picture[part].copy() for number, picture in enumerate(frames) if number in wanted}


def _difference(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """How far two pictures are apart, mean over the colours, float32 [H, W] of 0 to 255 in the size of the first."""
    import cv2

    if truth.shape != pred.shape:
        truth = cv2.resize(truth, pred.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.abs(pred.astype(np.float32) - truth.astype(np.float32)).mean(2)


def _scale(differences: Sequence[np.ndarray]) -> int:
    """A round number that all but one in two hundred pixels stay below."""
    if not differences:
        return _SCALES[-1]
    high = max(float(np.quantile(difference, 0.995)) for difference in differences)
    return next(scale for scale in _SCALES if high <= scale)


def heat(share: np.ndarray) -> np.ndarray:
    """Shares of the scale [H, W] as colours, uint8 RGB [H, W, 3]; above 1 is as bright as 1."""
    colours = [np.interp(share, _HEAT[:, 0], _HEAT[:, channel]) for channel in (1, 2, 3)]
    return np.stack(colours, -1).round().astype(np.uint8)


def heat_legend(scale: float) -> Html:
    """What the colours of the differences mean."""
    stops = [
        tag("stop", offset=f"{at:.0%}", stop_color=f"rgb({red:.0f} {green:.0f} {blue:.0f})")
        for at, red, green, blue in _HEAT
    ]
    bar = tag(
        "svg",
        tag("linearGradient", stops, id="heat"),
        tag("rect", width="100", height="8", fill="url(#heat)"),
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    return tag(
        "p", both("moments.scale"), tag("span", "0"), bar, tag("span", f"≥\u00a0{scale:.0f} / 255"), class_="heat"
    )


def _fitted(picture: np.ndarray, side: int) -> np.ndarray:
    import cv2

    share = side / max(picture.shape[:2])
    if share >= 1:
        return picture
    height, width = (max(1, round(length * share)) for length in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _uri(picture: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=84)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
