"""Utterances for driver ``sphinx``: decoders that are lent, and sound that is understood piece by piece."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np

from visage.asr.contract import Transcript
from visage.asr.speech_gate import loudness_frames, pcm16
from visage.errors import NotInstalled
from visage.types import SPEECH_RATE

KEPT = 4
"""Idle decoders kept; each holds 60 to 100 MB."""
PIECE = 512
AT_ONCE = 3 * PIECE
"""Samples decoded in one call at most, about 30 ms of work; the rest waits for the next."""
LISTEN_FIRST = SPEECH_RATE
"""Samples from a speaker's first sound on that are heard before decoding starts, to know the voice and the microphone
(the mean of the cepstra), unless the speaker falls silent earlier.  On 30 made utterances: 15 % wrong words, not 18."""
FALLS_SILENT = SPEECH_RATE // 16
LOUDEST_DBFS = -14.0
"""How loud the loudest 20 ms of a speaker's beginning are made."""
SOFTEST_DBFS = -50.0
"""Softer speakers are made louder as if they were so loud."""
SEGMENT = 12 * SPEECH_RATE
"""Samples after which an utterance is cut at the next pause; the search's memory grows until then."""
LONGEST_SEGMENT = 20 * SPEECH_RATE
PAUSE = SPEECH_RATE // 5
PAUSE_DB = 25.0
"""A pause is so much softer than the loudest that was heard."""
OPTIONS = {"fwdflat": False, "maxhmmpf": 3000, "maxwpf": 10, "loglevel": "FATAL"}
"""One pass of a narrow search: 8.5 % wrong words on ten sentences in three voices where all passes have 7.4, but the
last words are there 5 ms of work after the last sound instead of 60 to 130."""
_FIRST_GUESS = "40,3,-1"


class Decoders:
    """Lends warm decoders, one utterance each; makes more, aside, when all are lent.  Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Any] = []

    def lend(self) -> Future[Any]:
        """A decoder, at once where one is idle, else in about 0.4 s."""
        lent: Future[Any] = Future()
        with self._lock:
            if self._idle:
                lent.set_result(self._idle.pop())
                return lent
        threading.Thread(target=_make, args=(lent,), name="sphinx-decoder", daemon=True).start()
        return lent

    def take_back(self, lent: Future[Any]) -> None:
        """It is free again, now or as soon as it is made; one that failed is forgotten."""
        lent.add_done_callback(self._keep)

    def _keep(self, lent: Future[Any]) -> None:
        if lent.exception() is None:
            with self._lock:
                if len(self._idle) < KEPT:
                    self._idle.append(lent.result())

    def idle(self) -> int:
        """How many wait."""
        with self._lock:
            return len(self._idle)


def _make(lent: Future[Any]) -> None:
    import pocketsphinx

    try:
        lent.set_result(pocketsphinx.Decoder(**OPTIONS))
    except Exception as exc:  # whatever it is, the utterance that waits must hear of it
        broken = NotInstalled("pocketsphinx cannot listen: {reason}", code="asr.sphinx_broken",
                              hint="pip install --force-reinstall pocketsphinx", reason=str(exc))
        broken.__cause__ = exc
        lent.set_exception(broken)


def _loudest(sound: np.ndarray) -> float:
    levels = loudness_frames(sound)
    return float(levels.max()) if levels.size else -120.0


class SphinxUtterance:
    """One utterance.  Words lag by what could not be decoded yet; `finish` waits for all of them."""

    def __init__(self, decoders: Decoders, told: Callable[[str], Transcript], after: SphinxUtterance | None) -> None:
        self._decoders, self._told = decoders, told
        self._lent: Future[Any] | None = decoders.lend()
        self._waiting: list[np.ndarray] = []
        self._waits = 0
        self._open = False
        self._loudest = SOFTEST_DBFS
        self._gain: float = after._gain if after else 0.0
        self._mean: str = after._mean if after else ""
        self._segment = self._softly = 0
        self._done: list[str] = []
        self._text = ""

    def feed(self, samples: np.ndarray) -> str:
        """The words so far."""
        if self._lent is None:
            raise ValueError("this utterance is over")
        if len(samples):
            sound = np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32)
            self._waiting.append(sound)
            self._waits += len(sound)
            self._loudest = max(self._loudest, _loudest(sound))
        if self._lent.done() and (self._open or self._mean or self._known()):
            self._decode(AT_ONCE)
        return self._told(self._text).text

    def finish(self) -> Transcript:
        """All words; the decoder is free again."""
        if self._lent is None:
            raise ValueError("this utterance is over")
        try:
            if self._waits or self._open:
                self._decode(self._waits)
                self._cut()
            return self._told(" ".join(self._done))
        finally:
            self.close()

    def close(self) -> None:
        """Give the decoder back."""
        lent, self._lent = self._lent, None
        if lent is not None:
            if self._open:
                lent.result().end_utt()
                self._open = False
            self._decoders.take_back(lent)
        self._waiting.clear()

    def _known(self) -> bool:
        """Whether enough was heard of a new speaker."""
        levels = loudness_frames(np.concatenate(self._waiting))
        loud = np.flatnonzero(levels > max(SOFTEST_DBFS, self._loudest - PAUSE_DB))
        if not loud.size:
            return False
        frame = SPEECH_RATE // 50
        return (levels.size - loud[0]) * frame >= LISTEN_FIRST or (levels.size - 1 - loud[-1]) * frame >= FALLS_SILENT

    def _decode(self, most: int) -> None:
        assert self._lent is not None
        decoder = self._lent.result()
        sound = np.concatenate(self._waiting) if self._waiting else np.zeros(0, np.float32)
        if not self._open:
            self._start(decoder, sound)
        for at in range(0, min(most, len(sound)), PIECE):
            self._piece(decoder, sound[at:min(at + PIECE, most)])
        self._waiting, self._waits = [sound[most:]], max(0, len(sound) - most)
        said = decoder.hyp() if self._open else None
        self._text = " ".join([*self._done, said.hypstr] if said else self._done)

    def _start(self, decoder: Any, sound: np.ndarray) -> None:
        if not self._gain:
            self._gain = 10 ** ((LOUDEST_DBFS - self._loudest) / 20)
        if not self._done:
            decoder.set_cmn(self._mean or self._mean_of(decoder, sound))
        decoder.start_utt()
        self._open, self._segment, self._softly = True, 0, 0

    def _mean_of(self, decoder: Any, sound: np.ndarray) -> str:
        """The mean cepstrum of the part that is not silent; costs no search."""
        decoder.set_cmn(_FIRST_GUESS)
        loud = np.flatnonzero(loudness_frames(sound) > self._loudest - PAUSE_DB) * (SPEECH_RATE // 50)
        if not loud.size:
            return _FIRST_GUESS
        decoder.start_utt()
        decoder.process_raw(pcm16(sound[loud[0]:loud[-1] + SPEECH_RATE // 50] * self._gain), True, False)
        decoder.end_utt()
        return str(decoder.get_cmn(False))

    def _piece(self, decoder: Any, piece: np.ndarray) -> None:
        if not self._open:
            self._start(decoder, piece)
        decoder.process_raw(pcm16(piece * self._gain), False, False)
        self._segment += len(piece)
        self._softly = self._softly + len(piece) if _loudest(piece) < self._loudest - PAUSE_DB else 0
        if self._segment >= LONGEST_SEGMENT or (self._segment >= SEGMENT and self._softly >= PAUSE):
            self._cut()

    def _cut(self) -> None:
        """End the search here; its words are certain now."""
        assert self._lent is not None
        decoder = self._lent.result()
        if self._open:
            decoder.end_utt()
            self._open = False
            self._mean = str(decoder.get_cmn(False))
            said = decoder.hyp()
            if said and said.hypstr:
                self._done.append(said.hypstr)
