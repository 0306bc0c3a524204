"""Cut a sound of any length into pieces that a renderer can hold, in its silences where it has any.

Reads a 16 kHz mono WAV, writes `sound.wav` (the same, ending in a little silence) and `plan.tsv`, one line a piece:
number, first frame, one past its last frame, frames of context before it, frames of context after it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from silence import FPS, RATE, quiet_frames, read_wav, runs, write_wav

BEFORE = 8
"""Frames rendered ahead of a piece and thrown away: upstream's smoothing of landmarks forgets its start by then."""
AFTER = 4
"""Frames rendered past a piece and thrown away: upstream looks two landmarks and three camera poses ahead."""
ENDING = 0.64
"""Seconds of silence appended for the landmark step, which is short of up to four frames at the end of a sound."""


class Piece(NamedTuple):
    """One rendering: frames ``start`` to ``end`` of the whole, with context that is thrown away."""

    start: int
    end: int
    before: int
    after: int


def frame_count(samples: int, rate: int) -> int:
    """Frames of a sound at 25 a second, rounded to the nearest, at least one."""
    return max(1, (2 * FPS * samples + rate) // (2 * rate))


def cut_points(quiet: np.ndarray, longest: int) -> list[int]:
    """Where to cut ``len(quiet)`` frames so that no piece exceeds ``longest``: the borders, first 0, last the count.

    A cut falls into the middle of the silence nearest to an even division, or on the even division where the sound
    never falls silent.
    """
    borders = [0]
    middles = runs(quiet).mean(1).astype(int)
    while len(quiet) - borders[-1] > longest:
        start = borders[-1]
        rest = len(quiet) - start
        even = start + -(-rest // -(-rest // longest))
        near = middles[(middles >= start + max(longest // 2, 1)) & (middles <= start + longest)]
        borders.append(int(near[np.argmin(abs(near - even))]) if len(near) else even)
    return [*borders, len(quiet)]


def pieces(quiet: np.ndarray, longest: int) -> list[Piece]:
    """The renderings, none longer than ``longest`` frames with its context."""
    borders = cut_points(quiet, longest - BEFORE - AFTER if len(quiet) > longest else longest)
    starts, ends = borders[:-1], borders[1:]
    return [Piece(start, ends[number], min(BEFORE, start), min(AFTER, len(quiet) - ends[number]))
            for number, start in enumerate(starts)]


def main() -> None:
    """Write the two files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sound", type=Path, required=True, help="16 kHz mono WAV")
    parser.add_argument("--samples", type=int, required=True, help="samples of the original sound")
    parser.add_argument("--rate", type=int, required=True, help="its samples a second")
    parser.add_argument("--longest", type=float, required=True, help="seconds of the longest piece")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    asked = parser.parse_args()
    sound = read_wav(asked.sound)
    frames = frame_count(asked.samples, asked.rate)
    write_wav(asked.out / "sound.wav", np.concatenate([sound, np.zeros(int(ENDING * RATE), np.float32)]))
    plan = pieces(quiet_frames(sound, frames), int(asked.longest * FPS))
    lines = ["\t".join(map(str, (number, *piece))) for number, piece in enumerate(plan)]
    (asked.out / "plan.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
