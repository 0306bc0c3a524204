"""An answer while it is written: sentences that can be said, each as early as it can."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from visage.dialogue.ahead import Ahead
from visage.dialogue.events import Answered
from visage.dialogue.growing import Plain, Thoughtless
from visage.dialogue.scope import Scope
from visage.dialogue.sentences import SentenceCutter
from visage.dialogue.turn import LONGEST_ANSWER, no_answer, stopped
from visage.llm.contract import Answer, Message, Responder

LONGEST_MONOLOGUE = 20 * LONGEST_ANSWER
"""Characters a model may write in all, what it thinks to itself included."""



# Marks and spaces are taken one by one, however large the pieces of a model are: the reach of a sentence is exact.
_PARTS = re.compile(r"\w{1,8}|[^\w]")


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of an answer that can be said: a sentence, or a clause where it is the first."""

    sentence: str
    """As it is said: without Markdown, emoji and code; never empty."""
    shown: str
    """The whole answer so far as it is shown; it may reach further than ``sentence``."""
    reach: int
    """Characters of the shown answer that are said once ``sentence`` is."""
    at: float
    """When it was there, by `time.monotonic`."""


class Thinking:
    """The `Thought`s of an answer to ``messages``, read in a thread of its own.

    Iterating raises `Cancelled` as soon as the scope is cancelled, and, after the thoughts
    before it, a `ServiceError` when the model fails or nothing that it says can be spoken.
    The service's connection ends with the scope, with the answer, or with `close`.
    """

    def __init__(self, responder: Responder, messages: Sequence[Message], scope: Scope) -> None:
        self.begun = time.monotonic()
        """When it was asked, by `time.monotonic`."""
        self.first_seconds = 0.0
        """How long until the first words; 0 while there are none."""
        self.shown = ""
        """The answer so far as it is shown."""
        self.answered: Answered | None = None
        """The whole answer, once the last thought is there; None before and after a failure."""
        self._responder = responder
        self._answer = responder.stream(messages)
        scope.on_cancel(self._answer.close)
        # As many as an answer can have at most: a model is never kept waiting by a slow speaker.
        self._thoughts = Ahead(self._thoughts_of(self._answer), scope, LONGEST_ANSWER, "think")

    def __iter__(self) -> Iterator[Thought]:
        return self

    def __next__(self) -> Thought:
        return next(self._thoughts)

    def close(self) -> None:
        """Stop, when no more is wanted.  Any thread."""
        self._answer.close()
        self._thoughts.close()

    def _thoughts_of(self, answer: Answer) -> Iterator[Thought]:
        written, raw = _Written(), 0
        with closing(answer):
            for piece in answer:
                self.first_seconds = self.first_seconds or time.monotonic() - self.begun
                raw += len(piece)
                yield from self._told(written, written.feed(piece))
                if written.full or raw > LONGEST_MONOLOGUE:
                    break
        yield from self._told(written, written.end())
        if not written.said:
            raise no_answer(self._responder.name)
        self.answered = Answered(self.shown, written.said, self._responder.name, time.monotonic() - self.begun,
                                 self.first_seconds, written.note)

    def _told(self, written: _Written, cuts: list[tuple[str, int]]) -> Iterator[Thought]:
        self.shown = written.shown
        for sentence, reach in cuts:
            yield Thought(sentence, self.shown, reach, time.monotonic())


class _Written:
    """An answer as far as it is written, and its sentences, at most `LONGEST_ANSWER` characters."""

    def __init__(self) -> None:
        self.shown = self.note = ""
        self.full = False
        self._open, self._plain, self._cutter = Thoughtless(), Plain(), SentenceCutter(early=True)
        self._spoken = ""
        self._places: list[tuple[int, int]] = []
        self._said = (0, 0)

    @property
    def said(self) -> str:
        """All that its sentences say."""
        return self._spoken[:self._said[0]].strip()

    def feed(self, piece: str) -> list[tuple[str, int]]:
        """The sentences that became complete, each with the characters of the shown answer that it reaches."""
        return self._take(self._open.feed(piece))

    def end(self) -> list[tuple[str, int]]:
        """The rest of them; of an answer that is too long what is no whole sentence is left out."""
        cuts = [] if self.full else self._take(self._open.end())
        if not self.full:
            return cuts + self._cut(self._plain.end(), final=True)
        reach = self._said[1]
        self.shown, self.note = stopped(self.shown[:reach if reach > LONGEST_ANSWER // 2 else LONGEST_ANSWER])
        return cuts

    def _take(self, piece: str) -> list[tuple[str, int]]:
        cuts: list[tuple[str, int]] = []
        for part in _PARTS.findall(piece):
            self.shown += part
            if len(self.shown) > LONGEST_ANSWER:
                self.full = True
                break
            cuts += self._cut(self._plain.feed(part))
        return cuts

    def _cut(self, text: str, final: bool = False) -> list[tuple[str, int]]:
        self._spoken += text
        if not text and not final:
            return []
        self._places.append((len(self._spoken), self._plain.taken))
        found: list[tuple[str, int]] = []
        for sentence, place in self._cutter.cuts(text, final):
            self._said = place, next(shown for length, shown in self._places if length >= place)
            found.append((sentence, self._said[1]))
        return found
