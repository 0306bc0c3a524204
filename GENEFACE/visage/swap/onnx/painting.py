"""Putting a face in with an inswapper network: its latent, its crop, and more pixels than it was made for."""

from __future__ import annotations

import numpy as np

from visage.errors import InvalidRequest
from visage.swap.onnx.geometry import pictures, planes
from visage.swap.onnx.network import Network
from visage.swap.onnx.recognise import unit
from visage.swap.onnx.sanity import flaw

SIDE = 128
BOOSTS = (1, 2, 3, 4)
"""How many times finer than 128 pixels the crop may be."""


def latent(embedding: np.ndarray, emap: np.ndarray) -> np.ndarray:
    """What the network takes for a face, float32 [1, 512] of length 1: normalise, project, normalise again.

    The second length is 1 because the published network was trained so; without it the
    identity comes out weaker or stronger from person to person.
    """
    return unit(unit(np.asarray(embedding, np.float32)) @ emap)[None]


def paint(network: Network, crop: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The crop with another face, uint8 RGB [S, S, 3] of its own size; S is 128 times one of `BOOSTS`.

    Larger crops are split into interleaved pictures of 128 pixels, each with every n-th
    pixel, and put together again; they go through the network together where it allows.
    """
    times = crop.shape[0] // SIDE
    if times not in BOOSTS or crop.shape[:2] != (times * SIDE, times * SIDE):
        raise InvalidRequest("A crop of {side} pixels cannot be painted; it takes {sides}.", code="swap.boost",
                             hint="Choose a pixel boost of 1 to 4.", side=crop.shape[0],
                             sides=", ".join(str(SIDE * one) for one in BOOSTS))
    spec = network.model.spec
    parts = split(crop, times)
    feeds = {"image": planes(parts, spec.mean, spec.std), "latent": np.repeat(source, len(parts), 0)}
    painted = network.checked(feeds, lambda out, given: flaw(out, given, 0.0, 1.0))
    return join(pictures(painted, 0.0, 1.0), times)


def split(crop: np.ndarray, times: int) -> np.ndarray:
    """Every ``times``-th pixel from each of its starts: [times², S/times, S/times, 3], the columns' starts fastest."""
    side = crop.shape[0] // times
    return crop.reshape(side, times, side, times, 3).transpose(1, 3, 0, 2, 4).reshape(-1, side, side, 3)


def join(parts: np.ndarray, times: int) -> np.ndarray:
    """The way back from `split`."""
    side = parts.shape[1]
    return np.ascontiguousarray(parts.reshape(times, times, side, side, 3).transpose(2, 0, 3, 1, 4)
                                ).reshape(times * side, times * side, 3)
