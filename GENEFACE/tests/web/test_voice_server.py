"""The voice server's routes over a real socket, as old and new clients call them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
import requests
import soundfile
import urllib3

from tests.conftest import clean_environment, free_port
from visage.errors import InvalidRequest
from visage.tts import SpeechRequest, VoiceServer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Running:
    """A voice server in its own process."""

    url: str
    home: Path

    def post(self, path: str, **body: object) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home, port = tmp_path_factory.mktemp("voice"), free_port()
    environment = clean_environment(VISAGE_HOME=str(home), PORT=str(port), VISAGE_ONLINE="false")
    process = subprocess.Popen([sys.executable, "tts_server.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    running = Running(f"http://127.0.0.1:{port}", home)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{running.url}/health", timeout=5)
                break
            except requests.ConnectionError:
                assert process.poll() is None, process.communicate()[0].decode()
                assert time.monotonic() < until, "the voice server did not start"
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_health_tells_drivers_and_remedies(server: Running) -> None:
    told = requests.get(f"{server.url}/health", timeout=10).json()
    assert told["ok"] is True and told["engine"] == "espeak" and told["offline"] is True and told["device"] == "cpu"
    assert told["drivers"]["espeak"]["ok"] and not told["drivers"]["edge"]["ok"]
    assert "VISAGE_PIPER_VOICES" in told["drivers"]["piper"]["detail"]


def test_voices_list_the_defaults(server: Running) -> None:
    told = requests.get(f"{server.url}/voices", timeout=10).json()
    known = {voice["id"]: voice for voice in told["voices"]}
    assert known[told["default"]["zh"]]["language"] == "zh-CN" and known[told["default"]["en"]]["language"] == "en-US"
    assert len({voice["language"] for voice in told["voices"]}) >= 15


@pytest.mark.parametrize(("out_path", "file"), [
    ("static/audios/old.wav", "static/audios/old.wav"), ("bare.wav", "static/audios/bare.wav"),
    ("GeneFace-main/data/raw/val_wavs/x 1.wav", "GeneFace-main/data/raw/val_wavs/x 1.wav")])
def test_old_clients_get_their_file(server: Running, out_path: str, file: str) -> None:
    told = server.post("/tts", text="你好，2024年。", out_path=out_path, speaker_id=1, speed=1.2).json()
    assert told["ok"] is True and told["text_used"] == "你好，二零二四年。" and told["driver"] == "espeak"
    assert Path(told["wav_path"]) == server.home / file
    samples, rate = soundfile.read(server.home / file)
    assert rate == told["rate"] and len(samples) / rate == pytest.approx(told["seconds"])
    assert told["phones"][-1]["end"] == pytest.approx(told["seconds"], abs=0.002)
    assert told["loudness"] == pytest.approx(-20, abs=0.5) and told["voice"] == "espeak:cmn+ed"


@pytest.mark.parametrize("out_path", ["../out.wav", "static/../../out.wav", "/tmp/out.wav", "/etc/passwd", "app.py",
                                      "static/audios", "static/audios/x.mp3", "a\0b.wav"])
def test_a_file_elsewhere_is_refused(server: Running, out_path: str) -> None:
    answer = server.post("/tts", text="hi", out_path=out_path)
    assert 400 <= answer.status_code < 500
    assert answer.json()["ok"] is False and answer.json()["code"] in ("tts.out_path", "tts.out_name")


def test_a_link_out_of_the_folder_is_refused(server: Running, tmp_path: Path) -> None:
    (server.home / "static" / "audios").mkdir(parents=True, exist_ok=True)
    (server.home / "static" / "audios" / "link").symlink_to(tmp_path)
    assert server.post("/tts", text="hi", out_path="static/audios/link/x.wav").json()["code"] == "tts.out_path"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("body", "code"), [
    ({"text": ""}, "tts.nothing_to_say"), ({}, "tts.nothing_to_say"), ({"text": "……！"}, "tts.nothing_to_say"),
    ({"text": "😀👍"}, "tts.nothing_to_say"), ({"text": 5}, "request.text"),
    ({"text": "a" * 20_001}, "tts.text_too_long"),
    ({"text": "hi", "speed": "fast"}, "request.number"), ({"text": "hi", "speed": 9}, "tts.out_of_range"),
    ({"text": "hi", "speaker_id": -1}, "tts.speaker"), ({"text": "hi", "voice": "espeak:xx"}, "tts.unknown_voice"),
    ({"text": "a" * 400_000}, "http.too_large"),
])
def test_bad_requests_are_told_in_json(server: Running, body: dict, code: str) -> None:
    answer = server.post("/tts", **body)
    told = answer.json()
    assert 400 <= answer.status_code < 500 and told["ok"] is False and told["code"] == code
    assert told["error"] and told["hint"]


@pytest.mark.parametrize(("method", "path", "data"), [
    ("POST", "/tts", b"{bad"), ("POST", "/tts", b"[1]"), ("GET", "/tts", b""), ("GET", "/nowhere", b""),
    ("GET", "/sounds/..%2f..%2fx.wav", b""), ("POST", "/v1/audio/speech", b"{bad")])
def test_no_answer_is_html(server: Running, method: str, path: str, data: bytes) -> None:
    answer = requests.request(method, server.url + path, data=data, timeout=10)
    assert 400 <= answer.status_code < 500 and answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"]


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "opus", "aac"])
def test_openai_form_in_every_format(server: Running, form: str) -> None:
    answer = server.post("/v1/audio/speech", model="tts-1", input="Hello there, how are you?", voice="nova",
                         response_format=form)
    assert answer.status_code == 200 and answer.headers["X-Voice"] == "espeak:en-us+linda"
    assert answer.headers["X-Notes"] == "[]"
    with av.open(io.BytesIO(answer.content)) as container:
        seconds = sum(frame.samples / frame.rate for frame in container.decode(audio=0))
    assert 1 < seconds < 4


def test_openai_pcm_and_failures(server: Running) -> None:
    assert len(server.post("/v1/audio/speech", input="Hello", voice="alloy", response_format="pcm").content) > 10_000
    told = server.post("/v1/audio/speech", input="Hello", voice="alloy", response_format="ogg").json()
    assert told["error"]["code"] == "tts.format" and told["error"]["type"] == "invalid_request_error"


def test_the_client_gets_the_same_speech_and_leaves_no_file(server: Running) -> None:
    client = VoiceServer(server.url)
    assert client.health()["ok"] and client.defaults()["zh"] in {voice.id for voice in client.voices()}
    speech = client.speak(SpeechRequest("Hello there 世界 {x}", "edge:en-US-AriaNeural"))
    assert speech.voice == "espeak:en-us+Annie" and "switched off" in speech.notes[0]
    assert speech.phones[-1].end == pytest.approx(len(speech.samples) / speech.rate, abs=0.002)
    assert not list((server.home / "static" / "audios").glob("tts-*.wav"))
    with pytest.raises(InvalidRequest) as told:
        client.speak(SpeechRequest("hi", "espeak:{odd}"))
    assert told.value.code == "tts.unknown_voice" and "{odd}" in told.value.message


def test_a_speech_with_its_sound_is_one_answer_and_no_file(server: Running) -> None:
    answer = server.post("/tts", text="Hello there 世界", inline=True)
    assert answer.headers["Content-Type"] == "application/x-visage-speech"
    size = int(answer.headers["X-Told-Bytes"])
    told, sound = json.loads(answer.content[:size]), soundfile.info(io.BytesIO(answer.content[size:]))
    assert (sound.samplerate, sound.duration) == (told["rate"], pytest.approx(told["seconds"]))
    apart = server.post("/tts", text="Hello there 世界", out_path="apart.wav").json()
    assert set(apart) - set(told) == {"wav_path"} and told["phones"] and told["text_used"] == apart["text_used"]
    assert server.post("/tts", text="……", inline=True).json()["code"] == "tts.nothing_to_say"
    assert not list((server.home / "static" / "audios").glob("tts-*.wav"))


def test_a_thread_keeps_its_connection(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    connect = urllib3.connection.HTTPConnection.connect
    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect",
                        lambda self: (opened.append(self), connect(self))[1])
    client = VoiceServer(server.url)
    for text in ("one", "two", "three"):
        client.speak(SpeechRequest(text))
    assert len(opened) == 1


def test_many_at_once_get_their_own_words(server: Running) -> None:
    client = VoiceServer(server.url)
    texts = ["one", "one two three four five six", "你好", "Guten Tag 2024"] * 4
    alone = [len(client.speak(SpeechRequest(text)).samples) for text in texts[:4]]
    with ThreadPoolExecutor(12) as pool:
        together = [len(speech.samples) for speech in pool.map(client.speak, map(SpeechRequest, texts))]
    assert together == pytest.approx(alone * 4, abs=100)  # espeak-ng's noise varies a little


def test_twenty_thousand_characters(server: Running) -> None:
    told = server.post("/tts", text=("All work and no play makes Jack a dull boy. " * 500)[:20_000],
                       out_path="long.wav", speed=2).json()
    assert told["ok"] is True and told["seconds"] > 300
    assert soundfile.info(server.home / "static/audios/long.wav").duration == pytest.approx(told["seconds"])


def test_it_starts_without_what_its_image_leaves_out() -> None:
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"cv2", "sqlalchemy", "skimage", "torch", "mediapipe", "onnxruntime", "docker"}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
import web.voice_server
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
