"""The network of the speech encoder, and how it becomes an ONNX file of at most 4 MB."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from benchmarks.encoder_sounds import SOUNDS
from visage.engines.lite.mel import BANDS
from visage.engines.lite.visemes import VISEMES

_PLAN = ((1, 1), (2, 2), (1, 1), (2, 1), (4, 0), (8, 0), (1, 0), (2, 0))
"""Dilation of every block and rows that it hears ahead: 6 in all with the front's own, 120 ms."""


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

    def __init__(self, sounds: int, channels: int = 160, size: int = 64):
        super().__init__()
        self.front = nn.Conv1d(BANDS, channels, 3)
        self.blocks = nn.Sequential(*(Block(channels, dilation, ahead) for dilation, ahead in _PLAN))
        self.neck = nn.Conv1d(channels, size, 1)
        self.head = nn.Conv1d(size, sounds, 1)
        self.mouth = nn.Conv1d(size, 4, 1)
        looks = torch.zeros(sounds, len(VISEMES))
        looks[range(sounds), [list(VISEMES).index(look) for look in SOUNDS.values()]] = 1
        self.register_buffer("looks", looks)

    def _features(self, rows: torch.Tensor) -> torch.Tensor:
        heard = functional.relu(self.front(functional.pad(rows.transpose(1, 2), (1, 1))))
        return torch.tanh(self.neck(self.blocks(heard)))

    def sounds(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Unnormalised sounds [B, T, S] and mouths [B, T, 4]: what it learns from."""
        features = self._features(rows)
        return self.head(features).transpose(1, 2), self.mouth(features).transpose(1, 2)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As the class says; a look is as likely as all its sounds together."""
        features = self._features(rows)
        chances = torch.softmax(self.head(features).transpose(1, 2), -1) @ self.looks
        return features.transpose(1, 2), torch.log(chances + 1e-7)


def export(network: Encoder, facts: dict[str, float], folder: Path) -> Path:
    """Writes ``speech.onnx`` and ``speech.json`` (facts, classes, checksum) and returns the first."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "speech.onnx"
    torch.onnx.export(network.eval(), (torch.zeros(1, 300, BANDS),), str(file), input_names=["rows"],
                      output_names=["features", "classes"], dynamo=False, opset_version=17,
                      dynamic_axes={"rows": {1: "t"}, "features": {1: "t"}, "classes": {1: "t"}})
    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    facts = {name: round(value, 4) for name, value in facts.items()}
    card = {"file": file.name, "sha256": checksum, "classes": list(VISEMES), "ahead_ms": 120, **facts}
    (folder / "speech.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return file
