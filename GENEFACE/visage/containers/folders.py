"""The folders of this machine that a container sees, and the user who may write there."""

from __future__ import annotations

import os
from pathlib import Path

from visage.containers.contract import Mount, Order
from visage.errors import DiskFull, VisageError, from_os_error


def owner(order: Order) -> tuple[int, int]:
    """User and group that the container runs as: the owner of its first folder, without folders this process's."""
    if not order.mounts:
        return os.getuid(), os.getgid()
    found = order.mounts[0].source.stat()
    return found.st_uid, found.st_gid


def prepare(order: Order) -> None:
    """Make the folders that are missing, each owned as the one it lies in.

    Raises `DiskFull`, or `VisageError` when a folder cannot be made or the container could not write there.
    """
    for mount in order.mounts:
        try:
            _make(mount.source)
        except OSError as exc:
            error = from_os_error(exc)
            if isinstance(error, DiskFull):
                raise error from exc
            raise VisageError("The folder {path} cannot be made: {reason}.", code="container.folder",
                              hint="sudo mkdir -p {path} && sudo chown $USER {path}", path=mount.source,
                              reason=exc.strerror or exc) from exc
    user, group = owner(order)
    for mount in order.mounts:
        if mount.writable and not _may_write(mount, user, group):
            raise VisageError("The container runs as user {user}, who may not write in {path}.",
                              code="container.folder_owner", hint="sudo chown -R {user} {path}",
                              user=f"{user}:{group}", path=mount.source)


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make(folder.parent)
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        above = folder.parent.stat()
        os.chown(folder, above.st_uid, above.st_gid)


def _may_write(mount: Mount, user: int, group: int) -> bool:
    """Whether the mode bits let them; a container has no capability that would let root past these."""
    found = mount.source.stat()
    bits = 0o300 if found.st_uid == user else 0o030 if found.st_gid == group else 0o003
    return found.st_mode & bits == bits
