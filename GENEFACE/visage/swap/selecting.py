"""Which faces of a frame are worked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from visage.swap.contract import Embedding, Face
from visage.swap.options import SwapOptions

_KEYS: dict[str, Callable[[Face], float]] = {
    "left-right": lambda face: face.centre[0], "right-left": lambda face: -face.centre[0],
    "top-bottom": lambda face: face.centre[1], "bottom-top": lambda face: -face.centre[1],
    "largest": lambda face: -face.area, "smallest": lambda face: face.area,
    "best": lambda face: -face.score, "worst": lambda face: face.score,
}


def ordered(faces: Sequence[Face], order: str) -> list[Face]:
    """The faces in one of the orders of `options.ORDERS`."""
    return sorted(faces, key=_KEYS[order])


class Selector:
    """Chooses tracks; one that was chosen stays chosen until it is lost, so that faces that cross are not confused."""

    def __init__(self, options: SwapOptions, reference: Embedding | None = None):
        self._options = options
        self._reference = reference
        self._one: int | None = None
        self._like: dict[int, bool] = {}

    def choose(self, faces: Mapping[int, Face], cut: bool) -> dict[int, Face]:
        """Those of the faces, by track, that are worked on; ``cut``: another scene begins.

        Raises `InvalidRequest` (E06) when the reference is of another space.
        """
        if cut:
            self._one, self._like = None, {}
        seen = {track: face for track, face in faces.items() if face.score >= self._options.least_score}
        if self._options.who == "one":
            return self._by_position(seen)
        if self._options.who == "reference":
            return {track: face for track, face in seen.items() if self._is_like(track, face)}
        return seen

    def _by_position(self, faces: dict[int, Face]) -> dict[int, Face]:
        if self._one not in faces:
            names: dict[Any, int] = {id(face): track for track, face in faces.items()}
            line = ordered(list(faces.values()), self._options.order)
            if self._one is not None or self._options.position >= len(line):
                # the chosen one is hidden for a while: nobody else takes its place in this scene
                return {}
            self._one = names[id(line[self._options.position])]
        return {self._one: faces[self._one]} if self._one is not None else {}

    def _is_like(self, track: int, face: Face) -> bool:
        if face.embedding is not None and self._reference is not None:
            limit = self._options.distance * (1.15 if self._like.get(track) else 1.0)
            # a face that has been recognised may turn a little further before it is given up
            self._like[track] = self._reference.distance(face.embedding) <= limit
        return self._like.get(track, False)
