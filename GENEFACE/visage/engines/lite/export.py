"""From a learnt painter to the ONNX file that the renderer runs."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from visage.engines.lite import crops
from visage.engines.lite.network import Crisp, PixelPainter
from visage.engines.lite.paint import INPUTS


def export_painter(painter: Crisp, file: Path) -> Path:
    """Write the painter, bytes in and bytes out, with a free batch size; atomic."""
    size = painter.size
    blank = torch.from_numpy((crops.paint_mask(size) > 0).astype("float32"))
    pixels = PixelPainter(painter.to("cpu", memory_format=torch.contiguous_format).float().eval(), blank)
    example = tuple(torch.zeros(2, size, size, planes, dtype=torch.uint8) for planes in (3, 3, 2, 2))
    part = file.with_name("." + file.name)
    with warnings.catch_warnings():
        # The exporter by tracing is called old; the new one needs a compiler's worth of packages and writes two files.
        warnings.simplefilter("ignore")
        torch.onnx.export(pixels, example, part, dynamo=False, opset_version=17, input_names=list(INPUTS),
                          output_names=["painted"], dynamic_axes={name: {0: "batch"} for name in (*INPUTS, "painted")})
    part.replace(file)
    return file
