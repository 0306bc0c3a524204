"""An image of a few megabytes, made in a moment: this machine's shell and a handful of its tools."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import docker
from docker.errors import ImageNotFound

TAG = "visage-test-shell:2"
TOOLS = ("sh", "sleep", "id", "cat", "touch", "tail", "head", "ls", "seq", "dd", "df", "stat", "grep", "mkdir")


def ready_shell(client: docker.DockerClient) -> str:
    """The tag of the image, made now when it is missing."""
    try:
        client.images.get(TAG)
    except ImageNotFound:
        repository, _, tag = TAG.partition(":")
        client.api.import_image_from_data(_packed(), repository, tag, ["LABEL visage.test=shell"])
    return TAG


def _packed() -> bytes:
    files: dict[str, Path] = {}
    for name in TOOLS:
        tool = Path(shutil.which(name) or f"/bin/{name}").resolve()
        files[f"bin/{name}"] = tool
        said = subprocess.run(["ldd", str(tool)], capture_output=True, text=True, check=True).stdout
        files.update({library.lstrip("/"): Path(library) for library in re.findall(r"/\S+", said)})
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        # A folder that is not named may become one that only root, with all its powers, can enter.
        for name in sorted({str(parent) for file in files for parent in Path(file).parents} | {"tmp"}):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(folder)
        for name, file in sorted(files.items()):
            archive.add(file, name)
    return packed.getvalue()
