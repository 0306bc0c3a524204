"""Cuts a text that is still being written into sentences, each as early as it is certain."""

from __future__ import annotations

import re

LONGEST = 160
"""Characters after which a sentence without an end is cut at a clause."""

_FULL = "。！？\n"
_CLOSERS = "”’」』）》】〉"
# After an immediate cut, what belongs to the sentence before may still come; it is never spoken.
_LEFTOVER = re.compile(rf"^[\s。！？…{re.escape(_CLOSERS)}]+")
_END = re.compile(rf"[{_FULL}]|[.!?…]+[{re.escape(_CLOSERS)}\"')\]}}]*")
_CLAUSE = re.compile(r"[，；：、—,;:](?:\s|(?=[\u3400-\u9fff])|$)|[，；：、—]")
_SPOKEN = re.compile(r"[^\W_]")
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "mt", "rev", "gen", "gov", "capt", "vs", "approx", "cf",
                     "al"})
_BEFORE_NUMBER = frozenset({"no", "nos", "fig", "vol", "ch", "p", "pp"})
_INITIALS = re.compile(r"(?!I$|[ap]\.m$)[A-Za-z](\.[A-Za-z])*", re.IGNORECASE)


class SentenceCutter:
    """Takes pieces of text and gives whole sentences.

    The sentences do not depend on how the text was cut into pieces.  Words are never
    dropped or changed; spaces around a sentence, and marks without any word, are.
    """

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, piece: str) -> list[str]:
        """The sentences that became complete with this piece."""
        self._rest += piece
        return self._take(final=False)

    def end(self) -> list[str]:
        """What is left, when nothing more will come."""
        found = self._take(final=True)
        last, self._rest = self._rest.strip(), ""
        return [*found, last] if _SPOKEN.search(last) else found

    def _take(self, final: bool) -> list[str]:
        found: list[str] = []
        while True:
            self._rest = _LEFTOVER.sub("", self._rest)
            end = _first_end(self._rest, final)
            if end is None:
                return found
            sentence, self._rest = self._rest[:end].strip(), self._rest[end:]
            if _SPOKEN.search(sentence):
                found.append(sentence)


def sentences(text: str) -> list[str]:
    """The sentences of a whole text."""
    cutter = SentenceCutter()
    return [*cutter.feed(text), *cutter.end()]


def _first_end(text: str, final: bool) -> int | None:
    """Where the first sentence ends; None while that is not certain."""
    for mark in _END.finditer(text, 0, LONGEST):
        after = text[mark.end():].lstrip()
        certain = final or mark[0] in _FULL or (mark.end() < LONGEST and after)
        if not certain:
            return None
        if mark[0] in _FULL or _ends(text, mark, after):
            return mark.end()
    return _at_clause(text) if len(text) > LONGEST else None


def _ends(text: str, mark: re.Match[str], after: str) -> bool:
    following = text[mark.end():mark.end() + 1]
    if not after or following == "\n":
        return True
    wide = after[0] >= "\u2e80"
    if not following.isspace() and not wide:
        return False
    if after[0].islower():
        return False
    return not (mark[0] == "." and _abbreviation(text[:mark.start()], after[0]))


def _abbreviation(before: str, following: str) -> bool:
    word = re.split(r"[\s(\"'“‘]", before)[-1]
    if word.isdigit():
        # "1. Wash the rice": the number of a list entry, when nothing but it stands there.
        return before.strip() == word
    if following >= "\u2e80":
        return False
    if word.lower() in _BEFORE_NUMBER:
        return following.isdigit()
    return word.lower() in _TITLES or _INITIALS.fullmatch(word) is not None


def _at_clause(text: str) -> int:
    head = text[:LONGEST]
    marks = [mark.end() for mark in _CLAUSE.finditer(head) if mark.end() >= LONGEST // 3]
    if marks:
        return marks[-1]
    space = head.rfind(" ")
    return space + 1 if space >= LONGEST // 3 else LONGEST
