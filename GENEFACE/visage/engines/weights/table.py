"""The tables of weights as types; the pipelines in GeneFace's containers read theirs too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from visage.errors import InvalidRequest, NotFound
from visage.storage.paths import EVALUATION_TABLE, WEIGHTS_TABLE, Paths


@dataclass(frozen=True, slots=True)
class File:
    """One file.  What is published nowhere is None or empty."""

    path: str
    """Below its root."""
    kind: str
    """How it is told from a file that is something else; see `content`."""
    size: int | None = None
    """Bytes."""
    about: int | None = None
    """Bytes, rounded as published."""
    sha256: str | None = None
    """Hexadecimal."""
    sha1: str | None = None
    """Hexadecimal."""
    git_blob: str | None = None
    """Its name in a git repository: SHA-1 over a header and the content."""
    url: str = ""
    """Where it can be downloaded."""
    text: str | None = None
    """Its whole content, where that is known."""
    contains: tuple[str, ...] = ()
    """Variables that a MATLAB file must hold."""
    vertices: int = 0
    """Points of the mesh that an expression basis is for."""
    also: tuple[str, ...] = ()
    """Other paths that do as well."""

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Licence:
    """What the owner allows."""

    name: str
    """What it is called, or that it is not stated."""
    url: str
    """Where it can be read or asked for."""
    signed: bool = False
    """Whether it must be applied for and signed: such files are never fetched by a program."""
    research_only: bool = False
    """Whether it allows research alone: such files are fetched only when asked for by name."""


@dataclass(frozen=True, slots=True)
class Archive:
    """The packed form in which files are published."""

    url: str
    """Where it can be downloaded."""
    name: str
    """Its file name."""
    top: str
    """Folder in it that is unpacked whole; empty: the files of the table alone are taken."""
    into: str
    """Folder below the root that ``top`` goes to."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Files that come together from one place."""

    name: str
    """As commands name it."""
    title: str
    """What it is, in English."""
    root: str
    """``workspace`` (GeneFace-main), ``cache`` (model_cache) or ``image`` (there, unless the workspace has a copy)."""
    needed_for: tuple[str, ...]
    """``train``, ``infer``, ``evaluate``."""
    optional: bool
    """Whether everything works without, if less well."""
    licence: Licence
    """What its owner allows."""
    page: str
    """Where a person finds it."""
    fetch: bool
    """Whether a program may download it."""
    note: str
    """One more English sentence, or empty."""
    files: tuple[File, ...]
    """What there must be in the end."""
    archive: Archive | None = None
    """How it is packed, if it is."""
    engine: str = "GeneFace"
    """Who needs it."""
    workspace: str = ""
    """The engine's workspace below ``home``; empty: GeneFace's."""

    def place(self, paths: Paths, file: File) -> Path:
        """Where one of its files lies, or belongs."""
        own = paths.home / self.workspace if self.workspace else paths.geneface
        root = paths.models if self.root == "cache" else own
        return next((root / other for other in file.also if (root / other).is_file()), root / file.path)


def weights(engine: str = "") -> tuple[Weight, ...]:
    """All weights of the shipped tables, or those of one engine (any case)."""
    every = (*table(), *table(EVALUATION_TABLE))
    return tuple(weight for weight in every if engine.lower() in ("", weight.engine.lower()))


def find(names: Iterable[str], engine: str = "") -> tuple[Weight, ...]:
    """The weights of these names, or all when none is named; raises `NotFound` with the names there are."""
    known = {weight.name: weight for weight in weights(engine)}
    for name in names:
        if name not in known:
            raise NotFound("There are no weights {name}.", code="weights.unknown", hint="There are: {known}.",
                           name=name, known=", ".join(known))
    return tuple(known[name] for name in names) or tuple(known.values())


def table(file: Path = WEIGHTS_TABLE) -> tuple[Weight, ...]:
    """The weights of a table; raises `InvalidRequest` for one that cannot be read."""
    try:
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InvalidRequest("The table of weights {file} cannot be read: {reason}", code="weights.table",
                             hint="Compare it with GeneFace-main/scripts/weights.json.", file=str(file),
                             reason=f"{type(exc).__name__}: {exc}") from exc


@lru_cache(maxsize=8)
def _read(file: Path, _: int) -> tuple[Weight, ...]:
    """Read once; the last argument changes when the file does."""
    told = json.loads(file.read_text(encoding="utf-8"))
    return tuple(_weight(row, told["engine"], told.get("workspace", "")) for row in told["weights"])


def _weight(row: dict[str, Any], engine: str, workspace: str) -> Weight:
    files = tuple(File(**{key: tuple(value) if isinstance(value, list) else value for key, value in file.items()})
                  for file in row["files"])
    archive = Archive(**row["archive"]) if "archive" in row else None
    rest = {key: row[key] for key in ("name", "title", "root", "optional", "page", "fetch", "note")}
    return Weight(**rest, needed_for=tuple(row["needed_for"]), licence=Licence(**row["licence"]), files=files,
                  archive=archive, engine=engine, workspace=workspace)
