"""Learning to paint one person's mouth, for a given time, in pieces that survive being killed."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from visage.engines.lite import crops
from visage.engines.lite.crops import grid
from visage.engines.lite.lesson import Lesson, LipMaps, Sampler
from visage.engines.lite.losses import PaintLoss
from visage.engines.lite.network import Crisp, Painter
from visage.engines.lite.quality import likeness
from visage.engines.lite.threads import ThreadChoice

BATCH = 16
_RATE = 2e-3
_GAIN = 0.8
"""Most that the finest detail is raised: beyond it noise is raised, not skin."""
_PLACED = 0.92
"""Share of the detail (`quality.sharpness`) that is left once a crop was placed in its frame: 0.90 to 0.94 measured."""
_CALIBRATED = 48
"""Frames that the gain is measured on."""
_PICTURES = 6
"""Held-out frames on the preview."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to learn."""

    seconds: float
    """Time to spend learning, all attempts together."""
    checkpoint: Path
    """Where the state is kept; taken up again when it is there."""
    preview: Path
    """JPEG with real beside painted frames, renewed with every checkpoint."""
    losses: Path
    """JSON lines ``[step, loss, held-out loss]``."""
    device: str = "cpu"
    """torch's name of the device."""
    every: float = 10.0
    """Seconds between checkpoints."""
    network: Callable[[int], Crisp] = Painter
    """Makes the network for crops of a side; called as `Painter` is."""
    seed: int = 0
    """Of everything drawn."""
    clock: Callable[[], float] = time.monotonic
    """What tells the seconds."""
    threads: int | None = None
    """Threads on a CPU; None: as many as help."""


@dataclass(slots=True)
class Score:
    """How learning goes."""

    step: int = 0
    """Batches learnt from."""
    spent: float = 0.0
    """Seconds learnt, all attempts together."""
    loss: float = 0.0
    """On what is learnt from, averaged over the last checkpoint's time."""
    held_out: float = 0.0
    """On frames that are not learnt from."""
    previews: int = 0
    """Previews written."""


@dataclass(slots=True, eq=False)
class School:
    """The painter, its optimiser and its material."""

    lesson: Lesson
    plan: Plan
    painter: Crisp = field(init=False)
    criterion: PaintLoss = field(init=False)
    optimiser: torch.optim.Optimizer = field(init=False)
    sampler: Sampler = field(init=False)
    score: Score = field(default_factory=Score)
    mask: Tensor = field(init=False)
    lips: LipMaps = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(self.plan.seed)
        size, device = self.lesson.faces.shape[1], self.plan.device
        painted = torch.from_numpy(crops.paint_mask(size)).to(device)
        self.mask = painted[None, None]
        self.lips = LipMaps(self.lesson.contours, size)
        self.painter = self.plan.network(size).to(device, memory_format=torch.channels_last)
        self.criterion = PaintLoss(painted, torch.from_numpy(crops.lips_weight(size)).to(device)).to(device)
        self.optimiser = torch.optim.AdamW(self.painter.parameters(), lr=_RATE, weight_decay=1e-3, betas=(0.9, 0.99),
                                           fused=True)
        if self.plan.checkpoint.is_file():
            self._resume()
        self.sampler = Sampler(self.lesson, self.lesson.neighbours(), BATCH,
                               np.random.default_rng((self.plan.seed, self.score.step)))

    def learn(self, tell: Callable[[Score], None]) -> Score:
        """Learn until the plan's seconds are spent; ``tell`` is called about every two seconds and may raise."""
        begun, before = self.plan.clock(), self.score.spent
        told = saved = begun
        losses: list[float] = []
        step = self._step
        if self.plan.threads:
            torch.set_num_threads(self.plan.threads)
        elif self.plan.device == "cpu":
            step = ThreadChoice(self._step).step
        while self.score.spent < self.plan.seconds or self.score.step < 2:
            losses.append(step())
            now = self.plan.clock()
            self.score.spent = before + now - begun
            if now - told > 2.0 or self.score.step == 1:
                self.score.loss, told = float(np.mean(losses[-40:])), now
                if now - saved > min(self.plan.every, self.plan.seconds / 4) or self.score.step == 1:
                    self.save()
                    saved = self.plan.clock()
                self._note()
                tell(self.score)
        self.score.loss = float(np.mean(losses[-40:])) if losses else self.score.loss
        self._sharpen()
        self.save()
        self._note()
        tell(self.score)
        return self.score

    def save(self) -> None:
        """Measure on held-out frames, renew the preview, store the state; atomic."""
        self._preview()
        # Through memory: torch's own writer tells a full disk as something else.
        state = io.BytesIO()
        torch.save({"painter": self.painter.state_dict(), "optimiser": self.optimiser.state_dict(),
                    "score": [self.score.step, self.score.spent, self.score.loss, self.score.held_out,
                              self.score.previews]}, state)
        part = self.plan.checkpoint.with_suffix(".part")
        part.write_bytes(state.getbuffer())
        part.replace(self.plan.checkpoint)

    def paint(self, frames: np.ndarray, references: np.ndarray) -> tuple[Tensor, Tensor]:
        """Painted and real crops, float [B, 3, S, S], of frames and references given by number; not trained on."""
        self.painter.eval()
        with torch.no_grad():
            real, painted = self._forward(frames, references, augment=False)
        self.painter.train()
        return painted, real

    def judge(self) -> dict[str, float]:
        """How like the person the held-out frames are painted, see `quality.likeness`."""
        frames, references = next(self.sampler.held_out(len(self.lesson)))
        real, made = [], []
        for start in range(0, len(frames), BATCH):
            painted, shown = self.paint(frames[start:start + BATCH], references[start:start + BATCH])
            for kept, part in ((made, painted), (real, shown)):
                kept.append((part.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())
        return likeness(np.concatenate(real), np.concatenate(made))

    def _sharpen(self) -> None:
        """Set the painter's gain so that what was not learnt from is as sharp in the finished frame as it was."""
        gain = self.painter.gain
        gain.zero_()
        for frames, references in self.sampler.held_out(_CALIBRATED):
            painted, real = (part.clamp(0, 1) for part in self.paint(frames, references))
        wanted, low, high = _detail(real) / _PLACED, 0.0, _GAIN
        for _ in range(12):
            gain.fill_((low + high) / 2)
            sharp = _detail(painted + self.mask * (self.painter.crisp(painted) - painted))
            low, high = (float(gain), high) if sharp < wanted else (low, float(gain))

    def _step(self) -> float:
        part = min(1.0, self.score.spent / max(self.plan.seconds, 1e-6))
        for group in self.optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, (self.score.step + 1) / 50) * (0.51 + 0.49 * math.cos(math.pi * part))
        real, painted = self._forward(*self.sampler.draw(), augment=True)
        loss = self.criterion(painted, real)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.painter.parameters(), 1.0)
        self.optimiser.step()
        self.score.step += 1
        return float(loss.detach())

    def _forward(self, frames: np.ndarray, references: np.ndarray, augment: bool) -> tuple[Tensor, Tensor]:
        real, lips = self._planes(self.lesson.faces, frames), self._planes(self.lips, frames)
        shown, shown_lips = self._planes(self.lesson.faces, references), self._planes(self.lips, references)
        if augment:
            light = 1 + 0.03 * torch.randn(len(real), 3, 1, 1, device=real.device)
            apart = 1 + 0.02 * torch.randn(len(real), 1, 1, 1, device=real.device)
            real, shown = real * light, shown * (light * apart)
        face = real * (self.mask <= 0)
        layout = torch.channels_last
        # Only learning is in short numbers: painted with them, what is shown would have a grain of its own.
        with torch.autocast(self.plan.device.split(":")[0], torch.bfloat16, enabled=augment):
            painted = self.painter(*(part.contiguous(memory_format=layout) for part in (face, shown, lips, shown_lips)))
        return real, real * (1 - self.mask) + painted * self.mask

    def _planes(self, pictures: np.ndarray | LipMaps, numbers: np.ndarray) -> Tensor:
        return torch.from_numpy(pictures[numbers]).to(self.plan.device).permute(0, 3, 1, 2).float() / 255

    def _preview(self) -> None:
        for frames, references in self.sampler.held_out(16):
            painted, real = self.paint(frames, references)
            self.score.held_out = float(self.criterion(painted, real))
        shown = np.linspace(0, len(real) - 1, min(_PICTURES, len(real))).astype(int)
        rows = [torch.cat([picture[n] for n in shown], 2) for picture in (real, painted)]
        sheet = F.interpolate(torch.cat(rows, 1)[None], scale_factor=1.5, mode="bicubic")[0].clamp(0, 1)
        pixels = (sheet * 255).byte().permute(1, 2, 0).cpu().numpy()
        part = self.plan.preview.with_name("." + self.plan.preview.name)
        part.write_bytes(cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
        part.replace(self.plan.preview)
        self.score.previews += 1

    def _note(self) -> None:
        with self.plan.losses.open("a", encoding="utf-8") as out:
            out.write(json.dumps([self.score.step, round(self.score.loss, 5), round(self.score.held_out, 5)]) + "\n")

    def _resume(self) -> None:
        """Go on from the checkpoint; one of another version's network is of no use, and learning begins anew."""
        state = torch.load(self.plan.checkpoint, map_location=self.plan.device, weights_only=True)
        if state["painter"].keys() != self.painter.state_dict().keys():
            return
        self.painter.load_state_dict(state["painter"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.score = Score(*state["score"])
        if self.plan.losses.is_file():
            # What was noted after the checkpoint is learnt again.
            kept = [line for line in self.plan.losses.read_text(encoding="utf-8").splitlines()
                    if line.endswith("]") and json.loads(line)[0] <= self.score.step]
            self.plan.losses.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _detail(crops: Tensor) -> float:
    """Mean variance of the Laplacian of crops [B, 3, S, S], 0 to 1, where the sharpness of a finished frame is told."""
    size = crops.shape[-1]
    right, down = grid(size)
    rows, columns = np.flatnonzero(np.abs(down[:, 0] - 0.09375) < 0.28125), np.flatnonzero(np.abs(right[0]) < 0.375)
    part = crops[..., rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    pixels = (part.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in pixels]
    return float(np.mean([cv2.Laplacian(grey, cv2.CV_32F)[1:-1, 1:-1].var() for grey in greys]))
