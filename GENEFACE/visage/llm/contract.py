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


class Responder(Protocol):
    """Answers."""

    name: str
    """What the page shows, e.g. ``"zhipu glm-4-flashx"``."""

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The answer in pieces as they come.

        Closing the iterator stops the server's work.  Raises `ServiceRefused`,
        `ServiceBusy`, `ServiceTimeout`, `ServiceUnreachable` or `ServiceError`.
        """
