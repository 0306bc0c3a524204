"""A tiny Piper voice, made on the spot: every phoneme is a hum."""

from __future__ import annotations

import json
from pathlib import Path

RATE = 16_000


def make_piper_voice(folder: Path, name: str = "en_US-hum-low") -> None:
    """Write ``NAME.onnx`` and ``NAME.onnx.json``; inputs and output are Piper's, ``length_scale`` counts."""
    import onnx
    from onnx import TensorProto, helper

    def constant(key: str, kind: int, values: list) -> onnx.TensorProto:
        return helper.make_tensor(key, kind, [len(values)], values)

    node = helper.make_node
    graph = helper.make_graph([
        node("Slice", ["scales", "one", "two"], ["stretch"]),
        node("Shape", ["input"], ["shape"]),
        node("Slice", ["shape", "one", "two"], ["count"]),
        node("Cast", ["count"], ["count_float"], to=TensorProto.FLOAT),
        node("Mul", ["count_float", "stretch"], ["stretched"]),
        node("Mul", ["stretched", "hop"], ["length_float"]),
        node("Squeeze", ["length_float"], ["length"]),
        node("Range", ["zero", "length", "step"], ["clock"]),
        node("Mul", ["clock", "turn"], ["phase"]),
        node("Sin", ["phase"], ["hum"]),
        node("Reshape", ["hum", "form"], ["output"]),
    ], "hum", [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "n"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ], [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, "t"])], [
        constant("one", TensorProto.INT64, [1]), constant("two", TensorProto.INT64, [2]),
        constant("hop", TensorProto.FLOAT, [512.0]), helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("step", TensorProto.FLOAT, [], [1.0]), constant("turn", TensorProto.FLOAT, [0.06]),
        constant("form", TensorProto.INT64, [1, 1, -1]),
    ])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(folder / f"{name}.onnx"))
    signs = "_^$ abcdefghijklmnopqrstuvwxyz,.!?əɪɛæɑɔʊʌɹŋθðʃʒɡɚɜɐːˈˌ"
    (folder / f"{name}.onnx.json").write_text(json.dumps({
        "audio": {"sample_rate": RATE}, "espeak": {"voice": "en-us"}, "language": {"code": "en_US"},
        "num_symbols": len(signs), "num_speakers": 1, "phoneme_type": "espeak", "speaker_id_map": {},
        "inference": {"noise_scale": 0.0, "length_scale": 1.0, "noise_w": 0.0},
        "phoneme_id_map": {sign: [index] for index, sign in enumerate(signs)},
    }), encoding="utf-8")
