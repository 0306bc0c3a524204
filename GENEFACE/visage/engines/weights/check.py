"""Whether the weights are here and whole: a quick look for pages, a thorough one for ``scripts/weights verify``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from visage.engines.weights.content import contradicted, flaw, quick_flaw, sums
from visage.engines.weights.record import Record
from visage.engines.weights.table import File, Weight, table
from visage.errors import InvalidRequest
from visage.storage.paths import WEIGHTS_TABLE, Paths
from visage.types import Requirement

COMMAND = "GENEFACE/scripts/weights"


@dataclass(frozen=True, slots=True)
class Finding:
    """One file of a weight, as it was found."""

    file: File
    """What should be there."""
    place: Path
    """Where it belongs."""
    state: str
    """``present``, ``missing``, ``wrong`` or ``in the image``."""
    detail: str = ""
    """Why it is wrong, or what its checksum was compared with."""

    @property
    def ok(self) -> bool:
        """Whether it can be used."""
        return self.state in ("present", "in the image")


def look(paths: Paths, weight: Weight) -> tuple[Finding, ...]:
    """Each file of a weight after a look at its size and its first bytes; takes milliseconds."""
    record = Record(paths)
    return tuple(_look(paths, weight, file, record) for file in weight.files)


def verify(paths: Paths, weight: Weight, told: Callable[[str, int, int], None] = lambda *_: None
           ) -> tuple[Finding, ...]:
    """Each file of a weight after reading it whole; what was not yet recorded is recorded.

    ``told`` hears a file's name, the bytes read so far, and how many it has.
    """
    record = Record(paths)
    return tuple(_verify(weight, found, record, told) if found.state == "present" else found
                 for found in look(paths, weight))


def missing(paths: Paths, purpose: str, engine: str, file: Path = WEIGHTS_TABLE) -> Requirement:
    """Whether an engine has what the table ``file`` says it needs to ``train`` or to ``infer``; takes milliseconds.

    Never raises: a table that cannot be read is told as what is missing.
    """
    name = f"{engine} weights"
    try:
        needed = [weight for weight in table(file) if purpose in weight.needed_for and not weight.optional]
    except InvalidRequest as exc:
        return Requirement(name, False, exc.message, exc.hint)
    lacking = [weight for weight in needed if not all(found.ok for found in look(paths, weight))]
    if not lacking:
        return Requirement(name, True, f"{len(needed)} of {len(needed)}")
    return Requirement(name, False, f"missing: {', '.join(weight.name for weight in lacking)}", remedy(lacking))


def remedy(lacking: Sequence[Weight]) -> str:
    """The command that brings missing weights, or tells how a person does."""
    return f"{COMMAND} fetch" if any(weight.fetch for weight in lacking) else f"{COMMAND} list --missing"


def _look(paths: Paths, weight: Weight, file: File, record: Record) -> Finding:
    place = weight.place(paths, file)
    if not place.is_file():
        return Finding(file, place, "in the image" if weight.root == "image" else "missing")
    recorded = record.of(weight, file).get("size")
    if recorded is not None and recorded != place.stat().st_size:
        return Finding(file, place, "wrong", f"it has {place.stat().st_size} bytes and had {recorded} when it came")
    reason = quick_flaw(place, file)
    return Finding(file, place, "wrong" if reason else "present", reason)


def _verify(weight: Weight, found: Finding, record: Record, told: Callable[[str, int, int], None]) -> Finding:
    file, place = found.file, found.place
    if reason := flaw(place, file):
        return Finding(file, place, "wrong", reason)
    size = place.stat().st_size
    own = sums(place, lambda done: told(file.name, done, size))
    if reason := contradicted(own, file):
        return Finding(file, place, "wrong", reason)
    recorded = record.of(weight, file).get("sha256")
    if recorded and recorded != own["sha256"]:
        return Finding(file, place, "wrong", f"its sha256 is {own['sha256']} and was {recorded} when it came")
    if not recorded:
        record.keep(weight, file, place, own["sha256"], "found")
    published = file.sha256 or file.sha1 or file.git_blob or file.text
    detail = "as published" if published else "as when it came" if recorded else "unknown so far; recorded now"
    return Finding(file, place, "present", detail)
