"""What a live conversation leaves on disk: answers as far as they were heard, questions as they were spoken.

``<root>/<conversation>/<turn>/answer.mp4`` and ``question.wav``; films of the whole lie beside the turns.  A turn is
there once its row is: what a crash left without one is swept away.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visage.errors import NotFound, VisageError, from_os_error
from visage.media.audio import write_wav
from visage.media.cutting import take_until
from visage.storage.paths import child
from visage.storage.records import Caption, Conversations, Turn
from visage.types import SPEECH_RATE

ANSWER, QUESTION = "answer.mp4", "question.wav"
_STREAM = "answer.part"
NOT_KEPT = "The recording of this turn could not be kept: {reason}"
"""Note of a turn of which nothing could be written."""


class TalkFile:
    """One turn while it is spoken; any thread.  Ends with `finish` or `drop`.

    Keeping must never disturb the talk: what goes wrong here is told in the notes of the turn.
    """

    def __init__(self, conversations: Conversations, conversation: str, folder: Path) -> None:
        self.id = folder.name
        """32 hexadecimal digits, the id of the turn to be."""
        self._conversations, self._conversation, self._folder = conversations, conversation, folder
        self._lock = threading.Lock()
        self._asked = 0.0
        self._failure: VisageError | None = None
        self._over = False

    def ask(self, samples: np.ndarray, rate: int = SPEECH_RATE) -> None:
        """Keep the spoken question, float32 mono."""
        with self._lock:
            if self._over:
                return
            try:
                write_wav(self._folder / QUESTION, samples, rate)
                self._asked = len(samples) / rate
            except VisageError as exc:
                self._failure = exc

    def append(self, data: bytes) -> None:
        """Keep bytes of the answer's fragmented MP4, in the order in which they were sent, its header first."""
        with self._lock:
            if self._over or self._failure:
                return
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with (self._folder / _STREAM).open("ab") as file:
                    file.write(data)
            except OSError as exc:
                self._failure = from_os_error(exc)

    def finish(self, question: str, answer: str, *, until: float | None = None, heard: float = 1.0, frame: int = 0,
               captions: Sequence[Caption] = (), stages: Sequence[Mapping[str, Any]] = (), notes: Sequence[str] = (),
               file: str = "") -> Turn:
        """Store the turn: the video up to second ``until`` (None: all of it), the rest as in `Turn`.

        ``file`` is the clip of a turn that has no stream.  Captions that begin later are left out, the last one ends
        with the video.  Raises `NotFound` when the conversation was deleted meanwhile; then nothing is left.
        """
        with self._lock:
            self._over = True
            seconds = self._closed(until)
            if self._failure:
                notes = [*notes, NOT_KEPT.format(reason=self._failure.message)]
        shown = captions if until is None else list(_heard(captions, min(until, seconds) if seconds else until))
        try:
            return self._conversations.add_turn(
                self._conversation, question, answer, file, notes, id=self.id, captions=tuple(shown),
                stages=tuple(stages), asked=self._asked, seconds=seconds, heard=heard, frame=frame)
        except VisageError:
            self.drop()
            raise

    def drop(self) -> None:
        """Leave nothing behind."""
        with self._lock:
            self._over = True
            shutil.rmtree(self._folder, ignore_errors=True)

    def _closed(self, until: float | None) -> float:
        """Seconds of the finished video; 0: there is none."""
        stream = self._folder / _STREAM
        try:
            if self._failure or not stream.is_file() or (until is not None and until <= 0):
                return 0.0
            return take_until(stream, self._folder / ANSWER, until)
        except VisageError as exc:
            self._failure = None if exc.code == "video.nothing_kept" else exc
            return 0.0
        finally:
            stream.unlink(missing_ok=True)


class Talks:
    """The media of all conversations."""

    def __init__(self, conversations: Conversations, root: Path) -> None:
        self._conversations = conversations
        self.root = root

    def begin(self, conversation: str) -> TalkFile:
        """Where the next turn of a conversation is kept; writes nothing yet."""
        return TalkFile(self._conversations, conversation, self.folder(conversation) / uuid.uuid4().hex)

    def folder(self, conversation: str) -> Path:
        """Where a conversation's media lie or would lie."""
        return child(self.root, conversation)

    def file(self, turn: Turn, name: str) -> Path:
        """`ANSWER` or `QUESTION` of a turn.  Raises `NotFound` when it never was or is no longer there."""
        found = self.folder(turn.conversation) / turn.id / name
        if name not in (ANSWER, QUESTION) or not found.is_file():
            raise NotFound("The file {name} of this turn is not there.", code="conversation.no_file", name=name,
                           hint="Recordings of conversations are kept for a few days only.")
        return found

    def has(self, turn: Turn, name: str) -> bool:
        """Whether that file is there."""
        return (self.folder(turn.conversation) / turn.id / name).is_file()

    def forget(self, conversation: str) -> None:
        """Remove the media of a conversation and its films."""
        shutil.rmtree(self.folder(conversation), ignore_errors=True)

    def sweep(self, days: float, needed: Collection[str] = ()) -> int:
        """Remove media older than ``days``, but none of the conversations ``needed``; returns how many.

        Those of turns that no row tells of, which a crash left, and those of deleted conversations go after a day.
        """
        removed = 0
        for folder in self.root.glob("*"):
            if folder.name in needed:
                continue
            told = self._told(folder.name)
            for path in folder.glob("*"):
                limit = days if path.name in told or path.is_file() else min(days, 1.0)
                if path.stat().st_mtime < time.time() - limit * 86_400:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
                    removed += 1
            with contextlib.suppress(OSError):  # not empty, or a turn begins in it just now
                folder.rmdir()
        return removed

    def _told(self, conversation: str) -> set[str]:
        try:
            return {turn.id for turn in self._conversations.turns(conversation)}
        except NotFound:
            return set()


def _heard(captions: Sequence[Caption], until: float) -> Iterator[Caption]:
    for caption in captions:
        if caption.start < until:
            yield Caption(caption.text, caption.start, min(caption.seconds, until - caption.start))
