"""Whether a file is what its name says: by its first bytes, its structure and its checksum."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from visage.engines.weights.table import File

_HEAD = 4096
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<script")
_CHUNK = 1 << 20


def quick_flaw(path: Path, file: File) -> str:
    """Why a file cannot be the one of the table, as an English clause, by its size and head; empty when it may be."""
    size = path.stat().st_size
    if size == 0:
        return "it is empty"
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if (found := foreign(head)) and file.text is None:
        return found
    if file.size is not None and size != file.size:
        return f"it has {size} bytes, not {file.size}"
    if file.text is not None:
        return "" if head.decode(errors="replace").strip() == file.text else "it says something else"
    return _HEADS.get(file.kind, lambda _: "")(head)


def foreign(head: bytes) -> str:
    """What a file is that servers send instead of the one asked for; empty when it is none of these."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith(_PAGES) or b"<html" in head[:1000].lower():
        return "it is a web page (a login or an error), not the file"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of git-lfs, not the file"
    return ""


def flaw(path: Path, file: File) -> str:
    """As `quick_flaw`, after reading what the structure of its kind allows to check; checksums are `sums`' part."""
    return quick_flaw(path, file) or _STRUCTURES.get(file.kind, lambda *_: "")(path, file)


def sums(path: Path, told: Callable[[int], None] = lambda _: None) -> dict[str, str]:
    """SHA-256, SHA-1 and git's name of a file; ``told`` hears the bytes read so far."""
    sha256, sha1 = hashlib.sha256(), hashlib.sha1()
    blob = hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    done = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            for digest in (sha256, sha1, blob):
                digest.update(chunk)
            told(done := done + len(chunk))
    return {"sha256": sha256.hexdigest(), "sha1": sha1.hexdigest(), "git_blob": blob.hexdigest()}


def contradicted(found: dict[str, str], file: File) -> str:
    """Which published checksum a file's own contradict, as a clause; empty when none."""
    for name in ("sha256", "sha1", "git_blob"):
        published = getattr(file, name)
        if published and found[name] != published:
            return f"its {name} is {found[name]}, not {published}"
    return ""


def variables(path: Path) -> set[str]:
    """Names of the variables of a MATLAB file; empty when it is none."""
    from scipy.io import whosmat
    from scipy.io.matlab import MatReadError

    with path.open("rb") as stream:
        if stream.read(7) != b"MATLAB ":
            return set()
    try:
        return {name for name, _, _ in whosmat(path)}
    except (MatReadError, ValueError, TypeError, OSError, NotImplementedError, LookupError, zlib.error):
        return set()


def _mat_head(head: bytes) -> str:
    return "" if head.startswith(b"MATLAB ") else "it is no MATLAB file"


def _torch_head(head: bytes) -> str:
    whole = head.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04")) or head[257:262] == b"ustar"
    return "" if whole else "it is no PyTorch file"


def _npy_head(head: bytes) -> str:
    return "" if head.startswith(b"\x93NUMPY") else "it is no NumPy file"


def _graph_head(head: bytes) -> str:
    return "" if head.startswith(b"\x0a") else "it is no TensorFlow graph"


def _npz_head(head: bytes) -> str:
    return "" if head.startswith(b"PK\x03\x04") else "it is no packed NumPy file"


def _onnx_head(head: bytes) -> str:
    """The first field is the version of the form, a small number."""
    return "" if len(head) > 1 and head[0] == 0x08 and head[1] < 0x20 else "it is no ONNX network"


def _mat(path: Path, file: File) -> str:
    found = variables(path)
    if not found or not _mat_is_whole(path):
        return "it is cut off, or no MATLAB file"
    lacking = [name for name in file.contains if name not in found]
    return f"it lacks the variables {', '.join(lacking)}" if lacking else ""


def _mat_is_whole(path: Path) -> bool:
    """Whether the elements of a MATLAB 5 file, each with its length, end where the file does."""
    size, place = path.stat().st_size, 128
    with path.open("rb") as stream:
        order = "<" if stream.read(place).endswith(b"IM") else ">"
        while place < size:
            stream.seek(place)
            tag = stream.read(8)
            if len(tag) < 8:
                return False
            place += 8 + struct.unpack(order + "II", tag)[1]
    return place == size


def _torch(path: Path, _: File) -> str:
    with path.open("rb") as stream:
        packed = stream.read(4) == b"PK\x03\x04"
    # the older form has no end mark; only its recorded size tells whether it is whole
    return "it is cut off" if packed and not zipfile.is_zipfile(path) else ""


def _npz(path: Path, _: File) -> str:
    return "" if zipfile.is_zipfile(path) else "it is cut off"


def _json(path: Path, _: File) -> str:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return "it is no JSON"
    return ""


def _npy(path: Path, _: File) -> str:
    from numpy.lib import format as npy

    with path.open("rb") as stream:
        try:
            version = npy.read_magic(stream)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _order, kind = read(stream)
        except ValueError:
            return "it is no NumPy file"
        count = 1
        for length in shape:
            count *= length
        whole = kind.hasobject or path.stat().st_size - stream.tell() >= count * kind.itemsize
    return "" if whole else "it is cut off"


def _exp_pca(path: Path, file: File) -> str:
    """An int32 with the number of components, then float32: a mean and the components, xyz of each vertex."""
    with path.open("rb") as stream:
        components = int.from_bytes(stream.read(4), "little")
    if not 1 <= components <= 1000:
        return "it is no expression basis"
    whole = 4 + 4 * 3 * file.vertices * (1 + components)
    return "" if path.stat().st_size >= whole else f"it is cut off: {path.stat().st_size} of {whole} bytes"


_HEADS: dict[str, Callable[[bytes], str]] = {
    "mat": _mat_head, "torch": _torch_head, "npy": _npy_head, "graph": _graph_head, "npz": _npz_head,
    "onnx": _onnx_head}
_STRUCTURES: dict[str, Callable[[Path, File], str]] = {
    "mat": _mat, "torch": _torch, "json": _json, "npy": _npy, "npz": _npz, "exp_pca": _exp_pca}
