"""Every way out of the product: the label is in the file, and the mark can be seen and heard."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
import requests
import soundfile

from benchmarks.product import Product
from benchmarks.swap_labels import label_survives
from tests.conftest import Installation
from visage.media.labels import read_label
from visage.media.labels.mark import Mark
from visage.media.labels.rhythm import rhythm


@pytest.fixture(scope="module")
def product(installation: Installation) -> Product:
    return Product(installation.home, installation.url, installation.process)


def test_a_label_survives_on_every_export_path(installation: Installation, product: Product) -> None:
    found = label_survives(product, installation.voice_url)
    assert len(found) >= 22 and all(found.values()), found


def test_a_clip_bears_the_mark_to_its_end(installation: Installation, tmp_path: Path) -> None:
    text = "The boat leaves at noon, and whoever comes later must wait for the next one."
    body = {"avatar": "astronaut", "text": text}
    job = installation.wait(requests.post(f"{installation.url}/api/jobs/generate", json=body, timeout=30).json())
    file = tmp_path / "clip.mp4"
    file.write_bytes(requests.get(installation.url + job["result"]["url"], timeout=30).content)
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    height, width = frames[0].shape[:2]
    mark = Mark(width, height, 25)
    assert len(frames) > mark.opening + 5
    for number in (0, mark.opening - 1, mark.opening + 2, len(frames) - 1):
        # drawing the mark over itself changes next to nothing where its words stand, and much where there is none
        black = mark.on_rgb(np.zeros_like(frames[0]), number)
        ink = black[..., 0] > 200
        assert frames[number][ink].mean() > 190, number
        assert frames[number][ink].mean() - np.roll(frames[number], 120, axis=0)[ink].mean() > 20, number
    label = read_label(file)
    assert label and label.producer == "Visage" and job["result"]["clip"]


def test_speech_given_out_ends_with_the_rhythm(installation: Installation) -> None:
    body = {"input": "Good morning.", "response_format": "wav", "voice": "alloy"}
    answer = requests.post(f"{installation.voice_url}/v1/audio/speech", json=body, timeout=60)
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    wanted = rhythm(rate)
    assert np.abs(samples[-len(wanted):] - wanted).max() < 1e-3
    inside = requests.post(f"{installation.voice_url}/tts", json={"text": "Good morning.", "out_path": "quiet.wav"},
                           timeout=60).json()
    plain, _ = soundfile.read(inside["wav_path"], dtype="float32")
    assert len(plain) < len(samples) - len(wanted) and np.abs(plain[-len(wanted):]).max() > 0.08
