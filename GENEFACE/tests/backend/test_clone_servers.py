"""Cloning servers of others, over real sockets: what is sent, what comes back, and every way to fail."""

from __future__ import annotations

import io
import socket
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.clone_servers import CloneServer, Wish
from backend.voice_cloner import HttpTTSCloner
from tests.clone_server import RATE, cloning_server, tone
from visage.config import Settings
from visage.errors import OutputInvalid, ServiceBusy, ServiceError, ServiceRefused, ServiceTimeout, ServiceUnreachable
from visage.media.audio import write_wav
from visage.tts.cloning.consent import SENTENCES

PROTOCOLS = ("cosyvoice", "gpt-sovits", "openai")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    seconds = np.arange(20 * 16_000) / 16_000
    return write_wav(tmp_path / "me.wav", 0.3 * np.sin(2 * np.pi * 150 * seconds), 16_000)


def server(url: str, protocol: str, timeout: float = 30.0) -> CloneServer:
    address = f"{url}/v1" if protocol == "openai" else url
    return CloneServer(Settings(clone_url=address, clone_protocol=protocol, clone_api_key="secret"), timeout)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_protocol_gets_what_it_wants(protocol: str, clip: Path) -> None:
    with cloning_server() as (asked, url):
        samples, rate = server(url, protocol).speak(Wish("你好", "zh", clip, "早上好"))
    assert rate == RATE and samples.dtype == np.float32
    assert np.allclose(samples, np.frombuffer(tone(), "<i2") / 32768, atol=1e-4)
    assert asked.asked["key"] == "Bearer secret" and "你好" in asked.asked.values()
    with wave.open(io.BytesIO(asked.clip)) as sent:
        seconds = sent.getnframes() / sent.getframerate()
    assert 3 <= seconds <= 10 if protocol == "gpt-sovits" else seconds == pytest.approx(20, abs=0.1)
    assert "早上好" in asked.asked.values()


def test_cosyvoice_without_the_words_of_the_clip_goes_the_other_way(clip: Path) -> None:
    with cloning_server() as (asked, url):
        server(url, "cosyvoice").speak(Wish("hi", "en", clip, ""))
    assert asked.asked["path"] == "/inference_cross_lingual"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("mode", "error"), [
    ("broken", ServiceError), ("busy", ServiceBusy), ("key", ServiceRefused), ("html", ServiceError),
    ("silent", OutputInvalid), ("empty", OutputInvalid)])
def test_every_failure_is_told(protocol: str, mode: str, error: type[Exception], clip: Path) -> None:
    with cloning_server(mode) as (_, url), pytest.raises(error) as told:
        server(url, protocol).speak(Wish("hi", "en", clip, "words"))
    assert type(told.value) is error and told.value.hint
    if mode == "broken":
        assert "500" in told.value.message and "out of memory" in told.value.message


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sound_of_the_wrong_kind_is_no_sound(protocol: str, clip: Path) -> None:
    with cloning_server("text") as (_, url), pytest.raises(ServiceError):
        server(url, protocol).speak(Wish("hi", "en", clip, "words"))


def test_slow_and_absent_servers_are_told_apart(clip: Path) -> None:
    with cloning_server("slow") as (_, url), pytest.raises(ServiceTimeout):
        server(url, "cosyvoice", timeout=0.5).speak(Wish("hi", "en", clip, ""))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ServiceUnreachable):
        server(f"http://127.0.0.1:{port}", "cosyvoice").speak(Wish("hi", "en", clip, ""))


def test_the_cloner_uses_the_configured_server(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip.with_suffix(".txt").write_text("早上好", encoding="utf-8")
    with cloning_server() as (asked, url):
        monkeypatch.setenv("VISAGE_CLONE_URL", url)
        cloner = HttpTTSCloner("http://127.0.0.1:9", tmp_path, consent=SENTENCES["zh"])
        out = cloner.clone_voice("你好", str(clip), str(tmp_path / "new" / "out.wav"))
    samples, rate = soundfile.read(out)
    assert rate == RATE and 0.05 < np.abs(samples).max() <= 0.9
    assert asked.asked["path"] == "/inference_zero_shot" and asked.asked["prompt_text"] == "早上好"
    assert cloner.notes == ("Spoken by the cloning server (cosyvoice).",)
