"""Containers as an engine's driver starts them: an unknown user, a read-only root, no network, no privileges."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OWNER = (4242, 4243)
"""A user and a group that no image knows."""


@dataclass(frozen=True)
class Ran:
    """What a container did."""

    code: int
    lines: list[dict[str, Any]]
    """Its JSON lines."""
    errors: str
    """What it wrote to stderr."""

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps forward."""
        return [line for line in self.lines if "stage" in line]

    @property
    def last(self) -> dict[str, Any]:
        """Its last line."""
        return self.lines[-1] if self.lines else {}


def argv(image: str, work: Path, *words: str, name: str = "") -> list[str]:
    """The plain ``docker run`` of the contract."""
    docker = shutil.which("docker") or pytest.skip("there is no docker command here: sudo apt-get install docker.io")
    cache = work.parent / "model_cache"
    return [docker, "run", "--rm", "--init", "--read-only", "--network", "none", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges", "--user", ":".join(map(str, OWNER)),
            *(["--name", name] if name else []), "--label", "visage.test=run",
            "-v", f"{work}:/GeneFace", "-v", f"{cache}:/root/.cache/torch/hub/checkpoints", "-w", "/GeneFace",
            image, *words]


def run(image: str, work: Path, *words: str) -> Ran:
    """Run a container of the contract to its end."""
    ended = subprocess.run(argv(image, work, *words), capture_output=True, text=True, check=False, timeout=600)
    return Ran(ended.returncode, list(told(ended.stdout.splitlines())), ended.stderr)


def told(lines: list[str]) -> Iterator[dict[str, Any]]:
    """The JSON lines among others."""
    for line in lines:
        if line.startswith("{"):
            yield json.loads(line)


def give(folder: Path) -> Path:
    """Make `OWNER` own a folder and all that is in it, as far as this user can."""
    if os.geteuid():
        pytest.skip("only root can make a folder that belongs to somebody else")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, *OWNER)
    folder.chmod(0o755)
    return folder
