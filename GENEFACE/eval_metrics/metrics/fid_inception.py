"""The Inception v3 network of 2015 that FID is defined by, under the names of its published PyTorch weights.

C. Szegedy et al., *Rethinking the Inception architecture for computer vision*, CVPR 2016.  Three things are
its own, because TensorFlow's graph of 2015 has them so: averages leave padding out, the last block takes
a maximum where the paper takes an average, and there are 1008 classes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 299
"""Pixels each way of the pictures it was trained with."""
FEATURES = 2048
"""Length of the vector after the last pooling."""


class Unit(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, entering: int, leaving: int, kernel: int | tuple[int, int] = 1, stride: int = 1,
                 padding: int | tuple[int, int] = 0):
        super().__init__()
        self.conv = nn.Conv2d(entering, leaving, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(leaving, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same with other channels."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def _around(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class Fives(nn.Module):
    """35 x 35: 1x1, 5x5, twice 3x3, average."""

    def __init__(self, entering: int, pooled: int):
        super().__init__()
        self.branch1x1 = Unit(entering, 64)
        self.branch5x5_1 = Unit(entering, 48)
        self.branch5x5_2 = Unit(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Unit(entering, 64)
        self.branch3x3dbl_2 = Unit(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Unit(96, 96, 3, padding=1)
        self.branch_pool = Unit(entering, pooled)

    def forward(self, x: Tensor) -> Tensor:
        """To 224 channels and those of the average."""
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), threes,
                          self.branch_pool(_around(x))], 1)


class Shrink(nn.Module):
    """35 x 35 to 17 x 17."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = Unit(288, 384, 3, stride=2)
        self.branch3x3dbl_1 = Unit(288, 64)
        self.branch3x3dbl_2 = Unit(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Unit(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """To 768 channels."""
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), threes, F.max_pool2d(x, 3, stride=2)], 1)


class Sevens(nn.Module):
    """17 x 17: 1x1, one 7x7 in two steps, two 7x7 in four, average."""

    def __init__(self, width: int):
        super().__init__()
        across, down = {"kernel": (1, 7), "padding": (0, 3)}, {"kernel": (7, 1), "padding": (3, 0)}
        self.branch1x1 = Unit(768, 192)
        self.branch7x7_1 = Unit(768, width)
        self.branch7x7_2 = Unit(width, width, **across)
        self.branch7x7_3 = Unit(width, 192, **down)
        self.branch7x7dbl_1 = Unit(768, width)
        self.branch7x7dbl_2 = Unit(width, width, **down)
        self.branch7x7dbl_3 = Unit(width, width, **across)
        self.branch7x7dbl_4 = Unit(width, width, **down)
        self.branch7x7dbl_5 = Unit(width, 192, **across)
        self.branch_pool = Unit(768, 192)

    def forward(self, x: Tensor) -> Tensor:
        """768 channels again."""
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(_around(x))], 1)


class ShrinkAgain(nn.Module):
    """17 x 17 to 8 x 8."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = Unit(768, 192)
        self.branch3x3_2 = Unit(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Unit(768, 192)
        self.branch7x7x3_2 = Unit(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Unit(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Unit(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """To 1280 channels."""
        sevens = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), sevens, F.max_pool2d(x, 3, stride=2)], 1)


class Spread(nn.Module):
    """8 x 8: 1x1, a 3x3 in two directions, two 3x3 so, and an average or a maximum."""

    def __init__(self, entering: int, maximum: bool):
        super().__init__()
        self.maximum = maximum
        self.branch1x1 = Unit(entering, 320)
        self.branch3x3_1 = Unit(entering, 384)
        self.branch3x3_2a = Unit(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Unit(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Unit(entering, 448)
        self.branch3x3dbl_2 = Unit(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Unit(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Unit(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Unit(entering, 192)

    def forward(self, x: Tensor) -> Tensor:
        """To 2048 channels."""
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, stride=1, padding=1) if self.maximum else _around(x)
        return torch.cat([self.branch1x1(x), self.branch3x3_2a(once), self.branch3x3_2b(once),
                          self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice), self.branch_pool(pooled)], 1)


class Inception(nn.Module):
    """Pictures in, 2048 features out."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Unit(64, 80)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = Fives(192, 32), Fives(256, 64), Fives(288, 64)
        self.Mixed_6a = Shrink()
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d = Sevens(128), Sevens(160), Sevens(160)
        self.Mixed_6e = Sevens(192)
        self.Mixed_7a = ShrinkAgain()
        self.Mixed_7b, self.Mixed_7c = Spread(1280, maximum=False), Spread(2048, maximum=True)
        self.fc = nn.Linear(FEATURES, 1008)  # only so that the published file loads whole

    def forward(self, x: Tensor) -> Tensor:
        """uint8 RGB [N, 3, H, W] of any size to float32 [N, 2048]."""
        x = (resized(x.float(), SIDE) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_3b_1x1(F.max_pool2d(x, 3, stride=2))
        x = F.max_pool2d(self.Conv2d_4a_3x3(x), 3, stride=2)
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))


def resized(x: Tensor, side: int) -> Tensor:
    """[N, C, H, W] to [N, C, side, side], bilinear as TensorFlow 1 does it: pixel k is read at k times the ratio."""
    rows, below, down = _taps(x.shape[2], side, x)
    columns, beside, right = _taps(x.shape[3], side, x)
    x = torch.lerp(x[:, :, rows], x[:, :, below], down[:, None])
    return torch.lerp(x[:, :, :, columns], x[:, :, :, beside], right)


def _taps(length: int, side: int, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    place = torch.arange(side, device=x.device, dtype=x.dtype) * (length / side)
    first = place.long()
    return first, (first + 1).clamp(max=length - 1), place - first
