"""What every face of a live conversation promises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.visage.lite_avatars import said, talking_clip, trained_avatar
from visage.config import Settings
from visage.engines import LIVE, LiveFace, engine_names, open_engine, open_live
from visage.errors import BadMedia, NotInstalled, UnknownDriver
from visage.storage.paths import Paths
from visage.types import FPS, SPEECH_RATE

# MediaPipe asks protobuf in an old way whenever a second finder is opened.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")
KINDS = [(name, kind) for name in sorted(LIVE) for kind in ("photo", "trained")]


@pytest.fixture(scope="module")
def avatars(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """A package folder of every kind of avatar of every live engine."""
    folder = tmp_path_factory.mktemp("avatars")
    clip = talking_clip(folder)
    made = {("lite", "photo"): folder / "photo", ("lite", "trained"): trained_avatar(folder, clip)}
    assert sorted(made) == KINDS, "another live engine needs avatars here"
    return made


@pytest.fixture(params=KINDS, ids=" ".join, scope="module")
def which(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture(scope="module")
def face(which: tuple[str, str], avatars) -> Iterator[LiveFace]:
    opened = open_live(which[0], Settings(), Paths(Path("/nowhere")), avatars[which])
    yield opened
    opened.close()


def rested(face: LiveFace, start: int, count: int) -> list[np.ndarray]:
    return list(islice(face.rest(start), count))


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """Mean absolute difference."""
    return float(np.abs(first.astype(int) - second).mean())


def test_frames_are_as_encoders_want_them(face: LiveFace) -> None:
    assert face.width % 2 == face.height % 2 == 0
    for frame in (*rested(face, 3, 2), *islice(face.speak(said()[0][:SPEECH_RATE], (), 3), 2)):
        assert (frame.shape, frame.dtype) == ((face.height * 3 // 2, face.width), np.uint8)
        assert frame.flags.c_contiguous
        assert frame[:face.height].std() > 10


def test_a_frame_is_the_callers_own(face: LiveFace) -> None:
    first = rested(face, 5, 1)[0]
    kept = first.copy()
    first[:] = 0
    assert np.array_equal(rested(face, 5, 1)[0], kept)
    spoken = next(iter(face.speak(said()[0][:SPEECH_RATE], (), 5)))
    spoken[:] = 0
    assert np.array_equal(rested(face, 5, 1)[0], kept)


def test_its_movement_repeats_and_never_jumps(face: LiveFace) -> None:
    assert face.cycle > FPS
    for number in (0, 7, face.cycle // 2 + 3, face.cycle - 1):
        assert np.array_equal(rested(face, number, 1)[0], rested(face, number + face.cycle, 1)[0])
    frames = rested(face, face.cycle - 4, 8)
    steps = [apart(one, after) for one, after in pairwise(frames)]
    whole = rested(face, 0, face.cycle + 1)
    usual = [apart(one, after) for one, after in pairwise(whole)]
    assert max(usual) > 0, "nothing moves"
    assert max(steps) <= max(usual)
    assert apart(whole[face.cycle - 1], whole[0]) <= 1.5 * max(np.mean(usual), usual[0], usual[-2])


@pytest.mark.parametrize("seconds", [0.04, 0.5, 1.0, 2.5])
def test_one_frame_for_each_twenty_fifth_of_a_second(face: LiveFace, seconds: float) -> None:
    samples, phones = said()
    made = sum(1 for _ in face.speak(samples[:round(seconds * SPEECH_RATE)], phones, 11))
    assert abs(made - seconds * FPS) <= 0.51


def test_speaking_continues_resting_and_resting_speaking(face: LiveFace) -> None:
    """At a border the picture changes as it would without one: only the mouth is another."""
    samples, phones = said()
    start = 17
    for sentence in (samples[:2 * SPEECH_RATE], samples[2000:SPEECH_RATE]):
        spoken = list(face.speak(sentence, phones, start))
        quiet = rested(face, start - 1, len(spoken) + 2)
        assert apart(quiet[0], spoken[0]) <= 1.5 * apart(quiet[0], quiet[1])
        assert apart(spoken[-1], quiet[-1]) <= 1.5 * apart(quiet[-2], quiet[-1])
        again = next(iter(face.speak(sentence, phones, start + len(spoken))))
        assert apart(spoken[-1], again) <= 1.5 * apart(quiet[-2], quiet[-1])
        start += len(spoken)


def test_the_mouth_moves_with_speech_and_is_shut_at_both_ends_and_in_silence(face: LiveFace) -> None:
    samples, phones = said()
    spoken = list(face.speak(samples[3000:2 * SPEECH_RATE], phones, 0))
    quiet = rested(face, 0, len(spoken))
    moved = [apart(one, other) for one, other in zip(spoken, quiet, strict=True)]
    assert max(moved) > 0.05
    assert moved[0] < 0.25 * max(moved) and moved[-1] < 0.25 * max(moved)
    silent = list(face.speak(np.zeros(SPEECH_RATE, np.float32), (), 0))
    assert max(apart(one, other) for one, other in zip(silent, quiet, strict=False)) < 0.25 * max(moved)


def test_the_first_frame_comes_long_before_the_last(face: LiveFace) -> None:
    samples, phones = np.tile(said()[0], 2)[:10 * SPEECH_RATE], said()[1]
    for _ in face.speak(samples[:SPEECH_RATE], (), 0):
        pass  # what is loaded once is loaded now
    begun = time.thread_time()
    frames = face.speak(samples, phones, 0)
    next(iter(frames))
    first = time.thread_time() - begun
    assert sum(1 for _ in frames) == 10 * FPS - 1
    assert first < 0.2 * (time.thread_time() - begun)


def test_a_sentence_that_is_broken_off_leaves_no_trace(face: LiveFace) -> None:
    samples = said()[0][:SPEECH_RATE]
    before = [frame.copy() for frame in face.speak(samples, (), 30)]
    broken = face.speak(samples, (), 30)
    next(iter(broken))
    broken.close()  # type: ignore[attr-defined]
    after = list(face.speak(samples, (), 30))
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_faces_of_one_avatar_do_not_disturb_each_other(which: tuple[str, str], avatars) -> None:
    faces = [open_live(which[0], Settings(), Paths(Path("/nowhere")), avatars[which]) for _ in range(3)]
    samples = said()[0][:SPEECH_RATE]

    def work(number: int) -> list[np.ndarray]:
        return [*faces[number].speak(samples, (), 40), *rested(faces[number], 90, 5)]

    try:
        with ThreadPoolExecutor(3) as pool:
            first, *others = pool.map(work, range(3))
        assert all(np.array_equal(one, other) for made in others for one, other in zip(first, made, strict=True))
        faces[0].close()
        faces[0].close()
        assert np.array_equal(rested(faces[1], 90, 1)[0], first[-5]), "one that leaves takes nothing from the others"
    finally:
        for opened in faces:
            opened.close()


@pytest.mark.parametrize("name", sorted(LIVE))
def test_a_damaged_avatar_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadMedia):
        open_live(name, Settings(), Paths(tmp_path), tmp_path / "none")


def test_who_can_be_live_says_so(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    for name in engine_names(paths):
        info = open_engine(name, Settings(), paths).describe()
        assert info.live == (info.name in LIVE)
        if not info.live:
            with pytest.raises(NotInstalled) as caught:
                open_live(name, Settings(), paths, tmp_path)
            assert caught.value.code == "live.not_here"
    with pytest.raises(UnknownDriver):
        open_live("lyte", Settings(), paths, tmp_path)
