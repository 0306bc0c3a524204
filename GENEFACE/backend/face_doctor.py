"""What face swapping needs on this machine: five checks, each with what mends it (``doctor --faceswap``)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from backend import picture_service
from backend.machine import SETUP, Host
from visage.errors import VisageError
from visage.swap import open_swapper
from visage.swap.contract import Look
from visage.swap.onnx import files
from visage.swap.onnx.providers import Wish, get_execution_providers, outcome
from visage.types import Requirement

_PACKAGES = ("onnxruntime", "mediapipe", "opencv-python-headless", "pillow", "numpy", "av")
_HANDLER = ("models_config", "init_face_enhancer", "enhance_face_quality", "process_face_swap_pipeline", "handle")
_SWAP_MODELS = {"detect": "det_10g.onnx", "recognise": "w600k_r50.onnx", "swap": "inswapper_128.onnx"}


def providers(host: Host) -> Requirement:
    """What really computes: a session is opened and asked."""
    import onnxruntime
    from onnx import TensorProto, helper

    one = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "one", [one],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    wish = Wish(host.settings.face_provider, host.settings.face_strict_provider)
    asked = get_execution_providers(wish, onnxruntime)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=asked)
    found = outcome(wish, session.get_providers(), onnxruntime)
    ok = not found.fell_back and bool(np.isfinite(session.run(None, {"x": np.ones(1, np.float32)})[0]).all())
    detail = found.got if ok else f"{found.got}, {host.words('not', '而不是')} {found.wanted}: {found.reason}"
    return Requirement("ONNX Runtime", ok, f"{onnxruntime.__version__} · {detail}", "" if ok else found.remedy)


def models(host: Host) -> Requirement:
    """The files that the standard models need, by what the folder really holds."""
    root = files.folder(host.settings)
    remedy = "GENEFACE/scripts/faceswap models list"
    try:
        found = files.scan(root)
        for task in _SWAP_MODELS:
            files.choose(found, task, root)
    except VisageError as exc:
        return Requirement("face models", False, exc.message + host.words(
            " Until then the engine named basic works.", " 在此之前使用名为“基础”的引擎。"), remedy)
    names = ", ".join(entry.path.name for entry in found if entry.model)
    return Requirement("face models", True, f"{root}: {names}")


def dependencies(host: Host) -> Requirement:
    """The packages, their versions, whether they go together, and the C++ library they were built for."""
    lacking = []
    for name in _PACKAGES:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            lacking.append(name)
    detail = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES if name not in lacking)
    if lacking:
        return Requirement("packages", False, host.words("missing: ", "缺少：") + ", ".join(lacking), SETUP, True)
    newest = _newest_glibcxx()
    return Requirement("packages", True, detail + (f" · GLIBCXX {newest}" if newest else ""), essential=True)


def handler(host: Host) -> Requirement:
    """The picture service has all that a serverless platform calls."""
    absent = [name for name in _HANDLER if not callable(getattr(picture_service.PictureService, name, None))]
    detail = host.words("complete", "完整") if not absent else ", ".join(absent)
    return Requirement("handler", not absent, detail, "" if not absent else SETUP)


def swapping(host: Host) -> Requirement:
    """A face is really put onto the same face looking the other way, by each engine that is installed."""
    import skimage.data

    face = np.ascontiguousarray(skimage.data.astronaut()[0:320, 100:400])
    other = np.ascontiguousarray(face[:, ::-1])
    told = []
    for name in ("onnx", "embedded"):
        try:
            with open_swapper(name, host.settings) as swapper:
                identity = swapper.identify([face])
                found = swapper.find(other, Look(thorough=True))
                changed = bool(found) and bool(swapper.swap(other, found[0], identity).mask.any())
                told.append(f"{swapper.title} ({swapper.provider})" + ("" if changed else host.words(
                    ": the face in the test picture is not found", "：未在测试图片中找到人脸")))
        except VisageError as exc:
            if name == "embedded":
                return Requirement("swap", False, exc.message, exc.hint, essential=True)
    return Requirement("swap", changed, "; ".join(told), "" if changed else SETUP, essential=True)


CHECKS: tuple[Callable[[Host], Requirement], ...] = (providers, models, dependencies, handler, swapping)
"""The five, in order."""


def examine(host: Host) -> list[Requirement]:
    """All five; a check that breaks is a line of its own."""
    found = []
    for check in CHECKS:
        try:
            found.append(check(host))
        except Exception as exc:  # one broken check must not hide the others
            found.append(Requirement(check.__name__, False, f"{type(exc).__name__}: {exc}", SETUP, essential=True))
    return found


def _newest_glibcxx() -> str:
    """The newest version that this machine's libstdc++ offers; "" where it cannot be found."""
    try:
        listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    library = re.search(r"libstdc\+\+\.so\.6 .*=> (\S+)", listed)
    if not library or not Path(library.group(1)).is_file():
        return ""
    names = re.findall(rb"GLIBCXX_(\d+(?:\.\d+)+)", Path(library.group(1)).read_bytes())
    return max((name.decode() for name in names), key=lambda text: tuple(map(int, text.split("."))), default="")
