"""Work done ahead of whoever wants it, in a thread of its own that ends with its turn."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from visage.dialogue.scope import Scope

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """Iterates over ``made`` in a thread, at most ``depth`` items ahead.

    What ``made`` raises is raised after the items before it.  Once the scope is cancelled
    `Cancelled` is raised at once, whatever ``made`` waits for; ``made`` is closed by its own
    thread as soon as that comes back from where it is.
    """

    def __init__(self, made: Iterator[Item], scope: Scope, depth: int, name: str = "ahead") -> None:
        self._made, self._scope, self._depth = made, scope, depth
        self._changed = threading.Condition()
        self._items: deque[Item] = deque()
        self._failure: BaseException | None = None
        self._ended = self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        scope.on_cancel(self.close)
        self._thread.start()

    def __iter__(self) -> Ahead[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended or self._closed)
            self._scope.check()
            if self._items and not self._closed:
                self._changed.notify_all()
                return self._items.popleft()
        failure, self._failure = self._failure, None
        if failure is not None and not self._closed:
            raise failure
        raise StopIteration

    @property
    def ready(self) -> bool:
        """Whether the next item, the end or a failure is there, so that taking it does not wait."""
        with self._changed:
            return bool(self._items) or self._ended or self._closed

    def close(self) -> None:
        """Want nothing more.  Any thread."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while self._room():
                item = next(self._made)
                with self._changed:
                    self._items.append(item)
                    self._changed.notify_all()
        except StopIteration:
            pass
        except BaseException as exc:  # told to the thread that waits
            self._failure = exc
        finally:
            close = getattr(self._made, "close", None)
            if close is not None:
                with suppress(Exception):
                    close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _room(self) -> bool:
        """Wait until an item is wanted; False when none ever will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._depth)
            return not self._closed
