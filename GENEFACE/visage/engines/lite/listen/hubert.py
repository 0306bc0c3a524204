"""Driver ``hubert``: as ``encoder``, with a HuBERT from a hub in place of the built-in speech encoder.

Its folder, in Hugging Face format, is ``model_cache/hubert`` (config.json with
model.safetensors or pytorch_model.bin, e.g. of TencentGameMate/chinese-hubert-base
or facebook/hubert-base-ls960); loaded by `transformers`, never downloaded.
An avatar that was trained with one HuBERT needs the same one to speak.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from visage.config import read_settings
from visage.engines.lite.listen.mel import MelListener
from visage.engines.lite.mel import energies, frame_count, in_context, levelled_twice
from visage.engines.lite.mouth import MouthBasis
from visage.engines.lite.once import once
from visage.errors import NotInstalled
from visage.storage.paths import Paths

_HOP, _WINDOW = 320, 400
_PIECE, _MARGIN = 1000, 100
"""Rows (20 ms) encoded at once, and more on either side of them, so that no seam is heard."""
_LAYER = 0.75
"""Depth of the layer that tells sounds best: the last ones tell what HuBERT was trained to guess."""
_WEIGHT = 0.11
"""Of a row of unit variance against log-mel rows."""
_HINT = ("Put config.json and model.safetensors (or pytorch_model.bin) of TencentGameMate/chinese-hubert-base or "
         "facebook/hubert-base-ls960 into {folder}, and: pip install transformers torch")


class HubertListener(MelListener):
    """Follows `Listener`; needs `fit` first.  Raises `NotInstalled` without the model's folder or its packages."""

    def __init__(self, basis: MouthBasis):
        super().__init__(basis)
        self._folder = Paths(read_settings().home.resolve()).models / "hubert"
        self._print = _fingerprint(self._folder)

    def heard(self, samples: np.ndarray) -> Callable[[int, int], np.ndarray]:
        """As `MelListener.heard`, with what HuBERT makes of ±60 ms."""
        rows = levelled_twice(energies(samples))
        speech = hubert_rows(samples, self._folder) * np.float32(_WEIGHT)
        return lambda first, last: np.concatenate([in_context(rows, first, last),
                                                   in_context(speech, first, last, half=2)], 1)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """As `Listener.arrays`, with the print of the model."""
        return {**super().arrays(), "model": np.array(self._print)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], basis: MouthBasis) -> HubertListener:
        """The listener that `arrays` came from.  Raises `NotInstalled` when another HuBERT lies there now."""
        listener = cls(basis)
        if listener._print != str(arrays["model"]):
            raise NotInstalled("This avatar was trained with another HuBERT than the one in {folder}.",
                               code="listener.hubert_other", folder=str(listener._folder),
                               hint="Put the first one back, or train the avatar again.")
        listener._restore(arrays)
        return listener


def _fingerprint(folder: Path) -> str:
    """What tells one HuBERT from another: its configuration and both ends of its weights."""
    weights = next((folder / name for name in ("model.safetensors", "pytorch_model.bin")
                    if (folder / name).is_file()), None)
    if weights is None or not (folder / "config.json").is_file():
        raise NotInstalled("There is no HuBERT in {folder}.", code="listener.hubert_missing", hint=_HINT,
                           folder=str(folder))
    told = hashlib.sha256((folder / "config.json").read_bytes())
    with weights.open("rb") as file:
        told.update(file.read(1 << 20))
        file.seek(max(0, weights.stat().st_size - (1 << 20)))
        told.update(file.read())
    return told.hexdigest()[:16]


@lru_cache(maxsize=1)
def _model(folder: Path) -> tuple[Any, int]:
    """The network and the layer to hear at."""
    try:
        from transformers import HubertModel
    except ImportError as exc:
        raise NotInstalled("A HuBERT needs the Python package {package!r}.", code="listener.hubert_package",
                           hint="pip install transformers torch", package=exc.name or "transformers") from exc
    try:
        network = HubertModel.from_pretrained(folder, local_files_only=True).eval()
    except Exception as exc:  # safetensors, pickle, JSON and torch raise many kinds, all of them mean these files
        raise NotInstalled("The HuBERT in {folder} cannot be read: {reason}", code="listener.hubert_broken",
                           hint=_HINT, folder=str(folder), reason=str(exc)[:200]) from exc
    return network, round(_LAYER * network.config.num_hidden_layers)


@once
def hubert_rows(samples: np.ndarray, folder: Path) -> np.ndarray:
    """What a HuBERT makes of sound at 16 kHz, rows of zero mean and unit variance: float32 [2 T, D], 50 a second."""
    network, layer = _model(folder)
    rows = 2 * frame_count(samples)
    whole = (samples - samples.mean()) / (samples.std() + 1e-7) if len(samples) else samples
    wave = np.zeros(rows * _HOP + _WINDOW - _HOP, np.float32)
    lead = (_WINDOW - _HOP) // 2
    have = whole[:len(wave) - lead]
    wave[lead:lead + len(have)] = have
    parts = []
    for first in range(0, rows, _PIECE):
        last, begin = min(first + _PIECE, rows), max(first - _MARGIN, 0)
        end = min(last + _MARGIN, rows)
        told = _layer(network, wave[begin * _HOP:end * _HOP + _WINDOW - _HOP], layer)
        parts.append(told[first - begin:last - begin])
    result = np.concatenate(parts)
    spread = result.std(1, keepdims=True) + 1e-5
    return ((result - result.mean(1, keepdims=True)) / spread).astype(np.float32)


def _layer(network: Any, wave: np.ndarray, layer: int) -> np.ndarray:
    """Hidden states [N, D] at a layer."""
    import torch

    with torch.inference_mode():
        return network(torch.from_numpy(wave)[None], output_hidden_states=True).hidden_states[layer][0].numpy()
