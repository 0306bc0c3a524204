"""The kinds of networks that are known: what goes in, what comes out, in which numbers.

A file is told by the ranks, sizes and types of its ports, because exports rename
them; a name decides only between kinds whose ports look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from visage.swap.onnx.graph import Graph, Port

FLOATS = ("float32", "float16", "float64")


@dataclass(frozen=True, slots=True)
class Slot:
    """A port as a kind of network has it."""

    role: str
    """What we call it: ``image``, ``latent``, ``weight`` …"""
    shape: tuple[int | None, ...]
    """None where any length will do."""

    def fits(self, port: Port) -> int:
        """How many lengths agree; -1 when one contradicts, or the rank or type is another."""
        if port.shape is None or len(port.shape) != len(self.shape) or port.dtype not in FLOATS:
            return -1
        pairs = [(mine, its) for mine, its in zip(self.shape, port.shape, strict=True) if mine and its]
        return len(pairs) if all(mine == its for mine, its in pairs) else -1


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One kind of network."""

    kind: str
    """Short name, e.g. ``"inswapper"``."""
    task: str
    """``detect``, ``recognise``, ``swap``, ``restore``, ``landmarks``, ``attributes``, ``parse`` or ``occlude``."""
    inputs: tuple[Slot, ...]
    """What must be given."""
    outputs: tuple[Slot, ...]
    """What comes out first; more may follow."""
    files: tuple[str, ...]
    """Names without ``.onnx`` under which it is usually found, the best first; a star stands for anything."""
    mean: float = 0.0
    """Taken from pixels 0 to 255 before they go in …"""
    std: float = 255.0
    """… and what they are divided by after that."""
    template: str = ""
    """Where five points lie in its picture; see `geometry.TEMPLATES`."""
    counts: tuple[int, ...] = ()
    """How many outputs there may be; empty: as many as ``outputs``, or more."""
    tails: tuple[int, ...] = ()
    """Last lengths that its outputs may have; empty: whatever ``outputs`` say."""
    bgr: bool = False
    """Whether its picture is blue first."""
    licence: str = ""
    """What its owner allows, in a few words."""
    hashes: frozenset[str] = field(default=frozenset())
    """SHA-256 of the files whose conduct is known."""

    def fits(self, graph: Graph) -> int:
        """How well a network's ports agree with this kind; -1: it is another."""
        enough = len(graph.outputs) in self.counts if self.counts else len(graph.outputs) >= len(self.outputs)
        if not enough or len(graph.inputs) != len(self.inputs):
            return -1
        marks = [max((slot.fits(port) for port in graph.inputs), default=-1) for slot in self.inputs]
        marks += [slot.fits(port) for slot, port in zip(self.outputs, graph.outputs, strict=False)]
        if min(marks) < 0 or len(roles(self, graph)) != len(self.inputs):
            return -1
        known = [port.shape[-1] for port in graph.outputs if port.shape] if self.tails else []
        return -1 if any(side and side not in self.tails for side in known) else sum(marks) + len(self.tails)


def roles(spec: ModelSpec, graph: Graph) -> dict[str, Port]:
    """Each input of a kind and the port that takes it; fewer than there are slots when one has none of its own."""
    left = list(graph.inputs)
    found: dict[str, Port] = {}
    for slot in spec.inputs:
        port = max(left, key=slot.fits, default=None)
        if port is not None and slot.fits(port) >= 0:
            found[slot.role] = port
            left.remove(port)
    return found


def identify(graph: Graph, stem: str = "", among: Sequence[ModelSpec] | None = None) -> ModelSpec | None:
    """The kind of a network by its ports; of several that fit alike the one that usually has this file name."""
    fits = [(spec.fits(graph), spec) for spec in among or SPECS]
    fits = [(mark, spec) for mark, spec in fits if mark >= 0]
    if not fits:
        return None
    named = [spec for _, spec in fits if rank(spec, stem) < len(spec.files)]
    return named[0] if named else max(fits, key=lambda fit: fit[0])[1]


def rank(spec: ModelSpec, stem: str) -> int:
    """Place of a file name among the usual ones; their number when it is none of them."""
    for place, name in enumerate(spec.files):
        head, star, tail = name.lower().partition("*")
        low = stem.lower()
        if low == head or (star and low.startswith(head) and low.endswith(tail)):
            return place
    return len(spec.files)


def _image(*shape: int | None) -> Slot:
    return Slot("image", shape)


_RESEARCH = "non-commercial research only (InsightFace)"

SCRFD = ModelSpec(
    "scrfd", "detect", (_image(None, 3, None, None),), (), ("det_10g", "scrfd_10g*", "scrfd*", "det_*"), 127.5, 128.0,
    counts=(6, 9, 10, 15), tails=(1, 4, 10), licence=_RESEARCH,
    hashes=frozenset({"5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"}))
YUNET = ModelSpec(
    "yunet", "detect", (_image(None, 3, None, None),), (), ("face_detection_yunet*", "yunet*"), 0.0, 1.0,
    counts=(12,), tails=(1, 4, 10), bgr=True, licence="MIT (OpenCV Zoo)")
YOLO = ModelSpec(
    "yoloface", "detect", (_image(None, 3, None, None),), (Slot("rows", (None, 20, None)),), ("yoloface*", "yolov8*"),
    counts=(1,), licence="GPL-3.0 or AGPL-3.0, by export")
ARCFACE = ModelSpec(
    "arcface", "recognise", (_image(None, 3, 112, 112),), (Slot("embedding", (None, 512)),),
    ("w600k_r50", "arcface_w600k*", "w600k*", "glintr100", "arcface*"), 127.5, 127.5, "arcface", counts=(1,),
    licence=_RESEARCH, hashes=frozenset({"4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43"}))
INSWAPPER = ModelSpec(
    "inswapper", "swap", (_image(None, 3, 128, 128), Slot("latent", (None, 512))), (_image(None, 3, 128, 128),),
    ("inswapper_128", "inswapper_128_fp16", "inswapper_128.fp16", "inswapper*"), template="arcface",
    licence=_RESEARCH, hashes=frozenset({"e4a3f08c753cb72d04e10aa0f7dbe3deebbf39567d4ead6dce08e98aa49e16af",
                                         "6d51a9278a1f650cffefc18ba53f38bf2769bf4bbff89267822cf72945f8a38b"}))
GFPGAN = ModelSpec(
    "gfpgan", "restore", (_image(None, 3, 512, 512),), (_image(None, 3, 512, 512),),
    ("GFPGANv1.4", "gfpgan_1.4", "gfpgan*", "restoreformer*", "gpen*512"), 127.5, 127.5, "ffhq",
    licence="Apache-2.0 (GFPGAN)",
    hashes=frozenset({"6548e54cbcf248af385248f0c1193b359c37a0f98b836282b09cf48af4fd2b73"}))
CODEFORMER = ModelSpec(
    "codeformer", "restore", (_image(None, 3, 512, 512), Slot("weight", (None,))), (_image(None, 3, 512, 512),),
    ("codeformer", "codeformer*"), 127.5, 127.5, "ffhq", licence="non-commercial (S-Lab 1.0)",
    hashes=frozenset({"9c3ae2ce2de616815815628f966cdef5d9466722434a1be00c0785ec92e2a94f"}))
CODEFORMER_SCALAR = ModelSpec(
    "codeformer", "restore", (_image(None, 3, 512, 512), Slot("weight", ())), (_image(None, 3, 512, 512),),
    ("codeformer", "codeformer*"), 127.5, 127.5, "ffhq", licence="non-commercial (S-Lab 1.0)")
POINTS_106 = ModelSpec(
    "2d106", "landmarks", (_image(None, 3, 192, 192),), (Slot("points", (None, 212)),), ("2d106det",), 0.0, 1.0,
    counts=(1,), licence=_RESEARCH,
    hashes=frozenset({"f001b856447c413801ef5c42091ed0cd516fcd21f2d6b79635b1e733a7109dbf"}))
POINTS_68 = ModelSpec(
    "3d68", "pose", (_image(None, 3, 192, 192),), (Slot("points", (None, 3309)),), ("1k3d68",), 0.0, 1.0,
    counts=(1,), licence=_RESEARCH,
    hashes=frozenset({"df5c06b8a0c12e422b2ed8947b8869faa4105387f199c477af038aa01f9a45cc"}))
GENDER_AGE = ModelSpec(
    "genderage", "attributes", (_image(None, 3, 96, 96),), (Slot("values", (None, 3)),), ("genderage",), 0.0, 1.0,
    counts=(1,), licence=_RESEARCH,
    hashes=frozenset({"4fde69b1c810857b88c64a335084f1c3fe8f01246c9a191b48c7bb756d6652fb"}))
XSEG = ModelSpec(
    "xseg", "occlude", (_image(None, 256, 256, 3),), (Slot("mask", (None, 256, 256, 1)),), ("xseg*", "dfl_xseg"),
    bgr=True, licence="GPL-3.0 (DeepFaceLab)")
BISENET = ModelSpec(
    "bisenet", "parse", (_image(None, 3, 512, 512),), (Slot("classes", (None, 19, 512, 512)),),
    ("bisenet*", "faceparser*", "parsing*"), licence="MIT (face-parsing)")

SPECS = (SCRFD, YUNET, YOLO, ARCFACE, INSWAPPER, CODEFORMER, CODEFORMER_SCALAR, GFPGAN, POINTS_106, POINTS_68,
         GENDER_AGE, XSEG, BISENET)
"""Every kind."""
