"""An answer that is still being written, as plain text: as much of it as nothing that follows can change."""

from __future__ import annotations

import re

from visage.dialogue.speakable import speakable

_BEGUN = re.compile(r"\s*(?:<(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?)?\Z")
_TAG, _TAG_END = re.compile(r"\s*<think(?:ing)?>"), re.compile(r"</think(?:ing)?>")
_LONGEST_TAG = len("</thinking>")
_FENCE = re.compile(r"```|~~~")
_MARKS_ONLY = re.compile(r"[\s#>*+•\-:|=_~`]*\Z")
_WHOLE = re.compile(r"!?\[[^\]]*\](?:\([^)]*\)|(?!\())|<[A-Za-z/][^<>]*>|(\*\*|__|~~)(?=\S).+?(?<=\S)\1"
                    r"|(?<![A-Za-z0-9*])\*(?=\S)[^*\n]+?(?<=\S)\*(?![A-Za-z0-9*])"
                    r"|(?<![A-Za-z0-9_])_(?=\S)[^_\n]+?(?<=\S)_(?![A-Za-z0-9_])")
_OPENED = re.compile(r"!?\[|<(?=[A-Za-z/])|(?:\*\*|__|~~)(?=\S)|(?<![A-Za-z0-9*])\*(?=\S)|(?<![A-Za-z0-9_])_(?=\S)")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7f)))


class Thoughtless:
    """Leaves out what a model writes in ``<think>`` tags, and space around the answer and around them."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False
        self._begun = False

    def feed(self, piece: str) -> str:
        """What of the answer became certain with this piece."""
        self._held += piece
        out: list[str] = []
        while self._step(out):
            pass
        return "".join(out)

    def end(self) -> str:
        """What was held back, when nothing more will come."""
        return "" if self._thinking else self._out(self._held.rstrip())

    def _step(self, out: list[str]) -> bool:
        """Move one tag on; whether there may be another."""
        if self._thinking:
            end = _TAG_END.search(self._held)
            self._held = self._held[end.end():].lstrip() if end else self._held[-_LONGEST_TAG:]
            self._thinking = end is None
            return end is not None
        tag = _TAG.search(self._held)
        if tag:
            out.append(self._out(self._held[:tag.start()]))
            self._held, self._thinking, self._begun = self._held[tag.end():], True, False
            return True
        held = _BEGUN.search(self._held)
        place = held.start() if held else len(self._held)
        out.append(self._out(self._held[:place]))
        self._held = self._held[place:]
        return False

    def _out(self, text: str) -> str:
        text = text if self._begun else text.lstrip()
        self._begun = self._begun or bool(text)
        return text


class Plain:
    """Makes a growing Markdown text `speakable`; the pieces joined are what the whole text gives, but for space."""

    def __init__(self) -> None:
        self.taken = 0
        """Characters of what was fed that the words so far stand for."""
        self._before = 0
        self._fence = ""
        self._rest = ""
        self._told = ""

    def feed(self, piece: str) -> str:
        """What can be said now, further to what was before."""
        self._rest += piece
        out: list[str] = []
        while self._line(out):
            pass
        if not self._fence:
            place = settled(self._rest)
            out.append(self._further(self._rest[:place]))
            self.taken = max(self.taken, self._before + place)
        return "".join(out)

    def end(self) -> str:
        """What is left, when nothing more will come."""
        self.taken = self._before + len(self._rest)
        return "" if self._fence else self._further(self._rest)

    def _line(self, out: list[str]) -> bool:
        """Take one whole line, or one side of a code block, off the rest; whether there was one."""
        if self._fence:
            before, found, _ = self._rest.partition(self._fence)
            self._leave(len(before) + len(found) if found else max(len(before) - 2, 0))
            self._fence = "" if found else self._fence
            return bool(found)
        fence, newline = _FENCE.search(self._rest), self._rest.find("\n")
        if fence and (newline < 0 or fence.start() < newline):
            self._fence, place, following = fence[0], fence.start(), fence.end()
        elif newline >= 0:
            place, following = newline, newline + 1
        else:
            return False
        out += [self._further(self._rest[:place]), "\n"]
        self._leave(following)
        self._told = ""
        return True

    def _leave(self, count: int) -> None:
        """So many characters need not be looked at again."""
        self._rest = self._rest[count:]
        self._before += count
        self.taken = max(self.taken, self._before)

    def _further(self, line: str) -> str:
        """What this much of the present line gives beyond what was told of it."""
        text = speakable(line)
        told, self._told = self._told, max(text, self._told, key=len)
        return text[len(told):]


def settled(line: str) -> int:
    """Characters at the beginning of an unfinished line whose plain text nothing that follows can change."""
    if _MARKS_ONLY.match(line):
        return 0
    place = len(line.rstrip(_PRINTABLE))
    wholes = [(whole.start(), whole.end()) for whole in _WHOLE.finditer(line)]
    bare = _WHOLE.sub(lambda whole: "x" * len(whole[0]), line)
    opened = _OPENED.search(bare)
    place = min(place, opened.start()) if opened else place
    return next((start for start, end in wholes if start < place < end), place)
