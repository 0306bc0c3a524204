"""Whether frames with a covered mouth, and fast turns, are found: ``python -m benchmarks.lips_coverage VIDEO …``.

Hands, microphones and cards are painted into clips that have none, and the
head is turned by bending the picture; what is painted is tracked again.  The
last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from visage.engines.lite.coverage import covered, small_pictures, turned
from visage.faces import open_faces
from visage.faces.track import Track
from visage.media.frames import read_video
from visage.types import FPS

KINDS = ("hand", "microphone", "card", "turn")
_LASTS = 30
"""Frames that a thing stays, with its coming and going."""


def occlude(frame: np.ndarray, points: np.ndarray, kind: str, place: float, rng: np.random.Generator) -> np.ndarray:
    """The frame with a thing in front of the mouth; ``place`` 0 to 1 is how far it has come, 0.5 in the middle."""
    eye = float(np.linalg.norm(points[33, :2] - points[263, :2]))
    mouth = points[[13, 14], :2].mean(0)
    come = min(1.0, 3.2 * min(place, 1 - place))
    middle = mouth + np.array([0.1, 1.7 * (1 - come)]) * eye
    mask = np.zeros(frame.shape[:2], np.uint8)
    unit = eye / 8
    if kind == "hand":
        for finger in range(4):
            x = middle[0] + (finger - 1.5) * 2.1 * unit
            ends = [(x + 0.6 * unit, middle[1] - 3.4 * unit + abs(finger - 1.5) * unit), (x, middle[1] + 5 * unit)]
            cv2.line(mask, *[tuple(int(v) for v in end) for end in ends], 255, max(2, int(1.9 * unit)), cv2.LINE_AA)
        cv2.ellipse(mask, (int(middle[0]), int(middle[1] + 6 * unit)), (int(4.6 * unit), int(4 * unit)), 0, 0, 360,
                    255, -1, cv2.LINE_AA)
        colour = _skin(frame, points, eye)
    elif kind == "microphone":
        cv2.circle(mask, (int(middle[0]), int(middle[1] + unit)), int(3.2 * unit), 255, -1, cv2.LINE_AA)
        cv2.line(mask, (int(middle[0]), int(middle[1] + unit)), (int(middle[0] + unit), int(middle[1] + 14 * unit)),
                 255, max(2, int(2 * unit)), cv2.LINE_AA)
        colour = np.full(frame.shape, 38, np.float32)
        colour[::3] += 25
    else:
        half = (int(4.5 * unit), int(3.2 * unit))
        cv2.rectangle(mask, (int(middle[0]) - half[0], int(middle[1]) - half[1]),
                      (int(middle[0]) + half[0], int(middle[1]) + half[1]), 255, -1)
        colour = np.full(frame.shape, 205, np.float32)
        colour[::7] -= 60
    shade = cv2.GaussianBlur(mask, (0, 0), max(1.0, unit)).astype(np.float32) / 255
    thing = colour * (0.55 + 0.45 * shade[..., None]) + rng.normal(0, 3, frame.shape)
    share = cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32)[..., None] / 255
    return np.clip(frame * (1 - share) + thing * share, 0, 255).astype(np.uint8)


def turn(frame: np.ndarray, points: np.ndarray, degrees: float) -> np.ndarray:
    """The frame with the head turned, as if it were a cylinder with the ears on its edges."""
    left, right = points[:, 0].min(), points[:, 0].max()
    middle, radius = (left + right) / 2, 0.75 * (right - left)
    columns = np.arange(frame.shape[1], dtype=np.float32)
    away = np.clip((columns - middle) / radius, -0.999, 0.999)
    moved = middle + radius * np.sin(np.clip(np.arcsin(away) + np.radians(degrees), -1.5, 1.5))
    near = np.clip(1.4 - np.abs(columns - middle) / radius, 0, 0.4) / 0.4
    across = (columns + near * (moved - columns)).astype(np.float32)
    rows = np.repeat(np.arange(frame.shape[0], dtype=np.float32)[:, None], frame.shape[1], 1)
    return cv2.remap(frame, np.repeat(across[None], len(frame), 0), rows, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)


def spoilt(frames: list[np.ndarray], track: Track, kind: str, seed: int = 0) -> tuple[list[np.ndarray], Track,
                                                                                   np.ndarray]:
    """Frames with two moments spoilt, their track, and which frames truly show it, bool [N]."""
    rng = np.random.default_rng(seed)
    out, truth = list(frames), np.zeros(len(frames), bool)
    points, found = track.points.copy(), track.found.copy()
    finder = open_faces()
    try:
        for begin in (len(frames) // 4, 3 * len(frames) // 5):
            for step in range(min(_LASTS, len(frames) - begin)):
                number, place = begin + step, step / _LASTS
                out[number], truth[number] = _spoil(frames[number], track.points[number], kind, place, rng)
                faces = finder.find(out[number])
                found[number] = bool(faces)
                if faces:
                    points[number] = faces[0].points
    finally:
        finder.close()
    return out, replace(track, points=points, found=found), truth


def _spoil(frame: np.ndarray, points: np.ndarray, kind: str, place: float,
           rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    if kind == "turn":
        degrees = 55 * float(np.sin(np.pi * place))
        return turn(frame, points, degrees), degrees > 38
    made = occlude(frame, points, kind, place, rng)
    mouth = cv2.convexHull(points[[61, 37, 267, 291, 314, 84], :2].astype(np.float32)).astype(np.int32)
    region = cv2.fillConvexPoly(np.zeros(frame.shape[:2], np.uint8), mouth, 1).astype(bool)
    return made, bool((np.abs(made.astype(int) - frame)[region].max(-1) > 12).mean() > 0.3)


def _skin(frame: np.ndarray, points: np.ndarray, eye: float) -> np.ndarray:
    """The cheek's own texture, all over the picture: what a hand looks like most."""
    reach = max(3, int(eye / 8))
    x, y = (int(v) for v in points[[205, 425]][0, :2])
    patch = frame[max(0, y - reach):y + reach, max(0, x - reach):x + reach]
    tiled = np.tile(np.vstack([np.hstack([patch, patch[:, ::-1]]), np.hstack([patch[::-1], patch[::-1, ::-1]])]),
                    (frame.shape[0] // (2 * len(patch)) + 1, frame.shape[1] // (2 * patch.shape[1]) + 1, 1))
    return tiled[:frame.shape[0], :frame.shape[1]].astype(np.float32) * 0.95


def read(file: Path, tracks: Path, most: int = 250) -> tuple[list[np.ndarray], Track]:
    """The first frames of a clip and its track, as tracked before."""
    points = np.load(tracks / f"{file.stem}.points.npy")[:most]
    frames = [frame for frame, _ in zip(read_video(file, FPS), points, strict=False)]
    count = len(frames)
    blank = np.zeros(count, np.float32)
    return frames, Track(points[:count], np.ones(count, bool), np.ones(count, np.uint8), blank, blank,
                         np.full(count, 50, np.float32), frames[0].shape[1], frames[0].shape[0])


def measure(file: Path, tracks: Path, kinds: tuple[str, ...] = KINDS) -> dict[str, dict[str, float]]:
    """Recall and precision by kind, and the share of clean frames that are refused."""
    frames, track = read(file, tracks)
    clean = covered(small_pictures(frames, track), track.found) | turned(track)
    result = {"clean": {"refused": round(float(clean.mean()), 4)}}
    for kind in kinds:
        made, again, truth = spoilt(frames, track, kind)
        lost = ~again.found
        found = lost | (turned(again) | covered(small_pictures(made, again), again.found))
        near = np.convolve(truth, np.ones(15), "same") > 0  # coming, going and the margin are no mistake
        result[kind] = {"recall": round(float(found[truth].mean()), 3) if truth.any() else float("nan"),
                        "precision": round(float(near[found].mean()), 3) if found.any() else float("nan"),
                        "frames": int(truth.sum()), "face_lost": int(lost.sum())}
    return result


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--tracks", type=Path, required=True, help="folder of STEM.points.npy, the tracked meshes")
    given = parser.parse_args(arguments)
    found = {}
    for file in given.videos:
        found[file.stem] = measure(file, given.tracks)
        print(file.stem, json.dumps(found[file.stem]), file=sys.stderr, flush=True)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
