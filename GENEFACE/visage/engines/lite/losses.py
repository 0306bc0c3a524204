"""What the painter is told to get right: colours, edges, and as much fine texture as the real picture has."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PaintLoss(nn.Module):
    """L1 (lips weighted) + gradient L1 + difference of local Laplacian energy.

    The first two alone blur what they are unsure of.  The third compares only
    how much fine texture there is round each place, not where exactly, so it
    asks for sharpness without asking for luck.
    """

    def __init__(self, painted: Tensor, lips: Tensor, edges: float = 3.0, texture: float = 0.7):
        """painted, lips: float [S, S], 1 where painted and on the lips."""
        super().__init__()
        self.edges, self.texture = edges, texture
        self.area = painted.numel()
        self.box, self.lips = _box(painted > 0), _box((lips > 0.05) & (painted > 0))
        self.register_buffer("weight", ((painted > 0).float() * (1 + 2 * lips))[self.box][None, None])

    def forward(self, painted: Tensor, real: Tensor) -> Tensor:
        """Scalar loss of painted [B, 3, S, S] against real [B, 3, S, S], 0 to 1, equal where nothing is painted."""
        apart = (painted - real)[..., self.box[0], self.box[1]]
        pixels = 3 * len(real) * self.area
        colour = (apart.abs() * self.weight).sum() / pixels
        across, along = apart[..., 1:] - apart[..., :-1], apart[..., 1:, :] - apart[..., :-1, :]
        edges = (across.abs().sum() + along.abs().sum()) / pixels
        fine = (self._energy(painted) - self._energy(real)).abs().mean()
        return 3 * colour + self.edges * edges + self.texture * fine

    def _energy(self, image: Tensor) -> Tensor:
        """Root mean square of the Laplacian in overlapping windows round the lips."""
        red, green, blue = image[..., self.lips[0], self.lips[1]].unbind(1)
        grey = 0.299 * red + 0.587 * green + 0.114 * blue
        fine = (grey[:, 1:-1, 2:] + grey[:, 1:-1, :-2] + grey[:, 2:, 1:-1] + grey[:, :-2, 1:-1]
                - 4 * grey[:, 1:-1, 1:-1])
        return torch.sqrt(F.avg_pool2d((fine * fine)[:, None], 8, 4) + 1e-5)


def _box(where: Tensor) -> tuple[slice, slice]:
    """Rows and columns that hold all of bool [S, S]."""
    rows, columns = torch.nonzero(where, as_tuple=True)
    return (slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1))
