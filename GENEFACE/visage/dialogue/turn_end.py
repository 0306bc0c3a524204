"""How long a silence ends a turn: it follows the pauses of this speaker and looks at the last words.

No learned model decides; these are rules of our own.  The wait starts at `START` seconds.  A pause that turned out not
to be the end teaches: one that nearly ended the turn, or a turn ended too early, makes the wait longer by most of what
was lacking; many short pauses make it slowly shorter, towards a little more than they last.  On top, words that sound
complete (a question with its verb, a closing particle) shorten the wait, and words that ask for more (a conjunction,
an article, a filler) lengthen it.  The wait always lies within `SHORTEST` … `LONGEST`.
"""

from __future__ import annotations

import re

START = 0.45
SHORTEST, LONGEST = 0.3, 1.0
AGAIN_WITHIN = 0.7
"""A speaker who goes on within so many seconds after the end had not finished."""
IGNORED = 0.12
"""Shorter gaps belong to words, not between them."""
COMPLETE, OPEN = 0.75, 1.7
"""What the last words make of the wait."""

_OPEN_EN = frozenset(
    "and or but so because if when while although though unless until since than that which whose the a an this these "
    "those my your his her its our their to of in on at for with from by about into like as between um uh er erm hmm "
    "well is are was were am be do does did can could will would should shall may might must have has had i we they "
    "he she very really please also maybe what's let's i'm gonna wanna not don't".split())
_OPEN_ZH = re.compile(r"(?:因为|所以|但是|可是|不过|然后|而且|并且|如果|要是|虽然|比如|例如|或者|还是|以及|和|跟|与|就是|那个|这个|"
                      r"那么|把|被|给|从|对于|关于|对|嗯+|呃+|额+|啊+这|我想|我觉得|帮我|请问|请|的话)[，,、…\s]*$")
_DONE_ZH = re.compile(r"(?:吗|呢|吧|呀|么|什么|多少|几点|几个|怎么样|怎么办|为什么|谁|哪里|哪儿|哪个|好不好|行不行|对不对|是不是|"
                      r"谢谢|再见|你好|了)[？?。.！!\s]*$")
_ASKS_EN = frozenset("what who whom whose where when why which how is are was were am do does did can could will would "
                     "should shall may have has tell show give explain describe".split())
_SETTLED = frozenset("yes no yeah nope okay ok hello hi goodbye bye thanks stop".split())
_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[a-z']+")


class TurnEnd:
    """Learns one speaker; the same history and words always give the same wait."""

    def __init__(self) -> None:
        self._wait = START

    @property
    def usual(self) -> float:
        """Seconds waited after words that tell nothing."""
        return self._wait

    def silence(self, text: str) -> float:
        """Seconds of silence after these words that end the turn."""
        return _within(self._wait * completeness(text))

    def paused(self, pause: float) -> None:
        """The speaker was quiet for so many seconds and went on: this was not the end."""
        if pause < IGNORED:
            return
        if pause > 0.75 * self._wait:
            self._wait = _within(self._wait + 0.6 * max(0.0, 1.3 * pause - self._wait))
        else:
            self._wait = _within(self._wait - 0.06 * max(0.0, self._wait - max(SHORTEST, 1.5 * pause)))

    def cut_short(self, pause: float) -> None:
        """The turn was ended, and the speaker went on: ``pause`` seconds lay between the words.

        Only a pause that ended less than `AGAIN_WITHIN` after the end says so.
        """
        self._wait = _within(self._wait + 0.7 * max(0.0, min(LONGEST, 1.15 * pause) - self._wait))


def completeness(text: str) -> float:
    """What the wait is multiplied with: `COMPLETE`, `OPEN` or 1."""
    said = text.strip().lower()
    if not said:
        return 1.0
    if _HAN.search(said[-6:]):
        if _OPEN_ZH.search(said):
            return OPEN
        return COMPLETE if _DONE_ZH.search(said) and len(_HAN.findall(said)) >= 2 else 1.0
    words = _WORD.findall(said)
    if not words:
        return 1.0
    if words[-1] in _OPEN_EN and not said.endswith((".", "?", "!")):
        return OPEN
    if (len(words) <= 2 and words[-1] in _SETTLED) or (len(words) >= 4 and words[0] in _ASKS_EN):
        return COMPLETE
    return 1.0


def _within(seconds: float) -> float:
    return min(LONGEST, max(SHORTEST, seconds))
