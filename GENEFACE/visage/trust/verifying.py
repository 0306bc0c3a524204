"""Whether a file says that a machine made it, who did, and whether what it shows is still what was labelled."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from visage.errors import VisageError
from visage.media.labels import Label, content_digest, kind_of, read_label
from visage.trust.credentials import Credential, read_credential
from visage.trust.seals import Seals, bound_digest


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about a file."""

    name: str
    """Its name."""
    kind: str
    """Its format; "" for one that cannot carry a label."""
    state: str
    """``intact``: labelled, content as it was; ``unbound``: labelled, but the label names no content; ``changed``: the
    content is not the labelled one; ``forged``: the label was altered after this installation sealed it; ``missing``:
    no label."""
    label: Label | None
    """The label."""
    ours: bool
    """Whether this installation made and sealed it."""
    digest: str
    """The content's own digest; "" when the content cannot be read."""
    credential: Credential | None = None
    """What a C2PA manifest in it says."""

    @property
    def labelled(self) -> bool:
        """Whether it says, believably, that a machine made it."""
        return self.state in ("intact", "unbound")

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON-ready data."""
        told = asdict(self.label) if self.label else None
        return {"name": self.name, "kind": self.kind, "state": self.state, "labelled": self.labelled, "ours": self.ours,
                "digest": self.digest, "label": told,
                "credential": asdict(self.credential) if self.credential else None}


def examine(path: Path, seals: Seals, name: str = "") -> Verdict:
    """Look at a file.  Raises `NotFound`; a file that is no medium has no label."""
    label, kind = read_label(path), kind_of(path)
    try:
        digest = content_digest(path) if kind else ""
    except (VisageError, OSError, ValueError):
        digest = ""
    credential = read_credential(path) if kind else None
    name = name or path.name
    if label is None:
        return Verdict(name, kind, "missing", None, False, digest, credential)
    held, bound = seals.holds(label), bound_digest(label)
    state = "unbound" if not bound else "intact" if bound == digest else "changed"
    if held is False:
        state = "forged"
    return Verdict(name, kind, state, label, held is True, digest, credential)
