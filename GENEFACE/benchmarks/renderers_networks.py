"""Painters that the shipped one is compared with; each is called and exported as it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from visage.engines.lite.network import FOLD, Crisp, Painter, Residual


class UNet(Crisp):
    """A U-Net at full resolution that sees the reference crop and paints every pixel itself."""

    def __init__(self, size: int = 112, widths: tuple[int, ...] = (16, 32, 64, 96)):
        super().__init__(size)
        before = (10, *widths[:-1])
        self.down = nn.ModuleList(_pair(low, high) for low, high in zip(before, widths, strict=True))
        self.up = nn.ModuleList(_pair(deep + flat, flat) for deep, flat in zip(widths[:0:-1], widths[-2::-1],
                                                                              strict=True))
        self.out = nn.Conv2d(widths[0], 3, 1)

    def forward(self, face: Tensor, real: Tensor, lips: Tensor, real_lips: Tensor) -> Tensor:
        """As `Painter.forward`."""
        x, kept = torch.cat([face, real, lips, real_lips], 1), []
        for number, layer in enumerate(self.down):
            x = layer(F.max_pool2d(x, 2) if number else x)
            kept.append(x)
        for layer, flat in zip(self.up, kept[-2::-1], strict=True):
            x = layer(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), flat], 1))
        painted = 0.5 + self.out(x).float()
        return painted if self.training else self.crisp(painted)


class Folded(Crisp):
    """Pixels folded into channels, without a reference: face and lips are all it sees."""

    def __init__(self, size: int = 112, channels: int = 64, deep: int = 128, blocks: int = 4):
        super().__init__(size)
        fold = FOLD * FOLD
        self.stem = nn.Conv2d(5 * fold, channels, 3, padding=1)
        self.deep = nn.Conv2d(channels, deep, 3, stride=2, padding=1)
        self.middle = nn.Sequential(*[Residual(deep) for _ in range(blocks)])
        self.up = nn.Conv2d(deep, 4 * channels, 1)
        self.join = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), Residual(channels))
        self.out = nn.Conv2d(channels, 3 * fold, 3, padding=1)

    def forward(self, face: Tensor, real: Tensor, lips: Tensor, real_lips: Tensor) -> Tensor:
        """As `Painter.forward`; the reference is not looked at."""
        skip = self.stem(F.pixel_unshuffle(torch.cat([face, lips], 1), FOLD))
        wide = F.pixel_shuffle(self.up(self.middle(self.deep(F.relu(skip)))), 2)
        joined = self.join(torch.cat([wide, skip], 1))
        # The exporter leaves inputs out that nothing depends on.
        unused = 0 * (real[:1, :1, :1, :1] + real_lips[:1, :1, :1, :1])
        painted = 0.5 + F.pixel_shuffle(self.out(F.relu(joined)), FOLD).float() + unused
        return painted if self.training else self.crisp(painted)


def _pair(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(after, after, 3, padding=1), nn.ReLU())


NETWORKS: dict[str, type[Crisp]] = {"unet": UNet, "folded": Folded, "bend": Painter}
"""By the name they have in the table: the last one ships."""
