"""Live faces of the built-in engine: what they share, the loop at rest, a photo's movement that repeats."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.visage.lite_avatars import photo_avatar, said
from visage.engines.idle import ensure_idle_loop, write_idle_loop
from visage.engines.lite.live import LiteFace
from visage.engines.lite.mel import energies
from visage.engines.lite.once import each_once, once
from visage.engines.lite.package import Package
from visage.engines.lite.photo_speaking import CYCLE, open_photo
from visage.media.encoder import ClipWriter
from visage.media.planes import joined, planes_from_rgb, planes_of, to_rgb
from visage.types import FPS, SPEECH_RATE

# MediaPipe asks protobuf in an old way whenever a second finder is opened.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A photo avatar."""
    return Package(photo_avatar(tmp_path_factory.mktemp("live")))


@pytest.fixture
def face(package: Package) -> Iterator[LiteFace]:
    with closing(LiteFace(package.folder)) as opened:
        yield opened


def clip(file: Path) -> tuple[list[av.VideoFrame], list[int]]:
    """Frames of a clip, and numbers of its key pictures."""
    with av.open(str(file)) as container:
        frames = list(container.decode(video=0))
    return frames, [number for number, frame in enumerate(frames) if frame.key_frame]


def test_the_loop_shows_each_frame_of_the_cycle_at_its_time(package: Package, face: LiteFace) -> None:
    frames, keys = clip(package.idle)
    assert len(frames) == face.cycle == CYCLE
    assert [frame.time for frame in frames] == pytest.approx([n / FPS for n in range(CYCLE)], abs=1e-6)
    assert keys == list(range(0, CYCLE, FPS)), "a page can seek to each second"
    first = frames[0]
    assert (first.colorspace, first.color_range) == (6, 1)
    assert package.idle.stat().st_size < 3e6
    for number in (0, 1, 130, CYCLE - 1):
        shown = frames[number].to_ndarray().astype(int)
        rested = next(face.rest(number))
        assert np.abs(shown - rested).mean() < 2.5
        assert np.abs(shown.mean() - rested.mean()) < 0.5, "the colours are those of the live frames"


def test_the_loop_closes(package: Package) -> None:
    frames = [frame.to_ndarray().astype(int) for frame in clip(package.idle)[0]]
    steps = np.array([np.abs(one - after).mean() for one, after in pairwise([*frames, frames[0]])])
    at_keys = steps[FPS - 1:-1:FPS]
    assert steps[-1] <= 1.5 * at_keys.max(), "from the last frame to the first no more happens than at any key picture"


def test_a_loop_is_made_again_only_when_it_is_not_whole(package: Package, face: LiteFace, tmp_path: Path) -> None:
    file = tmp_path / "idle.mp4"
    with ClipWriter(file, face.width, face.height, FPS, 0) as old:
        for frame in islice(face.rest(0), 2 * FPS):
            old.write(to_rgb(frame))
    assert ensure_idle_loop(face, file) == file
    assert len(clip(file)[0]) == CYCLE
    made = file.stat().st_mtime_ns
    ensure_idle_loop(face, file)
    assert file.stat().st_mtime_ns == made
    file.write_bytes(b"broken")
    ensure_idle_loop(face, file)
    assert len(clip(file)[0]) == CYCLE
    assert [one.name for one in tmp_path.iterdir()] == ["idle.mp4"]


def test_a_loop_that_fails_leaves_the_old_one(face: LiteFace, tmp_path: Path) -> None:
    class Broken:
        width, height, cycle = face.width, face.height, 10

        def rest(self, start: int) -> Iterator[np.ndarray]:
            yield from islice(face.rest(start), 3)
            raise RuntimeError("the footage is gone")

    (tmp_path / "idle.mp4").write_bytes(b"old")
    with pytest.raises(RuntimeError, match="gone"):
        write_idle_loop(Broken(), tmp_path / "idle.mp4")  # type: ignore[arg-type]
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("idle.mp4", b"old")]


def test_a_photo_blinks_every_few_seconds_also_across_the_end_of_the_cycle(package: Package) -> None:
    speaker = open_photo(package)
    shut = [bool(speaker.lids(number)) for number in range(3 * CYCLE)]
    begun = [n for n in range(1, len(shut)) if shut[n] and not shut[n - 1]]
    gaps = np.diff(begun)
    assert len(begun) >= 3 * 4
    assert gaps.min() >= 2 * FPS and gaps.max() <= 5 * FPS and len(set(gaps)) > 2
    assert shut[:CYCLE] == shut[CYCLE:2 * CYCLE]
    still = speaker.basis.rest[None]
    one, again = (next(speaker.frames(still, start)) for start in (33, 33 + CYCLE))
    assert np.array_equal(one, again)


def test_planes_and_colours_agree_with_the_clips(package: Package, face: LiteFace) -> None:
    """A live frame is the picture that a clip of the same moment shows."""
    speaker = open_photo(package)
    clip_frame = next(speaker.frames(speaker.basis.rest[None], 57))
    live = to_rgb(next(face.rest(57)))
    assert np.abs(live.astype(int) - clip_frame).mean() < 1.5
    assert np.abs(live.mean((0, 1)) - clip_frame.mean((0, 1))).max() < 0.5


def test_faces_share_what_is_loaded_until_the_last_one_closes(package: Package) -> None:
    first, second = LiteFace(package.folder), LiteFace(package.folder)
    assert first._screen is second._screen
    screen = first._screen
    first.close()
    third = LiteFace(package.folder)
    assert third._screen is screen
    second.close()
    third.close()
    with closing(LiteFace(package.folder)) as later:
        assert later._screen is not screen


def test_phones_are_used(face: LiteFace) -> None:
    samples, phones = said()
    part = samples[:SPEECH_RATE]
    told, heard = (list(face.speak(part, known, 0)) for known in (phones, ()))
    assert any(not np.array_equal(one, other) for one, other in zip(told, heard, strict=True))


@pytest.mark.parametrize(("height", "width"), [(6, 10), (96, 128), (50, 34)])
def test_planes_are_views_and_parts_are_blended(height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    first = np.full((height, width, 3), (200, 60, 90), np.uint8)
    other = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
    frame = joined(planes_from_rgb(first))
    assert frame.shape == (height * 3 // 2, width)
    assert np.abs(to_rgb(frame).astype(int) - first).max() <= 3
    box = (2, 2, width - 2, height - 2)
    before = frame.copy()
    share = np.zeros((height - 4, width - 4), np.float32)
    planes_of(frame).part(box).blend(planes_from_rgb(other).part(box), share)
    assert np.array_equal(frame, before)
    planes_of(frame).part(box).blend(planes_from_rgb(other).part(box), share + 1)
    wanted = planes_of(before)
    wanted.part(box).paste(planes_from_rgb(other).part(box))
    assert np.array_equal(frame, before)
    assert not np.array_equal(frame[:height], joined(planes_from_rgb(first))[:height])


def test_one_sound_is_worked_out_once_inside_and_anew_outside() -> None:
    asked: list[int] = []

    @once
    def length(samples: np.ndarray, more: int = 0) -> int:
        asked.append(len(samples) + more)
        return asked[-1]

    sound, other = np.zeros(5, np.float32), np.zeros(7, np.float32)
    with each_once():
        assert [length(sound), length(sound), length(other), length(sound, 1), length(sound, more=1)] == [5, 5, 7, 6, 6]
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(length(sound)))
        thread.start()
        thread.join()
    assert asked == [5, 7, 6, 6, 5], "another thread has its own"
    length(sound)
    length(sound)
    assert asked[5:] == [5, 5]
    with each_once():
        assert energies(said()[0]) is energies(said()[0])
