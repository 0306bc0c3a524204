"""Trains the speech encoder of the built-in engine on the synthetic corpus and writes it as ONNX.

``python -m benchmarks.encoder_train CORPUS.npz --minutes 22`` needs torch; what it
writes (visage/engines/lite/encoder/) needs onnxruntime alone.  The network hears
120 ms ahead and no further, so that it can follow a live voice.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from scipy.signal import lfilter
from torch import nn
from torch.nn import functional

from benchmarks.encoder_corpus import NAMES
from visage.engines.lite.mel import BANDS, RATE

ROWS = 200
BATCH = 16
FOLDER = Path(__file__).resolve().parents[1] / "visage" / "engines" / "lite" / "encoder"
_EDGES = np.linspace(*(2595 * np.log10(1 + np.array([60.0, 7600.0]) / 700)), BANDS + 2)[1:-1]


class Block(nn.Module):
    """A residual convolution over time that hears ``ahead`` rows beyond its own."""

    def __init__(self, channels: int, dilation: int, ahead: int):
        super().__init__()
        self.pad = (2 * dilation - ahead, ahead)
        self.wide = nn.Conv1d(channels, channels, 3, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, heard: torch.Tensor) -> torch.Tensor:
        """[B, C, T] to the same."""
        return heard + self.mix(functional.relu(self.norm(self.wide(functional.pad(heard, self.pad)))))


class Encoder(nn.Module):
    """Levelled log-mel rows [B, T, 40] to features [B, T, 64] and log-probabilities of visemes [B, T, 20]."""

    def __init__(self, channels: int = 160, size: int = 64):
        super().__init__()
        self.front = nn.Conv1d(BANDS, channels, 3)
        plan = ((1, 1), (2, 2), (1, 1), (2, 1), (4, 0), (8, 0), (1, 0), (2, 0))
        self.blocks = nn.Sequential(*(Block(channels, dilation, ahead) for dilation, ahead in plan))
        self.neck = nn.Conv1d(channels, size, 1)
        self.head = nn.Conv1d(size, len(NAMES), 1)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As the class says."""
        heard = functional.relu(self.front(functional.pad(rows.transpose(1, 2), (1, 1))))
        features = torch.tanh(self.neck(self.blocks(heard)))
        return features.transpose(1, 2), torch.log_softmax(self.head(features), 1).transpose(1, 2)


def warped(rows: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Rows [B, T, 40] with the vocal tract made longer or shorter by ``factors`` [B]."""
    result = np.empty_like(rows)
    for index, factor in enumerate(factors):
        hertz = 700 * (10 ** (_EDGES / 2595) - 1) * factor
        at = np.interp(2595 * np.log10(1 + hertz / 700), _EDGES, np.arange(BANDS))
        low = at.astype(int).clip(0, BANDS - 2)
        share = (at - low).astype(np.float32)
        result[index] = rows[index][:, low] * (1 - share) + rows[index][:, low + 1] * share
    return result


def in_rooms(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [B, T, 40] with the tail of a room added to half of them."""
    for index in np.flatnonzero(rng.random(len(rows)) < 0.5):
        decay = 10 ** (-6 / (rng.uniform(0.12, 0.7) * RATE))
        power = np.exp(rows[index])
        tail = lfilter([0, decay], [1, -decay], power, axis=0) * rng.uniform(0.02, 0.35)
        rows[index] = np.log(power + tail)
    return rows


def with_noise(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows [B, T, 40] with another microphone's colour, steady noise 3 to 35 dB below the voice, and cut bands."""
    count = len(rows)
    bands = np.arange(BANDS) / BANDS
    waves = np.cos(np.pi * np.arange(1, 5)[:, None] * bands + rng.uniform(0, 6.28, (count, 4, 1)))
    rows = rows + (rng.normal(0, 0.7, (count, 4, 1)) * waves).sum(1)[:, None].astype(np.float32)
    tilt = np.cos(np.pi * np.arange(1, 4)[:, None] * bands + rng.uniform(0, 6.28, (count, 3, 1)))
    colour = (rng.normal(0, 1.0, (count, 3, 1)) * tilt).sum(1)[:, None]
    below = rng.uniform(3, 35, (count, 1, 1)) * np.log(10) / 10
    level = np.percentile(rows.mean(2), 85, axis=1)[:, None, None] - below + colour
    noise = level + rng.normal(0, 0.3, rows.shape)
    rows = np.logaddexp(rows, noise).astype(np.float32)
    for index in np.flatnonzero(rng.random(count) < 0.2):
        rows[index, :, rng.integers(27, 38):] = rows[index].min()
    return rows


def levelled_batch(rows: np.ndarray) -> np.ndarray:
    """As `mel.levelled`, for short pieces [B, T, 40]."""
    loud = rows.mean(2)
    low, high = np.percentile(loud, [10, 95], axis=1)
    weight = loud > (low + 0.4 * (high - low))[:, None]
    mean = (rows * weight[..., None]).sum(1) / np.maximum(weight.sum(1), 1)[:, None]
    return (np.clip(rows - mean[:, None], -6, 6) / 2).astype(np.float32)


def batch(rows: np.ndarray, classes: np.ndarray, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Changed pieces [B, T, 40] and their classes [B, T]."""
    begin = rng.integers(0, len(rows) - ROWS, BATCH)
    at = begin[:, None] + np.arange(ROWS)
    heard = warped(rows[at].astype(np.float32), rng.uniform(0.84, 1.19, BATCH))
    heard = levelled_batch(with_noise(in_rooms(heard, rng), rng))
    for index in range(BATCH):
        band, row = rng.integers(0, BANDS - 6), rng.integers(0, ROWS - 8)
        heard[index, :, band:band + rng.integers(0, 6)] = 0
        heard[index, row:row + rng.integers(0, 6)] = 0
    return torch.from_numpy(heard), torch.from_numpy(classes[at].astype(np.int64))


def train(corpus: Path, minutes: float, seed: int = 0) -> tuple[Encoder, dict[str, float]]:
    """An encoder trained for ``minutes`` of wall time, and its facts, tried on the last 3 % of the corpus."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    with np.load(corpus) as stored:
        rows, classes = stored["rows"], stored["classes"]
    kept = int(len(rows) * 0.97)
    network = Encoder()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
    started, step, running = time.monotonic(), 0, 0.0
    while (done := (time.monotonic() - started) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done))
        heard, known = batch(rows[:kept], classes[:kept], rng)
        with torch.autocast("cpu", torch.bfloat16):
            told = network(heard)[1].float()
        loss = functional.nll_loss(told.reshape(-1, len(NAMES)), known.reshape(-1)) * 0.9 - told.mean() * 0.1
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        running = 0.98 * running + 0.02 * float(loss.detach()) if step else float(loss.detach())
        step += 1
        if step % 200 == 0:
            print(f"{done:6.1%} step {step} loss {running:.3f}", flush=True)
    return network.eval(), {"steps": step, "loss": running, **_tried(network, rows[kept:], classes[kept:])}


def _tried(network: Encoder, rows: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Accuracy on changed speech left out of training, and the recall of shut lips."""
    rng = np.random.default_rng(1)
    right, shut = [], []
    with torch.no_grad():
        for _ in range(20):
            heard, known = batch(rows, classes, rng)
            told = network.eval()(heard)[1].argmax(-1)
            right.append((told == known).float().mean().item())
            shut.append((told == known)[known == NAMES.index("lips")].float().mean().item())
    return {"accuracy": float(np.mean(right)), "lips_recall": float(np.mean(shut))}


def export(network: Encoder, facts: dict[str, float], folder: Path) -> Path:
    """Writes ``speech.onnx`` and ``speech.json`` (facts, classes, checksum) and returns the first."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "speech.onnx"
    torch.onnx.export(network, (torch.zeros(1, 300, BANDS),), str(file), input_names=["rows"],
                      output_names=["features", "classes"], dynamo=False, opset_version=17,
                      dynamic_axes={"rows": {1: "t"}, "features": {1: "t"}, "classes": {1: "t"}})
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    facts = {name: round(value, 4) for name, value in facts.items()}
    card = {"file": file.name, "sha256": checksum, "classes": list(NAMES), "ahead_ms": 120, **facts}
    (folder / "speech.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--minutes", type=float, default=22)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    trained, known_facts = train(given.corpus, given.minutes)
    print(export(trained, known_facts, given.out), known_facts)
