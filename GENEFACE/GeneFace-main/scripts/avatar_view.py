"""What the renderer reads of an avatar: the whole, made small once, and the view of it that one piece needs.

Upstream takes the pose of frame ``i`` from sample ``i`` of the training video and fails past its end.  A view is a
dataset in upstream's own format whose samples are already in the order wanted: forth and back through the video.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from close_mouth import closed_lips
from silence import FPS, RATE, read_wav, write_wav

HEAD = ("H", "W", "focal", "cx", "cy", "bg_img", "idexp_lm3d_mean", "idexp_lm3d_std")
"""What upstream reads of a dataset besides its samples."""
UNREAD = ("deepspeech_win", "deepspeech_wins", "esperanto_win", "esperanto_wins", "idexp_lm3d_normalized_wins")
"""What a sample carries for other models: nineteen parts of twenty of its size."""


def ping_pong(frame: int, count: int) -> int:
    """The sample for a frame of the whole video: 0 … count-1 … 0 … without end, the turning points once each."""
    if count == 1:
        return 0
    place = frame % (2 * count - 2)
    return min(place, 2 * count - 2 - place)


def slim(dataset: dict[str, Any]) -> dict[str, Any]:
    """The part of a dataset that rendering needs, samples in the order of time, and the person's closed lips."""
    samples = sorted([*dataset["train_samples"], *dataset["val_samples"]], key=lambda sample: int(sample["idx"]))
    small = [{key: value for key, value in sample.items() if key not in UNREAD} for sample in samples]
    landmarks = np.stack([np.asarray(sample["idexp_lm3d"], np.float64).reshape(68, 3) for sample in samples])
    return {**{key: dataset[key] for key in HEAD}, "samples": small, "closed_lips": closed_lips(landmarks)}


def view(avatar: dict[str, Any], first: int, last: int) -> dict[str, Any]:
    """The dataset for frames ``first`` to ``last`` (exclusive) of the whole video; never fewer than two samples.

    Upstream opens both halves of a dataset by themselves, so neither may be empty.
    """
    frames = range(first, max(last, first + 2))
    samples = [avatar["samples"][ping_pong(frame, len(avatar["samples"]))] for frame in frames]
    return {**{key: avatar[key] for key in HEAD}, "train_samples": samples[:-1], "val_samples": samples[-1:]}


def save(file: Path, content: Any) -> None:
    """Write a NumPy file, complete or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part.npy")
    np.save(part, content, allow_pickle=True)
    part.replace(file)


def cut(asked: argparse.Namespace) -> None:
    """Write what the renderer reads for one piece: dataset, landmarks and sound."""
    avatar = np.load(asked.avatar, allow_pickle=True).item()
    save(asked.out / asked.id / "trainval_dataset.npy", view(avatar, asked.first, asked.last))
    save(asked.out / "landmarks.npy", np.load(asked.landmarks)[:, asked.first:asked.last])
    samples = RATE // FPS
    write_wav(asked.out / "sound.wav", read_wav(asked.sound)[asked.first * samples:asked.last * samples])


def main() -> None:
    """`slim` the dataset of an avatar, or `cut` a piece's view out of that."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("slim", "cut"):
        command = verbs.add_parser(verb)
        command.add_argument("--out", type=Path, required=True)
        if verb == "slim":
            command.add_argument("--dataset", type=Path, required=True, help="trainval_dataset.npy")
            continue
        command.add_argument("--avatar", type=Path, required=True, help="what slim wrote")
        command.add_argument("--landmarks", type=Path, required=True, help="[1, frames, 204] of the whole")
        command.add_argument("--sound", type=Path, required=True, help="16 kHz mono WAV of the whole")
        command.add_argument("--id", required=True, help="the avatar")
        command.add_argument("--first", type=int, required=True, help="first frame, context included")
        command.add_argument("--last", type=int, required=True, help="one past the last")
    asked = parser.parse_args()
    if asked.verb == "cut":
        cut(asked)
    else:
        save(asked.out, slim(np.load(asked.dataset, allow_pickle=True).item()))


if __name__ == "__main__":
    main()
