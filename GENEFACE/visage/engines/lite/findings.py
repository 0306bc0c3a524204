"""What a quality gate says: problems with their places and remedies, and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    code: str
    """Dotted name, e.g. ``"video.no_face"``; translations are found by it."""
    message: str
    """What is wrong and where, one English sentence."""
    hint: str
    """What to do about it."""
    params: Mapping[str, float | int | str] = field(default_factory=dict)
    """What fills the translations' templates; ``seconds`` is text such as ``"3–5, 9"``."""
    fatal: bool = False
    """Whether nothing useful can be made of it."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found."""

    problems: tuple[Problem, ...]
    """Fatal ones first."""
    facts: Mapping[str, float | int | str]
    """Figures for the manifest and the page."""

    @property
    def fatal(self) -> Problem | None:
        """The first fatal problem; None when the recording can be used."""
        return next((problem for problem in self.problems if problem.fatal), None)


def problem(message: str, *, code: str, hint: str, fatal: bool = False, **params: float | int | str) -> Problem:
    """A problem whose message and hint are templates filled from ``params``."""
    return Problem(code, message.format_map(params), hint.format_map(params), params, fatal)


def spans(flags: np.ndarray, fps: int, most: int = 6) -> str:
    """The seconds in which a flag is set, as text: ``"3–5, 9"``; stretches less than a second apart are joined."""
    index = np.flatnonzero(flags)
    if not len(index):
        return ""
    pieces = np.split(index, np.flatnonzero(np.diff(index) > fps) + 1)
    texts = []
    for piece in pieces[:most]:
        first, last = int(piece[0] / fps), int(np.ceil((piece[-1] + 1) / fps))
        texts.append(f"{first}–{last}")
    return ", ".join(texts) + (" …" if len(pieces) > most else "")
