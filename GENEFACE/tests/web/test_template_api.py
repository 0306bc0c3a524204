"""Every route, field and answer that deployed clients rely on, against the running product."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

import pytest
import requests

from tests.conftest import Installation


def tone(seconds: float = 1.2) -> bytes:
    """A WAV with a hum whose loudness goes up and down like speech."""
    out, rate = io.BytesIO(), 16_000
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        hum = (9000 * math.sin(i * 0.08) * abs(math.sin(i / rate * 12)) for i in range(int(seconds * rate)))
        file.writeframes(b"".join(struct.pack("<h", int(value)) for value in hum))
    return out.getvalue()


@pytest.fixture
def browser(installation: Installation) -> requests.Session:
    """A client with cookies of its own."""
    session = requests.Session()
    assert session.get(installation.url + "/", timeout=20).status_code == 200
    return session


def test_home_links_to_the_three_pages(installation: Installation) -> None:
    page = requests.get(installation.url + "/", timeout=20).text
    for link in ("/model_training", "/video_generation", "/chat_system"):
        assert f'href="{link}"' in page
        assert requests.get(installation.url + link, timeout=20).headers["Content-Type"].startswith("text/html")


def test_save_audio_keeps_browsers_apart(installation: Installation, browser: requests.Session) -> None:
    other = requests.Session()
    other.get(installation.url + "/", timeout=20)
    saved = browser.post(f"{installation.url}/save_audio", files={"audio": ("r.wav", tone())}, timeout=30)
    assert saved.json() == {"status": "success", "message": "音频保存成功", "wav_url": "/static/audios/input.wav"}
    longer = other.post(f"{installation.url}/save_audio", files={"audio": ("r.wav", tone(2.0))}, timeout=30)
    assert longer.status_code == 200
    mine = browser.get(f"{installation.url}/static/audios/input.wav", timeout=20).content
    theirs = other.get(f"{installation.url}/static/audios/input.wav", timeout=20).content
    assert len(theirs) > 1.5 * len(mine)
    assert browser.get(f"{installation.url}/audio_exists", timeout=20).json() == {
        "exists": True, "url": "/static/audios/input.wav"}


@pytest.mark.parametrize(("files", "message"), [
    ({}, "没有音频文件"),
    ({"audio": ("", b"x")}, "没有"),
    ({"audio": ("r.webm", b"this is no sound at all")}, "转码失败："),
    ({"audio": ("r.webm", b"")}, "转码失败："),
])
def test_save_audio_refuses(installation: Installation, files: dict, message: str) -> None:
    answer = requests.post(f"{installation.url}/save_audio", files=files or {"other": ("a", b"b")}, timeout=30)
    assert 400 <= answer.status_code < 600
    assert answer.json()["status"] == "error"
    assert answer.json()["message"].startswith(message)


def test_tts_writes_the_named_file(installation: Installation, browser: requests.Session) -> None:
    body = {"text": "你好，世界 42", "speaker_id": 0}
    answer = browser.post(f"{installation.url}/api/tts", json=body, timeout=60).json()
    assert answer["status"] == "success"
    assert answer["audio_url"] == "/static/audios/tts.wav"
    assert answer["audio_path"] == "static/audios/tts.wav"
    assert browser.get(installation.url + answer["audio_url"], timeout=20).content[:4] == b"RIFF"
    assert (installation.home / "static/audios/tts.wav").is_file()


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "？！……"}, {"text": "x" * 20_001}])
def test_tts_refuses(installation: Installation, body: dict) -> None:
    answer = requests.post(f"{installation.url}/api/tts", json=body, timeout=30)
    assert 400 <= answer.status_code < 500
    assert answer.json()["status"] == "error"
    assert answer.json()["error"]


@pytest.mark.slow
def test_the_old_pages_way_from_text_to_video(installation: Installation, browser: requests.Session) -> None:
    browser.post(f"{installation.url}/api/tts", json={"text": "Hello, old friend."}, timeout=60)
    answer = browser.post(f"{installation.url}/video_generation", data={
        "model_name": "lite", "model_param": "checkpoints/astronaut", "ref_audio": "static/audios/tts.wav",
        "gpu_choice": "cpu", "target_text": ""}, timeout=180).json()
    assert answer["status"] == "success", answer
    assert answer["video_path"].startswith("/static/videos/lite_astronaut_tts")
    video = browser.get(installation.url + answer["video_path"], timeout=20)
    assert video.headers["Content-Type"] == "video/mp4"
    assert len(video.content) > 20_000


@pytest.mark.parametrize(("route", "form", "status"), [
    ("/video_generation", {"model_name": "GeneFace", "model_param": "astronaut", "target_text": "hi"}, 424),
    ("/video_generation", {"model_name": "lite", "model_param": "nobody", "target_text": "hi"}, 404),
    ("/video_generation", {"model_name": "lite", "model_param": "../../etc", "target_text": "hi"}, 422),
    ("/video_generation", {"model_name": "lite", "model_param": "astronaut", "target_text": ""}, 422),
    ("/video_generation", {"model_name": "modelA", "model_param": "astronaut", "target_text": "hi"}, 422),
    ("/video_generation", {"model_name": "lite", "model_param": "astronaut", "ref_audio": "http://x/a.wav"}, 422),
    ("/video_generation", {"model_name": "lite", "model_param": "astronaut", "ref_audio": "/etc/passwd"}, 422),
    ("/model_training", {"model_choice": "GeneFace", "ref_video": "static/videos/none.mp4", "gpu_choice": "GPU0"}, 424),
    ("/model_training", {"model_choice": "lite", "ref_video": "static/videos/none.mp4", "gpu_choice": "CPU"}, 404),
    ("/model_training", {"model_choice": "lite", "ref_video": ""}, 422),
    ("/model_training", {"model_choice": "lite", "ref_video": "static/videos/none.mp4", "epoch": "many"}, 422),
    ("/chat_system", {"model_name": "lite", "model_param": "nobody", "api_choice": "offline"}, 404),
    ("/chat_system", {"model_name": "lite", "model_param": "astronaut", "api_choice": "zhipu"}, 424),
])
def test_bad_forms_are_refused_in_json(installation: Installation, route: str, form: dict, status: int) -> None:
    answer = requests.post(installation.url + route, data=form, timeout=60)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["status"] == "error"
    assert told["message"]
    assert told["error"] == told["message"]
    assert told["code"]
    assert told["hint"]


def test_unknown_addresses_answer_json(installation: Installation) -> None:
    for address in ("/nothing", "/download?path=/etc/passwd", "/static/videos/../../var/visage.db"):
        answer = requests.get(installation.url + address, timeout=20)
        assert answer.status_code == 404
        assert answer.json()["status"] == "error"


def test_other_sites_may_not_write(installation: Installation) -> None:
    answer = requests.post(f"{installation.url}/api/tts", json={"text": "hi"},
                           headers={"Origin": "http://evil.example"}, timeout=20)
    assert answer.status_code == 403


def test_the_fixed_names_exist() -> None:
    from backend.chat_engine import chat_response
    from backend.model_trainer import train_model
    from backend.video_generator import generate_video
    from backend.voice_cloner import DummyCloner, HttpTTSCloner, OpenVoiceCloner, get_voice_cloner

    assert all(callable(name) for name in (chat_response, train_model, generate_video, get_voice_cloner, DummyCloner,
                                           HttpTTSCloner, OpenVoiceCloner))
    assert Path(__file__).resolve().parents[2].joinpath("tts_server.py").is_file()
