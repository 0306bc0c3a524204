"""One whole turn of a conversation: hear → think → speak.  The face is the next one's work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from visage.asr.contract import Recognizer
from visage.dialogue.events import Answered, Heard, Spoken
from visage.dialogue.history import Exchange, conversation
from visage.dialogue.joining import join
from visage.dialogue.sentences import sentences
from visage.dialogue.speakable import language_of, speakable, without_thoughts
from visage.errors import BadAudio, InvalidRequest, ServiceError
from visage.llm.contract import Message, Responder
from visage.tts.contract import Speech, SpeechRequest, Synthesizer
from visage.types import SPEECH_RATE, Progress, Report, silent

_HEARD, _ANSWERED = 0.25, 0.6
_EVERY = 0.25
LONGEST_ANSWER = 3000
"""Characters; some models, once started, never end."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is spoken."""

    voice: str = ""
    """A `Voice.id`; empty: the default for the language of the answer."""
    speed: float = 1.0
    """0.5 to 2."""
    pitch: float = 0.0
    """Semitones, -12 to 12."""


@dataclass(frozen=True, slots=True, eq=False)
class TurnResult:
    """What came of a turn."""

    heard: Heard
    """The question."""
    answered: Answered
    """The answer."""
    spoken: Spoken
    """Its sound."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, each once, in the order it happened."""
        return tuple(dict.fromkeys(
            note for note in (self.heard.note, self.answered.note, *self.spoken.speech.notes) if note))


@dataclass(frozen=True, slots=True)
class Turn:
    """The three that take a turn together; used for as many turns as there are.

    ``report`` is called with the stages ``hear``, ``think`` and ``speak``, fractions 0 to 1 of
    this turn, and the facts ``heard`` and ``answer`` as they grow; when it raises (the user
    stopped), the language model's connection is closed and the exception passes on.
    """

    responder: Responder
    """Answers."""
    synthesizer: Synthesizer
    """Speaks."""
    recognizer: Recognizer | None = None
    """Understands recordings; not needed for typed questions."""

    def take(self, question: str | np.ndarray, past: Iterable[Exchange] = (), *, persona: str = "",
             manner: Manner | None = None, report: Report = silent) -> TurnResult:
        """A whole turn for a typed question, or a spoken one (float32 mono at `types.SPEECH_RATE`).

        Raises `InvalidRequest` (nothing was asked), `BadAudio` (nothing was understood),
        `ServiceError` and its kin, or what ``report`` raises.
        """
        heard = self.hear(question, report)
        answered = self.think(conversation(past, heard.text, persona), report)
        return TurnResult(heard, answered, self.speak(answered.spoken, manner or Manner(), report))

    def hear(self, question: str | np.ndarray, report: Report = silent) -> Heard:
        """The words of a question."""
        report(Progress("hear", 0.0))
        begun = time.monotonic()
        if isinstance(question, str):
            if not question.strip():
                raise InvalidRequest("The question is empty.", code="turn.no_question",
                                     hint="Type something, or record a question.")
            heard = Heard(question.strip(), "typed", time.monotonic() - begun)
        elif self.recognizer is None:
            raise InvalidRequest("Spoken questions are not understood here.", code="turn.no_recogniser",
                                 hint="Type the question.")
        else:
            told = self.recognizer.transcribe(question)
            if not told.text.strip():
                raise BadAudio("Nothing was understood in {seconds} s of sound. {note}", code="turn.nothing_heard",
                               hint="Speak closer to the microphone, or type the question.",
                               seconds=f"{len(question) / SPEECH_RATE:.1f}", note=told.note)
            heard = Heard(told.text.strip(), told.driver, time.monotonic() - begun, told.note)
        report(Progress("hear", _HEARD, facts={"heard": heard.text}))
        return heard

    def think(self, messages: list[Message], report: Report = silent) -> Answered:
        """The answer to a conversation."""
        begun = time.monotonic()
        report(Progress("think", _HEARD))
        pieces: list[str] = []
        first = told = 0.0
        with contextlib.closing(self.responder.stream(messages)) as stream:
            for piece in stream:
                pieces.append(piece)
                now = time.monotonic()
                first = first or now - begun
                if now - told >= _EVERY:
                    told = now
                    growing = "".join(pieces)
                    report(Progress("think", _HEARD, facts={"answer": without_thoughts(growing)}))
                    if len(without_thoughts(growing)) > LONGEST_ANSWER or len(growing) > 20 * LONGEST_ANSWER:
                        break
        shown, note = without_thoughts("".join(pieces)), ""
        if len(shown) > LONGEST_ANSWER:
            shown, note = stopped(shown[:LONGEST_ANSWER])
        spoken = speakable(shown)
        if not spoken:
            raise no_answer(self.responder.name)
        report(Progress("think", _ANSWERED, facts={"answer": shown}))
        return Answered(shown, spoken, self.responder.name, time.monotonic() - begun, first, note)

    def speak(self, text: str, manner: Manner, report: Report = silent) -> Spoken:
        """The sound of a text, made sentence by sentence in one voice."""
        begun = time.monotonic()
        language, parts = language_of(text), sentences(text)
        speeches: list[Speech] = []
        for number, sentence in enumerate(parts):
            report(Progress("speak", _ANSWERED + (1 - _ANSWERED) * number / len(parts)))
            speeches.append(self.synthesizer.speak(
                SpeechRequest(sentence, manner.voice, manner.speed, manner.pitch, language)))
        speech = join(speeches)
        report(Progress("speak", 1.0))
        return Spoken(speech, time.monotonic() - begun)


def no_answer(llm: str) -> ServiceError:
    """The error for an answer without a word in it."""
    return ServiceError("The language model {llm} gave no answer that can be spoken.", code="turn.no_answer",
                        hint="Ask again in other words, or choose another model.", llm=llm)


def stopped(head: str) -> tuple[str, str]:
    """The beginning of an answer that is too long, ended after a sentence, and a note about that."""
    end = max(head.rfind(mark) for mark in "。！？.!?\n")
    kept = head[:end + 1] if end > LONGEST_ANSWER // 2 else head
    return kept, f"The answer was stopped after {len(kept)} characters."
