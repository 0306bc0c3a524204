"""The gate names what is wrong and where; good recordings pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from tests.clip_commands import reencode, rotated
from tests.visage.media_clips import RATE, babble, clip, portrait
from visage.engines.lite.findings import spans
from visage.engines.lite.gate import GateReport, judge, judge_photo
from visage.engines.lite.hearing import hear
from visage.faces.contract import FaceFinder
from visage.faces.track import Track, track_video
from visage.media.audio import read_sound
from visage.media.frames import read_video
from visage.media.probe import probe
from visage.media.run import run_tool

SECONDS = 5


@pytest.fixture
def gate(finder: FaceFinder) -> Callable[[Path], GateReport]:
    def run(path: Path) -> GateReport:
        info = probe(path, "video")
        samples = read_sound(path) if info.has_sound else np.zeros(0, np.float32)
        return judge(track_video(read_video(path, size=1280), finder), info, samples)

    return run


def talking(count: int = SECONDS * 25) -> list[np.ndarray]:
    """The portrait, swaying a little."""
    return [np.roll(portrait(), round(4 * np.sin(index / 9)), 1) for index in range(count)]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("good") / "good.mp4", talking(), babble(SECONDS))


@pytest.fixture(scope="module")
def followed(good: Path, finder: FaceFinder) -> Track:
    return track_video(read_video(good), finder)


def codes(report: GateReport) -> list[str]:
    for found in report.problems:
        assert found.hint and "{" not in found.message + found.hint
        assert all(isinstance(value, int | float | str) for value in found.params.values())
    return [found.code for found in report.problems]


def test_a_good_recording_passes(gate: Callable[[Path], GateReport], good: Path) -> None:
    report = gate(good)
    assert codes(report) == [] and report.fatal is None
    assert report.facts["face_found"] == 1 and report.facts["frames"] == SECONDS * 25
    assert 96 < report.facts["face_width"] < 130


def test_an_uneven_hevc_turned_by_metadata_passes_too(gate: Callable[[Path], GateReport], good: Path,
                                                      tmp_path: Path) -> None:
    lying, out = tmp_path / "lying.mp4", tmp_path / "out.mp4"
    run_tool(reencode(good, lying, "libx265", r"transpose=2,select='not(eq(mod(n\,5)\,2))'"))
    run_tool(rotated(lying, out, 90))
    info = probe(out)
    assert info.variable_rate and info.rotation == 90 and info.codec == "hevc"
    assert codes(gate(out)) == []


def test_an_odd_sized_webm_passes_too(gate: Callable[[Path], GateReport], good: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.webm"
    run_tool(reencode(good, out, "libvpx-vp9", "crop=251:249", container="webm"))
    assert codes(gate(out)) == []


def test_no_face(gate: Callable[[Path], GateReport], tmp_path: Path) -> None:
    frames = [np.roll(cv2.resize(data.coffee(), (300, 200)), index, 1) for index in range(SECONDS * 25)]
    report = gate(clip(tmp_path / "a.mp4", frames, babble(SECONDS)))
    assert codes(report) == ["video.no_face_at_all"] and report.fatal


def test_a_face_that_leaves_is_named_with_its_seconds(gate: Callable[[Path], GateReport], tmp_path: Path) -> None:
    frames = talking()
    frames[75:115] = [np.full_like(frames[0], 128)] * 40
    report = gate(clip(tmp_path / "a.mp4", frames, babble(SECONDS)))
    assert "video.no_face" in codes(report)
    assert report.fatal and report.fatal.message == "No face can be seen in seconds 3–5."
    assert report.fatal.params["seconds"] == "3–5"


def test_two_faces(gate: Callable[[Path], GateReport], tmp_path: Path) -> None:
    frames = [np.hstack([frame, frame]) for frame in talking()]
    report = gate(clip(tmp_path / "a.mp4", frames, babble(SECONDS)))
    assert report.fatal and report.fatal.code == "video.several_faces" and report.fatal.params["seconds"] == "0–5"


def test_too_short(gate: Callable[[Path], GateReport], tmp_path: Path) -> None:
    assert codes(gate(clip(tmp_path / "short.mp4", talking(25), babble(1))))[0] == "video.too_short"


def test_mute_silent_and_musical(good: Path, followed: Track) -> None:
    info = probe(good)
    assert codes(judge(followed, replace(info, has_sound=False), babble(0))) == ["video.no_sound"]
    assert codes(judge(followed, info, np.zeros(SECONDS * RATE, np.float32))) == ["video.silent"]
    time = np.arange(SECONDS * RATE) / RATE
    chord = sum(0.1 * np.sin(2 * np.pi * hertz * time) for hertz in (220, 277.2, 329.6, 440))
    noise = np.random.default_rng(0).normal(0, 0.1, len(time))
    for sound in (chord, noise):
        assert codes(judge(followed, info, sound.astype(np.float32))) == ["video.other_sound"]


def test_a_small_face(good: Path, followed: Track) -> None:
    small = replace(followed, points=followed.points / 2)
    report = judge(small, probe(good), babble(SECONDS))
    assert codes(report) == ["video.face_small"] and report.fatal


def test_a_face_that_looks_away(good: Path, followed: Track) -> None:
    points, aside = followed.points.copy(), np.radians(50)
    turn = np.array([[np.cos(aside), 0, -np.sin(aside)], [0, 1, 0], [np.sin(aside), 0, np.cos(aside)]], np.float32)
    middle = points.mean((0, 1))
    points[25:75] = (points[25:75] - middle) @ turn.T + middle
    report = judge(replace(followed, points=points), probe(good), babble(SECONDS))
    assert "video.turned" in codes(report) and report.fatal is None
    assert report.problems[0].params["seconds"] == "1–3"


def test_blurred_and_cut(gate: Callable[[Path], GateReport], tmp_path: Path) -> None:
    frames = [cv2.GaussianBlur(frame, (0, 0), 5) for frame in talking()]
    frames[90:] = [np.roll(frame[:, ::-1], -60, 1) // 2 + 60 for frame in frames[90:]]
    report = gate(clip(tmp_path / "cut.mp4", frames, babble(SECONDS)))
    assert {"video.blurred", "video.cut"} <= set(codes(report))
    assert report.fatal and report.fatal.code == "video.blurred"
    assert next(found for found in report.problems if found.code == "video.cut").params["seconds"] == "3.6"


def test_a_4k_recording_is_read_small(gate: Callable[[Path], GateReport], tmp_path: Path, good: Path) -> None:
    large = tmp_path / "large.mp4"
    run_tool(["ffmpeg", "-v", "error", "-t", "1", "-i", str(good), "-vf",
              "fps=5,scale=2160:2160,pad=3840:2160:(ow-iw)/2", "-c:v", "libx264", "-preset", "ultrafast",
              "-c:a", "copy", str(large)])
    report = gate(large)
    assert codes(report) == ["video.too_short"] and report.facts["source_width"] == 3840
    assert report.facts["face_found"] == 1


def test_seconds_as_text() -> None:
    flags = np.zeros(500, bool)
    flags[75:120] = flags[130] = flags[250] = True
    assert spans(flags, 25) == "3–6, 10–11" and spans(flags & False, 25) == ""
    assert spans(np.arange(3000) % 100 < 10, 25).endswith(" …")


def test_hearing() -> None:
    heard = hear(babble(10))
    assert heard.speech and not heard.silent and heard.voiced > 0.2
    assert hear(0.003 * babble(10)).level < hear(babble(10)).level - 40
    assert hear(np.zeros(10, np.float32)).silent


def test_photos(finder: FaceFinder) -> None:
    def look(image: np.ndarray) -> list[str]:
        return codes(judge_photo(image, finder.find(image)))

    assert look(data.astronaut()) == ["photo.face_modest"]
    assert look(data.coffee()) == ["photo.no_face"]
    assert look(np.hstack([portrait(), portrait()]))[0] == "photo.several_faces"
    assert "photo.face_small" in look(cv2.resize(data.astronaut(), (256, 256), interpolation=cv2.INTER_AREA))
    assert "photo.blurred" in look(cv2.GaussianBlur(portrait(), (0, 0), 5))
    left, _, right, _ = finder.find(portrait())[0].box
    assert "photo.face_cut_off" in look(np.ascontiguousarray(portrait()[:, round((left + right) / 2) - 20:]))
    masked = portrait().copy()
    points = finder.find(masked)[0].points[:, :2]
    top, bottom = points[2, 1], points[152, 1] + 5
    cv2.rectangle(masked, (int(left), int(top)), (int(right), int(bottom)), (90, 140, 220), -1)
    assert "photo.mouth_covered" in look(masked) or look(masked) == ["photo.no_face"]


def test_the_real_clips_pass(gate: Callable[[Path], GateReport]) -> None:
    folder = next((parent / "shared" / "data" / "open" / "videos" for parent in Path(__file__).resolve().parents
                   if (parent / "shared" / "data" / "open" / "videos").is_dir()), None)
    if folder is None:
        pytest.skip("the real clips (shared/data/open/videos) are not on this machine")
    for name in ("segment10_man_5s", "retalk1_man_6s"):
        assert gate(folder / f"{name}.mp4").fatal is None, name
