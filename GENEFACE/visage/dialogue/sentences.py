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
_EARLY = re.compile(r"[，、；：,;:]|—+")
_PAIRS = (("“", "”"), ("「", "」"), ("『", "』"), ("（", "）"), ("《", "》"), ("【", "】"),
          ("(", ")"), ("[", "]"), ('"', '"'))
_NUMERIC = "0123456789-+−.$¥€£"
_WORD = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3])|(?:[^\W_\u3040-\u9fff\uac00-\ud7a3]+['’.,:-]?)+")
EARLY = 6.0
"""How much the first piece needs at least: a Chinese character counts 1, a word of letters or a number 1.5."""
# Where a text without any clause may be cut, the best first: between words, but in no number and before no unit;
# between characters that need no space; between any words.
_GAPS = (re.compile(r"(?<![\d\s])\s+(?=[^\d\s])"), re.compile(r"(?<![\d\s])\s+"),
         re.compile(r"(?<=[\u2e80-\U0003ffff])(?=[\u2e80-\U0003ffff])"), re.compile(r"\s+"))
_SPOKEN = re.compile(r"[^\W_]")
_GOES_ON = "，、；：。！？"
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "mt", "rev", "gen", "gov", "capt", "vs", "approx", "cf",
                     "al"})
_BEFORE_NUMBER = frozenset({"no", "nos", "fig", "vol", "ch", "p", "pp"})
_INITIALS = re.compile(r"(?!I$|[ap]\.m$)[A-Za-z](\.[A-Za-z])*", re.IGNORECASE)


class SentenceCutter:
    """Takes pieces of text and gives whole sentences.

    The sentences do not depend on how the text was cut into pieces.  Words are never
    dropped or changed; spaces around a sentence, and marks without any word, are.
    ``early`` lets the first one end at a clause of `EARLY` words, so that a voice can begin.
    """

    def __init__(self, early: bool = False) -> None:
        self._rest = ""
        self._fed = 0
        self._early = early

    def feed(self, piece: str) -> list[str]:
        """The sentences that became complete with this piece."""
        return [sentence for sentence, _ in self.cuts(piece)]

    def end(self) -> list[str]:
        """What is left, when nothing more will come."""
        return [sentence for sentence, _ in self.cuts("", final=True)]

    def cuts(self, piece: str, final: bool = False) -> list[tuple[str, int]]:
        """The sentences that became complete, each with how many characters of all that was fed it reaches."""
        self._rest += piece
        self._fed += len(piece)
        found: list[tuple[str, int]] = []
        while True:
            self._rest = _LEFTOVER.sub("", self._rest)
            end = self._end(final)
            if end is None:
                return found
            sentence, self._rest = self._rest[:end].strip(), self._rest[end:]
            if _SPOKEN.search(sentence):
                found.append((sentence, self._fed - len(self._rest)))
                self._early = False

    def _end(self, final: bool) -> int | None:
        if self._early:
            end = _early_end(self._rest, final)
            if end is not None:
                return end
        end = _first_end(self._rest, final)
        return len(self._rest) if end is None and final and self._rest else end


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
    if following in _GOES_ON:
        return False
    wide = after[0] >= "\u2e80"
    if not following.isspace() and not wide:
        return False
    if after[0].islower():
        return False
    return not (mark[0] == "." and _abbreviation(text[:mark.start()], after[0]))


def _abbreviation(before: str, following: str) -> bool:
    word = re.split(r"[\s(\"'“‘\u2e80-\uffef]", before)[-1]
    if word.isdigit():
        # "1. Wash the rice": the number of a list entry, when nothing but it stands there.
        return before.strip() == word
    if following >= "\u2e80":
        return False
    if word.lower() in _BEFORE_NUMBER:
        return following.isdigit()
    return word.lower() in _TITLES or _INITIALS.fullmatch(word) is not None


def _early_end(text: str, final: bool) -> int | None:
    """Where a clause ends that is long enough to begin with, before any sentence does."""
    whole = _first_end(text, final)
    for mark in _EARLY.finditer(text, 0, LONGEST if whole is None else whole):
        if _weight(text[:mark.start()]) < EARLY:
            continue
        before, after = text[mark.start() - 1], text[mark.end():mark.end() + 2]
        if mark[0] in "，、；：" and not before.isdigit():
            certain = True
        elif len(after) < 2:
            return None
        else:
            certain = _apart(before, mark[0], after)
        if certain and _balanced(text[:mark.end()]):
            return mark.end()
    return None


def _apart(before: str, mark: str, after: str) -> bool:
    """Whether a mark ends a clause, as it does not in ``1,000  10:30  21, 2026  e.g., this``."""
    if mark in ",;:" and not (after[0].isspace() or after[0] >= "\u2e80"):
        return False
    return before not in ".-" and not (before.isdigit() and after.strip()[:1] in _NUMERIC)


def _balanced(text: str) -> bool:
    return all(text.count(left) % 2 == 0 if left == right else text.count(left) <= text.count(right)
               for left, right in _PAIRS)


def _weight(text: str) -> float:
    return sum(1.0 if word[1] else 1.5 for word in _WORD.finditer(text))


def _at_clause(text: str) -> int:
    for places in (_CLAUSE, *_GAPS):
        found = [place.end() for place in places.finditer(text, 0, LONGEST + 1)
                 if LONGEST // 3 <= place.end() <= LONGEST and not _in_number(text, place)]
        if found:
            return found[-1]
    return LONGEST


def _in_number(text: str, place: re.Match[str]) -> bool:
    after = text[place.end():LONGEST + 1].strip()[:1]
    return text[place.start() - 1].isdigit() and (not after or after in _NUMERIC)
