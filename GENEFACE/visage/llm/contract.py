"""The seam of the language model: a conversation in, an answer out, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance of a conversation."""

    role: Literal["system", "user", "assistant"]
    """Who says it."""
    text: str
    """What is said."""


class Answer(Protocol):
    """An answer that is still being given: an iterator of its pieces."""

    def __iter__(self) -> Iterator[str]:
        """Itself."""

    def __next__(self) -> str:
        """The next piece, never empty, as soon as it comes.

        Raises `ServiceRefused`, `ServiceBusy`, `ServiceTimeout`, `ServiceUnreachable` or `ServiceError`.
        """

    def close(self) -> None:
        """Stop the server's work: its connection ends at once.

        Any thread may do so at any time; one that waits for the next piece then finds the end.
        """


class Responder(Protocol):
    """Answers."""

    name: str
    """What the page shows, e.g. ``"zhipu glm-4-flashx"``."""

    def stream(self, messages: Sequence[Message]) -> Answer:
        """The answer in pieces as they come.  The server is asked when the first one is wanted."""
