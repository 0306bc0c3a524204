"""Weights that a person has downloaded: told apart by name, folder and content, and put where they belong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from visage.engines.weights.arrival import Arrival
from visage.engines.weights.content import foreign, quick_flaw, variables
from visage.engines.weights.packed import Member, is_archive, opened
from visage.engines.weights.table import File, Weight
from visage.errors import BadMedia, NotFound
from visage.storage.paths import Paths

_COPY = re.compile(r"\s*\(\d+\)(?=\.[^.]*$)|\s*\(\d+\)$")
"""What browsers add to the name of a second download."""
_TELLING = ("mat", "torch", "exp_pca", "graph", "npz", "onnx")
"""Kinds whose content tells them apart; the name alone of any other says too little."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was put in its place."""

    weight: Weight
    """What it belongs to."""
    place: Path
    """Where it is now."""
    source: str
    """Where it was."""


def take(paths: Paths, source: Path, among: Sequence[Weight], told: Callable[[str, int, int], None] = lambda *_: None
         ) -> list[Taken]:
    """Put a file, an archive or a folder of weights where they belong; what is none of ``among`` is left alone.

    Raises `NotFound`, and `BadMedia` when nothing in it is a weight, or when something has the name of one but is none.
    """
    arrival = Arrival(paths, told)
    if source.is_dir():
        taken = list(_folder(arrival, paths, source, among))
    elif source.is_file():
        taken = list(_one(arrival, paths, source, among))
    else:
        raise NotFound("There is no file {name}.", code="weights.no_such_file", hint="Check the path.",
                       name=str(source))
    if not taken:
        known = sorted({file.name for weight in among for file in weight.files}
                       | {weight.archive.name for weight in among if weight.archive})
        raise BadMedia("{file} holds no weights that are known here.", code="weights.not_recognised",
                       hint="Known files: {known}. Of files with one name the folder above decides.", file=source.name,
                       known=", ".join(known))
    came = {one.weight.name: one.weight for one in taken}
    return taken + [Taken(weight, arrival.write(weight, file), "") for weight in came.values()
                    for file in weight.files if file.text is not None]


def recognise(name: str, among: Sequence[Weight]) -> tuple[Weight, File] | None:
    """The weight that a path means; of several with one file name the folders above decide."""
    parts = PurePosixPath(_COPY.sub("", name)).parts
    fits = [(weight, file) for weight in among for file in weight.files
            if file.text is None and parts and any(PurePosixPath(path).name == parts[-1]
                                                   for path in (file.path, *file.also))
            and (file.kind in _TELLING or _shared(parts, file))]
    if len(fits) < 2:
        return fits[0] if fits else None
    best = max(fits, key=lambda fit: _shared(parts, fit[1]))
    rivals = [fit for fit in fits if _shared(parts, fit[1]) == _shared(parts, best[1])]
    return best if len(rivals) == 1 else None


def unpack(arrival: Arrival, paths: Paths, archive: Path, among: Sequence[Weight], source: str) -> Iterator[Taken]:
    """Take what is known out of an archive."""
    with opened(archive) as members:
        packed = next((weight for weight in among if weight.archive and _base(weight, members) is not None), None)
        if packed and packed.archive and packed.archive.top:
            yield from _whole(arrival, paths, packed, members, source)
            return
        known = [(found, member) for member in members if (found := recognise(f"{archive.stem}/{member.name}", among))]
        for found, member in known:
            rivals = [other for its, other in known if its[1] == found[1]]
            # of files with one name, as in a package with several versions of a model, the folders above decide
            if member == max(rivals, key=lambda one: _shared(PurePosixPath(one.name).parts, found[1])):
                yield Taken(found[0], arrival.unpack(*found, member, source), source)


def _one(arrival: Arrival, paths: Paths, source: Path, among: Sequence[Weight]) -> Iterator[Taken]:
    known = recognise(str(source.absolute()), among)
    if known is None and is_archive(source):
        yield from unpack(arrival, paths, source, among, str(source))
        return
    if known is None:
        with source.open("rb") as stream:
            reason = foreign(stream.read(4096))
        if reason:
            raise BadMedia("{file} is not what it should be: {reason}.", code="weights.wrong_file",
                           hint="Get it from {page}", file=source.name, reason=reason,
                           page="the place that `GENEFACE/scripts/weights list` names")
        known = _by_content(source, among)
    if known:
        yield Taken(known[0], arrival.copy(*known, source), str(source))


def _folder(arrival: Arrival, paths: Paths, source: Path, among: Sequence[Weight]) -> Iterator[Taken]:
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        known = recognise(str(file.absolute()), among)
        if known and file.resolve() != known[0].place(paths, known[1]).resolve():
            yield Taken(known[0], arrival.copy(*known, file), str(file))
        elif not known and is_archive(file):
            yield from unpack(arrival, paths, file, among, str(file))


def _whole(arrival: Arrival, paths: Paths, weight: Weight, members: Sequence[Member], source: str) -> Iterator[Taken]:
    """Unpack the folder that an archive is made of: the files of the table checked, the others as they are."""
    assert weight.archive is not None
    base = _base(weight, members) or ""
    root = weight.place(paths, File(f"{weight.archive.into}/{weight.archive.top}", "folder"))
    listed = {weight.place(paths, file): file for file in weight.files}
    for member in members:
        if not member.name.startswith(base):
            continue
        place = root / member.name[len(base):]
        if known := listed.get(place):
            yield Taken(weight, arrival.unpack(weight, known, member, source), source)
        else:
            yield Taken(weight, arrival.extra(place, member), source)


def _base(weight: Weight, members: Sequence[Member]) -> str | None:
    """What precedes the paths of a weight's files in an archive that holds them all; None when it does not."""
    archive = weight.archive
    assert archive is not None
    names = [member.name for member in members]
    inner = [file.path.removeprefix(f"{archive.into}/").removeprefix(f"{archive.top}/") for file in weight.files]
    for base in [name[:-len(inner[0])] for name in names if f"/{name}".endswith(f"/{inner[0]}")]:
        if all(base + path in names for path in inner):
            return base
    return None


def _by_content(source: Path, among: Sequence[Weight]) -> tuple[Weight, File] | None:
    """The weight that a file of any name is, where its structure alone tells."""
    found = variables(source)
    for weight in among:
        for file in weight.files:
            if file.contains and found.issuperset(file.contains):
                return weight, file
            if file.size and file.sha256 and not quick_flaw(source, file):
                return weight, file
    return None


def _shared(parts: Sequence[str], file: File) -> int:
    """How many folders above a file agree; the folder of a model hub counts by the model's name too."""
    own = [folder.rpartition("--")[2] for folder in PurePosixPath(file.path).parts[:-1]]
    theirs = {part.rpartition("--")[2] for part in parts[:-1]}
    return sum(folder in theirs for folder in own)
