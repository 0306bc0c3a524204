"""What files hold, and what is said about those that hold nothing good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.clip_commands import reencode, rotated
from tests.visage.media_clips import babble, clip, numbered
from visage.errors import BadAudio, BadImage, BadMedia, BadVideo, NotFound, VisageError
from visage.media.audio import read_sound, sound_seconds, write_wav
from visage.media.frames import read_image, read_video
from visage.media.probe import probe, probe_image
from visage.media.run import run_tool


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return clip(tmp_path / "clip.mp4", numbered(50), babble(2))


def code(error: pytest.ExceptionInfo[VisageError]) -> str:
    assert error.value.hint and "{" not in error.value.message + error.value.hint
    return error.value.code


def test_a_video_is_described(video: Path) -> None:
    info = probe(video, "video")
    assert (info.kind, info.codec, info.width, info.height, info.rotation) == ("video", "h264", 64, 48, 0)
    assert info.seconds == pytest.approx(2) and info.fps == pytest.approx(25) and info.frames == 50
    assert info.has_sound and info.sound_codec == "aac" and info.channels == 1 and not info.variable_rate
    assert info.size == video.stat().st_size


def test_the_name_is_not_believed(video: Path, tmp_path: Path) -> None:
    assert probe(video.rename(tmp_path / "song.txt")).kind == "video"
    sound = write_wav(tmp_path / "a.wav", babble(1), 16_000)
    assert probe(sound.rename(tmp_path / "film.mp4")).kind == "audio"
    Image.new("RGB", (30, 20)).save(tmp_path / "p.png")
    (tmp_path / "p.png").rename(tmp_path / "p.mp4")
    info = probe(tmp_path / "p.mp4")
    assert (info.kind, info.width, info.height) == ("image", 30, 20)


def test_zero_bytes_text_and_nothing(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("This is only a text. " * 200)
    for path, expected in ((empty, "media.empty"), (text, "media.unknown")):
        for kind, error in (("video", BadVideo), ("audio", BadAudio), ("", BadMedia)):
            with pytest.raises(error) as raised:
                probe(path, kind)
            assert code(raised) == expected and raised.value.params["name"] == path.name
        with pytest.raises(BadVideo):
            next(read_video(path))
        with pytest.raises(BadAudio):
            read_sound(path)
    with pytest.raises(NotFound):
        probe(tmp_path / "gone.mp4")


def test_playlists_cannot_make_us_read_other_files(tmp_path: Path, video: Path) -> None:
    playlist, script = tmp_path / "list.m3u8", tmp_path / "list.ffconcat"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{video}\n#EXT-X-ENDLIST\n")
    script.write_text(f"ffconcat version 1.0\nfile {video.name}\n")
    for path in (playlist, script):
        with pytest.raises(BadMedia):
            probe(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_broken_off_file_is_refused(video: Path, share: float) -> None:
    whole = video.read_bytes()
    video.write_bytes(whole[:int(share * len(whole))])
    with pytest.raises(BadVideo) as raised:
        probe(video, "video")
    assert code(raised) == "media.broken_off" and raised.value.params["declared"] == 2


def test_a_recording_without_its_index_is_named_as_such(video: Path) -> None:
    late = video.with_name("late.mp4")
    # without faststart the index is written last
    run_tool(["ffmpeg", "-v", "error", "-i", str(video), "-c", "copy", str(late)])
    late.write_bytes(late.read_bytes()[:-900])
    with pytest.raises(BadVideo) as raised:
        probe(late, "video")
    assert code(raised) == "media.truncated"


def test_sound_where_a_picture_is_wanted_and_the_reverse(tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "a.wav", babble(0.5), 16_000)
    mute = clip(tmp_path / "mute.mp4", numbered(5))
    with pytest.raises(BadVideo) as raised:
        probe(sound, "video")
    assert code(raised) == "video.other_kind"
    with pytest.raises(BadVideo) as raised:
        next(read_video(sound))
    assert code(raised) == "video.none"
    for ask in (lambda: probe(mute, "audio"), lambda: read_sound(mute), lambda: sound_seconds(mute)):
        with pytest.raises(BadAudio) as raised:
            ask()
        assert code(raised) == "audio.none"
    assert not probe(mute).has_sound


def test_rotation_and_codec_are_seen(video: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    run_tool(rotated(video, turned, 90))
    info = probe(turned)
    assert (info.width, info.height, info.rotation) == (48, 64, 90)
    hevc = tmp_path / "hevc.mp4"
    run_tool(reencode(video, hevc))
    assert probe(hevc, "video").codec == "hevc"


def test_uneven_rates_are_seen(video: Path, tmp_path: Path) -> None:
    uneven = tmp_path / "uneven.mp4"
    run_tool(reencode(video, uneven, "libx264", r"select='not(eq(mod(n\,5)\,2))'"))
    info = probe(uneven)
    assert info.variable_rate and info.frames == 40 and info.seconds == pytest.approx(2, abs=0.05)


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "red")
    exif = image.getexif()
    exif[0x0112] = 6
    path = tmp_path / "phone.jpg"
    image.save(path, exif=exif)
    assert (probe_image(path).width, probe_image(path).height) == (20, 40)
    assert read_image(path).shape == (40, 20, 3) and read_image(path, size=10).shape == (10, 5, 3)
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png") == 255).all()


def test_bad_pictures(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(BadImage) as raised:
        read_image(path)
    assert code(raised) == "image.damaged"
    path.write_text("no picture")
    with pytest.raises(BadImage) as raised:
        probe_image(path)
    assert code(raised) == "image.unknown"
    path.write_bytes(b"")
    with pytest.raises(BadImage) as raised:
        probe(path, "image")
    assert code(raised) == "media.empty"
