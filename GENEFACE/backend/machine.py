"""What this machine is and has: one quick function a requirement, none of which starts or changes anything.

Each takes a `Host` and returns a `Requirement`; a package is looked up, not
imported, so that asking costs milliseconds.
"""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from backend import packages
from visage.config import Settings
from visage.errors import NotInstalled
from visage.storage.paths import Paths
from visage.types import Requirement

SETUP = "GENEFACE/scripts/run --setup-only"
_GB = 1 << 30
_ROOM_GB = 2
_MEMORY_GB = 2.5


@dataclass(frozen=True, slots=True)
class Host:
    """What an examination looks at."""

    settings: Settings
    """The settings of this process."""
    paths: Paths
    """Where the product writes."""
    language: str = "en"
    """Language of details and remedies, ``"en"`` or ``"zh"``; commands are the same in both."""

    def words(self, english: str, chinese: str) -> str:
        """The wording in this examination's language."""
        return chinese if self.language == "zh" else english

    @property
    def absent(self) -> str:
        """That a package is not there."""
        return self.words("not installed", "未安装")


def python(host: Host) -> Requirement:
    """An interpreter that the packages support."""
    fits = (3, 10) <= sys.version_info[:2] < (3, 13)
    remedy = host.words("Install Python 3.10, 3.11 or 3.12, then: VISAGE_PYTHON=python3.11 GENEFACE/scripts/run",
                        "请安装 Python 3.10、3.11 或 3.12，然后运行：VISAGE_PYTHON=python3.11 GENEFACE/scripts/run")
    return Requirement("python", fits, platform.python_version(), "" if fits else remedy, essential=True)


def disk(host: Host) -> Requirement:
    """Room for uploads and videos."""
    there = next(folder for folder in (host.paths.var, *host.paths.var.parents) if folder.exists())
    free = shutil.disk_usage(there).free / _GB
    ok = free >= _ROOM_GB
    remedy = host.words(f"Free at least {_ROOM_GB} GB: old clips are in {host.paths.clips}",
                        f"请腾出至少 {_ROOM_GB} GB 空间，旧视频位于 {host.paths.clips}")
    detail = host.words(f"{free:.1f} GB free", f"剩余 {free:.1f} GB")
    return Requirement("disk", ok, detail, "" if ok else remedy, essential=True)


def memory(host: Host) -> Requirement:
    """Memory for training beside a browser."""
    total = _memory_total() / _GB
    ok = total >= _MEMORY_GB or not total
    remedy = host.words(f"Training needs about {_MEMORY_GB} GB: close other programs, or give this machine more.",
                        f"训练约需 {_MEMORY_GB} GB 内存：请关闭其他程序或增加内存。")
    detail = f"{total:.1f} GB" if total else host.words("unknown", "未知")
    return Requirement("memory", ok, detail, "" if ok else remedy, essential=True)


def _memory_total() -> int:
    """Bytes this process may use, the container's limit counted; 0 when unknown."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def ffmpeg(host: Host) -> Requirement:
    """The ffmpeg that comes with imageio-ffmpeg."""
    try:
        import imageio_ffmpeg

        binary = imageio_ffmpeg.get_ffmpeg_exe()
        said = subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=2, check=True).stdout
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as exc:
        return Requirement("ffmpeg", False, str(exc).splitlines()[0], SETUP, essential=True)
    return Requirement("ffmpeg", True, " ".join(said.split()[:3]).removeprefix("ffmpeg version "), essential=True)


def torch(host: Host) -> Requirement:
    """Torch, and whether its build fits the machine."""
    version = packages.version_of("torch")
    if not version:
        return Requirement("torch", False, host.absent, SETUP, essential=True)
    build = host.words(" (CPU build)", "（CPU 版）") if version.endswith("+cpu") else ""
    return Requirement("torch", True, version.removesuffix("+cpu") + build, essential=True)


def mediapipe(host: Host) -> Requirement:
    """Mediapipe with its bundled face models."""
    version, found = packages.version_of("mediapipe"), util.find_spec("mediapipe")
    folder = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None
    model = folder / "modules" / "face_landmark" / "face_landmark_with_attention.tflite" if folder else None
    if model and model.exists():
        return Requirement("mediapipe", True, version, essential=True)
    detail = host.words(f"{version} has no bundled models", f"{version} 不含模型") if version else host.absent
    return Requirement("mediapipe", False, detail, SETUP, essential=True)


def onnxruntime(host: Host) -> Requirement:
    """Onnxruntime, which runs the networks."""
    version = packages.version_of("onnxruntime") or packages.version_of("onnxruntime-gpu")
    return Requirement("onnxruntime", bool(version), version or host.absent, "" if version else SETUP, essential=True)


def silero(host: Host) -> Requirement:
    """The network that hears whether somebody speaks; without it loudness tells."""
    from visage.vad.silero import model_file

    try:
        model_file()
    except NotInstalled:
        detail = host.words("absent: talking live, loudness alone tells speech from noise",
                            "未安装：实时对话时只能按音量区分语音和噪声")
        return Requirement("silero", False, detail, SETUP)
    return Requirement("silero", True, packages.version_of("silero-vad"))


def opencv(host: Host) -> Requirement:
    """OpenCV exactly once: its variants overwrite each other's files."""
    names = [name for name in ("opencv-python-headless", "opencv-python", "opencv-contrib-python",
                               "opencv-contrib-python-headless") if packages.version_of(name)]
    if names == ["opencv-python-headless"]:
        return Requirement("opencv", True, metadata.version(names[0]), essential=True)
    others = " ".join(name for name in names if name != "opencv-python-headless")
    detail = host.words(f"together with {others}", f"与 {others} 同时安装") if names else host.absent
    remedy = f"pip uninstall -y {' '.join(names)} && pip install --no-deps 'opencv-python-headless>=4.11,<5'"
    return Requirement("opencv", False, detail, remedy if names else SETUP, essential=True)


def espeak(host: Host) -> Requirement:
    """The offline voice: espeak-ng's library and its data."""
    try:
        import espeakng_loader

        library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    except (ImportError, OSError, RuntimeError) as exc:
        return Requirement("espeak", False, str(exc).splitlines()[0], SETUP, essential=True)
    ok = library.exists() and (data / "phontab").exists()
    return Requirement("espeak", ok, str(data) if ok else host.words(f"{data} is incomplete", f"{data} 不完整"),
                       "" if ok else SETUP, essential=True)


def database(host: Host) -> Requirement:
    """A database that can be written."""
    url = host.settings.database_url
    if url and not url.startswith("sqlite"):
        return _server_database(host, url)
    file = Path(url.partition(":///")[2]) if url else host.paths.database
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    own = f"sudo chown -R $(id -un) {folder}"
    if not file.exists():
        ok = os.access(folder, os.W_OK)
        detail = (host.words(f"{file} will be made", f"{file} 将自动创建") if ok else
                  host.words(f"{folder} is read-only", f"{folder} 不可写"))
        return Requirement("database", ok, detail, "" if ok else own, essential=True)
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True, timeout=0.5)) as connection:
            connection.execute("BEGIN IMMEDIATE").close()
            connection.rollback()
    except sqlite3.Error as exc:
        busy = "locked" in str(exc)  # somebody writes just now: it can be written
        return Requirement("database", busy, f"{file}: {exc}", "" if busy else own, essential=True)
    return Requirement("database", True, str(file), essential=True)


def _server_database(host: Host, url: str) -> Requirement:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        shown = make_url(url).render_as_string(hide_password=True)
        create_engine(url).connect().close()
    except (SQLAlchemyError, ImportError) as exc:
        remedy = host.words("Check VISAGE_DATABASE_URL and that the server runs.",
                            "请检查 VISAGE_DATABASE_URL 及数据库服务。")
        return Requirement("database", False, type(exc).__name__, remedy, essential=True)
    return Requirement("database", True, shown, essential=True)


CHECKS = (python, disk, memory, ffmpeg, torch, mediapipe, onnxruntime, silero, opencv, espeak, database)
"""In the order in which they are shown."""
