"""Trains the lite engine on the first 80 % of a recording and measures it on the rest: python -m benchmarks.lite --json

The last line of the output is one JSON object.  A contact sheet and a sample
clip go to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import figures
from visage.config import read_settings
from visage.engines import RenderRequest, TrainRequest, open_engine
from visage.engines.lite.framing import Framing, frame_track, framed_track
from visage.engines.lite.material import measure_scene
from visage.engines.lite.mouth import opening, select
from visage.engines.lite.package import Package
from visage.engines.lite.rendering import move
from visage.engines.lite.silence import speech_mask
from visage.engines.lite.speaking import Speaker
from visage.engines.lite.training import LARGEST
from visage.faces import open_faces
from visage.faces.align import mouth_crops
from visage.faces.pose import fit_pose, own_reference, to_face
from visage.faces.track import Track, smooth, track_video
from visage.media.audio import read_sound, write_wav
from visage.media.frames import read_video
from visage.media.probe import probe
from visage.storage.paths import Paths
from visage.types import FPS, SPEECH_RATE, Progress, Report, silent

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DEFAULT = "data/open/videos/de_anchor_20s.mp4"
LEARNT = 0.8
"""Share of the recording that is learnt from."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The whole recording, framed as the engine frames it."""

    file: Path
    track: Track
    framing: Framing
    learnt: int
    """Frames that are learnt from, from the start."""

    def tested(self) -> list[np.ndarray]:
        """The frames that are tested on, uint8 RGB."""
        frames = islice(read_video(self.file, FPS, size=LARGEST), self.learnt, None)
        return [self.framing.apply(frame) for frame in frames]


class _Given:
    """Frames in memory, as `Speaker` wants them."""

    def __init__(self, frames: list[np.ndarray]):
        self._frames = frames

    def __getitem__(self, number: int) -> np.ndarray:
        return self._frames[number].copy()

    def close(self) -> None:
        """Nothing is held open."""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON line on standard output")
    parser.add_argument("--video", type=Path, help="a recording of one person speaking")
    parser.add_argument("--seconds", type=float, default=None, help="time of the learn stage")
    parser.add_argument("--quick", action="store_true", help="a minute of learning, a minute of generated video")
    parser.add_argument("--generate", nargs=3, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.generate:
        return _generate(*given.generate)
    video = given.video or find_default()
    if not video or not video.is_file():
        print("There is no recording to measure with: give one with --video FILE.", file=sys.stderr)
        return 2
    seconds = given.seconds or (60.0 if given.quick else None)
    found = measure(video, seconds, 60 if given.quick else 600, quiet=given.json)
    print(json.dumps(found))
    return 0


def find_default() -> Path | None:
    """The usual clip, in a folder ``shared`` beside a folder above this one."""
    candidates = (folder / "shared" / DEFAULT for folder in ROOT.parents)
    return next((file for file in candidates if file.is_file()), None)


def measure(video: Path, seconds: float | None, generated: int, quiet: bool = False) -> dict[str, object]:
    """All figures of one recording; ``generated`` is the length of the long clip in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        avatar = home / "avatar"
        end = LEARNT * probe(video, "video").seconds
        options = {"end": end, **({"seconds": seconds} if seconds else {})}
        begun = time.monotonic()
        facts = open_engine("lite", read_settings(), Paths(home)).train(TrainRequest(video, avatar, options=options),
                                                                   _teller(quiet))
        trained = time.monotonic() - begun
        recording = _follow(video, end)
        pictures = _driven_by_truth(recording, Package(avatar), RESULTS / f"{video.stem}.png")
        heard = _driven_by_sound(recording, avatar, home, float(facts.get("offset_ms", 0.0)) / 1000)
        long = _long_clip(recording, avatar, home, generated)
        return {"video": video.name, "train_s": round(trained, 1), **pictures, **heard, **long,
                "steps": facts.get("steps"), "offset_ms": facts.get("offset_ms"),
                "package_mb": round(sum(file.stat().st_size for file in avatar.rglob("*") if file.is_file()) / 1e6, 1)}


def _follow(video: Path, end: float) -> Recording:
    finder = open_faces()
    track = track_video(read_video(video, FPS, size=LARGEST), finder)
    finder.close()
    learnt = sum(1 for _ in read_video(video, FPS, size=64, limit=end))
    part = Track(track.points[:learnt], track.found[:learnt], track.count[:learnt], track.second[:learnt],
                 track.change[:learnt], track.sharpness[:learnt], track.width, track.height)
    framing = frame_track(part)
    return Recording(video, framed_track(track, framing), framing, learnt)


def _driven_by_truth(recording: Recording, package: Package, sheet: Path) -> dict[str, float]:
    """Paint the true mouth shapes into the test frames and compare with what was there."""
    scene, shapes = measure_scene(recording.track, recording.learnt)
    frames = recording.tested()
    tested = np.arange(recording.learnt, recording.learnt + len(frames))
    speaker = Speaker(package, scene=scene.at(tested), pictures=_Given(frames))
    made = list(speaker.frames(package.read_basis().encode(shapes[tested])))
    crops = mouth_crops(recording.track.points[tested], figures.CROP)
    real, painted = (np.stack([crops.cut(frame, number) for number, frame in enumerate(part)])
                     for part in (frames, made))
    figures.contact_sheet(real, painted, sheet)
    return figures.picture_figures(real, painted)


def _driven_by_sound(recording: Recording, avatar: Path, home: Path, offset: float) -> dict[str, float]:
    """Let the avatar say the test part, silence, the test part again and a hiss, and look at its lips."""
    sound = read_sound(recording.file, SPEECH_RATE)
    # What is seen at a moment was heard `offset` seconds before it.
    sound = sound[round((recording.learnt / FPS - offset) * SPEECH_RATE):]
    rng = np.random.default_rng(0)
    pauses = [np.zeros(2 * SPEECH_RATE, np.float32), 0.001 * rng.standard_normal(2 * SPEECH_RATE).astype(np.float32)]
    said = np.concatenate([sound, pauses[0], sound, pauses[1]])
    RESULTS.mkdir(parents=True, exist_ok=True)
    clip = RESULTS / f"{recording.file.stem}.mp4"
    write_wav(home / "test.wav", said, SPEECH_RATE)
    open_engine("lite", read_settings(), Paths(home)).render(RenderRequest(avatar, home / "test.wav", clip), silent)
    finder = open_faces()
    track = track_video(read_video(clip, FPS), finder)
    finder.close()
    shown = _openings(track)
    true = _openings(recording.track)[recording.learnt:]
    package, count = Package(avatar), round(len(sound) / SPEECH_RATE * FPS)
    basis = package.read_basis()
    told = opening(basis.decode(move(package, basis, sound)))
    return {"mouth_corr_opening": round(figures.correlation(shown[:count], true), 3),
            "told_corr_opening": round(figures.correlation(told, true), 3),
            "amplitude_ratio": round(float(shown[:count].std() / true.std()), 3),
            "closed_in_silence": round(_closed(shown, said), 3)}


def _openings(track: Track) -> np.ndarray:
    points = smooth(track.points)
    return opening(select(to_face(points, fit_pose(points, own_reference(points)))))


def _closed(shown: np.ndarray, said: np.ndarray) -> float:
    """Share of frames at least 120 ms away from speech in which the lips are shut."""
    rate = 2 * FPS
    speech = speech_mask(said)
    near = np.convolve(speech, np.ones(2 * round(0.12 * rate) + 1), "same") > 0
    quiet = ~near.reshape(-1, 2).any(1)[:len(shown)]
    # The mesh sees a gap of some thousandths between shut lips: it is counted from there.
    floor = np.percentile(shown, 2)
    return float((shown[quiet] - floor < 0.15 * (np.percentile(shown, 95) - floor)).mean())


def _long_clip(recording: Recording, avatar: Path, home: Path, seconds: int) -> dict[str, float]:
    """Generate a long clip in a process of its own."""
    sound = read_sound(recording.file, SPEECH_RATE)
    write_wav(home / "long.wav", np.resize(sound, seconds * SPEECH_RATE), SPEECH_RATE)
    done = subprocess.run([sys.executable, "-m", "benchmarks.lite", "--generate", str(avatar), str(home / "long.wav"),
                           str(home / "long.mp4")], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _generate(avatar: Path, sound: Path, out: Path) -> int:
    engine = open_engine("lite", read_settings(), Paths(avatar.parent))
    short = out.with_name("short.wav")
    write_wav(short, read_sound(sound, SPEECH_RATE, limit=1.0), SPEECH_RATE)
    engine.render(RenderRequest(avatar, short, out), silent)
    begun, used = time.monotonic(), time.process_time()
    engine.render(RenderRequest(avatar, sound, out), silent)
    wall, used = time.monotonic() - begun, time.process_time() - used
    frames = probe(out, "video").frames
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"render_fps": round(frames / wall, 1), "render_cpu_ms": round(1000 * used / frames, 1),
                      "generated_s": round(frames / FPS, 1), "peak_rss_mb": round(peak)}))
    return 0


def _teller(quiet: bool) -> Report:
    last = [0.0]

    def tell(progress: Progress) -> None:
        if not quiet and (progress.message or time.monotonic() - last[0] > 15):
            last[0] = time.monotonic()
            print(f"{progress.fraction:6.1%} {progress.stage:7} {progress.message} {dict(progress.facts) or ''}",
                  file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
