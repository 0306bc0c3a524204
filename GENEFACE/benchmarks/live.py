"""A live conversation with the real product, measured: python -m benchmarks.live --json

A product in a folder of its own, a language model with 200 ms to its first
token, a headless Chromium with questions in its microphone; clocks are the
browser's.  The last line of the output is one JSON object:

``first_frame_ms``           end of the user's speech → first talking frame on the screen
``stages_ms``                medians of what that was spent on; stages overlap
``bargein_ms``               the user begins → the avatar is silent and still, 95th percentile
``av_offset_ms``             between sound and picture, the largest of the conversation
``stalls``                   times the picture stood still in it
``sessions_talking``         so many at once without a stall
``idle_cpu_percent``         of one core, what a session in which nobody speaks adds to the product at rest
``rss_growth_mb_per_hour``   memory of all the product's processes, by least squares

``spread`` holds counts, medians and extremes of each, and how busy other processes kept the machine
(``busy_elsewhere_percent``, of one core): times taken on a busy machine are those of the machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.live_browser import listen, talking
from benchmarks.live_figures import course, first_frames, interruptions, spread
from benchmarks.live_load import cpu_seconds, neighbours, watched
from benchmarks.live_model import LONG, SHORT, model
from benchmarks.live_speech import INTERRUPTIONS, QUESTIONS, spoken
from benchmarks.live_talker import Talker
from benchmarks.product import ROOT, Product, running

PARTS = ("first_frame", "bargein", "sessions", "idle")
_PAUSE, _SHORT_PAUSE = 11.0, 4.5
"""Seconds of silence after a question: for a whole answer; for the beginning of one."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench live", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, by commas: {', '.join(PARTS)}")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the conversation that is watched")
    parser.add_argument("--interrupt-minutes", type=float, default=3.0, help="of the one that is interrupted")
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    parser.add_argument("--session-seconds", type=float, default=30.0, help="for each number of sessions")
    parser.add_argument("--most-sessions", type=int, default=6)
    parser.add_argument("--avatar", type=Path, help="package of an exported avatar; else the built-in one")
    given = parser.parse_args()
    wanted = [part for part in PARTS if part in given.only.split(",")]
    if not wanted:
        parser.error(f"--only takes: {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        figures = Bench(given, Path(folder)).run(wanted)
    print(json.dumps(figures))


class Bench:
    """The measurements, each with a product of its own, so that none disturbs another."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self._given, self._folder = given, folder

    def run(self, parts: list[str]) -> dict[str, Any]:
        """All figures of these parts, and the spread of each under ``spread``."""
        measure: dict[str, Callable[[], dict[str, Any]]] = {
            "first_frame": self._conversation, "bargein": self._interrupted, "sessions": self._sessions,
            "idle": self._idle}
        figures: dict[str, Any] = {}
        spreads: dict[str, Any] = {}
        for part in parts:
            found = measure[part]()
            spreads |= found.pop("spread")
            figures |= found
            self._say(f"{part}: {json.dumps(found)}")
        return {**figures, "spread": spreads}

    def _conversation(self) -> dict[str, Any]:
        said = spoken(self._folder / "questions.wav", QUESTIONS, _PAUSE)
        with self._product("talk", SHORT) as product, talking(product.url, said) as page, \
                watched(product.process.pid) as memory, neighbours() as others:
            measured = listen(page, 60 * self._given.minutes)
        first, whole, grown = first_frames(measured), course(measured), memory.growth()
        return {**first, **whole, "rss_growth_mb_per_hour": grown["mb_per_hour"],
                "spread": {**first["spread"], **whole["spread"], "rss_growth_mb_per_hour": grown,
                           "conversation": others}}

    def _interrupted(self) -> dict[str, Any]:
        said = spoken(self._folder / "interruptions.wav", INTERRUPTIONS, _SHORT_PAUSE)
        with self._product("interrupt", LONG) as product, talking(product.url, said) as page, \
                neighbours() as others:
            found = interruptions(listen(page, 60 * self._given.interrupt_minutes))
        return {**found, "spread": {**found["spread"], "interruptions": others}}

    def _sessions(self) -> dict[str, Any]:
        """Ever more sessions, until one of them stalls."""
        told: dict[int, dict[str, Any]] = {}
        good = 0
        with self._product("sessions", SHORT) as product:
            avatar = _avatar(product)
            for count in range(1, self._given.most_sessions + 1):
                told[count] = self._together(product, avatar, count)
                self._say(f"{count} sessions: {json.dumps(told[count])}")
                if told[count]["stalls"] or told[count]["problems"] or not told[count]["turns"]:
                    break
                good = count
        return {"sessions_talking": good, "spread": {"sessions_talking": told}}

    def _together(self, product: Product, avatar: str, count: int) -> dict[str, Any]:
        before, began = cpu_seconds(product.process.pid), time.monotonic()
        talkers: list[Talker] = []
        try:
            for _ in range(count):
                talkers.append(Talker(product.url, avatar))
                talkers[-1].ready()
            with neighbours() as others:
                time.sleep(self._given.session_seconds)
            used, passed = cpu_seconds(product.process.pid) - before, time.monotonic() - began
        finally:
            for talker in talkers:
                talker.close()
        return {"stalls": sum(talker.stalls for talker in talkers), "turns": sum(talker.turns for talker in talkers),
                "seconds": spread(talker.seconds for talker in talkers),
                "cpu_percent": round(100 * used / passed, 1), **others,
                "problems": [problem for talker in talkers for problem in talker.problems]}

    def _idle(self) -> dict[str, Any]:
        with self._product("idle", SHORT) as product:
            avatar = _avatar(product)
            without = self._cpu(product, self._given.idle_seconds / 2)
            talker = Talker(product.url, avatar, asks=False)
            if not talker.ready():
                raise RuntimeError(f"no session: {talker.problems}")
            time.sleep(3)
            parts = [self._cpu(product, self._given.idle_seconds / 4) for _ in range(4)]
            talker.close()
            if talker.problems:
                raise RuntimeError(f"the silent session was told: {talker.problems}")
        percent = spread(parts, 2)
        return {"idle_cpu_percent": round(max(sum(parts) / len(parts) - without, 0.0), 2),
                "spread": {"idle_cpu_percent": {**percent, "without_a_session": without}}}

    @staticmethod
    def _cpu(product: Product, seconds: float = 15.0) -> float:
        before, began = cpu_seconds(product.process.pid), time.monotonic()
        time.sleep(seconds)
        return round(100 * (cpu_seconds(product.process.pid) - before) / (time.monotonic() - began), 2)

    @contextmanager
    def _product(self, name: str, answers: tuple[str, ...]) -> Iterator[Product]:
        home = self._folder / name
        with model(answers) as settings:
            settings |= {"VISAGE_LIVE_SESSIONS": str(self._given.most_sessions + 1)}
            if not self._given.avatar:
                _built_in(home)
            with running(home, **settings) as product:
                if self._given.avatar:
                    product.post("/api/avatars/import", upload=product.upload("package", self._given.avatar))
                yield product

    def _say(self, text: str) -> None:
        if not self._given.json:
            print(text, flush=True)


def _built_in(home: Path) -> None:
    made = [sys.executable, "-c", "import sys; from visage.config import read_settings; "
            "from backend.services import Services; from backend.model_trainer import ensure_built_in; "
            "ensure_built_in(Services(read_settings(home=sys.argv[1], online=False)))", str(home)]
    home.mkdir(parents=True)
    subprocess.run(made, cwd=ROOT, check=True, timeout=300, stdout=subprocess.DEVNULL)


def _avatar(product: Product) -> str:
    """The id of the only avatar, or of the imported one."""
    avatars = product.get("/api/avatars")["avatars"]
    return str(avatars[0]["id"])


if __name__ == "__main__":
    main()
