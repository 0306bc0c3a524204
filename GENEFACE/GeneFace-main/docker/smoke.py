#!/usr/bin/env python3
"""Looks at an image that was just built: fails with a list of all that is missing.

    smoke.py SPECIFICATION.json FOLDER-OF-UPSTREAM

Runs without a GPU, so it asks torch what it was built for, not what it sees.  Python 3.8, standard library only.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def attribute(dotted):
    """What a dotted name means; raises when it means nothing."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(dotted)


def tried(kind, name, attempt):
    """One complaint, or none, about something that must work."""
    try:
        attempt(name)
    except Exception as exc:  # a broken package can raise anything while it is imported
        return [f"{kind} {name}: {type(exc).__name__}: {exc}"]
    return []


def whole(folder):
    """What complains about a file that is missing, empty, or only a pointer of git's large file storage."""
    def look(name):
        file = Path(folder) / name
        if not file.stat().st_size:
            raise ValueError("it is empty")
        if file.open("rb").read(40).startswith(b"version https://git-lfs"):
            raise ValueError("it is a pointer of git lfs, not the file itself")
    return look


def built_for_cuda(_name):
    """torch must have been built for a GPU."""
    torch = importlib.import_module("torch")
    if not torch.version.cuda:
        raise RuntimeError("torch is a build without CUDA: something replaced the base image's")


def encodes_h264(name):
    """The ffmpeg found on the path must write what browsers play."""
    told = subprocess.run([shutil.which(name) or name, "-hide_banner", "-encoders"], stdout=subprocess.PIPE, check=True)
    if b"libx264" not in told.stdout:
        raise RuntimeError("it cannot write H.264 (libx264)")


def on_the_path(name):
    """A program that the pipelines call."""
    if not shutil.which(name):
        raise FileNotFoundError("not on the path")


def main(specification, folder):
    """Print every complaint; 1 if there is one."""
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    wanted = json.loads(Path(specification).read_text(encoding="utf-8"))
    found = [complaint for kind, attempt in (
        ("import", importlib.import_module), ("extension", importlib.import_module), ("attribute", attribute),
        ("file", whole(folder)), ("program", on_the_path)) for name in wanted[kind + "s"]
        for complaint in tried(kind, name, attempt)]
    found += tried("program", "ffmpeg", encodes_h264)
    if wanted["cuda"]:
        found += tried("build", "torch", built_for_cuda)
    for complaint in found:
        print("MISSING " + complaint, file=sys.stderr)
    print(f"smoke test: {len(found)} of {sum(len(part) for part in wanted.values() if isinstance(part, list))} missing")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
