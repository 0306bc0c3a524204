"""The last step of every export: the file gets its label, and the label is read back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from visage.config import Settings
from visage.media.labels import Label, content_digest, read_label, write_label
from visage.storage.paths import Paths
from visage.trust.credentials import sign
from visage.trust.seals import Seals

if TYPE_CHECKING:
    # The voice server labels without a log, and its image has no database.
    from visage.trust.audit import Audit


NO_AGREEMENT = "The mark stays, because no agreement on unlabelled copies is on record."
"""Note of an export that was to have no mark."""


@dataclass(frozen=True, slots=True)
class Marking:
    """Whether exports bear what people see and hear."""

    visible: bool
    """The mark on pictures."""
    audible: str
    """Where the rhythm stands in sounds given out as files: ``start``, ``end`` or ``off``."""
    notes: tuple[str, ...] = ()
    """What must be said of it."""


class Labeller:
    """Labels the exports of one installation; without a log (``audit``) none of them is written down."""

    def __init__(self, settings: Settings, paths: Paths, audit: Audit | None = None) -> None:
        self._settings, self._audit = settings, audit
        self.seals = Seals(paths.label_key)
        """What binds labels to contents."""

    def marking(self) -> Marking:
        """What people see and hear: everything, unless settings say no and an agreement on record allows it."""
        visible, audible = self._settings.visible_mark, self._settings.audible_mark
        if visible and audible != "off":
            return Marking(visible, audible)
        if self._audit and self._audit.agreement():
            return Marking(visible, audible)
        return Marking(True, "end" if audible == "off" else audible, (NO_AGREEMENT,))

    def label(self, sources: Sequence[Label] = ()) -> Label:
        """A new label, not yet bound to a content; ``sources`` are the labels of what it is made from."""
        return Label(producer=self._settings.label_producer, made_as=uuid.uuid4().hex).made_from(sources)

    def finish(self, file: Path, what: str = "", owner: str = "", sources: Sequence[Path] = ()) -> Label:
        """Label a finished file as generated here and return its label, which was read back.

        ``what`` says in the log what was exported; without it, as for what a page plays, nothing is logged.  Labels of
        ``sources`` are carried over.  A file that already has this installation's label of the same content keeps it.
        Raises `OutputInvalid`, `DiskFull`.
        """
        there = read_label(file)
        digest = content_digest(file)
        if there and self.seals.holds(there) and digest in there.seal:
            return there
        told = [label for label in (read_label(source) for source in sources) if label]
        label = self.seals.seal(self.label([*told, *([there] if there else [])]), digest)
        write_label(file, label)
        if self._settings.signing_certificate:
            sign(file, label, self._settings)
        if self._audit and what:
            self._audit.note("export", label.made_as, owner, what=what, sha256=digest, size=file.stat().st_size)
        return label

    def pass_on(self, file: Path, number: str) -> Label | None:
        """Write into a labelled file that this installation passed it on; None when it has no label to keep."""
        there = read_label(file)
        if there is None:
            return None
        label = there.passed_on(self._settings.label_producer, number)
        write_label(file, label)
        return label
