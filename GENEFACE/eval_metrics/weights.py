"""How evaluation finds the files of its models: one that is named, else one that is there, else a download."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from eval_metrics.contract import Options
from visage.config import Settings, read_settings
from visage.engines.weights.check import COMMAND
from visage.engines.weights.content import contradicted, flaw, sums
from visage.engines.weights.fetching import address, fetch, mirrors
from visage.engines.weights.table import File, Weight, table
from visage.errors import BadMedia, NotFound, NotInstalled, VisageError
from visage.storage.paths import EVALUATION_TABLE, Paths

if TYPE_CHECKING:
    import torch

_KNOCK_SECONDS = 4.0
"""How long a host may take to answer before a download is not even tried: a report must not wait for dead networks."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that a metric is computed with."""

    name: str
    """Name in the table of weights, e.g. ``"inception"``."""
    path: Path
    """Where it is."""
    source: str
    """``given``, ``installed`` or ``downloaded``."""
    sha256: str
    """Hexadecimal."""
    published: bool | None
    """Whether that is the published checksum; None when none is published."""

    @property
    def told(self) -> dict[str, str]:
        """What a report says of it."""
        state = {True: "as published", False: "differs from the published file", None: "nothing published"}
        return {"name": f"{self.name}/{self.path.name}", "source": self.source, "sha256": self.sha256,
                "checksum": state[self.published]}


def told(*files: ModelFile) -> dict[str, str]:
    """What a report says of the files a figure was computed with, one beside the other."""
    rows = [file.told for file in files]
    return {key: " + ".join(row[key] for row in rows) for key in rows[0]}


@dataclass(frozen=True, slots=True)
class _OwnFolder(Paths):
    """Paths of an installation whose downloaded weights lie in a folder of their own, e.g. one mounted read-write."""

    folder: Path

    @property
    def models(self) -> Path:
        """Downloaded weights."""
        return self.folder

    @property
    def weights(self) -> Path:
        """What was recorded of each weight when it came."""
        return self.folder / "weights.json"

    @property
    def downloads(self) -> Path:
        """Archives on their way, until they are unpacked."""
        return self.folder / "downloads"


def seek(name: str, options: Options, download: bool = True) -> ModelFile:
    """The first file of the weights ``name``.

    Looked for where ``options.weights[name]`` says; else in ``options.models``,
    ``VISAGE_EVALUATION_MODELS`` or ``model_cache``, in its place there or under its bare
    name; else downloaded, when both ``options`` and settings are online and its licence
    lets anybody use it.  Raises `NotFound` for a named file that is not there, `BadMedia`
    for one that is something else, `NotInstalled` with the command that mends it.
    """
    weight, settings = _weight(name), read_settings()
    file = weight.files[0]
    if given := options.weights.get(name):
        return _given(weight, Path(given))
    paths = _paths(options, settings)
    if found := _installed(paths, weight):
        return _checked(weight, found, "installed")
    if not download:
        raise _missing(weight, paths, "it is not installed")
    _bring(weight, paths, options.online and settings.online, mirrors(settings))
    return _checked(weight, weight.place(paths, file), "downloaded")


def state_of(file: ModelFile) -> dict[str, torch.Tensor]:
    """The tensors of a PyTorch file by name; raises `BadMedia` for one that is something else."""
    import pickle

    import torch

    try:
        state = torch.load(file.path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as exc:
        raise _unfit(file, str(exc).partition("\n")[0] or type(exc).__name__) from exc
    if isinstance(state, Mapping) and all(isinstance(value, torch.Tensor) for value in state.values()):
        return dict(state)
    raise _unfit(file, "it holds no named tensors")


def fill(network: torch.nn.Module, state: Mapping[str, Any], file: ModelFile) -> None:
    """Put every tensor into a network (which may be on ``meta``) by its name.

    Raises `BadMedia` when names or shapes differ.
    """
    try:
        network.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as exc:
        raise _unfit(file, " ".join(str(exc).split())[:300]) from exc


def _weight(name: str) -> Weight:
    """By name, first in evaluation's table; GeneFace's is only read for what is not there."""
    known = {weight.name: weight for weight in table(EVALUATION_TABLE)}
    return known[name] if name in known else {weight.name: weight for weight in table()}[name]


def _paths(options: Options, settings: Settings) -> Paths:
    home = settings.home.resolve()
    folder = options.models or settings.evaluation_models
    return _OwnFolder(home, folder.resolve()) if folder else Paths(home)


def _installed(paths: Paths, weight: Weight) -> Path | None:
    file = weight.files[0]
    names = {Path(path).name for path in (file.path, *file.also)}
    places = [weight.place(paths, file), *(paths.models / name for name in sorted(names))]
    return next((place for place in places if place.is_file()), None)


def _given(weight: Weight, path: Path) -> ModelFile:
    if path.is_dir():
        path = path / weight.files[0].name
    if not path.is_file():
        raise NotFound("There is no file {file} ({title}).", code="evaluation.no_such_weights", file=str(path),
                       title=weight.title, hint="Check the path, or leave it out and run: {command}",
                       command=_command(weight))
    return _checked(weight, path, "given")


def _checked(weight: Weight, path: Path, source: str) -> ModelFile:
    """Sum a file up; one that somebody named may be another version, one that was installed may not."""
    file = weight.files[0]
    try:
        loose = File(file.path, file.kind, contains=file.contains)
        reason = flaw(path, loose if source == "given" else file)
        own = _sums(path, path.stat().st_size, path.stat().st_mtime_ns)
    except OSError as exc:
        reason, own = exc.strerror or str(exc), {}
    differs = "" if reason else contradicted(own, file)
    if reason or (differs and source != "given"):
        raise BadMedia("{file} is not what it should be: {reason}.", code="weights.wrong_file", file=str(path),
                       reason=reason or differs, page=weight.page, hint="Get it from {page}")
    known = bool(file.sha256 or file.sha1 or file.git_blob)
    return ModelFile(weight.name, path, source, own["sha256"], not differs if known else None)


@lru_cache(maxsize=32)
def _sums(path: Path, size: int, changed: int) -> dict[str, str]:
    """Read once as long as the file stays the same."""
    return sums(path)


def _bring(weight: Weight, paths: Paths, online: bool, instead: Mapping[str, str]) -> None:
    if not online:
        raise _missing(weight, paths, "downloads are switched off")
    if weight.licence.research_only:
        raise _missing(weight, paths, f"its licence ({weight.licence.name}) is yours to accept")
    if not weight.fetch:
        raise _missing(weight, paths, "no program may download it")
    url = address(weight.archive.url if weight.archive else weight.files[0].url, instead)
    if not _answers(url):
        raise _missing(weight, paths, f"{urlsplit(url).netloc} cannot be reached")
    try:
        fetch(paths, weight, instead)
    except VisageError as exc:
        raise _missing(weight, paths, exc.message) from exc
    except OSError as exc:
        raise _missing(weight, paths, exc.strerror or str(exc)) from exc


@lru_cache(maxsize=32)
def _answers(url: str) -> bool:
    """Whether a host takes connections; asked once a process.  Behind a proxy only the download itself can tell."""
    from requests.utils import get_environ_proxies

    if get_environ_proxies(url):
        return True
    parts = urlsplit(url)
    try:
        port = parts.port or {"http": 80}.get(parts.scheme, 443)
        socket.create_connection((parts.hostname or "", port), _KNOCK_SECONDS).close()
    except OSError:
        return False
    return True


def _command(weight: Weight) -> str:
    return f"{COMMAND} fetch {weight.name}" if weight.fetch else f"{COMMAND} import FILE"


def _missing(weight: Weight, paths: Paths, reason: str) -> NotInstalled:
    return NotInstalled("{title} is not here ({file}): {reason}.", code="evaluation.weights_missing",
                        hint="Run: {command} — or put the file into {folder}. It comes from {page}",
                        title=weight.title, file=weight.files[0].name, reason=reason.rstrip("."),
                        command=_command(weight), folder=str(weight.place(paths, weight.files[0]).parent),
                        page=weight.page)


def _unfit(file: ModelFile, reason: str) -> BadMedia:
    return BadMedia("{file} cannot be used as {name}: {reason}.", code="evaluation.unfit_weights",
                    file=file.path.name, name=file.name, reason=reason.rstrip("."),
                    hint="Remove it and get it again: GENEFACE/scripts/weights list")
