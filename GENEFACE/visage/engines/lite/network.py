"""The painter: from a face without its mouth, the wanted lips and one real crop with similar lips to the whole mouth.

It bends the real crop to the wanted lips (a flow) and then corrects it (a
residual).  What is bent is a photograph, so teeth stay teeth however short
the training.  Pixels are folded into channels first, because a CPU is fast on
many channels at a low resolution and slow on the opposite.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FOLD = 4
"""Side of the square of pixels folded into channels; a crop's side is a multiple of twice this."""
_REACH = 0.1
"""Flow of one unit of the flow head, in half crops."""


class Residual(nn.Module):
    """x + two 3×3 convolutions; starts as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = _zero(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape as ``x``."""
        return x + self.second(F.relu(self.first(F.relu(x))))


class Crisp(nn.Module):
    """What a painter of crops of a side is built on: its last touch."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size
        self.register_buffer("gain", torch.zeros(()))
        soft = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("soft", (soft[:, None] * soft).repeat(3, 1, 1, 1), persistent=False)

    def crisp(self, painted: Tensor) -> Tensor:
        """Crops [B, 3, S, S] with their finest detail raised by the share ``gain``.

        A mean over what is likely is softer than each of it; how much softer is
        measured on frames that were not learnt from and set right here.
        """
        blurred = F.conv2d(F.pad(painted, (1, 1, 1, 1), mode="replicate"), self.soft, groups=3)
        return painted + self.gain * (painted - blurred)


class Painter(Crisp):
    """Paints mouths.  About 1.2 M parameters, 0.35 G multiplications per 112² crop."""

    def __init__(self, size: int = 112, channels: int = 48, deep: int = 128, blocks: int = 3):
        super().__init__(size)
        fold = FOLD * FOLD
        self.stem = nn.Conv2d(10 * fold, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, deep, 3, stride=2, padding=1)
        self.middle = nn.Sequential(*[Residual(deep) for _ in range(blocks)])
        self.up = nn.Conv2d(deep, 4 * channels, 1)
        self.join = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), Residual(channels))
        self.flow = _zero(nn.Conv2d(channels, 2, 3, padding=1))
        self.refine = nn.Conv2d(channels + 3 * fold, channels, 3, padding=1)
        self.out = _zero(nn.Conv2d(channels, 3 * fold, 3, padding=1))
        steps = (torch.arange(size) + 0.5) / size * 2 - 1
        down, right = torch.meshgrid(steps, steps, indexing="ij")
        self.register_buffer("place", torch.stack([right, down], -1)[None], persistent=False)

    def forward(self, face: Tensor, real: Tensor, lips: Tensor, real_lips: Tensor) -> Tensor:
        """Painted crops [B, 3, S, S], 0 to 1 (not clamped).

        face [B, 3, S, S] with its mouth blanked; real [B, 3, S, S] another crop of
        the person; lips, real_lips [B, 2, S, S] the wanted lips and those in ``real``.
        """
        kind = torch.get_autocast_dtype(face.device.type) if torch.is_autocast_enabled(face.device.type) else face.dtype
        x = _fold(torch.cat([face, real, lips, real_lips], 1).to(kind))           # [B, 160, S/4, S/4]
        skip = self.stem(x)                                                       # [B,  48, S/4, S/4]
        deep = self.middle(self.down(F.relu(skip)))                               # [B, 128, S/8, S/8]
        wide = F.pixel_shuffle(self.up(deep), 2)                                  # [B,  48, S/4, S/4]
        joined = self.join(torch.cat([wide, skip], 1))                            # [B,  48, S/4, S/4]
        bend = self.flow(F.relu(joined)).float()                                  # [B,   2, S/4, S/4]
        bend = F.interpolate(bend, scale_factor=FOLD, mode="bilinear", align_corners=False) * _REACH
        bent = F.grid_sample(real.float(), self.place + bend.permute(0, 2, 3, 1), mode="bilinear",
                             padding_mode="border", align_corners=False)          # [B,   3, S, S]
        known = torch.cat([joined, _fold(bent.to(joined.dtype))], 1)
        residual = _unfold(self.out(F.relu(self.refine(known))))                  # [B,   3, S, S]
        painted = bent + residual.float()
        return painted if self.training else self.crisp(painted)


def _fold(planes: Tensor) -> Tensor:
    """[B, C, H, W] to [B, 16 C, H/4, W/4]: as pixel_unshuffle, but colours stay neighbours, which is one quick copy."""
    _, channels, high, wide = planes.shape
    rows = planes.permute(0, 2, 3, 1).reshape(-1, high // FOLD, FOLD, wide // FOLD, FOLD * channels)
    folded = rows.permute(0, 1, 3, 2, 4).reshape(-1, high // FOLD, wide // FOLD, FOLD * FOLD * channels)
    return folded.permute(0, 3, 1, 2)


def _unfold(folded: Tensor) -> Tensor:
    """The way back: [B, 16 C, H, W] to [B, C, 4 H, 4 W]."""
    _, depth, high, wide = folded.shape
    channels = depth // (FOLD * FOLD)
    rows = folded.permute(0, 2, 3, 1).reshape(-1, high, wide, FOLD, FOLD * channels).permute(0, 1, 3, 2, 4)
    return rows.reshape(-1, FOLD * high, FOLD * wide, channels).permute(0, 3, 1, 2)


class PixelPainter(nn.Module):
    """The painter as it is exported: bytes in, bytes out, the blanking done inside."""

    def __init__(self, painter: Crisp, blank: Tensor):
        super().__init__()
        self.painter = painter
        self.register_buffer("keep", (1 - blank)[None, None] / 255)

    def forward(self, face: Tensor, real: Tensor, lips: Tensor, real_lips: Tensor) -> Tensor:
        """Painted crops uint8 [B, S, S, 3] of uint8 crops [B, S, S, 3 or 2], not blanked yet."""
        planes = [part.permute(0, 3, 1, 2).float() for part in (face, real, lips, real_lips)]
        painted = self.painter(planes[0] * self.keep, *(part / 255 for part in planes[1:]))
        return (painted.clamp(0, 1) * 255 + 0.5).permute(0, 2, 3, 1).to(torch.uint8)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
