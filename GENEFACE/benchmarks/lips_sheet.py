"""What the lips of an avatar look like beside the person's own: ``python -m benchmarks.lips_sheet CLIP AVATAR FOLDER``.

Writes ``STEM.png``, a sheet of moments (widest open, shut, silent, and in
between) with the generated, the real and the difference picture of each, and
``STEM.mp4``, generated beside real with the sound.  The avatar says the
clip's own sound, painted into the clip's own pictures.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks import figures
from visage.engines.lite.framing import Framing, frame_track, framed_track
from visage.engines.lite.material import measure_scene
from visage.engines.lite.mouth import opening
from visage.engines.lite.offset import estimate_offset, shift_sound
from visage.engines.lite.package import Package
from visage.engines.lite.rendering import move
from visage.engines.lite.silence import speech_mask
from visage.engines.lite.speaking import Speaker
from visage.engines.lite.training import LARGEST
from visage.faces import open_faces
from visage.faces.align import mouth_crops
from visage.faces.track import Track, track_video
from visage.media.audio import read_sound
from visage.media.encoder import ClipWriter
from visage.media.frames import read_video
from visage.types import FPS, SPEECH_RATE

_EACH = 3
"""Moments of each kind on a sheet."""
_SIDE = 192
_RATE = 44_100
_LEFT = 84


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A clip and what the avatar makes of its sound, frame by frame."""

    real: list[np.ndarray]
    """uint8 RGB [H, W, 3] each."""
    made: list[np.ndarray]
    """uint8 RGB [H, W, 3] each."""
    track: Track
    """Of the real frames."""
    gaps: np.ndarray
    """float [N]: true opening of the lips, in eye distances."""
    speaking: np.ndarray
    """bool [N]: whether somebody is heard."""
    shift: float
    """Seconds that the picture is later than the sound."""


class Given:
    """Frames in memory, as `Speaker` wants them."""

    def __init__(self, frames: list[np.ndarray]):
        self._frames = frames

    def __getitem__(self, number: int) -> np.ndarray:
        return self._frames[number].copy()

    def close(self) -> None:
        """Nothing is held open."""


def generate(clip: Path, avatar: Path, start: float = 0.0, seconds: float = 20.0, *, true_lips: bool = False) -> Pair:
    """Let the avatar say a stretch of the clip into that stretch's own pictures.

    ``true_lips``: with the lips that were seen instead of those told from the sound.
    """
    package = Package(avatar)
    finder = open_faces()
    try:
        track = track_video(read_video(clip, FPS, size=LARGEST), finder)
    finally:
        finder.close()
    framing = _fitting(frame_track(track), package)
    framed = framed_track(track, framing)
    scene, shapes = measure_scene(framed, size=package.read_scene().squares.size)
    basis = package.read_basis()
    seen = basis.encode(shapes)
    sound = read_sound(clip, SPEECH_RATE)
    offset = estimate_offset(sound, seen)
    heard = shift_sound(sound, offset)
    told = seen if true_lips else move(package, basis, heard)
    first, last = round(start * FPS), min(round((start + seconds) * FPS), len(track), len(told))
    chosen = np.arange(first, last)
    real = [framing.apply(frame) for number, frame in enumerate(read_video(clip, FPS, size=LARGEST))
            if first <= number < last]
    chosen = chosen[:len(real)]
    speaker = Speaker(package, scene=scene.at(chosen), pictures=Given(real))
    # The speaker's to and fro begins forwards: as many frames as there are pictures never turn round.
    made = list(speaker.frames(told[chosen]))
    heard_in = speech_mask(heard).reshape(-1, 2).any(1)
    speaking = np.pad(heard_in, (0, max(0, last - len(heard_in))))[chosen]
    part = Track(framed.points[chosen], framed.found[chosen], framed.count[chosen], framed.second[chosen],
                 framed.change[chosen], framed.sharpness[chosen], framed.width, framed.height)
    return Pair(real, made, part, opening(shapes[chosen]), speaking, offset.seconds)


def moments(pair: Pair) -> dict[str, np.ndarray]:
    """Frame numbers to look at, by what is to be seen there."""
    gaps, away = pair.gaps, round(0.4 * FPS)
    count = len(gaps)
    quiet = np.flatnonzero(~pair.speaking)
    talking = pair.speaking if pair.speaking.any() else np.ones(count, bool)
    shut = np.where(talking, gaps, np.inf)
    evenly = np.linspace(0, count - 1, _EACH + 2).astype(int)[1:-1]
    found = {"wide": _extremes(gaps, away), "shut": _extremes(-shut, away),
             "silent": quiet[np.linspace(0, len(quiet) - 1, _EACH).astype(int)] if len(quiet) else np.zeros(0, int),
             "any": evenly}
    return {name: np.sort(numbers) for name, numbers in found.items() if len(numbers)}


def write_sheet(pair: Pair, out: Path) -> Path:
    """The sheet as PNG: a column a moment, the mouth crop of `quality` generated, real, and their difference × 4."""
    crops = mouth_crops(pair.track.points, figures.CROP)
    columns = []
    for name, numbers in moments(pair).items():
        for number in numbers:
            made, real = (crops.cut(frames[number], int(number)) for frames in (pair.made, pair.real))
            apart = np.clip(128 + 4 * (made.astype(np.int16) - real), 0, 255).astype(np.uint8)
            pictures = [cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC) for part in (made, real, apart)]
            columns.append(np.vstack([_label(f"{name} {number / FPS:.2f} s", _SIDE), *pictures]))
    names = [np.full((24, _LEFT, 3), 255, np.uint8)]
    names += [cv2.putText(np.full((_SIDE, _LEFT, 3), 255, np.uint8), text, (6, _SIDE // 2), cv2.FONT_HERSHEY_SIMPLEX,
                          0.42, (0, 0, 0), 1, cv2.LINE_AA) for text in ("generated", "real", "difference")]
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), np.hstack([np.vstack(names), *columns])[..., ::-1])
    return out


def write_beside(pair: Pair, clip: Path, out: Path, start: float = 0.0) -> Path:
    """Generated (left) beside real (right) as MP4, with the clip's sound as it belongs to the lips."""
    height, width = pair.real[0].shape[:2]
    sound = read_sound(clip, _RATE)
    lead = round((start - pair.shift) * _RATE)
    sound = sound[lead:] if lead >= 0 else np.concatenate([np.zeros(-lead, sound.dtype), sound])
    out.parent.mkdir(parents=True, exist_ok=True)
    writer = ClipWriter(out, 2 * width, height, FPS, _RATE)
    try:
        writer.write_sound(sound[:len(pair.made) * _RATE // FPS])
        for made, real in zip(pair.made, pair.real, strict=True):
            writer.write(np.hstack([made, real]))
    except BaseException:
        writer.abort()
        raise
    writer.close()
    return out


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, help="a recording of the avatar's person")
    parser.add_argument("avatar", type=Path, help="folder of an avatar package of the built-in engine")
    parser.add_argument("folder", type=Path, help="where the sheet and the video go")
    parser.add_argument("--start", type=float, default=0.0, help="second of the clip to begin at")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (default %(default)s)")
    parser.add_argument("--true-lips", action="store_true", help="paint the lips that were seen, not those told")
    given = parser.parse_args(arguments)
    pair = generate(given.clip, given.avatar, given.start, given.seconds, true_lips=given.true_lips)
    print(write_sheet(pair, given.folder / f"{given.clip.stem}.png"))
    print(write_beside(pair, given.clip, given.folder / f"{given.clip.stem}.mp4", given.start))
    return 0


def _fitting(framing: Framing, package: Package) -> Framing:
    """The framing with the pictures' size of the avatar's own footage, as far as the clip has the pixels."""
    frame = next(iter(read_video(package.footage, FPS)))
    size = min(framing.side, frame.shape[0])
    return Framing(framing.left, framing.top, framing.side, size - size % 2)


def _extremes(values: np.ndarray, away: int) -> np.ndarray:
    """Places of the largest finite values, at least ``away`` apart."""
    found: list[int] = []
    for place in np.argsort(-values):
        if len(found) == _EACH or not np.isfinite(values[place]):
            break
        if all(abs(int(place) - other) >= away for other in found):
            found.append(int(place))
    return np.array(found, int)


def _label(text: str, width: int) -> np.ndarray:
    strip = np.full((24, width, 3), 255, np.uint8)
    return cv2.putText(strip, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)


if __name__ == "__main__":
    sys.exit(main())
