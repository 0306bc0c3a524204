"""Python packages by pip: progress in plain words, failures named with what mends them.

Needs nothing but the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from backend.terminal import tell
from visage.errors import DiskFull, NotInstalled, ServiceUnreachable, ToolFailed, VisageError

TORCH = "2.13.0"
MEDIAPIPE = "0.10.21"
"""The last mediapipe whose wheel holds its models."""
SILERO = "6.2.3"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_LARGE_MB = 15.0
_HEARTBEAT = 30.0

_DOWNLOAD = re.compile(r"Downloading (\S+?)-(\d\S*?)-\S+ \(([\d.]+) MB\)")
_NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded|Errno 28|Errno 122")
_NO_NETWORK = re.compile(r"name resolution|Name or service not known|Connection (?:refused|reset|aborted)|timed? ?out"
                         r"|Network is unreachable|No route to host|NewConnectionError|ProxyError|SSLError"
                         r"|IncompleteRead", re.I)
_NO_SUCH = re.compile(r"No matching distribution found for (\S+)")


def version_of(package: str) -> str:
    """The installed version of a package, or ``""``."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def nvidia_gpu() -> str:
    """What NVIDIA GPU this machine has, or ``""``."""
    tool = shutil.which("nvidia-smi")
    if tool:
        try:
            seen = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            seen = None
        if seen and seen.returncode == 0 and seen.stdout.startswith("GPU"):
            return re.sub(r"\s*\(UUID.*", "", seen.stdout.splitlines()[0])
    return "NVIDIA GPU" if Path("/dev/nvidia0").exists() else ""


def pip_install(*arguments: str, log: Path) -> None:
    """Install into the running Python; everything pip says goes to ``log``, the gist to the screen.

    Raises `DiskFull`, `ServiceUnreachable`, `NotInstalled` (no such version here) or `ToolFailed`.
    """
    argv = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check",
            "--progress-bar", "off", *arguments]
    settings = {"PIP_DEFAULT_TIMEOUT": "60", "PIP_ROOT_USER_ACTION": "ignore", **os.environ}
    log.parent.mkdir(parents=True, exist_ok=True)
    tail: deque[str] = deque(maxlen=80)
    with log.open("a", encoding="utf-8") as file, _heartbeat(), \
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace", env=settings) as process:
        file.write(f"\n$ {' '.join(argv)}\n")
        try:
            for line in process.stdout or ():
                file.write(line)
                tail.append(line)
                _show(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise _cause(argv, "".join(tail), log)


def _show(line: str) -> None:
    found = _DOWNLOAD.search(line)
    if found and float(found[3]) >= _LARGE_MB:
        size = f"{float(found[3]):.0f} MB"
        tell(f"      {found[1]} {found[2]}, {size}", f"      {found[1]} {found[2]}，{size}")
    elif line.startswith("Installing collected packages:") and "," in line:
        count = line.count(",") + 1
        tell(f"      unpacking {count} packages", f"      正在解压 {count} 个软件包")


@contextmanager
def _heartbeat() -> Iterator[None]:
    done = threading.Event()

    def beat() -> None:
        start = time.monotonic()
        while not done.wait(_HEARTBEAT):
            spent = int(time.monotonic() - start)
            tell(f"      … {spent // 60}:{spent % 60:02d}", f"      …… {spent // 60}:{spent % 60:02d}")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _cause(argv: list[str], output: str, log: Path) -> VisageError:
    if _NO_ROOM.search(output):
        return DiskFull("The disk is full: the packages need about 2.5 GB.", code="setup.disk_full",
                        hint="Free some space, then run the same command again; what is done stays done.")
    if "externally-managed-environment" in output:
        return NotInstalled("This Python belongs to the operating system, which forbids pip to add packages.",
                            code="setup.system_python",
                            hint="Use GENEFACE/scripts/run, which makes an environment of its own.")
    if _NO_NETWORK.search(output):
        return ServiceUnreachable("The package server could not be reached.", code="setup.network",
                                  hint="Check the network, or choose a mirror near you and run it again: "
                                       "export PIP_INDEX_URL=https://your.mirror/simple")
    absent = _NO_SUCH.search(output)
    if absent:
        return NotInstalled("The package server offers no {package} for Python {python} on this machine.",
                            code="setup.no_such_package", package=absent[1], python=sysconfig.get_python_version(),
                            hint="Try Python 3.11 (VISAGE_PYTHON=python3.11), or another mirror (PIP_INDEX_URL).")
    reason = next((line.strip() for line in output.splitlines()[::-1] if "ERROR" in line.upper()), "see the log")
    return ToolFailed("pip could not install the packages: {reason}", code="setup.pip_failed", argv=argv, stderr=output,
                      reason=reason, log=str(log),
                      hint="The whole log is {log}. Run the same command again after mending it.")


def drop_half_installed(site: Path) -> list[str]:
    """Forget packages whose installation was interrupted, so that pip installs them again.

    Returns their folders' names.  Only for an environment that pip alone fills: it writes ``INSTALLER``
    after a package's own files, so a folder without it was never finished.
    """
    halves = [folder for folder in site.glob("*.dist-info") if not (folder / "INSTALLER").exists()]
    for folder in halves:
        shutil.rmtree(folder)
    return [folder.name for folder in halves]


def verify_import(statement: str, package: str) -> None:
    """Run a statement in a fresh interpreter.  Raises `ToolFailed` with what it printed."""
    argv = [sys.executable, "-c", statement]
    ran = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if ran.returncode:
        reason = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise ToolFailed("{package} is installed but does not start: {reason}", code="setup.import_failed", argv=argv,
                         stderr=ran.stderr, package=package, reason=reason,
                         hint="Remove the environment and set up again: rm -rf GENEFACE/.venv && GENEFACE/scripts/run")


def install_torch(log: Path) -> None:
    """Add torch in the build that fits: with an NVIDIA GPU the usual one, else one without any CUDA package.

    Raises as `pip_install`; `NotInstalled` when no CPU build can be had.
    """
    if nvidia_gpu() or sys.platform != "linux":
        pip_install(f"torch=={TORCH}", log=log)
        return
    wanted = f"torch=={TORCH}+cpu"
    try:
        pip_install(wanted, log=log)
        return
    except (NotInstalled, ServiceUnreachable):
        index = os.environ.get("VISAGE_TORCH_INDEX") or CPU_INDEX
        tell(f"      from {index}", f"      来源：{index}")
    try:
        pip_install(wanted, "--extra-index-url", index, "--find-links", index, log=log)
    except (NotInstalled, ServiceUnreachable) as exc:
        raise NotInstalled("The CPU build of torch {version} could not be had for Python {python} from {index}.",
                           code="setup.no_cpu_torch", version=TORCH, python=sysconfig.get_python_version(), index=index,
                           hint="Name a mirror and run it again: "
                                "export VISAGE_TORCH_INDEX=https://your.mirror/pytorch-wheels/cpu/") from exc


def install_mediapipe(log: Path) -> None:
    """Add mediapipe without the packages it declares but does not use.  Raises as `pip_install`."""
    pip_install("--no-deps", f"mediapipe=={MEDIAPIPE}", log=log)


def install_silero(log: Path) -> None:
    """Add the voice activity network without torchaudio, which only its own Python code needs.  Raises as `pip_install`."""
    pip_install("--no-deps", f"silero-vad=={SILERO}", log=log)
