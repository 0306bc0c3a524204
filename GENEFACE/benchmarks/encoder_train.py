"""Trains the speech encoder of the built-in engine on the synthetic corpus and writes it as ONNX.

``python -m benchmarks.encoder_train CORPUS --minutes 60`` needs torch; what it
writes (visage/engines/lite/encoder/) needs onnxruntime alone.  The network hears
120 ms ahead and no further, so that it can follow a live voice.  ``--start``
goes on from weights that an earlier run left in its ``--out``.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import nn

from benchmarks.encoder_changes import heard, hidden
from benchmarks.encoder_corpus import NAMES
from benchmarks.encoder_network import Encoder, export
from benchmarks.encoder_sounds import SOUNDS
from visage.engines.lite.mel import RATE
from visage.engines.lite.visemes import VISEMES

ROWS, BEFORE = 220, 120
"""Rows learnt from at once, and rows before them that half of the pieces were levelled by."""
BATCH = 16
RATE_OF_LEARNING = 3e-3
FOLDER = Path(__file__).resolve().parents[1] / "visage" / "engines" / "lite" / "encoder"
_LEAD = 2
"""Rows by which the mouth moves ahead of its sound."""


def corpus(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Rows float16 [N, 40] and classes uint8 [N] of all parts."""
    parts = [np.load(file) for file in sorted(folder.glob("part*.npz"))]
    return np.concatenate([part["rows"] for part in parts]), np.concatenate([part["classes"] for part in parts])


def mouths(classes: np.ndarray) -> np.ndarray:
    """Opening, width, jaw and shut lips float16 [N, 4] that the table of visemes lets one expect, gliding."""
    looks = [VISEMES[look] for look in SOUNDS.values()]
    table = np.array([(look.opening, look.width, look.jaw, look.shut) for look in looks], np.float32)[classes]
    pull = np.array([look.strength for look in looks], np.float32)[classes]
    weight = gaussian_filter1d(pull, 2.0)
    result = np.stack([gaussian_filter1d(table[:, i] * pull, 2.0) / weight for i in range(3)], 1)
    shut = gaussian_filter1d(table[:, 3], 0.7)[:, None]
    return np.roll(np.concatenate([result, shut], 1), -_LEAD, 0).astype(np.float16)


class Pieces:
    """Batches of changed speech."""

    def __init__(self, rows: np.ndarray, classes: np.ndarray, seed: int):
        self._rows, self._classes, self._mouths = rows, classes, mouths(classes)
        self._rng = np.random.default_rng(seed)

    def __call__(self, mask: bool = True) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Levelled rows [B, T, 40], classes [B, T] and mouths [B, T, 4]."""
        whole = BEFORE + ROWS
        begin, other = self._rng.integers(0, len(self._rows) - whole, (2, BATCH, 1))
        at = begin + np.arange(whole)
        company = self._rows[other + np.arange(whole)].astype(np.float32)
        rows = heard(self._rows[at].astype(np.float32), company, self._rng)
        # Half of the pieces begin where the voice is heard for the first time, half where its level is known.
        first = np.where(self._rng.random(BATCH) < 0.5, 0, BEFORE)[:, None] + np.arange(ROWS)
        rows = np.take_along_axis(rows, first[:, :, None], 1)
        at = np.take_along_axis(at, first, 1)
        rows = hidden(rows, self._rng) if mask else rows
        return (torch.from_numpy(rows), torch.from_numpy(self._classes[at].astype(np.int64)),
                torch.from_numpy(self._mouths[at].astype(np.float32)))


def losses(network: Encoder, rows: torch.Tensor, known: torch.Tensor, mouth: torch.Tensor) -> torch.Tensor:
    """Cross entropy of sounds with label smoothing, and squared error of mouths; shut lips count double."""
    with torch.autocast("cpu", torch.bfloat16):
        sounds, shapes = network.sounds(rows)
    told = torch.log_softmax(sounds.float(), -1)
    weight = torch.where((known >= 1) & (known <= 3), 2.0, 1.0)
    right = -told.gather(-1, known[..., None])[..., 0]
    cross = (weight * (0.92 * right - 0.08 * told.mean(-1))).mean()
    away = (shapes.float() - mouth) ** 2
    return cross + 4.0 * away.mean()


def train(folder: Path, minutes: float, seed: int, start: Path | None) -> tuple[Encoder, dict[str, float]]:
    """An encoder trained for ``minutes`` of wall time, averaged over its last steps, tried on 3 % left out."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rows, classes = corpus(folder)
    print(f"{len(rows) / RATE / 60:.0f} minutes of speech", flush=True)
    kept = int(len(rows) * 0.97)
    network = Encoder(len(NAMES))
    if start:
        network.load_state_dict(torch.load(start, weights_only=True))
    average = copy.deepcopy(network)
    pieces = Pieces(rows[:kept], classes[:kept], seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE_OF_LEARNING, weight_decay=0.01)
    began, step, running = time.monotonic(), 0, 0.0
    while (done := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE_OF_LEARNING * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done))
        loss = losses(network, *pieces())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        _follow(average, network, min(0.995, (1 + step) / (10 + step)))
        running = 0.98 * running + 0.02 * float(loss.detach()) if step else float(loss.detach())
        step += 1
        if step % 100 == 0:
            print(f"{done:6.1%} step {step} loss {running:.3f} cpu {time.process_time():.0f}", flush=True)
    facts = {"steps": step, "loss": running, "cpu_minutes": time.process_time() / 60}
    return average.eval(), facts | tried(average, rows[kept:], classes[kept:])


def _follow(average: Encoder, network: Encoder, keep: float) -> None:
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)


def tried(network: Encoder, rows: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """On changed speech left out of training: visemes and sounds right, recall and precision of shut lips."""
    pieces = Pieces(rows, classes, 1)
    looks = list(SOUNDS.values())
    look_of = torch.tensor([list(VISEMES).index(look) for look in looks])
    lips = list(VISEMES).index("lips")
    right, fine, counts = [], [], np.zeros(3)
    with torch.no_grad():
        for _ in range(20):
            heard_rows, known, _ = pieces(mask=False)
            told = network.eval().sounds(heard_rows)[0].argmax(-1)
            fine.append((told == known).float().mean().item())
            told_look, known_look = network(heard_rows)[1].argmax(-1), look_of[known]
            right.append((told_look == known_look).float().mean().item())
            counts += [((told_look == lips) & (known_look == lips)).sum(), (told_look == lips).sum(),
                       (known_look == lips).sum()]
    return {"accuracy": float(np.mean(right)), "accuracy_sounds": float(np.mean(fine)),
            "lips_recall": float(counts[0] / counts[2]), "lips_precision": float(counts[0] / counts[1])}


def main() -> None:
    """Reads the command line, trains and exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    network, facts = train(given.corpus, given.minutes, given.seed, given.start)
    given.out.mkdir(parents=True, exist_ok=True)
    if given.out != FOLDER:
        torch.save(network.state_dict(), given.out / "weights.pt")
    print(export(network, facts, given.out), facts)


if __name__ == "__main__":
    main()
