"""What an ONNX file holds, read straight from its bytes: ports, stored values and who uses them.

A model of half a gigabyte is described within milliseconds, because values are
neither copied nor parsed until one is asked for.  Field numbers: onnx.proto3 of
the ONNX project.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
"""Element types by their number in the format."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_GRAPH, _NODE, _INITIALIZER, _INPUT, _OUTPUT = 7, 1, 5, 11, 12


class Malformed(ValueError):
    """The bytes are not those of a whole ONNX file."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output of a network."""

    name: str
    """As the file calls it."""
    dtype: str
    """NumPy's name of its element type; empty when the file does not say."""
    shape: tuple[int | None, ...] | None
    """None for a length that is open; None instead of a tuple when the rank is open."""

    def __str__(self) -> str:
        sides = "?" if self.shape is None else ", ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name} {self.dtype or '?'} [{sides}]"


@dataclass(frozen=True, slots=True)
class Stored:
    """A value kept in the file."""

    name: str
    """As the file calls it; may be empty."""
    dtype: str
    """NumPy's name of its element type."""
    shape: tuple[int, ...]
    """Its sides."""
    start: int
    """First byte of its numbers in the file; -1 when they lie elsewhere."""
    size: int
    """How many bytes."""


@dataclass(frozen=True, slots=True)
class Graph:
    """One network as its file describes it."""

    inputs: tuple[Port, ...]
    """What must be given; stored values are left out."""
    outputs: tuple[Port, ...]
    """What it answers."""
    stored: tuple[Stored, ...]
    """Weights and constants, in the order of the file."""
    used: frozenset[str]
    """Names that some node reads."""

    @property
    def half(self) -> bool:
        """Whether its weights are float16."""
        return any(value.dtype == "float16" and value.size > 64 for value in self.stored)


def read(path: Path) -> Graph:
    """The network in a file.  Raises `OSError` when it cannot be read and `Malformed` when it is cut off or no ONNX."""
    with path.open("rb") as stream:
        if path.stat().st_size == 0:
            raise Malformed("it is empty")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                found = [_graph(data, start, end) for number, kind, start, end in _fields(data, 0, len(data))
                         if number == _GRAPH and kind == _BYTES]
            except (IndexError, UnicodeDecodeError) as exc:
                raise Malformed("it is cut off, or no ONNX file") from exc
    if len(found) != 1 or not found[0].outputs:
        raise Malformed("it holds no network")
    return found[0]


def numbers(path: Path, value: Stored) -> np.ndarray:
    """A stored value as float32 in its own shape.  Raises `Malformed` when its numbers are not in the file."""
    width = np.dtype(value.dtype).itemsize
    if value.start < 0 or value.size != width * int(np.prod(value.shape)):
        raise Malformed(f"the numbers of {value.name!r} are not in it")
    with path.open("rb") as stream:
        stream.seek(value.start)
        flat = np.frombuffer(stream.read(value.size), np.dtype(value.dtype).newbyteorder("<"))
    return flat.astype(np.float32).reshape(value.shape)


def _varint(data: mmap.mmap | bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise Malformed("it is no ONNX file")


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number and kind of each field between two places; of bytes their first and last place, else value and place."""
    while start < end:
        key, start = _varint(data, start)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, start = _varint(data, start)
            yield number, kind, value, start
        elif kind == _BYTES:
            length, start = _varint(data, start)
            if start + length > end:
                raise Malformed("it is cut off")
            yield number, kind, start, start + length
            start += length
        elif kind in (_FIXED32, _FIXED64):
            start += 4 if kind == _FIXED32 else 8
            yield number, kind, start, start
        else:
            raise Malformed("it is no ONNX file")


def _graph(data: mmap.mmap, start: int, end: int) -> Graph:
    inputs: list[Port] = []
    outputs: list[Port] = []
    stored: list[Stored] = []
    used: set[str] = set()
    for number, kind, first, last in _fields(data, start, end):
        if kind != _BYTES:
            continue
        if number == _NODE:
            _node(data, first, last, used)
        elif number == _INITIALIZER:
            stored.append(_tensor(data, first, last))
        elif number in (_INPUT, _OUTPUT):
            (inputs if number == _INPUT else outputs).append(_port(data, first, last))
    names = {value.name for value in stored}
    return Graph(tuple(port for port in inputs if port.name not in names), tuple(outputs), tuple(stored),
                 frozenset(used))


def _node(data: mmap.mmap, start: int, end: int, used: set[str]) -> None:
    for number, kind, first, last in _fields(data, start, end):
        if kind != _BYTES:
            continue
        if number == 1:
            used.add(_text(data, first, last))
        elif number == 5:
            # a branch or a loop is a network inside an attribute, and may read values of the outer one
            for inner, its_kind, begin, stop in _fields(data, first, last):
                if inner in (6, 11) and its_kind == _BYTES:
                    used |= _graph(data, begin, stop).used


def _tensor(data: mmap.mmap, start: int, end: int) -> Stored:
    sides: list[int] = []
    name, dtype, place, size, elsewhere = "", 0, -1, 0, False
    for number, kind, first, last in _fields(data, start, end):
        if number == 1 and kind == _VARINT:
            sides.append(first)
        elif number == 1:
            sides += _packed(data, first, last)
        elif number == 2 and kind == _VARINT:
            dtype = first
        elif number == 8:
            name = _text(data, first, last)
        elif number in (4, 9, 10) and kind == _BYTES:
            place, size = first, last - first
        elif number == 14 and kind == _VARINT:
            elsewhere = first == 1
    return Stored(name, KINDS.get(dtype, ""), tuple(sides), -1 if elsewhere else place, size)


def _packed(data: mmap.mmap, start: int, end: int) -> Iterator[int]:
    while start < end:
        value, start = _varint(data, start)
        yield value


def _port(data: mmap.mmap, start: int, end: int) -> Port:
    name, dtype, shape = "", "", None
    for number, kind, first, last in _fields(data, start, end):
        if number == 1:
            name = _text(data, first, last)
        elif number == 2 and kind == _BYTES:
            for inner, _, begin, stop in _fields(data, first, last):
                if inner == 1:
                    dtype, shape = _type(data, begin, stop)
    return Port(name, dtype, shape)


def _type(data: mmap.mmap, start: int, end: int) -> tuple[str, tuple[int | None, ...] | None]:
    dtype, shape = "", None
    for number, kind, first, last in _fields(data, start, end):
        if number == 1 and kind == _VARINT:
            dtype = KINDS.get(first, "")
        elif number == 2 and kind == _BYTES:
            shape = tuple(_side(data, begin, stop) for inner, _, begin, stop in _fields(data, first, last)
                          if inner == 1)
    return dtype, shape


def _side(data: mmap.mmap, start: int, end: int) -> int | None:
    for number, kind, first, _ in _fields(data, start, end):
        if number == 1 and kind == _VARINT and 0 < first < 1 << 31:
            return first
    return None


def _text(data: mmap.mmap, start: int, end: int) -> str:
    return bytes(data[start:end]).decode()
