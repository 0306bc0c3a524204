"""Brings a clip and its ground truth together: one clock, one length, one size, one start; and says how."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eval_metrics.contract import Scene
from eval_metrics.offset import Lag, picture_lag, sound_lag, thumbnails
from visage.errors import BadAudio, BadMedia, InvalidRequest
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.probe import MediaInfo, probe
from visage.types import SPEECH_RATE

_RATES = (24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 100, 120)
_SEARCHED = 20.0
"""Seconds of picture in which the offset is looked for."""
_HEARD = 120.0
"""Seconds of sound in which the offset is looked for."""
_ONE_SHAPE = 0.01
"""Aspect ratios that differ by less are one: codecs want even sides."""
_LONGER = 10.0
"""Seconds of sound past the last picture that are still read."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One of the two files."""

    path: Path
    """Where it is."""
    info: MediaInfo
    """What it holds."""
    sound: np.ndarray | None
    """At 16 kHz from its first picture on; None when it has none."""

    def facts(self) -> dict[str, Any]:
        """What a report says of it."""
        kept = ("width", "height", "fps", "frames", "seconds", "variable_rate", "codec", "sound_codec", "sound_rate")
        told = {name: value for name, value in asdict(self.info).items() if name in kept}
        seconds = None if self.sound is None else len(self.sound) / SPEECH_RATE
        return {"name": self.path.name, **told, "sound_seconds": seconds}


@dataclass(frozen=True, slots=True)
class Fit:
    """How the ground truth's pictures become as large as the clip's."""

    crop: tuple[int, int, int, int] | None
    """Left, top, width, height in the ground truth's pixels; None: all of it."""
    size: tuple[int, int]
    """Width and height afterwards, pixels."""

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """The picture, uint8 [H, W, 3], fitted."""
        if self.crop:
            left, top, width, height = self.crop
            picture = picture[top:top + height, left:left + width]
        if picture.shape[1::-1] == self.size:
            return picture
        smaller = self.size[0] < picture.shape[1]
        return cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


@dataclass(frozen=True, slots=True)
class Pair:
    """A clip and its ground truth, if there is one, as they are to be compared."""

    pred: Clip
    """The clip."""
    truth: Clip | None
    """The ground truth."""
    fps: float
    """Of the common clock."""
    lag: int
    """Frames of the common clock by which the clip lies behind."""
    frames: int
    """Frames of the common clock that both have, about."""
    fit: Fit
    """What is done to the ground truth's pictures."""
    facts: dict[str, Any] = field(default_factory=dict)
    """For `Scene.facts`."""
    warnings: list[str] = field(default_factory=list)
    """What a reader must know about all figures."""

    def pictures(self, step: int = 1) -> tuple[Iterator[np.ndarray], Iterator[np.ndarray] | None]:
        """Pictures of both on the common clock from its first moment, every ``step``-th, uint8 RGB of one size."""
        pred = islice(read_video(self.pred.path, self.fps), max(self.lag, 0), None, step)
        if self.truth is None:
            return pred, None
        truth = islice(read_video(self.truth.path, self.fps), max(-self.lag, 0), None, step)
        return pred, map(self.fit, truth)

    def scene(self, region: str, frames: int) -> Scene:
        """What metrics learn of the pair; both sounds start at the common clock's first moment."""
        return Scene(self.pred.path, self.truth.path if self.truth else None, self.fps, frames, region,
                     self._heard(self.pred, self.lag), self._heard(self.truth, -self.lag) if self.truth else None,
                     self.facts)

    def _heard(self, clip: Clip, lag: int) -> np.ndarray | None:
        if clip.sound is None:
            return None
        return clip.sound[round(max(lag, 0) / self.fps * SPEECH_RATE):]


def pair_up(pred: Path, truth: Path | None = None, offset: float | None = None) -> Pair:
    """Read what both files hold and how they fit together; ``offset`` in seconds, None: estimated.

    Raises `NotFound`, `BadVideo` and, where the two have no moment in common,
    `InvalidRequest`.
    """
    warnings: list[str] = []
    first = _clip(pred, warnings)
    second = _clip(truth, warnings) if truth else None
    leader = second or first
    fps = _rate(leader.info)
    fit = _fit(first.info, (second or first).info)
    lag, told = _lag(first, second, fps, fit, offset, warnings)
    frames = _common(first, second, fps, lag)
    facts = {"pred": first.facts(), "truth": second.facts() if second else None, "fps": fps,
             "clock": "truth" if second else "pred", "offset": told, "size": list(fit.size),
             "resampled": {"pred": _resampled(first.info, fps), "truth": bool(second) and _resampled(leader.info, fps)},
             **(_fitted(fit, second.info, warnings) if second else {})}
    return Pair(first, second, fps, lag, frames, fit, facts, warnings)


def _clip(path: Path, warnings: list[str]) -> Clip:
    path = Path(path)
    try:
        info = probe(path, "video")
    except BadMedia as exc:
        if exc.code != "media.broken_off":
            raise
        warnings.append(f"{exc.message} What there is of it is measured.")
        info = probe(path, "video", whole=False)
    try:
        sound = read_sound(path, limit=info.seconds + _LONGER) if info.has_sound else None
    except BadAudio as exc:
        warnings.append(exc.message)
        sound = None
    return Clip(path, info, sound if sound is not None and len(sound) else None)


def _rate(info: MediaInfo) -> float:
    """Frames per second, the exact one of a known rate where the file's average is as good as that."""
    rate = info.fps or 25.0
    near = min(_RATES, key=lambda known: abs(known - rate))
    return float(near if abs(near - rate) < 0.002 * near else rate)


def _resampled(info: MediaInfo, fps: float) -> bool:
    return info.variable_rate or abs(_rate(info) - fps) > 1e-9


def _fit(pred: MediaInfo, truth: MediaInfo) -> Fit:
    size = (pred.width, pred.height)
    aspect, own = pred.width / pred.height, truth.width / truth.height
    if abs(math.log(own / aspect)) < _ONE_SHAPE:
        return Fit(None, size)
    width = min(truth.width, max(1, round(truth.height * aspect)))
    height = min(truth.height, max(1, round(truth.width / aspect)))
    return Fit(((truth.width - width) // 2, (truth.height - height) // 2, width, height), size)


def _fitted(fit: Fit, truth: MediaInfo, warnings: list[str]) -> dict[str, Any]:
    width, height = fit.crop[2:] if fit.crop else (truth.width, truth.height)
    if fit.crop:
        warnings.append(f"The pictures differ in shape: of the ground truth's {truth.width}×{truth.height} pixels the "
                        f"middle {width}×{height} are compared.")
    return {"truth_cropped": list(fit.crop) if fit.crop else None,
            "truth_scaled": None if (width, height) == fit.size else [fit.size[0] / width, fit.size[1] / height]}


def _lag(pred: Clip, truth: Clip | None, fps: float, fit: Fit, given: float | None,
         warnings: list[str]) -> tuple[int, dict[str, Any]]:
    """The lag in frames, and what the facts say of it."""
    if truth is None:
        return 0, {"frames": 0, "seconds": 0.0, "source": "none"}
    if given is not None:
        frames = round(given * fps)
        return frames, {"frames": frames, "seconds": frames / fps, "asked": given, "source": "given"}
    lag = _estimated(pred, truth, fps, fit, warnings)
    frames = round(lag.seconds * fps)
    told: dict[str, Any] = {"frames": frames, "seconds": frames / fps, "estimated": lag.seconds, "found": lag.found,
                            "source": lag.source, "confidence": max(0.0, lag.correlation), "lead": lag.lead}
    return frames, {**told, "note": lag.note} if lag.note else told


def _estimated(pred: Clip, truth: Clip, fps: float, fit: Fit, warnings: list[str]) -> Lag:
    heard = None
    if pred.sound is not None and truth.sound is not None:
        most = round(_HEARD * SPEECH_RATE)
        heard = sound_lag(pred.sound[:most], truth.sound[:most])
        if heard.found and abs(heard.seconds) < 0.5 / fps:
            return heard
    seen = picture_lag(_small(pred, fps, None), _small(truth, fps, fit), fps)
    if heard is None or not heard.found:
        return seen
    if seen.found and abs(seen.seconds - heard.seconds) > 1.5 / fps:
        # figures compare pictures, so these decide
        warnings.append(f"The clip's sound lies {heard.seconds * 1000:.0f} ms behind the ground truth's, its picture "
                        f"{seen.seconds * 1000:.0f} ms; the pictures were brought together.")
        return seen
    return heard


def _small(clip: Clip, fps: float, fit: Fit | None) -> np.ndarray:
    """Thumbnails of the beginning; the ground truth's of the part that is compared."""
    frames = read_video(clip.path, fps, 96, limit=_SEARCHED)
    if fit is None or fit.crop is None:
        return thumbnails(frames)
    left, top, width, height = (side / max(clip.info.width, clip.info.height) * 96 for side in fit.crop)
    return thumbnails(frame[round(top):math.ceil(top + height), round(left):math.ceil(left + width)]
                      for frame in frames)


def _common(pred: Clip, truth: Clip | None, fps: float, lag: int) -> int:
    frames = max(1, round(pred.info.seconds * fps)) - max(lag, 0)
    if truth:
        frames = min(frames, max(1, round(truth.info.seconds * fps)) - max(-lag, 0))
    if frames < 1:
        raise InvalidRequest("The clip and the ground truth have no moment in common at an offset of {seconds} s.",
                             code="evaluation.nothing_in_common", seconds=round(lag / fps, 3),
                             hint="Choose another offset, or 0.")
    return frames
