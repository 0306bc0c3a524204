"""Small networks with the names, ranks, types and meaning of the real ones, so that a wrong sum fails a test.

The detector sees pure red: a red square is a face with an exactly known box and
points.  The recogniser is a fixed projection of the crop, the swapper mixes the
target with a colour that the latent gives, the restorers change values by known
amounts.  Nothing here is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FIVE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
"""Where the stand-in detector sees five points, in shares of the face's side."""
SEED = 20260107
DETECTOR_OUTPUTS = ("448", "471", "494", "451", "474", "497", "454", "477", "500")
POINTS_106 = np.random.default_rng(SEED + 1).uniform(-0.5, 0.5, (106, 2)).astype(np.float32)
POINTS_68 = np.random.default_rng(SEED + 2).uniform(-0.5, 0.5, (1103, 3)).astype(np.float32)
FLAT = 0.2
"""What CodeFormer's stand-in paints where it is not faithful."""
_FLOAT, _DOUBLE, _HALF, _INT = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT64


class Sketch:
    """Nodes and constants on their way to a graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = np.float32, name: str = "") -> str:
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def __call__(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        out = out or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def save(self, path: Path, inputs: Sequence[Any], outputs: Sequence[Any], opset: int = 11) -> Path:
        graph = helper.make_graph(self.nodes, path.stem, list(inputs), list(outputs), self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, str(path))
        return path


def port(name: str, shape: Sequence[int | str], kind: int = _FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def detector(path: Path, *, points: bool = True, batched: bool = False, strides: tuple[int, ...] = (8, 16, 32),
             reach: int = 16) -> Path:
    """SCRFD: 3 levels with 2 anchors of which the second never answers, or 5 levels with 1.

    It looks ``reach`` cells of 8 pixels around each, so faces are at most that wide and as far apart.
    """
    s = Sketch()
    red, rest = s("Slice", "input.1", *_span(s, 0, 1)), s("Slice", "input.1", *_span(s, 1, 3))
    excess = s("Sub", red, s("ReduceMax", rest, axes=[1], keepdims=1))
    share = s("Clip", s("Div", excess, s.constant(255 / 128)), s.constant(0), s.constant(1))
    cells = s("AveragePool", share, kernel_shape=[8, 8], strides=[8, 8])
    ones = s("Add", s("Mul", cells, s.constant(0)), s.constant(1))
    half = s.constant(4)
    x, y = (s("Sub", s("Mul", s("CumSum", ones, s.constant(axis, np.int64)), s.constant(8)), half) for axis in (3, 2))
    across = 2 * reach + 1
    wide = {"kernel_shape": [across, across], "pads": [reach] * 4, "strides": [1, 1], "count_include_pad": 1}
    mass = s("Max", s("AveragePool", cells, **wide), s.constant(1e-6))
    middle = [s("Div", s("AveragePool", s("Mul", one, cells), **wide), mass) for one in (x, y)]
    side = s("Sqrt", s("Mul", mass, s.constant(across * across * 64)))
    scores, boxes, fives = [], [], []
    for stride in strides:
        pick = {"kernel_shape": [1, 1], "strides": [stride // 8, stride // 8]}
        found = [s("AveragePool", one, **pick) for one in (cells, x, y, *middle, side)]
        score, box, five = _level(s, stride, found, 2 if len(strides) == 3 else 1)
        scores += [score]
        boxes += [box]
        fives += [five]
    names = DETECTOR_OUTPUTS if len(strides) == 3 else tuple(f"o{n}" for n in range(3 * len(strides)))
    outputs = []
    for name, made, last in zip(names, [*scores, *boxes, *(fives if points else ())],
                                [one for one in (1, 4, 10) for _ in strides], strict=False):
        rows = 2 * (640 // strides[len(outputs) % len(strides)])**2 if len(strides) == 3 else "rows"
        s("Reshape", made, s.constant([1, -1, last] if batched else [-1, last], np.int64), out=name)
        outputs.append(port(name, ["batch", rows, last] if batched else [rows, last]))
    return s.save(path, [port("input.1", [1, 3, "?", "??"])], outputs)


def _span(s: Sketch, start: int, end: int) -> list[str]:
    return [s.constant([start], np.int64), s.constant([end], np.int64), s.constant([1], np.int64)]


def _level(s: Sketch, stride: int, found: Sequence[str], anchors: int) -> tuple[str, str, str]:
    """Scores, distances and points of a level; a cell's anchors lie side by side."""
    cell, x, y, cx, cy, side = found
    # cells know the middle of their upper left 8 pixels; anchors stand at the corner
    ax, ay = s("Sub", x, s.constant(4)), s("Sub", y, s.constant(4))
    sure = s("Sigmoid", s("Mul", s("Sub", cell, s.constant(0.6)), s.constant(20)))
    half = s("Mul", side, s.constant(0.5))
    scale = s.constant(1 / stride)

    def away(*pairs: tuple[str, str]) -> list[str]:
        return [s("Mul", s("Sub", *pair), scale) for pair in pairs]

    left, top = s("Sub", cx, half), s("Sub", cy, half)
    box = away((ax, left), (ay, top), (s("Add", cx, half), ax), (s("Add", cy, half), ay))
    five = []
    for across, down in FIVE:
        at = s("Add", left, s("Mul", side, s.constant(across))), s("Add", top, s("Mul", side, s.constant(down)))
        five += away((at[0], ax), (at[1], ay))
    none = s("Mul", sure, s.constant(0))

    def laid(first: Sequence[str]) -> str:
        planes = [*first, *([none] * len(first) if anchors == 2 else ())]
        return s("Transpose", s("Concat", *planes, axis=1), perm=[0, 2, 3, 1])

    return laid([sure]), laid(box), laid(five)


def recogniser(path: Path, output: str = "683") -> Path:
    """ArcFace: a projection of the crop averaged in squares of 16 pixels; any number of crops at once."""
    s = Sketch()
    rng = np.random.default_rng(SEED)
    pooled = s("AveragePool", "input.1", kernel_shape=[16, 16], strides=[16, 16])
    flat = s("Reshape", pooled, s.constant([-1, 147], np.int64))
    s("MatMul", flat, s.constant(rng.normal(0, 1, (147, 512))), out=output)
    return s.save(path, [port("input.1", ["None", 3, 112, 112])], [port(output, ["N", 512])])


@lru_cache(maxsize=1)
def emap() -> np.ndarray:
    """An orthogonal matrix with its columns stretched: it changes a unit vector's length, to about 1.3."""
    rng = np.random.default_rng(SEED)
    turn, _ = np.linalg.qr(rng.normal(size=(512, 512)))
    return (turn * rng.uniform(0.5, 2.0, 512)).astype(np.float32)


def inswapper(path: Path, *, place: str = "last", half: bool = False, broken: bool = False) -> Path:
    """Half the target, half a colour: sigmoid(40 x the first three numbers of the latent).

    ``place`` of the embedding map: ``last``, ``first``, ``unnamed`` or ``none``.  ``half``: float16
    weights behind float32 ports.  ``broken``: answers with NaN, as float16 does on some devices.
    """
    s = Sketch()
    kind = np.float16 if half else np.float32

    def keep() -> None:
        if place != "none":
            s.constant(emap(), kind, "" if place == "unnamed" else "buff2fs")

    if place == "first":
        keep()
    target, source = ("target", "source")
    if half:
        target, source = s("Cast", "target", to=_HALF), s("Cast", "source", to=_HALF)
    mixed = s("MatMul", source, s.constant(np.eye(512), kind, "style.weight"))
    colour = s("Slice", mixed, *_span(s, 0, 3))
    colour = s("Sigmoid", s("Mul", colour, s.constant(40, kind)))
    colour = s("Reshape", colour, s.constant([-1, 3, 1, 1], np.int64))
    both = s("Mul", s("Add", target, colour), s.constant(0.5, kind))
    if broken:
        both = s("Mul", both, s.constant(np.nan, kind))
    s("Cast", both, out="output", to=_FLOAT)
    if place in ("last", "unnamed"):
        keep()
    return s.save(path, [port("target", [1, 3, 128, 128]), port("source", [1, 512])],
                  [port("output", [1, 3, 128, 128])])


def gfpgan(path: Path) -> Path:
    """Everything a tenth stronger."""
    s = Sketch()
    s("Clip", s("Mul", "input", s.constant(1.1)), s.constant(-1), s.constant(1), out="output")
    return s.save(path, [port("input", [1, 3, 512, 512])], [port("output", [1, 3, 512, 512])], 16)


def codeformer(path: Path, *, names: tuple[str, str, str] = ("input", "weight", "output"), kind: int = _DOUBLE,
               scalar: bool = False) -> Path:
    """w times the input and 1 - w times a flat colour; ``kind`` is the type that the weight is declared with."""
    s = Sketch()
    image, weight, out = names
    w = s("Reshape", s("Cast", weight, to=_FLOAT), s.constant([1, 1, 1, 1], np.int64))
    flat = s("Mul", s("Sub", s.constant(1), w), s.constant(FLAT))
    s("Add", s("Mul", image, w), flat, out=out)
    return s.save(path, [port(image, [1, 3, 512, 512]), port(weight, [] if scalar else [1], kind)],
                  [port(out, [1, 3, 512, 512])], 16)


def constant_network(path: Path, side: int, answer: np.ndarray, output: str = "fc1") -> Path:
    """A network on crops of a side that gives the same numbers for each."""
    s = Sketch()
    nothing = s("Mul", s("ReduceMean", "data", axes=[1, 2, 3], keepdims=0), s.constant(0))
    flat = s("Reshape", nothing, s.constant([-1, 1], np.int64))
    s("Add", flat, s.constant(answer.reshape(1, -1)), out=output)
    return s.save(path, [port("data", ["None", 3, side, side])], [port(output, [1, answer.size])])


def occluder(path: Path) -> Path:
    """XSeg: what is not pure blue is face; takes and gives its channels last, blue first."""
    s = Sketch()
    blue = s("Slice", "in_face:0", *[s.constant([n], np.int64) for n in (0, 1, 3)])
    others = s("Slice", "in_face:0", *[s.constant([n], np.int64) for n in (1, 3, 3)])
    excess = s("Sub", blue, s("ReduceMax", others, axes=[3], keepdims=1))
    s("Sub", s.constant(1), s("Clip", excess, s.constant(0), s.constant(1)), out="out_mask:0")
    return s.save(path, [port("in_face:0", ["n", 256, 256, 3])], [port("out_mask:0", ["n", 256, 256, 1])])


def weigh_down(path: Path, image: str, sides: tuple[int, int], stride: int, width: int, layers: int) -> float:
    """Make a network compute as much as a real one and answer as before: convolutions whose result is all but nothing.

    ``sides`` is the size of its picture; returns the 10⁹ multiplications that were added.
    """
    model = onnx.load(str(path))
    s, rng = Sketch(), np.random.default_rng(SEED)

    def kernel(out: int, into: int, side: int) -> str:
        values = rng.normal(0, np.sqrt(2 / (into * side * side)), (out, into, side, side))
        return s.constant(values, name=f"ballast{len(s.constants)}")

    flow = s("Conv", image, kernel(width, 3, stride), strides=[stride, stride], out="b0")
    for number in range(layers):
        flow = s("Relu", flow, out=f"r{number}")
        flow = s("Conv", flow, kernel(width, width, 3), pads=[1, 1, 1, 1], out=f"b{number + 1}")
    mean = s("ReduceMean", flow, axes=[0, 1, 2, 3], keepdims=0, out="b_mean")
    nothing = s("Mul", mean, s.constant(1e-30, name="b_tiny"), out="b_nothing")
    graph = model.graph
    for out in graph.output:
        for node in graph.node:
            node.output[:] = [f"{name}_light" if name == out.name else name for name in node.output]
        s("Add", f"{out.name}_light", nothing, out=out.name)
    graph.node.extend(s.nodes)
    graph.initializer.extend(s.constants)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    cells = (sides[0] // stride) * (sides[1] // stride)
    return cells * (layers * 9 * width * width + 3 * stride * stride * width) / 1e9


def folder(root: Path) -> Path:
    """All of the standard set, in the places where people keep them."""
    detector(root / "buffalo_l" / "det_10g.onnx")
    recogniser(root / "buffalo_l" / "w600k_r50.onnx")
    constant_network(root / "buffalo_l" / "2d106det.onnx", 192, POINTS_106)
    constant_network(root / "buffalo_l" / "1k3d68.onnx", 192, POINTS_68)
    constant_network(root / "buffalo_l" / "genderage.onnx", 96, np.array([0.2, 0.9, 0.34], np.float32))
    inswapper(root / "inswapper_128.onnx")
    gfpgan(root / "GFPGANv1.4.onnx")
    codeformer(root / "codeformer.onnx")
    return root


def frame(*faces: tuple[int, int, int], size: tuple[int, int] = (640, 640), ground: int = 90) -> np.ndarray:
    """Red squares (left, top, side) on grey, uint8 RGB [H, W, 3]."""
    picture = np.full((*size, 3), ground, np.uint8)
    for left, top, side in faces:
        picture[top:top + side, left:left + side] = (255, 0, 0)
    return picture


def five(left: float, top: float, side: float) -> np.ndarray:
    """Where the stand-in detector sees a square's five points, float32 [5, 2]."""
    return (np.array([left, top]) + FIVE * side).astype(np.float32)
