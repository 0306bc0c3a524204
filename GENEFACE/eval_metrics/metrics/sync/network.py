"""SyncNet (Chung & Zisserman 2016) as its authors publish it: two towers into one space of 1024 numbers.

Parameters bear the names of the published ``syncnet_v2.model``, so that its state
dict loads as it is.  The picture tower is convolutional in time: a run of T
pictures gives the embeddings of its T - 4 windows at once, without cutting them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from eval_metrics.weights import ModelFile, fill, state_of

WINDOW = 5
"""Pictures that one embedding sees: 200 ms."""
SOUND_ROWS = 20
"""Rows of `mfcc` that one embedding hears: the same 200 ms."""


class SyncNet(nn.Module):
    """Both towers, to be used in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_sound(1, 64), nn.MaxPool2d(1, 1),
            *_sound(64, 192), nn.MaxPool2d(3, (1, 2)),
            *_sound(192, 384), *_sound(384, 256), *_sound(256, 256), nn.MaxPool2d(3, 2),
            *_sound(256, 512, kernel=(5, 4), padding=0))
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_picture(3, 96, (5, 7, 7), stride=2), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_picture(96, 256, (1, 5, 5), stride=2, padding=1), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_picture(256, 256, (1, 3, 3), padding=1), *_picture(256, 256, (1, 3, 3), padding=1),
            *_picture(256, 256, (1, 3, 3), padding=1), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_picture(256, 512, (1, 6, 6)))

    def hear(self, rows: torch.Tensor) -> torch.Tensor:
        """Embeddings [N, 1024] of windows of coefficients [N, 1, 13, 20]."""
        return self.netfcaud(self.netcnnaud(rows).flatten(1))

    def see(self, pictures: torch.Tensor) -> torch.Tensor:
        """Embeddings [T - 4, 1024] of a run of pictures [1, 3, T, 224, 224], BGR, 0 to 255."""
        return self.netfclip(self.netcnnlip(pictures)[0, :, :, 0, 0].T)


def _sound(inputs: int, outputs: int, kernel: int | tuple[int, int] = 3, padding: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU()]


def _picture(inputs: int, outputs: int, kernel: tuple[int, int, int], stride: int = 1,
             padding: int = 0) -> list[nn.Module]:
    convolution = nn.Conv3d(inputs, outputs, kernel, (1, stride, stride), (0, padding, padding))
    return [convolution, nn.BatchNorm3d(outputs), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


def load_syncnet(file: ModelFile) -> SyncNet:
    """The network with the parameters of a file, strictly by name and shape; raises `BadMedia` for another file."""
    network = SyncNet()
    fill(network, state_of(file), file)
    return network.eval()


def embed_sound(network: SyncNet, rows: np.ndarray, count: int, batch: int = 64) -> np.ndarray:
    """Embeddings float32 [count, 1024] of `mfcc` rows [N, 13]: window i begins with picture i (four rows each)."""
    windows = np.lib.stride_tricks.sliding_window_view(rows, SOUND_ROWS, axis=0)[::4][:count]
    with torch.inference_mode():
        parts = [network.hear(torch.from_numpy(np.ascontiguousarray(windows[n:n + batch])[:, None])).numpy()
                 for n in range(0, len(windows), batch)]
    return np.concatenate(parts) if parts else np.zeros((0, 1024), np.float32)


def embed_pictures(network: SyncNet, pictures: np.ndarray) -> np.ndarray:
    """Embeddings float32 [T - 4, 1024] of crops in a row, uint8 RGB [T, 224, 224, 3]."""
    run = torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1].transpose(3, 0, 1, 2))[None]).float()
    with torch.inference_mode():
        return network.see(run).numpy()
