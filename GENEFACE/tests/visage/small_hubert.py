"""A HuBERT with random weights, small enough for tests."""

from __future__ import annotations

from pathlib import Path

import pytest


def put(folder: Path, seed: int = 0, norm: str = "group") -> None:
    """A HuBERT of two narrow layers, as its hub's format has it."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra: hubert)")
    import torch

    torch.manual_seed(seed)
    config = transformers.HubertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
        feat_extract_norm=norm)
    transformers.HubertModel(config).save_pretrained(folder)
