"""One utterance as ears follow it: its sound, and its words, which are settled at each pause."""

from __future__ import annotations

import re

import numpy as np

from visage.asr.contract import Recognizer, Transcript, Utterance

_HAN_GAP = re.compile(r"(?<=[㐀-鿿]) (?=[㐀-鿿])")


class Listening:
    """At a pause the recogniser finishes, so that the words of `Paused` are those of `Ended`; should the speaker go
    on, another utterance follows and the words are joined."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._now: Utterance | None = None
        self._before: Utterance | None = None
        self._sound: list[np.ndarray] = []
        self._clear()

    @property
    def text(self) -> str:
        """The words so far."""
        return _HAN_GAP.sub("", " ".join(part for part in (*self._settled, self._partial) if part))

    @property
    def open(self) -> bool:
        """Whether the recogniser listens; not after `settle`."""
        return self._now is not None

    def start(self, windows: list[np.ndarray]) -> None:
        """A new utterance, which began with these windows."""
        self.drop()
        self._sound = list(windows)
        self.go_on(windows)

    def go_on(self, windows: list[np.ndarray]) -> None:
        """The speaker goes on after `settle`; the recogniser hears these windows, which were kept already, again."""
        self._now = self._recognizer.listen(self._before)
        if windows:
            self._partial = self._now.feed(np.concatenate(windows))

    def feed(self, window: np.ndarray) -> str:
        """A further window; the words so far."""
        self.keep(window)
        if self._now is not None:
            self._partial = self._now.feed(window)
        return self.text

    def keep(self, window: np.ndarray) -> None:
        """A further window that nobody needs to understand."""
        self._sound.append(window)

    def settle(self) -> str:
        """The words of all that was heard; they will not change."""
        if self._now is not None:
            now, self._now = self._now, None
            try:
                self._last = now.finish()
            finally:
                now.close()
            self._before, self._partial = now, ""
            if self._last.text:
                self._settled.append(self._last.text)
        return self.text

    def end(self) -> tuple[Transcript, np.ndarray]:
        """What was understood and its sound; nothing of it is kept."""
        text = self.settle()
        last = self._last
        sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)
        self._clear()
        return Transcript(text, last.language, last.driver, last.note), sound

    def drop(self) -> None:
        """Nobody wants to know."""
        now, self._now = self._now, None
        if now is not None:
            now.close()
        self._clear()

    def _clear(self) -> None:
        self._sound = []
        self._settled: list[str] = []
        self._partial = ""
        self._last = Transcript("", "", "")
