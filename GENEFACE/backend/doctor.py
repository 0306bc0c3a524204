"""The doctor: what this machine has and lacks, each line with what mends it.

``python -m backend.doctor`` prints a table, with ``--json`` one JSON object;
``--mend`` first repairs what set-up can repair, ``--faceswap`` tries what face
swapping needs.  Exit code 0: the main job can be done on this machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError, wait
from dataclasses import asdict

from backend import machine, setup, surroundings
from backend.machine import Host
from backend.terminal import columns, language, pad, paint, words
from visage.config import Settings, read_settings
from visage.errors import VisageError
from visage.storage.paths import Paths
from visage.types import Requirement

_DEADLINE = 1.4
"""Seconds after which a check that has not answered is reported as such."""

_TITLES = {
    "python": ("Python", "Python"),
    "disk": ("Disk", "磁盘"),
    "memory": ("Memory", "内存"),
    "ffmpeg": ("ffmpeg", "ffmpeg"),
    "torch": ("PyTorch", "PyTorch"),
    "mediapipe": ("MediaPipe", "MediaPipe"),
    "onnxruntime": ("ONNX Runtime", "ONNX Runtime"),
    "silero": ("Silero VAD", "Silero 语音检测"),
    "opencv": ("OpenCV", "OpenCV"),
    "espeak": ("espeak-ng", "espeak-ng"),
    "database": ("Database", "数据库"),
    "port": ("Web port", "网页端口"),
    "voice_port": ("Voice port", "语音端口"),
    "voice_server": ("Voice server", "语音服务"),
    "llm": ("Language model", "大语言模型"),
    "vosk_model": ("Vosk model", "Vosk 模型"),
    "piper_voices": ("Piper voices", "Piper 语音"),
    "gpu": ("NVIDIA GPU", "NVIDIA GPU"),
    "docker": ("Docker", "Docker"),
    "image geneface:latest": ("GeneFace image", "GeneFace 镜像"),
    "GPU in containers": ("GPU in Docker", "Docker 中的 GPU"),
    "GeneFace weights": ("GeneFace weights", "GeneFace 权重"),
    "face models": ("Face models", "人脸模型"),
    "packages": ("Packages", "软件包"),
    "handler": ("Picture service", "图片服务"),
    "swap": ("Face swap", "换脸"),
}

Found = Requirement | tuple[Requirement, ...]
Check = Callable[[Host], Found]


def examine(settings: Settings, paths: Paths, language: str = "en") -> list[Requirement]:
    """Everything this product may need, in the order to show it; takes at most about 1.5 s.

    ``language`` (``"en"`` or ``"zh"``) chooses the wording of details and remedies.
    """
    host = Host(settings, paths, language)
    checks: list[Check] = [*machine.CHECKS, *surroundings.CHECKS]
    pool = ThreadPoolExecutor(len(checks), thread_name_prefix="doctor")
    try:
        answers = [pool.submit(check, host) for check in checks]
        wait(answers, _DEADLINE)
        return [one for check, answer in zip(checks, answers, strict=True) for one in _outcome(host, check, answer)]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _outcome(host: Host, check: Check, answer: Future[Found]) -> tuple[Requirement, ...]:
    """What a check found; one that broke or is late becomes a line of its own instead of ending the examination."""
    try:
        said = answer.result(timeout=0)
    except TimeoutError:
        detail = host.words("no answer in time", "未及时应答")
    except Exception as exc:
        detail = f"{type(exc).__name__}: {exc}"
    else:
        return said if isinstance(said, tuple) else (said,)
    return (Requirement(check.__name__, False, detail, machine.SETUP, essential=check in machine.CHECKS),)


def well(requirements: Iterable[Requirement]) -> bool:
    """Whether the main job can be done: everything essential is there."""
    return all(one.ok for one in requirements if one.essential)


def table(requirements: Sequence[Requirement]) -> str:
    """The requirements as aligned lines for a terminal, remedies below the line they belong to."""
    titles = [words(*_TITLES.get(one.name, (one.name, one.name))) for one in requirements]
    width = max(columns(title) for title in titles) + 2
    lines = []
    for one, title in zip(requirements, titles, strict=True):
        mark = paint("✓", "green") if one.ok else paint("✗", "red") if one.essential else paint("–", "yellow")
        first, *more = textwrap.wrap(one.detail, 90, break_on_hyphens=False, break_long_words=False) or [""]
        lines.append(f" {mark} {pad(title, width)}{first}")
        lines += [" " * (width + 3) + rest for rest in more]
        if not one.ok and one.remedy:
            lines.append(" " * (width + 3) + paint(f"→ {one.remedy}", "dim"))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m backend.doctor", description="What this machine has and lacks.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--mend", action="store_true", help="first repair what set-up can repair")
    parser.add_argument("--faceswap", action="store_true", help="only what face swapping needs, tried for real")
    choice = parser.parse_args(arguments)
    try:
        settings = read_settings()
        paths = Paths(settings.home)
        if choice.mend:
            paths.create()
            setup.prepare(again=True)
            setup.add_built_in_avatar()
        found = _faces(settings, paths) if choice.faceswap else examine(settings, paths, language())
    except VisageError as exc:
        said = json.dumps({"ok": False, **exc.as_dict()}) if choice.json else f"{exc.message}\n  {exc.hint}"
        print(said, file=sys.stderr)
        return 2
    ok = well(found)
    if choice.json:
        print(json.dumps({"ok": ok, "requirements": [asdict(one) for one in found]}, ensure_ascii=False, indent=2))
    else:
        print(table(found) + "\n")
        print(words("Ready: nothing essential is missing.", "就绪：必需项齐全。") if ok else
              words("Not ready: mend the lines with ✗, or try: python -m backend.doctor --mend",
                    "未就绪：请处理带 ✗ 的项目，或运行：python -m backend.doctor --mend"))
    return 0 if ok else 1


def _faces(settings: Settings, paths: Paths) -> list[Requirement]:
    from backend.face_doctor import examine as examine_faces

    return examine_faces(Host(settings, paths, language()))


if __name__ == "__main__":
    sys.exit(main())
