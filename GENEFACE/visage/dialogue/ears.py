"""Ears: microphone in, what happened out; when somebody begins, goes on, pauses and has finished."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from visage.asr.contract import Recognizer
from visage.dialogue.echo import EchoGuard
from visage.dialogue.events import Began, EarEvent, Ended, Heard, Insisted, Nothing, Paused, Resumed, Words
from visage.dialogue.listening import Listening
from visage.dialogue.turn_end import AGAIN_WITHIN, TurnEnd
from visage.types import SPEECH_RATE
from visage.vad.contract import WINDOW, Vad

STEP = WINDOW / SPEECH_RATE


@dataclass(frozen=True, slots=True)
class Hearing:
    """How ears hear."""

    speech: float = 0.5
    """Likelihood from which a window counts as speech."""
    quiet: float = 0.35
    """Likelihood below which it is silence again."""
    began_seconds: float = 0.09
    """Speech after which it `Began`."""
    insisted_seconds: float = 0.23
    """Speech after which the speaker `Insisted`."""
    words_seconds: float = 0.15
    """Speech after which words count as insisting; recognisers find words in any bang."""
    pause_seconds: float = 0.2
    """Silence after which the speaker `Paused`."""
    noise_seconds: float = 0.3
    """Silence that ends what never became speech."""
    before_seconds: float = 0.4
    """Sound before the first speech that the recogniser hears too."""
    words_every: float = 0.15
    """At least so many seconds lie between two `Words`."""
    longest_seconds: float = 60.0
    """An utterance is ended here even if the speaker goes on."""
    wordless_seconds: float = 12.0
    """What has no words for so long is given up: music, a machine."""


class _State(Enum):
    IDLE = auto()
    SPEAKING = auto()
    PAUSED = auto()


class Ears:
    """Listens to one microphone; used by one thread.  Time is counted in samples; only `Heard.seconds` is real time."""

    def __init__(self, vad: Vad, recognizer: Recognizer, hearing: Hearing | None = None) -> None:
        self.turn_end = TurnEnd()
        self._vad, self._how = vad, hearing or Hearing()
        self._listening = Listening(recognizer)
        self._guard = EchoGuard()
        self._talking = False
        self._rest = np.zeros(0, np.float32)
        self._windows = 0
        self._recent: deque[np.ndarray] = deque(maxlen=round(self._how.before_seconds / STEP) + 8)
        self._last_end, self._last_silence = -10.0, 0.0
        self._forget()

    @property
    def now(self) -> float:
        """Seconds of the stream that were heard."""
        return (self._windows * WINDOW + len(self._rest)) / SPEECH_RATE

    def hear(self, samples: np.ndarray) -> list[EarEvent]:
        """What happened in these further samples, float32 mono at `SPEECH_RATE`, any number."""
        sound = np.concatenate([self._rest, np.asarray(samples, np.float32)])
        whole = len(sound) // WINDOW * WINDOW
        self._rest = sound[whole:]
        events: list[EarEvent] = []
        for window in np.clip(np.nan_to_num(sound[:whole]), -1, 1).reshape(-1, WINDOW):
            self._windows += 1
            self._recent.append(window)
            events += self._window(window)
        return events

    def played(self, samples: np.ndarray, at: float) -> None:
        """The browser plays these, float32 mono at `SPEECH_RATE`; they begin to be heard at ``at`` of the stream."""
        self._guard.played(samples, at)

    def talking(self, on: bool) -> None:
        """Whether the avatar talks now.  Off also means that nothing of what was `played` comes any more."""
        if self._talking and not on:
            self._guard.stopped(self._at)
        self._talking = on

    def reset(self) -> list[EarEvent]:
        """Drop what is being heard, e.g. as the microphone was switched off; `Nothing` if something was.

        Stream time goes on.
        """
        events: list[EarEvent] = [] if self._state is _State.IDLE else [Nothing(self._at)]
        self._listening.drop()
        self._vad.reset()
        self._recent.clear()
        self._rest = np.zeros(0, np.float32)
        self._forget()
        return events

    def finish(self) -> list[EarEvent]:
        """The microphone was switched off: after the last word that ends the question, in mid-word it drops it."""
        between = self._state is not _State.IDLE and self._silent >= 2 * STEP
        return (self._end() if between else []) + self.reset()

    def close(self) -> None:
        """Give back what the recogniser lent."""
        self.reset()

    @property
    def _at(self) -> float:
        return self._windows * STEP

    def _forget(self) -> None:
        self._state = _State.IDLE
        self._run = 0.0
        self._onset = 0.0
        self._voiced = self._silent = 0.0
        self._began = self._ended_at = 0.0
        self._insisted = False
        self._shown, self._shown_at = "", -1.0

    def _window(self, window: np.ndarray) -> list[EarEvent]:
        likely = self._vad.probability(window)
        if self._guard.is_echo(window):
            likely = 0.0
        if self._state is _State.IDLE:
            return self._idle(likely)
        if likely >= self._how.speech or (likely >= self._how.quiet and self._silent == 0):
            return self._speech(window)
        self._silent += STEP
        return self._silence(window)

    def _idle(self, likely: float) -> list[EarEvent]:
        """Wait until enough speech comes together; a single loud window is forgotten at once."""
        how = self._how
        if likely < how.speech:
            self._run = max(0.0, self._run - STEP)
            return []
        if self._run <= 0:
            self._onset = self._at - STEP
        self._run += STEP
        if self._run < how.began_seconds:
            return []
        return self._begin()

    def _begin(self) -> list[EarEvent]:
        since = self._onset - self._last_end
        if since - self._last_silence < AGAIN_WITHIN:
            self.turn_end.cut_short(since)
        voiced, onset = self._run, self._onset
        self._forget()
        self._state, self._voiced, self._began, self._ended_at = _State.SPEAKING, voiced, onset, self._at
        before = round((self._at - onset + self._how.before_seconds) / STEP)
        self._listening.start(list(self._recent)[-before:])
        return [Began(onset)]

    def _speech(self, window: np.ndarray) -> list[EarEvent]:
        events: list[EarEvent] = []
        if self._silent:
            self.turn_end.paused(self._silent)
        if self._state is _State.PAUSED:
            events.append(Resumed(self._at - STEP))
            self._state = _State.SPEAKING
        if not self._listening.open:
            self._listening.go_on(list(self._recent)[-round(self._how.pause_seconds / STEP) - 1:-1])
        self._silent = 0.0
        self._voiced += STEP
        self._ended_at = self._at
        events += self._understand(window)
        if self._at - self._began >= self._how.longest_seconds:
            return events + self._end()
        if self._voiced >= self._how.wordless_seconds and not self._listening.text:
            return events + self._end()
        return events

    def _understand(self, window: np.ndarray) -> list[EarEvent]:
        text = self._listening.feed(window)
        events: list[EarEvent] = []
        long = self._voiced >= self._how.insisted_seconds
        if not self._insisted and (long or (text and self._voiced >= self._how.words_seconds)):
            self._insisted = True
            events.append(Insisted(self._at))
        if text != self._shown and self._at - self._shown_at >= self._how.words_every and self._insisted:
            self._shown, self._shown_at = text, self._at
            events.append(Words(text))
        return events

    def _silence(self, window: np.ndarray) -> list[EarEvent]:
        if self._state is _State.PAUSED:
            self._listening.keep(window)
            return self._end() if self._silent >= self.turn_end.silence(self._listening.text) - 1e-6 else []
        events = self._understand(window)
        if not self._insisted and self._silent < self._how.noise_seconds and self._voiced < self._how.words_seconds:
            return events
        if self._silent < self._how.pause_seconds - 1e-6:
            return events
        text = self._listening.settle() if self._listening.open else ""
        if text:
            if not self._insisted:
                events.append(Insisted(self._at))
            self._insisted, self._state, self._shown = True, _State.PAUSED, text
            return [*events, Paused(self._ended_at, text)]
        if self._silent < (self.turn_end.usual if self._insisted else self._how.noise_seconds):
            return events
        return events + self._end()

    def _end(self) -> list[EarEvent]:
        start = time.perf_counter()
        heard, samples = self._listening.end()
        at, silence, insisted = self._ended_at, self._silent, self._insisted
        self._forget()
        if not heard.text:
            return [Nothing(at, heard.note if insisted else "")]
        self._last_end, self._last_silence = at, silence
        spent = time.perf_counter() - start
        return [Ended(at, silence, Heard(heard.text, heard.driver, spent, heard.note), samples)]
