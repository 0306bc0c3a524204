"""The last steps of every file that leaves the product: the mark that people see, then the label, read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.services import Services
from visage.media.labels.burning import burn_mark
from visage.media.labels.mark import Mark
from visage.storage.records import Turn
from visage.storage.talks import ANSWER, Talks

KEPT = "answer-labelled.mp4"
"""The copy of a kept answer that is given out."""
_MILLISECONDS = 1000


def finish_clip(services: Services, file: Path, what: str, owner: str = "", sources: Sequence[Path] = (), *,
                marked: bool = False) -> list[str]:
    """Mark and label a finished clip in place; returns notes.  ``marked``: whoever made it drew the mark already.

    ``sources`` are the files it was made from, whose labels are carried over.  Raises `OutputInvalid`, `DiskFull`.
    """
    marking = services.labeller.marking()
    if marking.visible and not marked:
        burn_mark(file, file)
    services.labeller.finish(file, what, owner, sources)
    return list(marking.notes)


def kept_answer(services: Services, talks: Talks, turn: Turn) -> Path:
    """The kept video of a live answer as it is given out, marked and labelled when first asked for.  Raises `NotFound`.

    What lies beside it stays unmarked, so that a film of the conversation bears one mark, not two.
    """
    raw = talks.file(turn, ANSWER)
    labelled = raw.with_name(KEPT)
    if not labelled.is_file():
        draft = raw.with_name(f".{KEPT}")
        burn_mark(raw, draft) if services.labeller.marking().visible else draft.write_bytes(raw.read_bytes())
        services.labeller.finish(draft, "kept answer")
        draft.replace(labelled)
    return labelled


class Marked:
    """Draws the mark on frames of one size, whatever their rate."""

    def __init__(self) -> None:
        self._mark: Mark | None = None

    def __call__(self, frame: np.ndarray, seconds: float) -> np.ndarray:
        """The frame, uint8 RGB [H, W, 3], with the mark of that time."""
        if self._mark is None:
            self._mark = Mark(frame.shape[1], frame.shape[0], _MILLISECONDS)
        return self._mark.on_rgb(frame, round(seconds * _MILLISECONDS))
