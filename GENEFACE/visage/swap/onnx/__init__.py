"""Face swapping with the networks that others trained, as ONNX files which the user brings."""

from visage.swap.onnx.restorer import OnnxRestorer
from visage.swap.onnx.swapper import OnnxSwapper

__all__ = ["OnnxRestorer", "OnnxSwapper"]
