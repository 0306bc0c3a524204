"""What happens in a turn, in this order: it was heard, it was answered, it was spoken."""

from __future__ import annotations

from dataclasses import dataclass

from visage.tts.contract import Speech


@dataclass(frozen=True, slots=True)
class Heard:
    """The question is known."""

    text: str
    """Its words."""
    recogniser: str
    """Who understood it; ``"typed"`` when nobody had to."""
    seconds: float
    """How long that took."""
    note: str = ""
    """What the user should know about it; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer is complete."""

    text: str
    """As it is shown."""
    spoken: str
    """As it is said: without Markdown, emoji and code."""
    llm: str
    """Name of the language model."""
    seconds: float
    """How long it took."""
    first_seconds: float
    """How long until its first words."""
    note: str = ""
    """What the user should know about it; empty otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """The sound of the answer is there."""

    speech: Speech
    """The whole answer, with the times of its phones."""
    seconds: float
    """How long it took to make."""
