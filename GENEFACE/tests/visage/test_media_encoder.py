"""Clips: sound and picture end together, the file is there only when whole."""

from __future__ import annotations

import errno
from pathlib import Path

import av
import numpy as np
import pytest

from tests.visage.media_clips import RATE, babble, clip, number, numbered
from visage.errors import DiskFull, OutputInvalid
from visage.media.audio import read_sound
from visage.media.encoder import ClipWriter
from visage.media.frames import read_video
from visage.media.planes import joined, planes_from_rgb
from visage.media.probe import probe


@pytest.mark.parametrize("seconds", [0.3, 2.0, 3.7, 0.0])
@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_both_tracks_end_together(tmp_path: Path, seconds: float, rate: int) -> None:
    path = tmp_path / "a.mp4"
    with ClipWriter(path, 64, 48, sound_rate=rate) as writer:
        writer.write_sound(babble(seconds, rate))
        for frame in numbered(50):
            writer.write(frame)
    with av.open(str(path)) as container:
        lengths = [float(stream.duration * stream.time_base) for stream in container.streams]
    assert lengths[0] == pytest.approx(2) and abs(lengths[0] - lengths[1]) <= 0.04
    assert len(read_sound(path)) / RATE == pytest.approx(2, abs=0.04)
    assert len(list(read_video(path))) == 50


def test_sound_survives_and_keeps_its_place(tmp_path: Path) -> None:
    sound = babble(3)
    got = read_sound(clip(tmp_path / "a.mp4", numbered(75), sound))[:len(sound)]
    lags = [float(np.dot(np.roll(got, shift), sound)) for shift in range(-20, 21)]
    assert int(np.argmax(lags)) - 20 == 0, "not one sample late"
    noise = ((got - sound) ** 2).mean() / (sound**2).mean()
    assert 10 * np.log10(noise) < -15


def test_sound_may_come_between_the_frames(tmp_path: Path) -> None:
    sound = babble(2)
    with ClipWriter(tmp_path / "b.mp4", 64, 48) as writer:
        for index, frame in enumerate(numbered(50)):
            writer.write_sound(sound[640 * index:640 * index + 640])
            writer.write(frame)
    at_once = clip(tmp_path / "a.mp4", numbered(50), sound)
    np.testing.assert_allclose(read_sound(tmp_path / "b.mp4"), read_sound(at_once), atol=1e-3)


def test_the_file_is_tagged_fast_and_even(tmp_path: Path) -> None:
    path = clip(tmp_path / "odd.mp4", numbered(3, 65, 47))
    info = probe(path)
    assert (info.width, info.height, info.has_sound) == (66, 48, False)
    raw = path.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat"), "players can start before all is there"
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert int(codec.colorspace) == int(codec.color_primaries) == int(codec.color_trc) == 1
        assert codec.pix_fmt == "yuv420p"
    assert [number(frame) for frame in read_video(path)] == [0, 1, 2]


def test_planes_reach_the_file_as_they_are(tmp_path: Path) -> None:
    down, across = np.mgrid[0:48, 0:64]
    given = [joined(planes_from_rgb(np.stack([3 * across, 4 * down, 20 * n + across], 2).astype(np.uint8)))
             for n in range(6)]
    scratch = np.empty_like(given[0])
    with ClipWriter(tmp_path / "a.mp4", 64, 48, planar=True, crf=8) as writer:
        writer.write_sound(babble(1))
        for frame in given:
            scratch[:] = frame
            writer.write(scratch)
    with av.open(str(tmp_path / "a.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert int(codec.colorspace) == int(codec.color_primaries) == int(codec.color_trc) == 6
        shown = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert len(shown) == 6
    for wanted, got in zip(given, shown, strict=True):
        assert np.abs(wanted.astype(int) - got).mean() < 1
        assert abs(wanted.mean() - got.mean()) < 0.3, "no step of colour conversion"


@pytest.mark.parametrize("shape", [(48, 64, 3), (48, 64), (72, 66)])
def test_planes_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="uint8"), ClipWriter(tmp_path / "a.mp4", 64, 48, planar=True) as writer:
        writer.write(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="even"):
        ClipWriter(tmp_path / "a.mp4", 65, 48, planar=True)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ClipWriter(tmp_path / "a.mp4", 64, 48) as writer:
        writer.write(numbered(1)[0])
        raise RuntimeError
    with pytest.raises(OutputInvalid), ClipWriter(tmp_path / "a.mp4", 64, 48):
        pass
    with pytest.raises(ValueError, match="uint8"), ClipWriter(tmp_path / "a.mp4", 64, 48) as writer:
        writer.write(np.zeros((10, 10, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DiskFull):
        clip(tmp_path / "a.mp4", numbered(3))
    assert list(tmp_path.iterdir()) == []
