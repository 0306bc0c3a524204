"""What `FragmentWriter` writes, played by a real Chromium through Media Source Extensions."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.visage.test_media_fmp4 import HEIGHT, WIDTH, written
from visage.types import FPS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
FRAMES, RATE = 4 * FPS, 22_050
BEEP = (1.6, 2.4)
"""Seconds in which there is something to hear."""

_PLAY = """async ({parts, mime, frames}) => {
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const video = document.createElement("video"), source = new MediaSource();
  video.src = URL.createObjectURL(source);
  document.body.append(video);
  await new Promise(done => source.addEventListener("sourceopen", done, {once: true}));
  const buffer = source.addSourceBuffer(mime);
  const append = part => new Promise((done, failed) => {
    buffer.addEventListener("updateend", done, {once: true});
    buffer.addEventListener("error", () => failed(new Error("refused")), {once: true});
    buffer.appendBuffer(bytes(part));
  });
  const audio = new AudioContext(), meter = audio.createAnalyser();
  audio.createMediaElementSource(video).connect(meter).connect(audio.destination);
  const shown = [], heard = [], wave = new Float32Array(512);
  const canvas = new OffscreenCanvas(video.width = 128, 96), brush = canvas.getContext("2d");
  const look = (_, facts) => {
    brush.drawImage(video, 0, 0, 128, 96);
    const row = brush.getImageData(0, 48, 128, 1).data;
    let number = 0;
    for (let bit = 0; bit < 8; bit++) number |= (row[4 * (bit * 16 + 8)] > 120) << bit;
    shown.push([facts.mediaTime, number]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const listening = setInterval(() => {
    meter.getFloatTimeDomainData(wave);
    heard.push([video.currentTime, Math.max(...wave.map(Math.abs))]);
  }, 10);
  await append(parts[0]);
  await append(parts[1]);
  const first = [buffer.buffered.start(0), buffer.buffered.end(0)];
  const playing = video.play();
  for (const part of parts.slice(2)) await append(part);
  source.endOfStream();
  await playing;
  await new Promise(done => video.addEventListener("ended", done, {once: true}));
  clearInterval(listening);
  const quality = video.getVideoPlaybackQuality();
  return {shown, heard, first, duration: video.duration, size: [video.videoWidth, video.videoHeight],
          total: quality.totalVideoFrames, ranges: buffer.buffered.length, error: video.error?.message ?? null};
}"""


@pytest.fixture(scope="module")
def parts() -> tuple[str, list[bytes]]:
    """Mime type, header and fragments of four seconds."""
    time = np.arange(FRAMES * RATE // FPS) / RATE
    sound = 0.5 * np.sin(2 * np.pi * 500 * time) * ((time >= BEEP[0]) & (time < BEEP[1]))
    writer, made = written(sound.astype(np.float32), RATE, FRAMES)
    return writer.mime, [part for part in made if part]


@pytest.fixture
def played(page: Page, parts: tuple[str, list[bytes]]) -> dict[str, Any]:
    """What the browser saw and heard."""
    page.goto("/health")
    assert page.evaluate("mime => MediaSource.isTypeSupported(mime)", parts[0])
    coded = [b64encode(part).decode() for part in parts[1]]
    return page.evaluate(_PLAY, {"parts": coded, "mime": parts[0], "frames": FRAMES})


def test_picture_and_sound_play_in_step(played: dict[str, Any]) -> None:
    assert played["error"] is None
    assert played["size"] == [WIDTH, HEIGHT]
    assert played["ranges"] == 1, "no gap between fragments"
    assert played["first"][0] == pytest.approx(0, abs=0.001)
    assert played["first"][1] >= 0.06, "the first fragment alone can begin to play"
    assert played["duration"] == pytest.approx(FRAMES / FPS, abs=1 / FPS)
    assert played["total"] == FRAMES, "every frame was decoded"
    times, numbers = np.array(played["shown"]).T
    assert len(numbers) > FRAMES / 5
    assert (np.diff(times) > 0).all(), "frames come in order"
    # A callback that comes late may already find the next picture on the canvas.
    late = numbers - np.round(times * FPS)
    assert (late >= 0).all() and np.median(late) == 0
    heard = np.array(played["heard"])
    loud = heard[heard[:, 1] > 0.2, 0]
    assert len(loud) > 10, "the sound is heard"
    assert loud.min() > BEEP[0] - 0.3 and loud.max() < BEEP[1] + 0.3
    quiet = heard[(heard[:, 0] > 0.2) & ((heard[:, 0] < BEEP[0] - 0.3) | (heard[:, 0] > BEEP[1] + 0.3)), 1]
    assert (quiet < 0.05).all()
