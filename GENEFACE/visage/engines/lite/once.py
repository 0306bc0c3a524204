"""What several listeners ask of one sound is worked out once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

_Result = TypeVar("_Result")
_More = ParamSpec("_More")


class _Kept(threading.local):
    found: dict[tuple[object, ...], tuple[np.ndarray, object]] | None = None


_kept = _Kept()


@contextmanager
def each_once() -> Iterator[None]:
    """While the block runs, this thread works out each `once` function of the same array only once.

    Arrays must not be changed meanwhile, nor may results.
    """
    before = _kept.found
    _kept.found = {} if before is None else before
    try:
        yield
    finally:
        _kept.found = before


def once(work: Callable[Concatenate[np.ndarray, _More], _Result]
         ) -> Callable[Concatenate[np.ndarray, _More], _Result]:
    """A function of a sound (and of what can be hashed) that remembers, but only inside `each_once`."""
    @wraps(work)
    def asked(samples: np.ndarray, *more: _More.args, **named: _More.kwargs) -> _Result:
        if _kept.found is None:
            return work(samples, *more, **named)
        key = (work, id(samples), more, *named.items())
        # The array is kept beside its result: an id is given out again once its object is gone.
        if key not in _kept.found:
            _kept.found[key] = (samples, work(samples, *more, **named))
        return _kept.found[key][1]  # type: ignore[return-value]

    return asked
