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
from typing import Any

import numpy as np

from visage.engines.contract import TrainRequest
from visage.engines.idle import write_idle_loop
from visage.engines.lite.clock import Clock
from visage.engines.lite.framing import Framing, frame_track, framed_track
from visage.engines.lite.gate import judge
from visage.engines.lite.lesson import Lesson
from visage.engines.lite.listen import open_listener, stored_listener
from visage.engines.lite.live import LiteFace
from visage.engines.lite.material import Material, cut_out, measure
from visage.engines.lite.offset import estimate_offset, shift_sound
from visage.engines.lite.options import TrainOptions
from visage.engines.lite.package import Package, read_arrays, write_arrays
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
_BELONGS = 0.15
"""Least correlation of mouth and sound: recordings have 0.25 to 0.6, with a sound from elsewhere up to 0.14."""
SHARES = {"check": 8.0, "track": 6.0, "listen": 8.0, "learn": 420.0, "finish": 12.0}
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
        self.package.work.mkdir(parents=True, exist_ok=True)
        track = self._check()
        material, lesson = self._track(track)
        self._listen(material)
        self._learn(lesson)
        self._finish(material)
        return {**self.facts, "seconds_trained": round(time.monotonic() - begun, 1),
                "width": self.framing.size, "height": self.framing.size}

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

    def _track(self, track: Track) -> tuple[Material, Lesson]:
        """Cut out the mouth of every frame, and the footage."""
        self.clock.enter("track", "Measuring head and mouth")
        self.framing = frame_track(track)
        material = measure(framed_track(track, self.framing))
        kept, footage = self.package.work / "lesson.npz", self.package.footage
        if kept.is_file() and footage.is_file():
            return material, Lesson.load(kept)
        lesson = cut_out(self.framing.over(self._frames()), material, self.package, self.framing.size, self.clock.tell)
        lesson.save(kept)
        return material, lesson

    def _listen(self, material: Material) -> None:
        """Find out how sound and mouth go together."""
        self.clock.enter("listen", "Learning how the mouth goes with the sound")
        coefficients = material.coefficients
        offset = estimate_offset(self.samples, coefficients)
        if offset.peak < _BELONGS:
            raise BadVideo("The sound does not belong to the lips (correlation {peak}).", code="video.sound_elsewhere",
                           hint="Use a recording with its own sound, in which one person speaks.",
                           peak=round(offset.peak, 2))
        samples = shift_sound(self.samples, offset)
        self.facts |= {"offset_ms": round(1000 * offset.seconds), "offset_peak": round(offset.peak, 3)}
        self.clock.tell(0.4)
        listener = open_listener(material.basis)
        fit = listener.fit(samples, coefficients)
        write_arrays(self.package.listener, stored_listener(listener))
        self.facts |= {"opening_correlation": round(fit.opening, 3), "width_correlation": round(fit.width, 3)}

    def _learn(self, lesson: Lesson) -> None:
        """Learn to paint the mouth."""
        from visage.engines.lite.export import export_painter
        from visage.engines.lite.learn import Plan, School, Score
        from visage.engines.lite.quantise import lighten

        self.clock.enter("learn", "Learning to paint the mouth")
        plan = Plan(self.options.seconds, self.package.work / "learn.pt", self.options.preview, self.options.losses,
                    _torch_device(self.request.device))
        school = School(lesson, plan)

        def tell(score: Score) -> None:
            self.clock.tell(score.spent / plan.seconds, step=score.step, loss=round(score.loss, 5),
                            held_out=round(score.held_out, 5), preview=score.previews)

        score = school.learn(tell)
        self.facts |= {"steps": score.step, "loss": round(score.loss, 5), "held_out": round(score.held_out, 5),
                       "frames": len(lesson), **school.judge()}
        self.package.write_bank(lesson.bank)
        export_painter(school.painter, self.package.painter)
        self.facts |= lighten(self.package.painter, lesson)

    def _finish(self, material: Material) -> None:
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
