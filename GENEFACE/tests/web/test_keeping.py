"""A conversation taken away from the running product: film, subtitles, transcript; only by whom it belongs to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from backend.conversation_script import LEAD, TAIL, script_of
from backend.services import Services
from tests.conftest import Installation
from tests.talks_on_hand import answer
from tests.visage.media_clips import babble
from tests.web.test_bad_input import ZH
from visage.config import read_settings
from visage.media.probe import probe
from visage.storage.records import Caption

ME, OTHER = {"visage": "a" * 32}, {"visage": "b" * 32}


def ask(product: Installation, route: str, cookies: dict[str, str] = ME, **more: object) -> requests.Response:
    return requests.get(product.url + route, cookies=cookies, timeout=30, **more)  # type: ignore[arg-type]


@pytest.fixture
def talk(installation: Installation) -> str:
    """A conversation with a live turn that was interrupted, and one that a job made."""
    began = requests.post(f"{installation.url}/api/conversations", json={"avatar": "astronaut"}, cookies=ME, timeout=20)
    made = str(began.json()["id"])
    services = Services(read_settings(home=installation.home))
    kept = services.talks.begin(made)
    kept.ask(babble(1.0))
    for part in answer(2.0):
        kept.append(part)
    kept.finish("你好吗？", "I am fine.", until=1.0, heard=0.5, captions=[Caption("I am fine.", 0.0, 2.0)],
                stages=[{"name": "llm", "start_ms": 5, "end_ms": 200}])
    services.database.dispose()
    job = requests.post(f"{installation.url}/api/jobs/chat", cookies=ME, timeout=20, json={
        "conversation": made, "avatar": "astronaut", "text": "What is two plus two?", "llm": "offline"}).json()
    assert installation.wait(job)["state"] == "succeeded"
    return made


def test_a_conversation_is_shown_and_taken_away(installation: Installation, talk: str, tmp_path: Path) -> None:
    live, job_made = ask(installation, f"/api/conversations/{talk}").json()["turns"]
    assert (live["heard"], live["seconds"], live["captions"][0]["text"]) == (0.5, 1.0, "I am fine.")
    assert live["stages"][0]["name"] == "llm"
    for name, kind in (("url", "video/mp4"), ("question_url", "audio/wav")):
        got = ask(installation, live[name])
        assert (got.status_code, got.headers["Content-Type"]) == (200, kind)
        assert ask(installation, live[name], OTHER).status_code == 404
    assert job_made["url"].startswith("/static/videos/") and job_made["question_url"] is None

    asked = requests.post(f"{installation.url}/api/jobs/film", cookies=ME, timeout=20,
                          json={"conversation": talk, "subtitles": "soft"})
    assert asked.status_code == 202, asked.text
    job = installation.wait(asked.json())
    assert job["state"] == "succeeded", job["error"]
    film = ask(installation, job["result"]["url"])
    assert film.headers["Content-Disposition"].startswith("attachment")
    (tmp_path / "film.mp4").write_bytes(film.content)
    info = probe(tmp_path / "film.mp4", "video")
    assert info.has_sound and job["result"]["size"] == len(film.content) and job["result"]["turns"] == 2
    services = Services(read_settings(home=installation.home))
    script = script_of(services, services.conversations.get(talk))
    services.database.dispose()
    assert info.frames == script.frames
    assert ask(installation, job["result"]["url"], OTHER).status_code == 404
    assert ask(installation, f"/api/conversations/{talk}/film-none.mp4").json()["code"] == "film.missing"

    text = ask(installation, f"/api/conversations/{talk}/transcript.txt", headers=ZH).text
    assert "你好吗？" in text and "被打断" in text and "Eileen" in text
    assert "interrupted" in ask(installation, f"/api/conversations/{talk}/transcript.txt").text
    said = ask(installation, f"/api/conversations/{talk}/transcript.srt")
    assert re.match(r"1\n00:00:00,\d{3} --> ", said.text) and "attachment" in said.headers["Content-Disposition"]
    assert len(ask(installation, f"/api/conversations/{talk}/transcript.json").json()["turns"]) == 2
    for ending in ("srt", "txt", "json"):
        assert ask(installation, f"/api/conversations/{talk}/transcript.{ending}", OTHER).status_code == 404

    folder = installation.home / "var" / "conversations" / talk
    assert folder.is_dir()
    assert requests.delete(f"{installation.url}/api/conversations/{talk}", cookies=ME, timeout=20).status_code == 204
    assert not folder.exists()
    assert ask(installation, job_made["url"]).status_code == 200, "clips stay"


def test_a_recorded_question_of_a_job_is_heard_in_the_film(installation: Installation, tmp_path: Path) -> None:
    if not shutil.which("flite"):
        pytest.skip("flite is not on this machine: apt-get install flite")
    sound = tmp_path / "q.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", "Who are you?", "-o", str(sound)], check=True, capture_output=True)
    recording = requests.post(f"{installation.url}/api/recordings", data=sound.read_bytes(), cookies=ME, timeout=20)
    made = requests.post(f"{installation.url}/api/conversations", json={"avatar": "astronaut"}, cookies=ME,
                         timeout=20).json()["id"]
    ended = installation.wait(requests.post(f"{installation.url}/api/jobs/chat", cookies=ME, timeout=20, json={
        "conversation": made, "avatar": "astronaut", "recording": recording.json()["id"], "llm": "offline"}).json())
    assert ended["state"] == "succeeded", ended["error"]
    turn = ask(installation, f"/api/conversations/{made}").json()["turns"][0]
    assert ask(installation, turn["question_url"]).content[:4] == b"RIFF"
    told = ask(installation, f"/api/conversations/{made}/transcript.json").json()["turns"][0]
    assert told["question"]["spoken"]
    assert told["question"]["seconds"] == pytest.approx(recording.json()["seconds"] + LEAD + TAIL, abs=0.05)


@pytest.mark.parametrize(("route", "code"), [
    ("transcript.pdf", "conversation.transcript_form"), ("transcript.srt", "conversation.empty"),
    ("turns/x/answer.mp4", "conversation.no_turn"), ("film-soft.mp4", "film.missing"), ("film-x.mp4", "film.missing")])
def test_what_cannot_be_had_is_refused_in_both_languages(installation: Installation, route: str, code: str) -> None:
    made = requests.post(f"{installation.url}/api/conversations", json={"avatar": "astronaut"}, cookies=ME,
                         timeout=20).json()["id"]
    for headers in ({}, ZH):
        answer = ask(installation, f"/api/conversations/{made}/{route}", headers=headers)
        assert 400 <= answer.status_code < 500
        assert answer.json()["code"] == code
    assert re.search(r"[\u4e00-\u9fff]", answer.json()["message"])
    film = requests.post(f"{installation.url}/api/jobs/film", json={"conversation": made}, cookies=ME, timeout=20)
    assert (film.status_code, film.json()["code"]) == (422, "conversation.empty")
    for body, wrong in (({"conversation": "nobody"}, "conversation.missing"), ({}, "request.missing_field"),
                        ({"conversation": made, "subtitles": "loud"}, "request.field")):
        assert requests.post(f"{installation.url}/api/jobs/film", json=body, cookies=ME,
                             timeout=20).json()["code"] == wrong
