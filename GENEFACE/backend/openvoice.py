"""OpenVoice's tone colour converter, where its package and its checkpoints are installed.

Its public interface (``openvoice.api.ToneColorConverter``) takes a spoken WAV and the tone colours of two
recordings.  It is imported by the first use; nothing of it is part of this product.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from visage.errors import NotInstalled, ToolFailed

PACKAGES = ("openvoice", "librosa", "wavmark")
FILES = ("config.json", "checkpoint.pth")
SOURCE = "https://huggingface.co/myshell-ai/OpenVoiceV2"


def folder_of(models: Path) -> Path:
    """Where the converter's checkpoints are looked for."""
    return models / "openvoice" / "checkpoints_v2" / "converter"


def missing(models: Path) -> list[str]:
    """What it still needs here, each in words; empty when it can be used."""
    lacking = [f"the Python package {name}" for name in PACKAGES if not find_spec(name)]
    return lacking + [str(folder_of(models) / name) for name in FILES if not (folder_of(models) / name).is_file()]


def check(models: Path) -> None:
    """Raises `NotInstalled` naming each thing that is missing and where it comes from."""
    lacking = missing(models)
    if lacking:
        raise NotInstalled("OpenVoice cannot be used here; missing: {missing}.", code="voice.openvoice_missing",
                           hint="The package: pip install git+https://github.com/myshell-ai/OpenVoice. The files: "
                                "converter/ of {source}, into {folder}.",
                           missing=", ".join(lacking), source=SOURCE, folder=str(folder_of(models)))


def convert(models: Path, spoken: Path, reference: Path, out: Path) -> Path:
    """Write ``spoken`` in the tone colour of ``reference``.  Raises `NotInstalled`, or `ToolFailed` with its reason."""
    check(models)
    folder = folder_of(models)
    try:
        torch, api = import_module("torch"), import_module("openvoice.api")
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
        converter = api.ToneColorConverter(str(folder / FILES[0]), device=device)
        converter.load_ckpt(str(folder / FILES[1]))
        converter.convert(audio_src_path=str(spoken), src_se=converter.extract_se([str(spoken)]),
                          tgt_se=converter.extract_se([str(reference)]), output_path=str(out))
    except Exception as exc:  # a foreign program may raise anything
        raise ToolFailed("OpenVoice failed: {reason}", code="voice.openvoice_failed", argv=["openvoice"],
                         stderr=repr(exc), reason=f"{type(exc).__name__}: {exc}"[:200],
                         hint="Try another recording; its own page tells what it needs.") from exc
    if not out.is_file():
        raise ToolFailed("OpenVoice failed: {reason}", code="voice.openvoice_failed", argv=["openvoice"], stderr="",
                         reason="it wrote no file", hint="Try another recording; its own page tells what it needs.")
    return out
