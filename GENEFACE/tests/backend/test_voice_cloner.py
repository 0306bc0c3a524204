"""The voice cloners of older clients, against a small voice server on a real socket."""

from __future__ import annotations

import json
import socket
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backend import openvoice
from backend.voice_cloner import CHOICES, DummyCloner, HttpTTSCloner, OpenVoiceCloner, get_voice_cloner
from visage.errors import (
    InvalidRequest,
    NotFound,
    NotInstalled,
    OutputInvalid,
    ServiceError,
    ServiceUnreachable,
    UnknownDriver,
)
from visage.tts.cloning.consent import SENTENCES


class Voice(BaseHTTPRequestHandler):
    """``POST /tts`` of docs/http-api.md, in the way ``mode`` tells."""

    mode = "speak"
    asked: dict[str, object]

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked = body
        if self.mode in {"speak", "empty"}:
            with wave.open(body["out_path"], "wb") as sound:
                sound.setparams((1, 2, 16_000, 0, "NONE", ""))
                sound.writeframes(b"\1\2" * (800 if self.mode == "speak" else 0))
        told: dict[str, object] = {"ok": True, "wav_path": body["out_path"], "voice": "espeak:cmn", "notes": ["Calm."]}
        if self.mode == "refuse":
            told = {"ok": False, "error": "no voice for Klingon"}
        text = b"<html>" if self.mode == "html" else json.dumps(told).encode()
        self.send_response(422 if self.mode == "refuse" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def voice() -> Iterator[tuple[type[Voice], str]]:
    answering = type("Answering", (Voice,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield answering, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("name", [*CHOICES, "", "openvoice", "dummy"])
def test_every_choice_of_a_form_speaks_and_tells_what_spoke(
        name: str, voice: tuple[type[Voice], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, url = voice
    monkeypatch.setenv("VISAGE_VOICE_URL", url)
    monkeypatch.setenv("VISAGE_HOME", str(tmp_path / "home"))
    cloner = get_voice_cloner(name)
    before = cloner.notes
    assert "stock voice" in before[-1]
    assert name in ("dummy", "") or f"cloned voice {name.lower()} is not installed" in before[0].lower()
    out = tmp_path / "elsewhere" / "said.wav"
    assert cloner.clone_voice("你好", "no/such/sample.wav", str(out), language="zh-CN") == str(out)
    with wave.open(str(out)) as sound:
        assert sound.getnframes() == 800
    assert cloner.notes == (*before, "Stock voice: espeak:cmn.", "Calm.")
    assert server.asked["text"] == "你好"
    assert server.asked["language"] == "zh" and "voice" not in server.asked
    assert list((tmp_path / "home/static/audios").iterdir()) == []


@pytest.mark.parametrize(("mode", "error", "words"), [
    ("refuse", ServiceError, "no voice for Klingon"), ("html", ServiceError, "without JSON"),
    ("silent", OutputInvalid, "no sound"), ("empty", OutputInvalid, "empty sound")])
def test_failures_are_told_and_leave_nothing(
        mode: str, error: type[Exception], words: str, voice: tuple[type[Voice], str], tmp_path: Path) -> None:
    server, url = voice
    server.mode = mode
    with pytest.raises(error, match=words):
        HttpTTSCloner(url, tmp_path).clone_voice("hello", "", str(tmp_path / "out.wav"))
    assert not (tmp_path / "out.wav").exists()
    assert list((tmp_path / "static/audios").iterdir()) == []


def test_a_voice_server_that_is_down_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ServiceUnreachable) as caught:
        DummyCloner(f"http://127.0.0.1:{port}", tmp_path).clone_voice("hello", "", str(tmp_path / "out.wav"))
    assert "tts_server.py" in caught.value.hint


def test_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        HttpTTSCloner("http://127.0.0.1:9", tmp_path).clone_voice(" ", "", str(tmp_path / "out.wav"))


def test_openvoice_itself_names_each_thing_it_needs_and_its_source(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match="openvoice") as told:
        OpenVoiceCloner(tmp_path).clone_voice("hello", "", str(tmp_path / "out.wav"))
    folder = tmp_path / "model_cache/openvoice/checkpoints_v2/converter"
    assert str(folder / "config.json") in told.value.message and str(folder / "checkpoint.pth") in told.value.message
    assert "myshell-ai/OpenVoiceV2" in told.value.hint and "pip install" in told.value.hint
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert not any("config.json" in name for name in openvoice.missing(tmp_path / "model_cache"))


def test_a_wrong_consent_and_a_missing_recording_are_refused(voice: tuple[type[Voice], str], tmp_path: Path) -> None:
    server, url = voice
    reference = tmp_path / "me.wav"
    with pytest.raises(NotFound):
        HttpTTSCloner(url, tmp_path, consent=SENTENCES["en"]).clone_voice("hi", str(reference), str(tmp_path / "o.wav"))
    reference.write_bytes(b"never opened as sound")
    with pytest.raises(InvalidRequest) as told:
        HttpTTSCloner(url, tmp_path, consent="ok").clone_voice("hi", str(reference), str(tmp_path / "o.wav"))
    assert told.value.code == "voice.no_consent" and not hasattr(server, "asked")


def test_an_unknown_cloner_lists_what_there_is() -> None:
    with pytest.raises(UnknownDriver, match="OpenVoice, SV2TTS"):
        get_voice_cloner("parrot")
