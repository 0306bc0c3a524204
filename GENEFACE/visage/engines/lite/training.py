"""Learning a face from a recording: from an upload to a package.

What a stage found is kept in ``work/``, so that an attempt that was killed is
taken up where it stopped.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from visage.engines.contract import TrainRequest
from visage.engines.idle import write_idle_loop
from visage.engines.lite.belonging import offset_facts, sound_elsewhere
from visage.engines.lite.clock import Clock
from visage.engines.lite.coverage import Coverage, find_coverage
from visage.engines.lite.framing import Framing, frame_track, framed_track
from visage.engines.lite.gate import judge
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.listen import open_listener, stored_listener
from visage.engines.lite.live import LiteFace
from visage.engines.lite.material import Material, cut_out, measure
from visage.engines.lite.modes import FAST
from visage.engines.lite.offset import estimate_offset, shift_sound
from visage.engines.lite.options import TrainOptions
from visage.engines.lite.package import LivePackage, Package, read_arrays, write_arrays
from visage.errors import BadVideo
from visage.faces import open_faces
from visage.faces.track import Track, track_video
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.probe import probe
from visage.types import FPS, SPEECH_RATE, Progress, Report

LONGEST = 180.0
"""Seconds of a recording that are looked at: more would not fit into the time, nor teach much."""
LARGEST = 1280
"""Longest side of the frames worked on, pixels."""
COARSE = "The face is only {width} pixels wide, so the quality fine shows little more than fast."
_DETAILED = 200.0
"""Width of a face, pixels, from which crops of 112 pixels lose detail that larger ones keep."""
_SECOND = 1000
"""Previews of a second painter are numbered from here: the page loads one again when its number changes."""
SHARES = {"check": 8.0, "track": 9.0, "listen": 8.0, "learn": 240.0, "finish": 12.0}
"""About how many seconds each stage takes."""


@dataclass(slots=True)
class Training:
    """One attempt."""

    request: TrainRequest
    report: Report
    options: TrainOptions = field(init=False)
    package: Package = field(init=False)
    clock: Clock = field(init=False)
    framing: Framing = field(init=False)
    samples: np.ndarray = field(init=False)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.options = TrainOptions.read(self.request)
        self.package = Package(self.request.avatar)
        self.clock = Clock({**SHARES, "learn": self.options.seconds}, self.report)

    def run(self) -> Mapping[str, Any]:
        """Fill the package; returns the facts for its manifest.  Raises `BadVideo`, `BadAudio`, `DiskFull`."""
        begun = time.monotonic()
        self._make_room()
        track = self._check()
        material = self._track(track)
        self._listen(material)
        self._learn()
        self._finish()
        return {**self.facts, "quality": self.options.mode.name, "seconds_trained": round(time.monotonic() - begun, 1),
                "width": self.framing.size, "height": self.framing.size}

    def _make_room(self) -> None:
        """The folder of this attempt; what one at another quality left does not fit."""
        mark = self.package.work / "quality"
        if self.package.work.exists() and not (mark.is_file() and mark.read_text() == self.options.mode.name):
            shutil.rmtree(self.package.work)
        self.package.work.mkdir(parents=True, exist_ok=True)
        mark.write_text(self.options.mode.name)

    @property
    def _limit(self) -> float:
        return min(LONGEST, self.options.end or LONGEST)

    def _frames(self) -> Iterator[np.ndarray]:
        return read_video(self.request.source, FPS, size=LARGEST, limit=self._limit)

    def _check(self) -> Track:
        """Follow the face, hear the sound, and refuse what cannot be learnt from."""
        self.clock.enter("check", "Looking at every frame of the recording")
        info = probe(self.request.source, "video")
        self.samples = np.zeros(0, np.float32)
        if info.has_sound:
            self.samples = read_sound(self.request.source, SPEECH_RATE, limit=self._limit)
        track = self._tracked(min(info.seconds, self._limit))
        report = judge(track, info, self.samples)
        for problem in report.problems:
            if problem.fatal:
                raise BadVideo(problem.message, code=problem.code, hint=problem.hint, **problem.params)
        self.facts |= dict(report.facts)
        return track

    def _tracked(self, seconds: float) -> Track:
        kept = self.package.work / "track.npz"
        if kept.is_file():
            stored = read_arrays(kept)
            return Track(*(stored[name] for name in _COLUMNS), width=int(stored["width"]), height=int(stored["height"]))
        finder = open_faces()
        try:
            track = track_video(self._frames(), finder, self._tracking, round(seconds * FPS))
        finally:
            finder.close()
        write_arrays(kept, {**{name: getattr(track, name) for name in _COLUMNS},
                            "width": np.array(track.width), "height": np.array(track.height)})
        return track

    def _tracking(self, progress: Progress) -> None:
        self.clock.tell(progress.fraction)

    def _track(self, track: Track) -> Material:
        """Find the frames that can be used; cut the mouth out of each, and the footage."""
        self.clock.enter("track", "Measuring head and mouth")
        self.framing = frame_track(track, self.options.mode.side)
        framed = framed_track(track, self.framing)
        coverage = self._covered(framed)
        self.facts |= {**coverage.facts(), "notes": [*coverage.notes(), *self._coarse(framed)]}
        material = measure(framed, self.options.mode.size, coverage.clear)
        files = {size: self._lesson(size) for size in self._sizes}
        if not (self.package.footage.is_file() and all(file.is_file() for file in files.values())):
            cut_out(self.framing.over(self._frames()), material, self.package, self.framing.size, files,
                    lambda share: self.clock.tell(0.4 + 0.6 * share))
        return material

    def _coarse(self, framed: Track) -> list[str]:
        """What to say where there is nothing finer to learn."""
        width = float(np.median(framed.face_widths[framed.found]))
        if self.options.mode is FAST or width >= _DETAILED:
            return []
        return [COARSE.format(width=round(width))]

    def _covered(self, framed: Track) -> Coverage:
        kept = self.package.work / "coverage.npz"
        if kept.is_file():
            return Coverage(**read_arrays(kept))
        coverage = find_coverage(self.framing.over(self._frames()), framed)
        write_arrays(kept, coverage.arrays())
        self.clock.tell(0.4)
        return coverage

    @property
    def _sizes(self) -> tuple[int, ...]:
        """Sides of the painters to learn, that of the package's own last."""
        mode = self.options.mode
        return (FAST.size, mode.size) if mode.live_share else (mode.size,)

    def _lesson(self, size: int) -> Path:
        return self.package.work / f"lesson_{size}.npz"

    def _listen(self, material: Material) -> None:
        """Find out how sound and mouth go together."""
        self.clock.enter("listen", "Learning how the mouth goes with the sound")
        coefficients = material.coefficients
        offset = estimate_offset(self.samples, coefficients)
        refused = sound_elsewhere(offset)
        if refused:
            raise BadVideo(refused.message, code=refused.code, hint=refused.hint, **refused.params)
        samples = shift_sound(self.samples, offset)
        self.facts |= offset_facts(offset)
        self.clock.tell(0.4, **offset_facts(offset))
        listener = open_listener(material.basis)
        fit = listener.fit(samples, coefficients)
        write_arrays(self.package.listener, stored_listener(listener))
        self.facts |= {"opening_correlation": round(fit.opening, 3), "width_correlation": round(fit.width, 3)}

    def _learn(self) -> None:
        """Learn to paint the mouth; the small painter for live conversations, where there are two, first."""
        self.clock.enter("learn", "Learning to paint the mouth")
        light = self.options.seconds * self.options.mode.live_share
        if light:
            self._taught(FAST.size, light, LivePackage(self.package.folder), 0.0, self.package.work / "live.jsonl")
        self.facts |= self._taught(self.options.mode.size, self.options.seconds - light, self.package, light,
                                   self.options.losses)

    def _taught(self, size: int, seconds: float, package: Package, before: float, losses: Path) -> dict[str, Any]:
        """Teach one painter and put it into the package; ``before`` are the seconds already spent on another one."""
        from visage.engines.lite.export import export_painter
        from visage.engines.lite.learn import Plan, School, Score
        from visage.engines.lite.quantise import lighten

        lesson = Lesson.load(self._lesson(size))
        school = School(lesson, Plan(seconds, self.package.work / f"learn_{size}.pt", self.options.preview, losses,
                                     _torch_device(self.request.device)))

        def tell(score: Score) -> None:
            share = (before + min(score.spent, seconds)) / self.options.seconds
            self.clock.tell(share, step=score.step, loss=round(score.loss, 5), held_out=round(score.held_out, 5),
                            preview=score.previews + (_SECOND if before else 0))

        score = school.learn(tell)
        package.write_bank(lesson.bank)
        export_painter(school.painter, package.painter)
        return {"steps": score.step, "loss": round(score.loss, 5), "held_out": round(score.held_out, 5),
                "frames": len(lesson), **school.judge(), **lighten(package.painter, lesson)}

    def _finish(self) -> None:
        """Make the idle loop, which also proves that the package works, and leave only what is needed."""
        self.clock.enter("finish", "Trying the avatar out")
        with closing(LiteFace(self.package.folder)) as face:
            write_idle_loop(face, self.package.idle)
        self.clock.tell(0.9)
        shutil.rmtree(self.package.work, ignore_errors=True)
        self.clock.tell(1.0, "The avatar is ready", **{name: value for name, value in self.facts.items()
                                                       if isinstance(value, int | float)})


_COLUMNS = ("points", "found", "count", "second", "change", "sharpness")


def _torch_device(device: str) -> str:
    if device.upper().startswith("GPU"):
        return f"cuda:{int(device[3:] or 0)}"
    if device == "auto":
        import torch

        return "cuda:0" if torch.cuda.is_available() else "cpu"
    return "cpu"
