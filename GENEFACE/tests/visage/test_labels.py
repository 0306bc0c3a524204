"""The label in every format: written, read back by FFmpeg and Pillow, nothing else changed; and what ffmpeg drops."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.visage.labelled_files import COMMANDS, TITLED, copied, decoded, make
from visage.errors import NotFound, OutputInvalid
from visage.media.encoder import ClipWriter
from visage.media.fmp4 import FragmentWriter
from visage.media.fragment import Run, Sample, fragment
from visage.media.labels import Label, content_digest, kind_of, read_label, write_label
from visage.media.labels.boxes import label_header
from visage.media.labels.burning import burn_mark
from visage.media.labels.glyphs import words
from visage.media.labels.mark import OPENING_SHARE, Mark, mark_picture
from visage.media.labels.rhythm import PAUSE, PITCH, UNIT, rhythm, with_rhythm
from visage.media.planes import joined, planes_from_rgb, planes_of, to_rgb
from visage.media.probe import probe

LABEL = Label(producer='示例 "A" & <B>', made_as="42", seal="sha256=0", sources='[{"ContentProducer":"C"}]')


@pytest.mark.parametrize("name", COMMANDS)
def test_a_label_goes_in_and_nothing_else_changes(name: str, tmp_path: Path) -> None:
    file = make(name, tmp_path)
    # an index of fragments is made anew, and says less exactly where the sound ends
    digest, frames = content_digest(file), decoded(file) if name != "fragments.mp4" else ""
    assert read_label(file) is None and kind_of(file)
    assert write_label(file, LABEL) == file and read_label(file) == LABEL
    assert content_digest(file) == digest and (not frames or decoded(file) == frames)
    write_label(file, Label(producer="other", made_as="43"))
    assert read_label(file) == Label(producer="other", made_as="43")
    assert content_digest(file) == digest and (not frames or decoded(file) == frames)
    assert {path.name for path in tmp_path.iterdir()} == {name}
    if name in TITLED:
        with av.open(str(file)) as container:
            assert {key.lower(): value for key, value in container.metadata.items()}["title"] == "hello"
    if kind_of(file) == "picture":
        with Image.open(file) as image:
            image.load()
            assert "TC260:AIGC" in str(image.info.get("XML:com.adobe.xmp") or image.info.get("xmp"))


def test_what_ffmpeg_drops_and_keeps(tmp_path: Path) -> None:
    clip, sound = make("plain.mp4", tmp_path), make("sound.wav", tmp_path)
    write_label(clip, LABEL)
    write_label(sound, LABEL)
    assert read_label(copied(clip, tmp_path / "copy.mp4")) is None
    assert read_label(copied(clip, tmp_path / "kept.mp4", "-movflags", "use_metadata_tags")) == LABEL
    assert read_label(copied(clip, tmp_path / "copy.mkv")) == LABEL
    assert read_label(copied(sound, tmp_path / "copy.wav")) is None
    assert content_digest(tmp_path / "copy.mkv") == content_digest(tmp_path / "copy.mp4") == content_digest(clip)


def test_bare_samples_and_text_cannot_carry_a_label(tmp_path: Path) -> None:
    for name, content in (("sound.pcm", bytes(1000)), ("words.txt", b"hello there"), ("empty", b"")):
        file = tmp_path / name
        file.write_bytes(content)
        assert kind_of(file) == "" and read_label(file) is None
        with pytest.raises(OutputInvalid) as caught:
            write_label(file, LABEL)
        assert caught.value.code == "label.unsupported" and file.read_bytes() == content
    with pytest.raises(NotFound):
        read_label(tmp_path / "nothing")


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"Label": ""}', '"1"'])
def test_what_is_no_label_is_none(text: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    Image.new("RGB", (8, 8)).save(file)
    from visage.media.labels.pictures import write_picture

    write_picture(file, file, text)
    assert read_label(file) is None


@pytest.mark.parametrize("name", ["fast.mp4", "sound.wav", "sound.mp3", "sound.flac", "picture.png", "picture.jpg",
                                  "picture.webp"])
def test_broken_files_are_judged_without_failing(name: str, tmp_path: Path) -> None:
    whole = write_label(make(name, tmp_path), LABEL).read_bytes()
    file = tmp_path / f"broken-{name}"
    for cut in (13, 40, len(whole) // 3, len(whole) - 5):
        file.write_bytes(whole[:cut])
        assert read_label(file) in (None, LABEL)
        file.write_bytes(whole[:cut] + b"\xff" * 64)
        assert read_label(file) in (None, LABEL)


def test_an_xmp_packet_keeps_what_it_said(tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    packet = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
              '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>mine</dc:title>'
              "</rdf:Description></rdf:RDF></x:xmpmeta>")
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_itxt("XML:com.adobe.xmp", packet)
    Image.new("RGB", (16, 16)).save(file, pnginfo=told)
    write_label(file, LABEL)
    with Image.open(file) as image:
        assert "<dc:title>mine</dc:title>" in image.info["XML:com.adobe.xmp"]
    assert read_label(file) == LABEL


def test_a_live_stream_says_it_in_its_header(tmp_path: Path) -> None:
    writer = FragmentWriter(64, 64, 16_000)
    header, stream = label_header(writer.header, LABEL.dumps()), b""
    for _ in range(10):
        stream += writer.write(np.full((96, 64), 128, np.uint8), np.zeros(640, np.float32))
    stream += writer.close()
    file = tmp_path / "live.mp4"
    file.write_bytes(header + stream)
    assert read_label(file) == LABEL and probe(file, "video").frames == 10
    plain = tmp_path / "plain.mp4"
    plain.write_bytes(writer.header + stream)
    assert content_digest(file) == content_digest(plain)
    assert fragment(1, [Run(1, 0, 512, [Sample(b"x", True)])])


@pytest.mark.parametrize(("width", "height"), [(512, 512), (806, 684), (288, 640), (96, 96), (1920, 1080)])
def test_the_mark_is_tall_enough_long_enough_and_local(width: int, height: int) -> None:
    mark, ground = Mark(width, height, 25), np.full((height, width, 3), 90, np.uint8)
    assert mark.opening >= 50
    for number in (0, 49, 50, 5000):
        frame = mark.on_rgb(ground.copy(), number)
        changed = np.argwhere((frame != ground).any(2))
        (top, left), (bottom, right) = changed.min(0), changed.max(0)
        assert top < height * 0.1 and left < width * 0.1 and bottom < height * 0.3 and right <= width
        bright = np.argwhere(frame[..., 0] > 160)
        tall = bright[:, 0].max() - bright[:, 0].min() + 1
        assert tall >= (OPENING_SHARE if number < 50 else 0.03) * min(width, height)
    assert (mark.on_rgb(ground.copy(), 0) != mark.on_rgb(ground.copy(), 60)).any() == (min(width, height) > 160)
    line = words("AI", 40)
    assert np.ptp(np.flatnonzero((line > 0.5).any(1))) + 1 >= 39


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_the_mark_is_the_same_on_planes_and_reads_on_any_ground(shade: int) -> None:
    picture = np.full((240, 320, 3), shade, np.uint8)
    frame = joined(planes_from_rgb(picture))
    untouched = frame.copy()
    mark = Mark(320, 240, 25)
    mark.on_planes(planes_of(frame), 0)
    drawn = mark.on_rgb(picture.copy(), 0)
    assert np.abs(to_rgb(frame).astype(int) - drawn).mean() < 1.5
    assert (frame[120:240] == untouched[120:240]).all()
    part = drawn[10:30, 10:200].astype(int)
    assert part.max() - part.min() > 100
    assert (mark_picture(picture) == drawn).all() and (picture == shade).all()


def test_burning_keeps_times_and_sound(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with ClipWriter(clip, 160, 120, 25, 16_000) as writer:
        for _ in range(70):
            writer.write(np.full((120, 160, 3), 90, np.uint8))
        writer.write_sound(np.sin(np.arange(16_000 * 70 // 25) / 10).astype(np.float32) * 0.3)
    before, sounds = probe(clip), sound_packets(clip)
    told: list[int] = []
    burn_mark(clip, tmp_path / "marked.mp4", told.append)
    after = probe(tmp_path / "marked.mp4")
    assert (after.frames, after.fps, after.seconds) == (before.frames, before.fps, before.seconds) and told[-1] == 70
    assert after.picture_start == before.picture_start and sound_packets(tmp_path / "marked.mp4") == sounds
    with av.open(str(tmp_path / "marked.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert frames[10][:20].max() > 200 and frames[10][60:].max() < 100
    assert frames[10][:16, 60:120].max() > 150 > frames[60][:16, 60:120].max()


def sound_packets(file: Path) -> bytes:
    with av.open(str(file)) as container:
        return b"".join(bytes(packet) for packet in container.demux(audio=0))


def test_the_rhythm_is_short_long_short_short_and_soft() -> None:
    rate = 16_000
    sound = rhythm(rate)
    loud = np.convolve(np.abs(sound), np.ones(160) / 160, "same") > 0.01
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]])))
    lengths = np.round((edges[1::2] - edges[::2]) / rate / UNIT).astype(int).tolist()
    assert lengths == [1, 3, 1, 1] and np.abs(sound).max() < 0.1
    assert abs(np.fft.rfftfreq(len(sound), 1 / rate)[np.abs(np.fft.rfft(sound)).argmax()] - PITCH) < 10
    speech = np.full(rate, 0.5, np.float32)
    ended = with_rhythm(speech, rate, "end")
    assert (ended[:rate] == speech).all() and (ended[-len(sound):] == sound).all()
    assert len(ended) == rate + round(PAUSE * rate) + len(sound) == len(with_rhythm(speech, rate, "start"))
    assert with_rhythm(speech, rate, "off") is speech
