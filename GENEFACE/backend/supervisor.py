"""Starts the voice server, the worker and the web app, keeps them running, and stops all together.

``python -m backend.supervisor`` is what ``scripts/run`` ends in.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from backend.children import QUICK_DEATHS, Child, Part, spawn
from backend.ports import answers, is_free, reachable, who_listens
from backend.terminal import tell, words
from backend.worker import worker_status
from visage.config import Settings, read_settings
from visage.errors import VisageError
from visage.storage.paths import Paths

_POLL = 0.1
_READY_SECONDS = 180.0
_STOP_SECONDS = 8.0
_companions: list[subprocess.Popen[bytes]] = []


class Supervisor:
    """Keeps a few processes running until it is told to stop."""

    def __init__(self, parts: Sequence[Part], logs: Path) -> None:
        self.children = [Child(part, logs) for part in parts]
        self._stopping = False

    def stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """End soon; may be called from a signal handler."""
        self._stopping = True

    def run(self, greeting: Sequence[str]) -> int:
        """Start all and keep them running until `stop`; returns the exit code.

        ``greeting`` (English, Chinese) is printed once all are ready.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.stop)
        try:
            for child in self.children:
                child.start()
            return self._keep(greeting)
        finally:
            self._end_all()

    def _keep(self, greeting: Sequence[str]) -> int:
        waiting, until = list(self.children), time.monotonic() + _READY_SECONDS
        while not self._stopping:
            if not all(self._still_good(child) for child in self.children):
                return 1
            if waiting:
                waiting = [child for child in waiting if not child.part.ready()]
                if not waiting:
                    tell(greeting[0], greeting[1])
                elif time.monotonic() > until:
                    self._complain(waiting[0], f"did not answer within {_READY_SECONDS:.0f} s",
                                   f"在 {_READY_SECONDS:.0f} 秒内没有应答")
                    return 1
            time.sleep(_POLL)
        tell("Stopping …", "正在停止……")
        return 0

    def _still_good(self, child: Child) -> bool:
        death = child.look_after()
        if not death:
            return True
        if child.quick_deaths >= QUICK_DEATHS:
            self._complain(child, f"died {QUICK_DEATHS} times in a row ({death})",
                           f"连续 {QUICK_DEATHS} 次意外退出（{death}）")
            return False
        tell(f"{child.part.name} died ({death}); starting it again.",
             f"{child.part.name} 意外退出（{death}），正在重新启动。")
        return True

    def _complain(self, child: Child, english: str, chinese: str) -> None:
        print(words(f"{child.part.name} {english}. The end of {child.log}:",
                    f"{child.part.name} {chinese}。{child.log} 的末尾："), file=sys.stderr)
        print(child.last_lines(), file=sys.stderr, flush=True)

    def _end_all(self) -> None:
        for child in reversed(self.children):
            child.terminate()
        until = time.monotonic() + _STOP_SECONDS
        for child in reversed(self.children):
            child.finish(until)


def voice_part(settings: Settings) -> Part:
    """The voice server of this machine."""
    url = f"http://{reachable(settings.voice_host)}:{settings.voice_port}/health"
    return Part("voice", [sys.executable, "tts_server.py"], lambda: answers(url))


def worker_part(paths: Paths) -> Part:
    """The worker."""
    return Part("worker", [sys.executable, "-m", "backend.worker"], lambda: worker_status(paths).alive)


def web_part(settings: Settings) -> Part:
    """The web app."""
    url = f"http://{reachable(settings.host)}:{settings.port}/"
    return Part("web", [sys.executable, "app.py"], lambda: answers(url))


def port_trouble(settings: Settings) -> list[str]:
    """A line for each port that somebody else has, saying who and what to do; empty when all are free."""
    wanted = [("VISAGE_PORT", settings.host, settings.port)]
    if not settings.voice_url:
        wanted.append(("VISAGE_VOICE_PORT", settings.voice_host, settings.voice_port))
    lines = []
    for name, host, port in wanted:
        if not is_free(host, port):
            who = who_listens(port)
            lines.append(words(f"Port {port} is taken{' by ' + who if who else ''}. "
                               f"Stop that program, or choose another port: {name}={port + 10} scripts/run",
                               f"端口 {port} 已被占用{'：' + who if who else ''}。"
                               f"请停止该程序，或换一个端口：{name}={port + 10} scripts/run"))
    return lines


def ensure_companions(settings: Settings, paths: Paths) -> list[str]:
    """Start the worker and the voice server when they are not there; returns the names of what was started.

    They end with this process.  Call it before any thread is started.
    """
    parts = [] if settings.voice_url else [voice_part(settings)]
    started = [part for part in [*parts, worker_part(paths)] if not part.ready()]
    for part in started:
        _companions.append(spawn(part, paths.logs / f"{part.name}.log"))
        tell(f"Started the {part.name} too (log: {paths.logs / part.name}.log).",
             f"同时启动了 {part.name}（日志：{paths.logs / part.name}.log）。")
    return [part.name for part in started]


def main() -> int:
    """The command line; returns its exit code."""
    try:
        settings = read_settings()
        paths = Paths(settings.home.resolve()).create()
    except VisageError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    trouble = port_trouble(settings)
    if trouble:
        print("\n".join(trouble), file=sys.stderr)
        return 1
    voice = [] if settings.voice_url else [voice_part(settings)]
    parts = [*voice, worker_part(paths), web_part(settings)]
    address = f"http://{reachable(settings.host)}:{settings.port}"
    return Supervisor(parts, paths.logs).run(
        (f"\n  Open {address}\n  Ctrl-C stops everything.\n", f"\n  请打开 {address}\n  按 Ctrl-C 全部停止。\n"))


if __name__ == "__main__":
    sys.exit(main())
