"""Voices behind other servers, and what is said when they fail."""

from __future__ import annotations

import io
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.visage.tts_files import make_piper_voice
from visage.config import Settings
from visage.errors import ServiceError, ServiceUnreachable
from visage.tts import SpeechRequest, VoiceServer, open_synthesizer, voice_for_speaker


class _Service(BaseHTTPRequestHandler):
    """Speaks a tone for the voice ``good``, refuses the key for any other."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sound = io.BytesIO()
        tone = 0.1 * np.sin(np.arange(int(24_000 / body["speed"])) * 0.05)
        soundfile.write(sound, tone, 24_000, format="WAV")
        good = body["voice"] == "good" and self.headers["Authorization"] == "Bearer k"
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(sound.getvalue() if good else b"{}")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class _Broken(BaseHTTPRequestHandler):
    """Promises more than it sends, or sends what is no speech."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100" if self.path.startswith("/cut") else "2")
        if self.path.startswith("/cut"):
            self.send_header("X-Told-Bytes", "90")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.mark.parametrize(("path", "code"), [("/cut", "tts.server_cut"), ("/odd", "tts.server_strange")])
def test_a_voice_server_that_breaks_off_is_told(path: str, code: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(ServiceError) as caught:
            VoiceServer(f"http://127.0.0.1:{server.server_port}{path}").speak(SpeechRequest("hi"))
        server.shutdown()
        thread.join()
    assert caught.value.code == code


def test_openai_voice_speaks_and_a_refused_one_falls_back_and_says_so(service: str) -> None:
    chain = open_synthesizer(Settings(speech_base_url=service, speech_api_key="k", speech_voices="good, bad"))
    speech = chain.speak(SpeechRequest("hello", "openai:good", speed=0.5))
    assert (speech.voice, speech.notes, len(speech.samples)) == ("openai:good", (), 48_000)
    fallen = chain.speak(SpeechRequest("hello", "openai:bad"))
    assert fallen.voice == "espeak:en-us+Annie"
    assert "401" in fallen.notes[0] and "openai:bad" in fallen.notes[0]
    assert fallen.notes[1] == "espeak:en-us+Annie spoke instead."


def test_a_service_that_is_down_falls_back_quickly() -> None:
    chain = open_synthesizer(Settings(speech_base_url=f"http://127.0.0.1:{closed_port()}/v1"))
    began = time.monotonic()
    speech = chain.speak(SpeechRequest("你好", "openai:alloy"))
    assert speech.voice.startswith("espeak:cmn") and "cannot be reached" in speech.notes[0]
    assert time.monotonic() - began < 3


def test_online_voices_switched_off_fall_back() -> None:
    chain = open_synthesizer(Settings(online=False))
    speech = chain.speak(SpeechRequest("你好", "edge:zh-CN-XiaoxiaoNeural"))
    assert speech.voice == "espeak:cmn+Annie" and "switched off" in speech.notes[0]
    assert not any(voice.online for voice in chain.voices())


def test_edge_without_internet_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_tts.communicate.WSS_URL", f"wss://127.0.0.1:{closed_port()}/x?a=b")
    began = time.monotonic()
    speech = open_synthesizer(Settings()).speak(SpeechRequest("你好", "edge:zh-CN-XiaoxiaoNeural"))
    assert speech.voice == "espeak:cmn+Annie" and "no internet" in speech.notes[0]
    assert time.monotonic() - began < 4


def test_a_broken_piper_voice_falls_back(tmp_path: Path) -> None:
    pytest.importorskip("piper")
    make_piper_voice(tmp_path)
    (tmp_path / "en_US-hum-low.onnx").write_bytes(b"not a network")
    speech = open_synthesizer(Settings(piper_voices=tmp_path)).speak(SpeechRequest("hello"))
    assert speech.voice.startswith("espeak:") and "Piper voice" in speech.notes[0]


def test_speaker_numbers_are_stable() -> None:
    assert voice_for_speaker(0, "zh") == "espeak:cmn+Annie"
    assert voice_for_speaker(1, "en") == "espeak:en-us+ed"
    assert voice_for_speaker(7, "zh-CN") == voice_for_speaker(1, "zh")
    chain = open_synthesizer(Settings(online=False))
    assert chain.speak(SpeechRequest("你好", "speaker:1")).voice == "espeak:cmn+ed"


def test_the_voice_server_being_down_is_said_with_the_remedy() -> None:
    with pytest.raises(ServiceUnreachable) as told:
        VoiceServer(f"http://127.0.0.1:{closed_port()}").speak(SpeechRequest("hi"))
    assert "tts_server.py" in told.value.hint


def test_importing_the_client_loads_no_speech_library() -> None:
    import subprocess

    code = ("import sys, visage.tts; "
            "print([m for m in sys.modules if 'espeak' in m or m in ('edge_tts', 'piper', 'av')])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).resolve().parents[2])
    assert done.stdout.strip() == "[]"
