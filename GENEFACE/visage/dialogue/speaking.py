"""The voice of an answer while it is written: sentence by sentence, some sentences ahead."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from visage.dialogue.ahead import Ahead
from visage.dialogue.scope import Scope
from visage.dialogue.speakable import holds_chinese, language_of
from visage.dialogue.thinking import Thought
from visage.dialogue.turn import Manner
from visage.errors import Cancelled, InvalidRequest, VisageError
from visage.tts.contract import Speech, SpeechRequest, Synthesizer

LOOK_AHEAD = 2
"""Sentences that are spoken before they are wanted."""
_NOTHING = "tts.nothing_to_say"


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A sentence with its sound."""

    thought: Thought
    """The sentence."""
    speech: Speech
    """Its sound; ``notes`` are those that no sentence before it brought."""
    begun: float
    """When the voice began to work on it, by `time.monotonic`."""
    ended: float
    """When the sound was there, by `time.monotonic`."""


class Speaking:
    """The sentences of ``thoughts`` with their sound, in order, made in a thread of its own, `LOOK_AHEAD` ahead.

    The first sentence decides the language, ``question`` where that one is in two, and the
    voice that really spoke it speaks the rest.  What has nothing to say is left out.  A voice
    that fails is asked once more; then its error is raised after the sentences before it.
    Iterating raises `Cancelled` as soon as the scope is cancelled, and what ``thoughts`` raises.
    """

    def __init__(self, synthesizer: Synthesizer, thoughts: Iterable[Thought], scope: Scope,
                 manner: Manner | None = None, question: str = "") -> None:
        self._synthesizer, self._scope = synthesizer, scope
        self._manner = manner or Manner()
        self._voice, self._language, self._question = self._manner.voice, "", question
        self._notes: dict[str, None] = {}
        self._said = Ahead(self._all(thoughts), scope, LOOK_AHEAD, "speak")

    @property
    def ready(self) -> bool:
        """Whether the next sentence, the end or a failure is there, so that taking it does not wait."""
        return self._said.ready

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know so far, each once."""
        return tuple(self._notes)

    def __iter__(self) -> Iterator[Said]:
        return self

    def __next__(self) -> Said:
        return next(self._said)

    def close(self) -> None:
        """Stop, when no more is wanted.  Any thread."""
        self._said.close()

    def _all(self, thoughts: Iterable[Thought]) -> Iterator[Said]:
        for thought in thoughts:
            said = self._say(thought)
            if said is not None:
                yield said

    def _say(self, thought: Thought) -> Said | None:
        self._language = self._language or self._judged(thought.sentence)
        request = SpeechRequest(thought.sentence, self._voice, self._manner.speed, self._manner.pitch, self._language)
        begun = time.monotonic()
        try:
            speech = self._spoken(request)
        except InvalidRequest as exc:
            if exc.code == _NOTHING:
                return None
            raise
        self._voice = speech.voice
        new = tuple(note for note in dict.fromkeys(speech.notes) if note not in self._notes)
        self._notes.update(dict.fromkeys(new))
        return Said(thought, replace(speech, notes=new), begun, time.monotonic())

    def _spoken(self, request: SpeechRequest) -> Speech:
        self._scope.check()
        try:
            return self._synthesizer.speak(request)
        except (InvalidRequest, Cancelled):
            raise
        except VisageError:
            self._scope.check()
            return self._synthesizer.speak(request)

    def _judged(self, sentence: str) -> str:
        """The language of an answer that begins like this; one in both languages is in that of the question."""
        return "zh" if holds_chinese(sentence) and language_of(self._question) == "zh" else language_of(sentence)
