"""A git repository on a port of this machine, served over HTTP as plain files."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Nothing on stderr."""


def git(folder: Path, *words: str) -> str:
    """Run git there; what it says."""
    argv = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def served(folder: Path, tree: Path) -> Iterator[tuple[str, str]]:
    """Address and older commit of a repository of ``tree``; its file VERSION says ``pinned`` there, else ``newest``."""
    shutil.copytree(tree, folder / "work")
    git(folder / "work", "init", "-q", "-b", "main")
    for version in ("pinned", "newest"):
        (folder / "work" / "VERSION").write_text(version + "\n")
        git(folder / "work", "add", "-A")
        git(folder / "work", "commit", "-q", "-m", version)
    commit = git(folder / "work", "rev-parse", "HEAD~1")
    subprocess.run(["git", "clone", "-q", "--bare", str(folder / "work"), str(folder / "bare.git")], check=True,
                   capture_output=True)
    git(folder / "bare.git", "update-server-info")
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/bare.git", commit
        server.shutdown()
        thread.join()
