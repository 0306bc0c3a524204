"""Fragments: what is written can be decoded, to the frame and to the sample."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from visage.media.fmp4 import FRAMES, SOUND_RATE, FragmentWriter
from visage.media.planes import joined, planes_from_rgb, to_rgb
from visage.types import FPS

WIDTH, HEIGHT = 128, 96


def numbered(number: int) -> np.ndarray:
    """A frame that shows a number: eight bright or dark fields."""
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for bit in range(8):
        picture[:, bit * 16:bit * 16 + 16] = 200 if number >> bit & 1 else 40
    return joined(planes_from_rgb(picture))


def number_of(frame: av.VideoFrame) -> int:
    luma = frame.to_ndarray()[:HEIGHT]
    return sum(int(luma[:, bit * 16 + 4:bit * 16 + 12].mean() > 120) << bit for bit in range(8))


def written(sound: np.ndarray, rate: int, frames: int) -> tuple[FragmentWriter, list[bytes]]:
    """Everything a writer gave: header, one entry a frame, the rest."""
    writer = FragmentWriter(WIDTH, HEIGHT, rate)
    edges = np.round(np.arange(frames + 1) * rate / FPS).astype(int)
    parts = [writer.write(numbered(n), sound[edges[n]:edges[n + 1]]) for n in range(frames)]
    return writer, [writer.header, *parts, writer.close()]


def decoded(data: bytes) -> tuple[list[av.VideoFrame], np.ndarray, float]:
    """Pictures, sound at 48 kHz and when that begins."""
    pictures, sounds = [], []
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux():
            for frame in packet.decode():
                (pictures if isinstance(frame, av.VideoFrame) else sounds).append(frame)
    return pictures, np.concatenate([one.to_ndarray()[0] for one in sounds]), float(sounds[0].time or 0)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 12_345])
def test_every_frame_and_every_sound_is_where_it_belongs(rate: int) -> None:
    frames, clicks = 130, (0.2, 1.0, 3.56, 5.0)
    sound = np.zeros(round(frames * rate / FPS), np.float32)
    for click in clicks:
        sound[round(click * rate)] = 0.9
    _, parts = written(sound, rate, frames)
    pictures, heard, begins = decoded(b"".join(parts))
    assert [number_of(frame) for frame in pictures] == list(range(frames))
    assert [frame.time for frame in pictures] == pytest.approx([n / FPS for n in range(frames)], abs=1e-6)
    assert begins == 0
    assert 0 <= len(heard) / SOUND_RATE - frames / FPS < 1 / FPS
    for click in clicks:
        at = round(click * SOUND_RATE)
        assert abs(int(np.abs(heard[at - 4000:at + 4000]).argmax()) - 4000) <= SOUND_RATE / rate, click


def test_a_voice_sounds_as_it_did() -> None:
    time = np.arange(3 * 16_000) / 16_000
    tone = (0.4 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    _, parts = written(tone, 16_000, 75)
    heard = decoded(b"".join(parts))[1]
    wanted = 0.4 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / SOUND_RATE)
    part = slice(2048, 3 * SOUND_RATE - 4096)
    assert np.abs(heard[part] - wanted[part]).max() < 0.02
    assert np.abs(heard[:1024]).max() > 0.2, "the very beginning is heard, too"


def test_the_header_is_the_same_for_all_of_one_size() -> None:
    headers = {FragmentWriter(WIDTH, HEIGHT, rate).header for rate in (8_000, 16_000, 44_100)}
    used, parts = written(np.zeros(16_000, np.float32), 16_000, 25)
    assert headers == {used.header} == {parts[0]}
    assert FragmentWriter(WIDTH, HEIGHT + 2, 16_000).header not in headers
    assert parts[0][4:8] == b"ftyp" and b"moov" in parts[0] and b"moof" not in parts[0]


def test_the_first_fragment_comes_after_three_frames_and_later_ones_are_longer() -> None:
    _, parts = written(np.zeros(60 * 640, np.float32), 16_000, 60)
    ends = [n for n, part in enumerate(parts[1:-1], 1) if part]
    assert np.diff([0, *ends]).tolist()[:len(FRAMES)] == list(FRAMES) == [3, 3, 4, 6, 8]
    assert parts[-1], "what is left comes at the end"
    for count, end in enumerate(ends, 1):
        pictures, heard, _ = decoded(b"".join(parts[:end + 1]))
        assert len(pictures) == end, f"fragment {count} is not whole"
        assert end / FPS - len(heard) / SOUND_RATE < 0.07, "the sound lags by three frames of AAC at most"


def test_fragments_are_marked_for_browsers() -> None:
    writer, parts = written(np.zeros(110 * 640, np.float32), 16_000, 110)
    with av.open(io.BytesIO(b"".join(parts))) as container:
        keys = [round(float(packet.pts * packet.time_base) * FPS) for packet in container.demux(video=0)
                if packet.size and packet.is_keyframe]
        assert keys == [0, 50, 100]
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range) == (6, 6, 6, 1)
        assert writer.mime == f'video/mp4; codecs="avc1.{codec.extradata[1:4].hex().upper()},mp4a.40.2"'


def test_colours_come_back() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    shades = [(210, 40, 40), (40, 180, 60), (50, 60, 200), (230, 200, 170)]
    for place, shade in enumerate(shades):
        picture[:, place * 32:place * 32 + 32] = shade
    writer = FragmentWriter(WIDTH, HEIGHT, 16_000)
    frame = joined(planes_from_rgb(picture))
    parts = [writer.header, *(writer.write(frame, np.zeros(640, np.float32)) for _ in range(5)), writer.close()]
    shown = decoded(b"".join(parts))[0][-1].to_ndarray(format="rgb24")
    for place, shade in enumerate(shades):
        middle = (slice(20, 76), slice(place * 32 + 8, place * 32 + 24))
        assert np.abs(shown[middle].mean((0, 1)) - shade).max() < 5
        assert np.abs(to_rgb(frame)[middle].mean((0, 1)) - shade).max() < 3


def test_a_lost_end_of_the_sound_is_silence() -> None:
    writer = FragmentWriter(WIDTH, HEIGHT, 16_000)
    data = [writer.header, *(writer.write(numbered(n), np.zeros(639, np.float32)) for n in range(50)), writer.close()]
    pictures, heard, _ = decoded(b"".join(data))
    assert len(pictures) == 50
    assert 0 <= len(heard) / SOUND_RATE - 2 < 1 / FPS


def test_what_cannot_be_is_refused() -> None:
    writer = FragmentWriter(WIDTH, HEIGHT, 16_000)
    with pytest.raises(ValueError, match="frame"):
        writer.write(np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros(640, np.float32))
    with pytest.raises(ValueError, match="sound"):
        writer.write(numbered(0), np.zeros(600, np.float32))
    with pytest.raises(ValueError, match="even"):
        FragmentWriter(127, HEIGHT, 16_000)
    assert FragmentWriter(WIDTH, HEIGHT, 16_000).close() == b""
