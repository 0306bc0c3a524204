"""What can go wrong with networks, as errors of our tree with a remedy each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from visage.errors import NotInstalled, OutOfMemory, VisageError

IMPORT = "python -m backend.face_models import FILE"
"""The command that brings a model."""
_MEMORY = re.compile(r"out of memory|failed to allocate memory|bad_alloc|ALLOC_FAILED|AllocateRawInternal"
                     r"|CUDA failure 2\b|smaller than requested bytes", re.IGNORECASE)
_KERNEL = re.compile(r"no kernel image is available|CUDA failure 209\b|invalid device function"
                     r"|sm_\d+ is not compatible", re.IGNORECASE)


def missing(task: str, folder: Path, found: Iterable[str]) -> NotInstalled:
    """E02: no file in the folder is a network for this task."""
    there = ", ".join(found)
    return NotInstalled("No model for {task} in {path}; found: {found}.", code="swap.model_missing",
                        hint="Put it there, or name another folder in FACE_FUSION_MODELS; {command} takes one file.",
                        task=task, path=str(folder), found=there or "nothing", command=IMPORT)


def absent(path: Path) -> NotInstalled:
    """E02: the path is not there."""
    return NotInstalled("The model path {path} does not exist.", code="swap.model_absent",
                        hint="Check FACE_FUSION_MODELS; in a container mount it, e.g. -v $(pwd)/models:/app/models.",
                        path=str(path))


def unreadable(path: Path, reason: str) -> NotInstalled:
    """E02: it is there and cannot be read."""
    return NotInstalled("The model {path} cannot be read: {reason}.", code="swap.model_unreadable",
                        hint="Give this program the right to read it.", path=str(path), reason=reason)


def corrupt(path: Path, reason: str) -> NotInstalled:
    """E02: it is damaged, or no ONNX file."""
    return NotInstalled("The model {path} is damaged: {reason}.", code="swap.model_corrupt",
                        hint="Download it again, then {command}.", path=str(path), reason=reason, command=IMPORT)


def unknown(path: Path, inputs: Sequence[object], outputs: Sequence[object]) -> NotInstalled:
    """E02: a whole file that is none of the kinds known here."""
    return NotInstalled("{path} is no network known here: inputs {inputs}; outputs {outputs}.",
                        code="swap.model_unknown", hint="docs/faceswap-models.md lists the kinds that are known.",
                        path=str(path), inputs="; ".join(map(str, inputs)), outputs="; ".join(map(str, outputs[:15])))


def no_emap(path: Path, candidates: Sequence[str]) -> NotInstalled:
    """E02: an inswapper without the matrix it needs, or with several that could be it."""
    return NotInstalled("{path} holds {count} matrices of 512 x 512 and none is surely the embedding map: {names}.",
                        code="swap.model_no_map", hint="Use the file as it was published.", path=str(path),
                        count=len(candidates), names=", ".join(name or "(no name)" for name in candidates) or "none")


def wrong_output(path: Path, flaw: str) -> NotInstalled:
    """E02: what it computes cannot be used and nothing else here can compute it."""
    return NotInstalled("The model {path} answers with a picture that is {flaw}.", code="swap.model_output",
                        hint="Import the float32 file of the same model; float16 fails on this device.",
                        path=str(path), flaw=flaw)


def other_provider(wanted: str, got: str, reason: str, remedy: str) -> NotInstalled:
    """E03, in strict mode: another provider than the wanted one would compute."""
    return NotInstalled("{wanted} was asked for and {got} would compute: {reason}.", code="swap.provider_fallback",
                        hint="{remedy}", wanted=wanted, got=got, reason=reason, remedy=remedy)


def of_runtime(exc: Exception, path: Path, tried: Sequence[str] = ()) -> VisageError:
    """The error for what onnxruntime raised while a network ran: E04, E08 or a plain one."""
    text = str(exc)
    if _KERNEL.search(text):
        return NotInstalled("This GPU is not one that onnxruntime was built for: {reason}", code="swap.architecture",
                            hint="Choose the CPU (VISAGE_FACE_PROVIDER=cpu), a newer GPU, or a build for this one.",
                            reason=_short(text))
    if _MEMORY.search(text) or isinstance(exc, MemoryError):
        return OutOfMemory("The memory did not suffice for {model}: {reason}", code="swap.memory_short",
                           hint="Raise VISAGE_FACE_GPU_MEMORY_MB, close other programs on the GPU, or choose the CPU.",
                           model=path.name, reason=_short(text))
    return VisageError("{model} could not be computed: {reason}", code="swap.run_failed",
                       hint="python -m backend.face_models verify checks the file.", model=path.name,
                       reason=_short(text))


def exhausted(error: OutOfMemory, tried: Sequence[str]) -> OutOfMemory:
    """E04, when every way to need less has been tried."""
    return OutOfMemory("The memory did not suffice, even after: {tried}. {reason}", code="swap.memory_exhausted",
                       hint="Free memory on this machine: other programs, a smaller picture, fewer workers.",
                       tried=", ".join(tried), reason=error.message)


def _short(text: str) -> str:
    return " ".join(text.split())[:400]
