"""The pictures and sounds of a conversation's film, one after another, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from backend.conversation_script import Scene, Script
from backend.services import Services
from visage.errors import BadMedia, NotFound, VisageError
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.images import read_image
from visage.media.probe import probe
from visage.tts.loudness import PEAK_DBFS, TARGET_DBFS, speech_loudness
from visage.types import FPS

RATE = 48_000
"""Samples a second of the film's sound."""
_MOST_GAIN = 4.0
"""A question is made at most so many times louder: what is only noise stays quiet."""
_BLEND = 6
"""Frames in which the picture of rest comes in and goes out."""
_FADE = 0.02
"""Seconds in which the sound of an interrupted answer ends."""


class Rest:
    """The avatar at rest: its loop from any frame on, or the one picture there is."""

    def __init__(self, services: Services, script: Script) -> None:
        self._loop, self._still = _resting(services, script)
        self._cycle = probe(self._loop, "video").frames if self._loop else 0
        first = next(self.frames(0, 1))
        self.size = first.shape[1], first.shape[0]
        """Width and height, pixels."""

    def frames(self, first: int, count: int) -> Iterator[np.ndarray]:
        """``count`` frames, the first of them that number of the endless movement."""
        if self._loop is None:
            yield from (self._still for _ in range(count))
            return
        skip = first % self._cycle
        while count > 0:
            for index, frame in enumerate(read_video(self._loop, FPS)):
                if index < skip:
                    continue
                if not count:
                    return
                yield frame
                count -= 1
            skip = 0


def _resting(services: Services, script: Script) -> tuple[Path | None, np.ndarray]:
    """The avatar's loop, else its poster, else the first frame of an answer.  Raises `NotFound` when there is none."""
    nothing = np.zeros((2, 2, 3), np.uint8)
    try:
        folder = services.catalog.folder(services.catalog.get(script.conversation.avatar).id)
        if (folder / "idle.mp4").is_file():
            return folder / "idle.mp4", nothing
        return None, read_image(folder / "poster.jpg")
    except VisageError:
        picture = next((scene.picture for scene in script.scenes if scene.picture), None)
    if picture is None:
        raise NotFound("Neither the avatar {id} nor any of its answers is there any more: there is nothing to show.",
                       code="film.no_picture", hint="Download the transcript.", id=script.conversation.avatar)
    return None, next(read_video(picture, FPS))


def pictures(script: Script, rest: Rest, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Every frame of the film, uint8 RGB of ``size`` (width, height)."""
    last: np.ndarray | None = None
    for number, scene in enumerate(script.scenes):
        if scene.picture is None:
            following = script.scenes[number + 1] if number + 1 < len(script.scenes) else None
            source = _at_rest(scene, following, rest, size, last)
        else:
            source = _exactly(scene, size)
        for frame in source:
            last = frame
            yield frame


def _at_rest(scene: Scene, following: Scene | None, rest: Rest, size: tuple[int, int], last: np.ndarray | None
             ) -> Iterator[np.ndarray]:
    """Rest that ends where the answer begins, and comes in and goes out softly where they do not agree."""
    onward = following.turn.frame if following and following.picture else scene.frames
    after = _fitted(next(read_video(following.picture, FPS)), size) if following and following.picture else None
    for index, raw in enumerate(rest.frames(onward - scene.frames, scene.frames)):
        frame, left = _fitted(raw, size), scene.frames - index
        if last is not None and index < _BLEND:
            frame = _mixed(last, frame, (index + 1) / (_BLEND + 1))
        elif after is not None and left <= _BLEND:
            frame = _mixed(after, frame, left / (_BLEND + 1))
        yield frame


def _exactly(scene: Scene, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """As many frames of a video as the scene has; where it is shorter its last one stays."""
    assert scene.picture is not None
    frame, count = None, 0
    for raw in read_video(scene.picture, FPS, limit=scene.seconds):
        frame = _fitted(raw, size)
        yield frame
        count += 1
    if frame is None:
        raise BadMedia("{name} has no frame.", code="film.no_frame", hint="Try again.", name=scene.picture.name)
    yield from (frame for _ in range(scene.frames - count))


def sound(scene: Scene) -> np.ndarray:
    """The sound of a scene, float32 mono at `RATE`, exactly as long as its pictures."""
    made = np.zeros(scene.frames * RATE // FPS, np.float32)
    if scene.sound is None:
        return made
    try:
        heard = read_sound(scene.sound, RATE, limit=scene.seconds)
    except BadMedia:
        if scene.picture is None:
            raise
        return made  # a clip without sound
    if not scene.answers:
        heard = levelled(heard)
    at = scene.lead * RATE // FPS
    part = heard[:len(made) - at]
    made[at:at + len(part)] = part
    if scene.answers and scene.turn.heard < 1:
        fade = round(_FADE * RATE)
        made[-fade:] *= np.linspace(1, 0, len(made[-fade:]), dtype=np.float32)
    return made


def levelled(samples: np.ndarray) -> np.ndarray:
    """A recorded question about as loud as the avatar's voice."""
    now = speech_loudness(samples, RATE)
    if not np.isfinite(now):
        return samples
    peak = max(1e-6, float(np.abs(samples).max()))
    return samples * np.float32(min(10 ** ((TARGET_DBFS - now) / 20), 10 ** (PEAK_DBFS / 20) / peak, _MOST_GAIN))


def _mixed(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """``share`` of the other, the rest of the one."""
    return np.rint(one + (other.astype(np.float32) - one) * share).astype(np.uint8)


def _fitted(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The frame in the film's size, whole and in the middle of black where its shape is another."""
    width, height = size
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inner = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    picture = np.asarray(Image.fromarray(frame).resize(inner, Image.Resampling.BICUBIC))
    if inner == size:
        return picture
    made = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    made[top:top + inner[1], left:left + inner[0]] = picture
    return made
