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
        self.register_buffer("weight", ((painted > 0).float() * (1 + 2 * lips))[None, None])
        self.register_buffer("grey", torch.tensor([0.299, 0.587, 0.114])[None, :, None, None])
        self.register_buffer("ring", torch.tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0.0]])[None, None])
        rows, columns = torch.nonzero(lips > 0.05, as_tuple=True)
        self.box = (slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1))

    def forward(self, painted: Tensor, real: Tensor) -> Tensor:
        """Scalar loss of painted [B, 3, S, S] against real [B, 3, S, S], both 0 to 1."""
        colour = ((painted - real).abs() * self.weight).mean()
        across = ((painted[..., 1:] - painted[..., :-1]) - (real[..., 1:] - real[..., :-1])).abs().mean()
        along = ((painted[..., 1:, :] - painted[..., :-1, :]) - (real[..., 1:, :] - real[..., :-1, :])).abs().mean()
        fine = (self._energy(painted) - self._energy(real)).abs().mean()
        return 3 * colour + self.edges * (across + along) + self.texture * fine

    def _energy(self, image: Tensor) -> Tensor:
        """Root mean square of the Laplacian in overlapping windows round the lips."""
        fine = F.conv2d((image * self.grey).sum(1, keepdim=True), self.ring, padding=1)[..., self.box[0], self.box[1]]
        return torch.sqrt(F.avg_pool2d(fine * fine, 8, 4) + 1e-5)
