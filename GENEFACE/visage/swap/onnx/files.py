"""The folder of models: where it is, what lies in it, and which file serves which task."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from visage.config import Settings
from visage.swap.onnx import failures
from visage.swap.onnx.graph import Graph, Malformed, read
from visage.swap.onnx.specs import ModelSpec, identify, rank

VARIABLE = "FACE_FUSION_MODELS"
"""Name under which face-swap programs look for their models."""
_SUFFIX = ".onnx"
_DEEP = 2
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Model:
    """A file that is a network known here."""

    path: Path
    """Where it is."""
    spec: ModelSpec
    """Its kind."""
    graph: Graph
    """Its ports and stored values."""

    @property
    def half(self) -> bool:
        """Whether its weights are float16."""
        return self.graph.half


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with the name of a model, as it was found."""

    path: Path
    """Where it is."""
    state: str
    """``known``, ``unknown``, ``corrupt`` or ``unreadable``."""
    detail: str
    """Its kind, its ports, or why it is wrong."""
    model: Model | None = None
    """What it is, when it is known."""


def folder(settings: Settings) -> Path:
    """The folder of models, absolute: of the settings, else of ``.env`` beside the product, else ``model_cache``."""
    home = settings.home.resolve()
    # a variable that is set to nothing comes as the path "."
    given = str(settings.face_models or "")
    named = given if given not in ("", ".") else _of_dotenv(home / ".env")
    path = Path(named).expanduser() if named else home / "model_cache" / "face_models"
    return path if path.is_absolute() else (home / path).resolve()


def load(path: Path) -> Model:
    """The model in a file.

    Raises `NotInstalled` (E02) which says whether it is missing, unreadable, damaged or of
    a kind that is not known here.
    """
    try:
        graph = read(path)
    except FileNotFoundError as exc:
        raise failures.absent(path) from exc
    except OSError as exc:
        raise failures.unreadable(path, exc.strerror or str(exc)) from exc
    except Malformed as exc:
        raise failures.corrupt(path, str(exc)) from exc
    spec = identify(graph, path.stem)
    if spec is None:
        raise failures.unknown(path, graph.inputs, graph.outputs)
    return Model(path, spec, graph)


def scan(root: Path) -> list[Entry]:
    """Every ``*.onnx`` in a folder and two below.  Raises `NotInstalled` (E02) when it is missing or unreadable."""
    if not root.exists():
        raise failures.absent(root)
    try:
        paths = sorted(_walk(root, _DEEP))
    except OSError as exc:
        raise failures.unreadable(root, exc.strerror or str(exc)) from exc
    return [_entry(path) for path in paths]


def choose(entries: list[Entry], task: str, root: Path, *, name: str = "", half: bool | None = None) -> Model:
    """The best file for a task: the one named, else by its usual names, float32 before float16.

    Raises `NotInstalled` (E02) with what was found; a damaged file with a usual name is told as such.
    """
    models = [entry.model for entry in entries if entry.model and entry.model.spec.task == task
              and (half is None or entry.model.half == half)]
    if name:
        models = [model for model in models if name.lower() in (model.path.name.lower(), model.path.stem.lower())]
    if not models:
        for entry in entries:
            if entry.state in ("corrupt", "unreadable") and (not name or name in entry.path.name):
                raise (failures.corrupt if entry.state == "corrupt" else failures.unreadable)(entry.path, entry.detail)
        found = (f"{entry.path.name} ({entry.detail})" for entry in entries)
        raise failures.missing(f"{task} {name}".strip(), root, found)
    order = [spec.kind for spec in _order()]
    return min(models, key=lambda model: (order.index(model.spec.kind), rank(model.spec, model.path.stem), model.half,
                                          model.path.name))


def sibling(entries: list[Entry], model: Model, *, half: bool) -> Model | None:
    """The float16 or float32 file of the same kind, or None."""
    others = [entry.model for entry in entries if entry.model and entry.model.spec.kind == model.spec.kind
              and entry.model.half == half and entry.path != model.path]
    return min(others, key=lambda one: rank(one.spec, one.path.stem), default=None)


def fingerprint(path: Path, cache: Path | None = None) -> str:
    """SHA-256 of a file; remembered in ``cache`` as long as its size and time stay."""
    stat = path.stat()
    key, facts = str(path.resolve()), [stat.st_size, stat.st_mtime_ns]
    kept = cache / "fingerprints.json" if cache else None
    with _lock:
        known = _known(kept)
        if key in known and known[key][:2] == facts:
            return str(known[key][2])
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        known[key] = [*facts, digest.hexdigest()]
        if kept:
            _keep(kept, known)
    return digest.hexdigest()


def _order() -> tuple[ModelSpec, ...]:
    from visage.swap.onnx.specs import CODEFORMER, CODEFORMER_SCALAR, GFPGAN, SPECS

    # of two restorers the one with the freer licence is taken unless the other is named
    return (GFPGAN, *(spec for spec in SPECS if spec is not GFPGAN and spec is not CODEFORMER_SCALAR), CODEFORMER)


def _walk(root: Path, deep: int) -> Iterator[Path]:
    for path in root.iterdir():
        if path.is_dir() and deep and path.suffix != _SUFFIX:
            yield from _walk(path, deep - 1)
        elif path.suffix == _SUFFIX:
            yield path


def _entry(path: Path) -> Entry:
    try:
        model = load(path)
    except failures.NotInstalled as exc:
        state = exc.code.rpartition("_")[2]
        return Entry(path, "unreadable" if state == "absent" else state, str(exc.params.get("reason") or exc.message))
    return Entry(path, "known", f"{model.spec.kind}{', float16' if model.half else ''}", model)


def _known(kept: Path | None) -> dict[str, list[object]]:
    try:
        told = json.loads(kept.read_text(encoding="utf-8")) if kept else {}
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _keep(kept: Path, known: dict[str, list[object]]) -> None:
    fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
        fresh.replace(kept)
    except OSError:
        # without a place to remember it the checksum is computed again next time
        fresh.unlink(missing_ok=True)


def _of_dotenv(file: Path) -> str:
    """The variable in a ``.env`` file, or nothing."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    for line in lines:
        name, _, value = line.strip().removeprefix("export ").partition("=")
        if name.strip() == VARIABLE:
            return value.strip().strip("'\"")
    return ""
