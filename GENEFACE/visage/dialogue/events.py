"""What happens in a turn, in this order: it was heard, it was answered, it was spoken; and what ears notice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody seems to have begun to speak: enough to fall silent, not yet to give up the answer."""

    at: float
    """When the sound of it began, seconds since the stream's first sample."""


@dataclass(frozen=True, slots=True)
class Insisted:
    """It is speech: long enough, or with words in it.  Follows a `Began`, once."""

    at: float
    """When it became certain, seconds since the stream's first sample."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words understood so far, changed."""

    text: str
    """All of this utterance."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The speaker is quiet; perhaps that was all."""

    at: float
    """When the last speech ended, seconds since the stream's first sample."""
    text: str
    """The words so far; an answer to them may be prepared already."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The speaker goes on after a `Paused`: what was prepared is void."""

    at: float
    """When, seconds since the stream's first sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """The speaker has finished: it is the other's turn."""

    at: float
    """When the last speech ended, seconds since the stream's first sample."""
    silence: float
    """Seconds that were waited after it."""
    heard: Heard
    """What was understood; its ``seconds`` are those from the decision to the words."""
    samples: np.ndarray
    """The utterance, float32 mono at `types.SPEECH_RATE`."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """It was no speech after all, or nothing of it was understood: ends a `Began`, with or without `Insisted`."""

    at: float
    """When the sound ended, seconds since the stream's first sample."""
    note: str = ""
    """What the user should know when it sounded like speech; empty for mere noise."""


EarEvent = Began | Insisted | Words | Paused | Resumed | Ended | Nothing
"""What `ears.Ears` tells."""
