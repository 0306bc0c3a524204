"""The job API on the running product: from a text to a clip, from a clip to an avatar, and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.conftest import Installation
from tests.web.test_template_api import tone

TEXT = ("Good morning. My name is Eileen, and this clip was made on a small computer without any help. "
        "Please listen to a few more sentences, because a face needs some seconds to be learned. "
        "Peter Piper picked a peck of pickled peppers, and many merry people moved to Miami. Thank you.")


def post(product: Installation, route: str, **body: object) -> requests.Response:
    return requests.post(product.url + route, json=body, timeout=60)


def upload(product: Installation, kind: str, name: str, data: bytes) -> requests.Response:
    return requests.post(f"{product.url}/api/uploads", params={"kind": kind, "name": name}, data=data, timeout=120)


@pytest.fixture(scope="session")
def talking_clip(installation: Installation) -> bytes:
    """A video of a speaking face that the product made itself: trainable where nobody's clips are."""
    made = post(installation, "/api/jobs/generate", avatar="astronaut", text=TEXT)
    assert made.status_code == 202, made.text
    job = installation.wait(made.json())
    assert job["state"] == "succeeded", job
    assert job["result"]["seconds"] > 10
    return requests.get(installation.url + job["result"]["url"], timeout=60).content


def read_events(product: Installation, job_id: str, seconds: float = 120.0) -> list[tuple[str, dict]]:
    """All events of a job until it has ended."""
    events, name = [], ""
    with requests.get(f"{product.url}/api/jobs/{job_id}/events", stream=True, timeout=seconds) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                events.append((name, json.loads(line[6:])))
                if name == "end":
                    return events
    raise AssertionError("the stream ended without an end")


def test_a_text_becomes_a_clip_and_says_how_far_it_is(installation: Installation) -> None:
    body = {"avatar": "astronaut", "text": "One, two, three. 四五六。", "speed": 1.2}
    job = post(installation, "/api/jobs/generate", **body).json()
    events = read_events(installation, job["id"])
    states = [data for name, data in events if name == "job"]
    assert states[-1]["state"] == "succeeded", states[-1]["error"]
    assert [s["fraction"] for s in states] == sorted(s["fraction"] for s in states)
    result = states[-1]["result"]
    clip = requests.get(installation.url + result["url"], timeout=30)
    assert clip.headers["Content-Type"] == "video/mp4"
    listed = requests.get(f"{installation.url}/api/clips", timeout=20).json()["clips"]
    mine = next(item for item in listed if item["id"] == result["clip"])
    assert mine["text"] == "One, two, three. 四五六。"
    named = requests.get(f"{installation.url}/api/clips/{mine['id']}/download", timeout=20)
    assert "attachment" in named.headers["Content-Disposition"]
    assert requests.delete(f"{installation.url}/api/clips/{mine['id']}", timeout=20).status_code == 204
    assert requests.get(installation.url + result["url"], timeout=20).status_code == 404


@pytest.mark.parametrize(("body", "code"), [
    ({"text": ""}, "text.nothing_to_say"), ({"text": "!?…"}, "text.nothing_to_say"),
    ({"text": "😀😀"}, "text.nothing_to_say"),
    ({"text": "a" * 20_001}, "text.too_long"), ({"text": "hi", "avatar": "nobody"}, "avatar.missing"),
    ({"text": "hi", "avatar": "../x"}, "path.identifier"), ({"text": "hi", "avatar": "某人"}, "path.identifier"),
    ({"text": "hi", "speed": 9}, "request.too_high"), ({"text": "hi", "device": "GPU7"}, "engine.no_device"),
    ({"text": "hi", "device": "toaster"}, "request.device"), ({"text": "hi", "nonsense": 1}, "request.unknown_field"),
])
def test_bad_requests_name_what_is_wrong(installation: Installation, body: dict, code: str) -> None:
    answer = post(installation, "/api/jobs/generate", **{"avatar": "astronaut", **body})
    assert answer.status_code in (404, 422)
    assert answer.json()["code"] == code


def test_errors_speak_the_language_of_the_request(installation: Installation) -> None:
    chinese = requests.post(f"{installation.url}/api/jobs/generate", json={"avatar": "astronaut", "text": ""},
                            headers={"Accept-Language": "zh-CN,zh;q=0.9"}, timeout=20).json()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese["message"])


@pytest.mark.parametrize(("kind", "name", "data"), [
    ("video", "a.mp4", b"just some text"), ("video", "a.mp4", b""), ("audio", "a.wav", b"RIFFxxxx"),
    ("image", "a.png", b"\x89PNG\r\n\x1a\nbroken"), ("package", "a.zip", b"PK\x03\x04"), ("video", "a.mp4", tone()),
])
def test_uploads_are_checked_by_content(installation: Installation, kind: str, name: str, data: bytes) -> None:
    before = set((installation.home / "var" / "uploads").iterdir())
    answer = upload(installation, kind, name, data)
    assert answer.status_code in (415, 422), answer.text
    assert answer.json()["message"]
    assert set((installation.home / "var" / "uploads").iterdir()) == before


def test_a_browser_closed_in_mid_upload_leaves_nothing(installation: Installation) -> None:
    folder = installation.home / "var" / "uploads"
    before = set(folder.iterdir())

    def half() -> object:
        yield b"x" * 300_000
        raise ConnectionError("the browser was closed")

    with pytest.raises(requests.RequestException):
        try:
            requests.post(f"{installation.url}/api/uploads", params={"kind": "video"}, data=half(), timeout=10,
                          headers={"Content-Length": "1000000"})
        except ConnectionError as exc:
            raise requests.ConnectionError(str(exc)) from exc
    until = time.monotonic() + 10
    while time.monotonic() < until and set(folder.iterdir()) != before:
        time.sleep(0.2)
    assert set(folder.iterdir()) == before


@pytest.mark.slow
def test_train_check_preview_export_import(installation: Installation, talking_clip: bytes, tmp_path: Path) -> None:
    sent = upload(installation, "video", "eileen talks.mp4", talking_clip)
    assert sent.status_code == 201, sent.text
    assert sent.json()["probe"]["seconds"] > 10
    with requests.get(f"{installation.url}/api/uploads/{sent.json()['id']}/check", stream=True, timeout=120) as check:
        text = check.raw.read().decode()
    assert "event: done" in text, text
    assert '"ok": true' in text, text
    assert '"offset_ms":' in text, text
    job = post(installation, "/api/jobs/train", upload=sent.json()["id"], name="Eileen talks", epochs=1).json()
    events = read_events(installation, job["id"], 300)
    states = [data for name, data in events if name == "job"]
    assert states[-1]["state"] == "succeeded", states[-1]["error"]
    assert {"check", "track", "listen", "learn", "finish"} >= {s["stage"] for s in states if s["stage"]}
    assert [point for name, data in events if name == "loss" for point in data["points"]]
    assert requests.get(f"{installation.url}/api/jobs/{job['id']}/preview.jpg", timeout=20).content[:2] == b"\xff\xd8"
    avatar = states[-1]["result"]["avatar"]
    figures = requests.get(f"{installation.url}/api/avatars/{avatar}", timeout=20).json()["figures"]
    assert figures["quality"] == "fast"
    assert abs(figures["offset_ms"]) <= 320
    package = requests.get(f"{installation.url}/api/avatars/{avatar}/package.zip", timeout=60).content
    assert requests.delete(f"{installation.url}/api/avatars/{avatar}", timeout=20).status_code == 204
    back = upload(installation, "package", "x.zip", package)
    taken = post(installation, "/api/avatars/import", upload=back.json()["id"])
    assert taken.status_code == 201, taken.text
    assert taken.json()["name"] == "Eileen talks"
    spoken = installation.wait(post(installation, "/api/jobs/generate", avatar=avatar, text="I am back.").json())
    assert spoken["state"] == "succeeded", spoken


def test_a_quality_that_the_engine_has_not_is_refused(installation: Installation) -> None:
    refused = post(installation, "/api/jobs/train", path="static/any.mp4", name="x", quality="best")
    assert refused.status_code == 422, refused.text
    assert refused.json()["code"] == "engine.no_quality"
    assert refused.json()["params"]["known"] == "fast, fine"


def test_a_typed_question_gets_a_spoken_answer_with_history(installation: Installation) -> None:
    with requests.Session() as browser:
        browser.get(installation.url + "/", timeout=20)
        begun = browser.post(f"{installation.url}/api/conversations", json={"avatar": "astronaut"}, timeout=20).json()
        body = {"conversation": begun["id"], "avatar": "astronaut", "text": "Who are you?"}
        job = installation.wait(browser.post(f"{installation.url}/api/jobs/chat", json=body, timeout=20).json())
        assert job["state"] == "succeeded", job["error"]
        assert "offline" in job["result"]["llm"]
        turns = browser.get(f"{installation.url}/api/conversations/{begun['id']}", timeout=20).json()["turns"]
        assert [turn["question"] for turn in turns] == ["Who are you?"]
        assert turns[0]["answer"] == job["result"]["answer"]
    stranger = requests.get(f"{installation.url}/api/conversations/{begun['id']}", timeout=20)
    assert stranger.status_code == 404


def test_cancel_ends_a_running_job_within_two_seconds(installation: Installation) -> None:
    job = post(installation, "/api/jobs/generate", avatar="astronaut", text=TEXT * 5).json()
    until = time.monotonic() + 60
    while requests.get(f"{installation.url}/api/jobs/{job['id']}", timeout=10).json()["stage"] != "render":
        assert time.monotonic() < until
        time.sleep(0.1)
    began = time.monotonic()
    post(installation, f"/api/jobs/{job['id']}/cancel")
    assert installation.wait(job, 5)["state"] == "cancelled"
    assert time.monotonic() - began < 2.0


@pytest.mark.slow
def test_a_killed_worker_comes_back_and_finishes_the_job(installation: Installation) -> None:
    job = post(installation, "/api/jobs/generate", avatar="astronaut", text=TEXT).json()
    until = time.monotonic() + 60
    while requests.get(f"{installation.url}/api/jobs/{job['id']}", timeout=10).json()["stage"] != "render":
        assert time.monotonic() < until
        time.sleep(0.05)
    worker = json.loads((installation.home / "var" / "worker.json").read_text())
    os.kill(worker["pid"], signal.SIGKILL)
    ended = installation.wait(job, 120)
    assert ended["state"] == "succeeded", ended
    assert ended["attempt"] == 2


def test_two_at_once_wait_their_turn_and_share_nothing(installation: Installation) -> None:
    jobs: list[dict] = []

    def ask(word: str) -> None:
        jobs.append(post(installation, "/api/jobs/generate", avatar="astronaut", text=f"This is {word}.").json())

    threads = [threading.Thread(target=ask, args=(word,)) for word in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results = [installation.wait(job) for job in jobs]
    assert all(job["state"] == "succeeded" for job in results), results
    assert len({job["result"]["url"] for job in results}) == 2


def test_the_machine_is_described(installation: Installation) -> None:
    engines = requests.get(f"{installation.url}/api/engines", timeout=20).json()
    by_name = {engine["name"]: engine for engine in engines["engines"]}
    assert by_name["lite"]["installed"]
    fast, fine = by_name["lite"]["qualities"]
    assert (fast["name"], fast["seconds"]) == ("fast", 200)  # as the installation under test is told
    assert fine["name"] == "fine"
    assert fine["seconds"] > fine["gpu_seconds"] > fast["seconds"]
    assert by_name["GeneFace"]["qualities"] == []
    assert not by_name["GeneFace"]["installed"]
    assert any(need["remedy"] for need in by_name["GeneFace"]["needs"])
    health = requests.get(f"{installation.url}/health", timeout=20).json()
    assert health["worker"]["alive"]
    assert health["voice"]["ok"]
    spec = requests.get(f"{installation.url}/openapi/openapi.json", timeout=20).json()
    assert "/api/jobs/generate" in spec["paths"]
