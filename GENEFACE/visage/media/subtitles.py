"""Subtitles: what is shown when, in lines that can be read, in any script; and SubRip files of them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LINE_UNITS = 40
"""Width of a line: 40 Latin letters or 20 Chinese characters."""
LINES = 2
"""Lines at once."""
_NOT_FIRST = frozenset("，。！？、；：”’）》」』】〉…—,.!?;:)]}%°·ー々~～")
_NOT_LAST = frozenset("“‘（《「『【〈([{$¥￥#")
_CLAUSE = re.compile(r".+?(?:[，。！？；：…]+[”’）》」』】]*|[,.!?;:]+[\"')]*(?=\s)|$)\s*")
_TOKEN = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words on the screen."""

    start: float
    """Seconds from the film's start."""
    end: float
    """Seconds, after ``start``."""
    text: str
    """Whole words; lines are made of them by `pages`."""
    speaker: str = ""
    """``"user"``, ``"avatar"``, or empty: nobody says it."""


def units(text: str) -> int:
    """Width of a text in halves of a Chinese character."""
    return sum(0 if unicodedata.combining(character) else
               2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def pages(text: str) -> list[list[str]]:
    """A text as pages of at most `LINES` lines of at most `LINE_UNITS`; no word is lost, lines are about equally long.

    Pages end with a clause where they can.  Chinese may break between any two characters, except before marks that
    close and after marks that open.
    """
    groups: list[list[str]] = []
    for part in _page_texts(" ".join(text.split())):
        lines = _wrapped(part, LINE_UNITS)
        groups += [lines[start:start + LINES] for start in range(0, len(lines), LINES)]
    return [[line.strip() for line in _balanced(group)] for group in groups]


def spread(cue: Cue) -> list[tuple[Cue, list[str]]]:
    """A cue as one a page, each as long as its share of the width, with the lines of it."""
    made: list[tuple[Cue, list[str]]] = []
    parts = pages(cue.text)
    total = max(1, sum(units(line) for part in parts for line in part))
    at, done = cue.start, 0
    for part in parts:
        done += sum(map(units, part))
        end = cue.start + (cue.end - cue.start) * done / total
        made.append((Cue(at, end, " ".join(part), cue.speaker), part))
        at = end
    return made


def srt(cues: Iterable[Cue]) -> str:
    """A SubRip file, a block a page."""
    blocks = []
    shown = (page for cue in cues for page in spread(cue))
    for number, (cue, lines) in enumerate(shown, 1):
        said = "\n".join(lines).replace("-->", "→")
        end = max(cue.end, cue.start + 0.001)
        blocks.append(f"{number}\n{stamp(cue.start)} --> {stamp(end)}\n{said}\n")
    return "\n".join(blocks)


def stamp(seconds: float) -> str:
    """``00:01:02,345``."""
    whole = max(0, round(seconds * 1000))
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02},{whole % 1000:03}"


def _page_texts(text: str) -> list[str]:
    """The text in parts that end with a clause and fill half a page to a whole one; more where a clause is longer."""
    parts = [""]
    for clause in _CLAUSE.findall(text):
        full = len(_wrapped(parts[-1] + clause, LINE_UNITS)) > LINES
        if full and units(parts[-1]) > LINE_UNITS * LINES * 0.45:
            parts.append("")
        parts[-1] += clause
    return parts


def _balanced(lines: Sequence[str]) -> Sequence[str]:
    """The same words in as many lines, the longest as short as can be."""
    if len(lines) < 2:
        return lines
    text = "".join(lines)
    for limit in range(math.ceil(units(text) / len(lines)), LINE_UNITS):
        found = _wrapped(text, limit)
        if len(found) == len(lines):
            return found
    return lines


def _wrapped(text: str, limit: int) -> list[str]:
    """Lines which, joined, are the text."""
    lines, line = [], ""
    for piece in _pieces(text, limit):
        if line and units((line + piece).rstrip()) > limit:
            lines.append(line)
            line = ""
        line += piece
    return [*lines, line] if line else lines


def _pieces(text: str, limit: int) -> Iterator[str]:
    """What must stay on one line: words, Chinese characters with the marks beside them; longer words in parts."""
    for token in _TOKEN.findall(text):
        piece = ""
        for character in token:
            if piece and (_may_break(piece[-1], character) or units(piece + character) > limit):
                yield piece
                piece = ""
            piece += character
        yield piece


def _may_break(before: str, after: str) -> bool:
    if after.isspace() or after in _NOT_FIRST or before in _NOT_LAST or unicodedata.combining(after):
        return False
    return _wide(before) or _wide(after)


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
