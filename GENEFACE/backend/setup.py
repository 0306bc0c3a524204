"""Set-up: makes this machine ready, once; later starts find everything done and take no time.

``python -m backend.setup`` fits out the running Python; with ``--venv`` it first
makes ``GENEFACE/.venv`` and goes on in there (so do the scripts).  A step that
fails says why and how to mend it; running it again goes on where it stopped.
Until the packages are there, only the standard library is used.
"""

from __future__ import annotations

import argparse
import fcntl
import functools
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from backend import packages
from backend.terminal import paint, tell, words
from visage.errors import DiskFull, NotInstalled, ToolFailed, VisageError

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOG = ROOT / ".setup" / "setup.log"
STAMP = "visage.json"
_ROOM_MB = 3500


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that set-up does."""

    name: str
    """Short machine name."""
    english: str
    """What is being done, with its size or time."""
    chinese: str
    """The same in Chinese."""
    work: Callable[[], None]
    """Does it; raises a `VisageError`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m backend.setup", description="Make this machine ready.")
    parser.add_argument("--venv", action="store_true", help="set up GENEFACE/.venv instead of the running Python")
    parser.add_argument("--with", dest="extras", action="append", default=[], metavar="EXTRA",
                        help="also install an optional group of pyproject.toml, e.g. test")
    parser.add_argument("--again", action="store_true", help="go through all steps even if they are done")
    choice = parser.parse_args(arguments)
    extras = [word for extra in choice.extras for word in ("--with", extra)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if choice.venv and not _ours():
            with _one_at_a_time():
                make_environment(VENV)
            _start_over(VENV / "bin" / "python", "--venv", *extras, *(["--again"] if choice.again else []))
        if prepare(choice.extras, again=choice.again):
            _start_over(Path(sys.executable), *extras)  # sees what was installed as any later start will
        add_built_in_avatar()
    except VisageError as exc:
        _tell_failure(exc)
        return 1
    except KeyboardInterrupt:
        print(words("\nStopped. Run it again to go on.", "\n已停止。重新运行即可继续。"), file=sys.stderr)
        return 130
    return 0


def _start_over(python: Path, *arguments: str) -> NoReturn:
    sys.stdout.flush()
    os.execv(python, [str(python), "-m", "backend.setup", *arguments])


def ensure() -> None:
    """Add to the running Python, and to ``home``, what a start needs and lacks, saying so.

    For ``pip install -r requirements.txt && python app.py``; where nothing is missing it takes no time.
    Ends the process with the cause and the cure on the screen when that cannot be done.
    """
    try:
        if _lacking():
            tell("First start: adding what requirements.txt cannot say.",
                 "首次启动：补装 requirements.txt 无法表达的软件包。")
            with _one_at_a_time():
                lacking = _lacking()
                _go_through([step for step in _steps([]) if step.name in lacking])
            importlib.invalidate_caches()
        add_built_in_avatar()
    except VisageError as exc:
        _tell_failure(exc)
        sys.exit(1)


def _tell_failure(exc: VisageError) -> None:
    print(f"\n{paint('✗', 'red')} {exc.message}\n  {exc.hint}", file=sys.stderr, flush=True)


def prepare(extras: Sequence[str] = (), *, again: bool = False) -> bool:
    """Install every package into the running Python, unless a stamp says that this was done.

    Returns whether anything was installed.  Raises a `VisageError` that tells the cause and the cure.
    """
    if not again and _stamped(extras):
        return False
    with _one_at_a_time():
        if not again and _stamped(extras):
            return False
        free = shutil.disk_usage(sys.prefix).free >> 20
        if free < _ROOM_MB and _lacking():
            raise DiskFull("Only {free} MB are free; setting up needs {need} MB.", code="setup.disk_low",
                           free=free, need=_ROOM_MB, hint="Free some space, then run it again.")
        if _ours():
            packages.drop_half_installed(Path(sysconfig.get_paths()["purelib"]))
        _go_through(_steps(extras))
        stamp = Path(sys.prefix) / STAMP
        done = {**_read_stamp(), **{name: _key(name) for name in ["", *extras]}}
        stamp.with_suffix(".new").write_text(json.dumps(done), encoding="utf-8")
        stamp.with_suffix(".new").replace(stamp)
    importlib.invalidate_caches()
    return True


def add_built_in_avatar() -> None:
    """Make the avatar that ships with the product, unless it is there.  Needs the packages."""
    from visage.config import read_settings
    from visage.storage.catalog import Catalog
    from visage.storage.paths import Paths

    settings = read_settings()
    paths = Paths(settings.home).create()
    if any(avatar.built_in for avatar in Catalog(paths.avatars, paths.home).list()):
        return
    from backend.services import open_services

    services = open_services(settings)
    with _one_at_a_time(paths.var):
        _go_through([Step("avatar", "built-in avatar (10 seconds)", "内置形象（约 10 秒）",
                          lambda: built_in_avatar(services))])


def built_in_avatar(services: Any) -> None:
    """Make the built-in photo avatar where it is missing; ``services``: the `Services` of this process."""
    from backend.model_trainer import ensure_built_in

    ensure_built_in(services)


def make_environment(folder: Path) -> None:
    """A virtual environment with pip, made anew unless a working one is there.

    Raises `NotInstalled` where this Python cannot make one, and `ToolFailed`.
    """
    try:
        tried = subprocess.run([folder / "bin" / "python", "-m", "pip", "-V"], capture_output=True, check=False)
        if tried.returncode == 0:
            return
    except OSError:
        pass  # none there, or the Python it was made from is gone
    tell(f"Setting up in {folder}: about 700 MB to download, 2.5 GB on disk, 3 to 10 minutes.",
         f"正在安装到 {folder}：下载约 700 MB，占用约 2.5 GB，需要 3 到 10 分钟。")
    _need_ensurepip()
    argv = [sys.executable, "-m", "venv", "--clear", str(folder)]
    made = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if made.returncode:
        raise ToolFailed("The virtual environment could not be made: {reason}", code="setup.venv_failed", argv=argv,
                         stderr=made.stdout + made.stderr, reason=(made.stdout + made.stderr).strip()[-300:],
                         hint="Mend that, then run it again.")


def _need_ensurepip() -> None:
    if importlib.util.find_spec("ensurepip") is not None:
        return
    package = f"python{sysconfig.get_python_version()}-venv"
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        tell(f"      apt-get install {package}", f"      apt-get install {package}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for argv in ([apt, "update", "-qq"], [apt, "install", "-y", "-qq", "--no-install-recommends", package]):
            ran = subprocess.run(argv, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return
    raise NotInstalled("This Python cannot make virtual environments: {package} is missing.", code="setup.no_venv",
                       package=package, hint="sudo apt-get install {package}")


def _steps(extras: Sequence[str]) -> list[Step]:
    torch, mediapipe, silero = packages.TORCH, packages.MEDIAPIPE, packages.SILERO
    steps = [
        Step("requirements", "requirements.txt (about 450 MB, 2 to 6 minutes)",
             "requirements.txt（约 450 MB，2 到 6 分钟）",
             functools.partial(packages.pip_install, "-r", str(ROOT / "requirements.txt"), log=LOG)),
        Step("torch", f"torch {torch} (about 200 MB; 3 GB where there is an NVIDIA GPU)",
             f"torch {torch}（约 200 MB；有 NVIDIA GPU 时约 3 GB）", _torch),
        Step("mediapipe", f"mediapipe {mediapipe} (36 MB)", f"mediapipe {mediapipe}（36 MB）", _mediapipe),
        Step("silero", f"silero-vad {silero} (11 MB)", f"silero-vad {silero}（11 MB）", _silero),
    ]
    for extra in extras:
        work = functools.partial(packages.pip_install, *_extra(extra), log=LOG)
        steps.append(Step(extra, f"packages for {extra}", f"{extra} 所需软件包", work))
    return steps


def _torch() -> None:
    if "torch" in _lacking():
        packages.install_torch(LOG)
    packages.verify_import("import torch; torch.zeros(1)", "torch")


def _mediapipe() -> None:
    if "mediapipe" in _lacking():
        packages.install_mediapipe(LOG)
    packages.verify_import("import mediapipe; mediapipe.solutions.face_mesh", "mediapipe")


def _silero() -> None:
    if "silero" in _lacking():
        packages.install_silero(LOG)


def _ours() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def _lacking() -> set[str]:
    """Of torch, mediapipe and silero, what must be installed.  In an environment not made by us any torch is left as it is."""
    torch = packages.version_of("torch").partition("+")[0]
    lacking = set() if torch == packages.TORCH or (torch and not _ours()) else {"torch"}
    wanted = {"mediapipe": packages.MEDIAPIPE, "silero-vad": packages.SILERO}
    return lacking | {name.removesuffix("-vad") for name, pin in wanted.items() if packages.version_of(name) != pin}


def _extra(name: str) -> list[str]:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10: pip carries the same reader
        from pip._vendor import tomli as tomllib  # type: ignore[no-redef]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    if name not in groups:
        raise NotInstalled("pyproject.toml has no group of packages called {name!r}.", code="setup.unknown_extra",
                           name=name, groups=", ".join(groups), hint="There are: {groups}.")
    return list(groups[name])


def _go_through(steps: Sequence[Step]) -> None:
    for number, step in enumerate(steps, 1):
        start = time.monotonic()
        tell(f"[{number}/{len(steps)}] {step.english}", f"[{number}/{len(steps)}] {step.chinese}")
        step.work()
        spent = time.monotonic() - start
        tell(f"      done in {spent:.0f} s", f"      完成，用时 {spent:.0f} 秒")


def _key(extra: str = "") -> str:
    """Changes when anything that is installed, for all or for one extra, must change."""
    wanted = _extra(extra) if extra else [(ROOT / "requirements.txt").read_text(encoding="utf-8")]
    pins = packages.TORCH, packages.MEDIAPIPE, packages.SILERO
    facts = [*wanted, *pins, sysconfig.get_python_version(), sysconfig.get_platform()]
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _read_stamp() -> dict[str, str]:
    try:
        found = json.loads((Path(sys.prefix) / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _stamped(extras: Sequence[str]) -> bool:
    done = _read_stamp()
    return all(done.get(name) == _key(name) for name in ["", *extras])


@contextmanager
def _one_at_a_time(folder: Path = LOG.parent) -> Iterator[None]:
    """Wait until no other process sets up what lies in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Another set-up is running; waiting for it.", "另一个安装正在进行，请稍候。")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
