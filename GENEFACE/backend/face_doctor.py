"""What face swapping needs on this machine: five checks, each with what mends it (``doctor --faceswap``)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from backend import face_models, picture_service
from backend.machine import SETUP, Host
from backend.services import Services
from visage.engines.weights.table import table
from visage.errors import VisageError
from visage.swap import open_restorer, open_swapper
from visage.swap.contract import Look
from visage.swap.onnx import files
from visage.swap.onnx.providers import Wish, get_execution_providers, outcome
from visage.types import Requirement

_PACKAGES = ("onnxruntime", "mediapipe", "opencv-python-headless", "pillow", "numpy", "av")
_HANDLER = ("models_config", "init_face_enhancer", "enhance_face_quality", "process_face_swap_pipeline", "handle")
_TOUCHED = 0.2
"""Mean change of grey values from which a restorer has surely run."""
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
    """The files that the standard models need, by what the folder really holds, each with its checksum."""
    root = files.folder(host.settings)
    remedy = "GENEFACE/scripts/faceswap models list"
    try:
        found = files.scan(root)
        for task in _SWAP_MODELS:
            files.choose(found, task, root)
    except VisageError as exc:
        return Requirement("face models", False, exc.message + host.words(
            " Until then the engine named basic works.", " 在此之前使用名为“基础”的引擎。"), remedy)
    cache = host.settings.home.resolve() / "var" / "face_models"
    sums = {entry.path: files.fingerprint(entry.path, cache) for entry in found if entry.model}
    names = ", ".join(f"{path.name} {digest[:8]}" for path, digest in sums.items())
    wrong = [entry for entry in found if entry.state in ("corrupt", "unreadable")]
    wrong += [entry for entry in found if entry.model and entry.path.name in _published()
              and sums[entry.path] != _published()[entry.path.name]]
    if wrong:
        told = "; ".join(f"{entry.path.name}: " + (host.words(
            "not the published file", "不是发布的原文件") if entry.model else entry.detail) for entry in wrong)
        return Requirement("face models", False, told, "GENEFACE/scripts/faceswap models verify")
    return Requirement("face models", True, f"{root}: {names}")


def _published() -> dict[str, str]:
    """SHA-256 of the files whose whole checksum is known, by name."""
    return {Path(file.path).name: file.sha256 for weight in table(face_models.TABLE) for file in weight.files
            if file.sha256}


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
    if quarrels := _quarrels():
        return Requirement("packages", False, "; ".join(quarrels), SETUP, True)
    newest = _newest_glibcxx()
    return Requirement("packages", True, detail + (f" · GLIBCXX {newest}" if newest else ""), essential=True)


def handler(host: Host) -> Requirement:
    """The picture service has all that a serverless platform calls, and answers a job without input with its error."""
    service = picture_service.PictureService(Services(host.settings))
    absent = [name for name in _HANDLER if not callable(getattr(service, name, None))]
    answer = {} if absent else service.handle({"id": "doctor"})
    ok = answer.get("code") == "pictures.no_input"
    detail = host.words("complete, answers", "完整且有应答") if ok else ", ".join(absent) or str(answer)
    return Requirement("handler", ok, detail, "" if ok else SETUP)


def swapping(host: Host) -> Requirement:
    """A face is really put onto the same face looking the other way and made clearer, by each engine that is here."""
    import skimage.data

    face = np.ascontiguousarray(skimage.data.astronaut()[0:320, 100:400])
    told, works = [], False
    for name in ("onnx", "embedded"):
        try:
            swaps, sentence = _tried(host, name, face)
        except VisageError as exc:
            if name == "embedded":
                return Requirement("swap", False, exc.message, exc.hint, essential=True)
            continue
        works |= swaps
        told.append(sentence)
    return Requirement("swap", works, "; ".join(told), "" if works else SETUP, essential=True)


def _tried(host: Host, name: str, face: np.ndarray) -> tuple[bool, str]:
    """Whether an engine swaps, and that in words, with what came of its restorer."""
    other = np.ascontiguousarray(face[:, ::-1])
    with open_swapper(name, host.settings) as swapper:
        found = swapper.find(other, Look(thorough=True))
        if not found:
            return False, f"{swapper.title} ({swapper.provider})" + host.words(
                ": the face in the test picture is not found", "：未在测试图片中找到人脸")
        swaps = bool(swapper.swap(other, found[0], swapper.identify([face])).mask.any())
        sentence = f"{swapper.title} ({swapper.provider})" + (
            host.words(" swaps", " 可换脸") if swaps else host.words(" changes nothing", " 未改变图片"))
    try:
        with open_restorer(name, host.settings) as restorer:
            patch = restorer.restore(other, found[0])
            moved = np.abs(patch.pixels.astype(np.float32) - other[patch.area])[patch.mask > 0]
    except VisageError as exc:
        return swaps, sentence + host.words(f", no restorer: {exc.message}", f"，没有修复器：{exc.message}")
    strong = float(moved.mean()) if moved.size else 0.0
    return swaps, sentence + (host.words(
        f", {restorer.title} restores (grey values move by {strong:.1f})",
        f"，{restorer.title} 可修复（灰度平均变化 {strong:.1f}）") if strong > _TOUCHED else host.words(
        f", {restorer.title} changes nothing", f"，{restorer.title} 未改变图片"))


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


def _quarrels() -> list[str]:
    """Lines of ``pip check`` about the packages used here; mediapipe is installed without what it declares."""
    argv = [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"]
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in said.splitlines()
            if line.split()[:1] and line.split()[0] in _PACKAGES and line.split()[0] != "mediapipe"]


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
