"""What an unlucky person sends: what can work works, what cannot is refused in plain words, and nothing is lost."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path

import pytest
import requests

from tests.conftest import Installation
from tests.media_on_hand import Clips, wav
from tests.web.test_api import post, upload

ZH = {"Accept-Language": "zh-CN,zh;q=0.9"}
NAMES = {"MP4", "MOV", "WebM", "MKV", "WAV", "MP3", "M4A", "JPEG", "PNG", "WebP", "H", "JSON", "MB", "GB", "CPU",
         "GPU0", "GPU1", "HTTP", "Content", "Type", "chat", "completions", "zip", "auto", "Lite", "static", "var",
         "upload", "clip", "path"}
"""Words that are the same in every language."""


def in_chinese(told: dict) -> None:
    """Message and hint of a failure are Chinese; all else in them are names, commands and what the person sent."""
    assert told["message"] and told["hint"], told
    for part in (told["message"], told["hint"]):
        text = part
        for value in sorted(map(str, told["params"].values()), key=len, reverse=True):
            text = text.replace(value, "")
        text = re.sub(r"-v \$\(pwd\)\S*|export [A-Z_]*=\S*|[A-Z_]*_[A-Z_]*|[A-Za-z.-]*/[A-Za-z./-]*|python \S+", "",
                      text)
        foreign = [word for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", text) if word not in NAMES]
        assert not foreign, (foreign, text)
    assert re.search(r"[\u4e00-\u9fff]", told["message"]), told["message"]


def plain(told: dict) -> None:
    """A failure names what happened and what to do, without markup or Python's innards."""
    text = told["message"] + told["hint"]
    assert told["code"] != "internal" and told["message"] and told["hint"], told
    assert not re.search(r"<\w+|Traceback|[{}]|Error\b|Exception", text), text


def refused(answer: requests.Response, code: str) -> dict:
    """The failure of an answer, in one language after the other the same."""
    assert 400 <= answer.status_code < 600, answer.text
    told = answer.json()
    assert told["code"] == code, told
    plain(told)
    return told


def both(ask: object, code: str) -> None:
    """``ask(headers)`` is refused with that code in English and in Chinese."""
    refused(ask({"Accept-Language": "en"}), code)
    in_chinese(refused(ask(ZH), code))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


def checked(product: Installation, upload_id: str, headers: dict) -> dict:
    """The report of the check of an upload."""
    answer = requests.get(f"{product.url}/api/uploads/{upload_id}/check", headers=headers, timeout=120)
    answer.encoding = "utf-8"
    event, _, rest = answer.text.rpartition("event: ")[2].partition("\n")
    assert event in ("done", "error"), answer.text
    return json.loads(rest.removeprefix("data: "))


@pytest.mark.parametrize(("name", "fact"), [
    ("variable_rate", {"variable_rate": True}), ("rotated", {"rotation": 90, "width": 256}),
    ("odd_size", {"width": 253, "height": 251}), ("hevc", {"codec": "hevc"}),
    pytest.param("four_k", {"width": 3840, "height": 2160}, marks=pytest.mark.slow),
])
def test_strange_videos_with_a_face_are_understood(installation: Installation, clips: Clips, name: str,
                                                   fact: dict) -> None:
    """The picture in them does not move its lips to the sound: that alone is found wrong with it."""
    sent = upload(installation, "video", f"{name}.mp4", clips(name))
    assert sent.status_code == 201, sent.text
    assert sent.json()["probe"] | fact == sent.json()["probe"]
    report = checked(installation, sent.json()["id"], ZH)
    assert [one["code"] for one in report["problems"] if one["fatal"]] == ["video.sound_elsewhere"], report["problems"]
    assert report["facts"]["face_px"] >= 96
    picture = requests.get(installation.url + report["picture"], timeout=20)
    assert picture.content[:2] == b"\xff\xd8"


@pytest.mark.parametrize(("name", "code"), [
    ("no_face", "video.no_face_at_all"), ("two_faces", "video.several_faces"), ("no_sound", "video.no_sound"),
    ("one_second", "video.too_short")])
def test_videos_that_cannot_be_learned_say_why(installation: Installation, clips: Clips, name: str, code: str) -> None:
    sent = upload(installation, "video", f"{name}.mp4", clips(name)).json()
    for headers in ({"Accept-Language": "en"}, ZH):
        report = checked(installation, sent["id"], headers)
        assert not report["ok"]
        found = next(problem for problem in report["problems"] if problem["code"] == code)
        assert found["fatal"]
        plain(found)
        if headers is ZH:
            in_chinese(found)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("no_face", "video.no_face_at_all"), ("no_sound", "video.no_sound")])
def test_training_on_them_all_the_same_fails_with_the_reason(installation: Installation, clips: Clips, name: str,
                                                             code: str) -> None:
    sent = upload(installation, "video", f"{name}.mp4", clips(name)).json()
    job = installation.wait(post(installation, "/api/jobs/train", upload=sent["id"], name=name, epochs=1).json())
    assert job["state"] == "failed"
    assert job["error"]["code"] == code, job["error"]
    in_chinese(requests.get(f"{installation.url}/api/jobs/{job['id']}", headers=ZH, timeout=20).json()["error"])


@pytest.mark.parametrize(("data", "code"), [
    ("truncated", "media.broken_off"), ("index_lost", "media.truncated"), (b"", "upload.empty"),
    (b"This is a text about faces.\n" * 40, "media.unknown"), (wav(1.0), "video.other_kind")])
def test_broken_videos_are_refused_and_forgotten(installation: Installation, clips: Clips, data: str | bytes,
                                                 code: str) -> None:
    body = clips(data) if isinstance(data, str) else data
    before = set((installation.home / "var" / "uploads").iterdir())
    both(lambda headers: requests.post(f"{installation.url}/api/uploads", data=body, headers=headers, timeout=60,
                                       params={"kind": "video", "name": "me.mp4"}), code)
    assert set((installation.home / "var" / "uploads").iterdir()) == before


def test_no_sound_at_all_is_refused(installation: Installation) -> None:
    both(lambda headers: requests.post(f"{installation.url}/api/recordings", data=wav(0.0), headers=headers,
                                       timeout=60), "audio.none")
    both(lambda headers: requests.post(f"{installation.url}/api/recordings", data=b"", headers=headers, timeout=60),
         "upload.empty")
    silent = upload(installation, "audio", "nothing.wav", wav(0.0))
    plain(silent.json())
    assert silent.status_code == 422


def test_half_an_hour_of_sound_is_taken_and_its_clip_can_be_cancelled(installation: Installation) -> None:
    sent = upload(installation, "audio", "lecture.wav", wav(30 * 60))
    assert sent.status_code == 201, sent.text
    assert sent.json()["probe"]["seconds"] == pytest.approx(1800, abs=0.1)
    job = post(installation, "/api/jobs/generate", avatar="astronaut", upload=sent.json()["id"])
    assert job.status_code == 202, job.text
    began = time.monotonic()
    post(installation, f"/api/jobs/{job.json()['id']}/cancel")
    assert installation.wait(job.json(), 10)["state"] == "cancelled"
    assert time.monotonic() - began < 3.0


def test_more_sound_than_allowed_is_refused(installation: Installation) -> None:
    both(lambda headers: requests.post(f"{installation.url}/api/uploads", data=wav(61 * 60), headers=headers,
                                       params={"kind": "audio", "name": "day.wav"}, timeout=60), "audio.too_long")


@pytest.mark.parametrize(("text", "code"), [
    ("", "text.nothing_to_say"), ("  \n ", "text.nothing_to_say"), ("?!…——，。", "text.nothing_to_say"),
    ("👩‍🚀🎉", "text.nothing_to_say"), ("字" * 20_001, "text.too_long")])
def test_texts_that_nobody_can_say_are_refused(installation: Installation, text: str, code: str) -> None:
    both(lambda headers: requests.post(f"{installation.url}/api/jobs/generate", headers=headers, timeout=20,
                                       json={"avatar": "astronaut", "text": text}), code)


def test_twenty_thousand_characters_are_taken(installation: Installation) -> None:
    job = post(installation, "/api/jobs/generate", avatar="astronaut", text="word " * 3999 + "word.")
    assert job.status_code == 202, job.text
    assert post(installation, f"/api/jobs/{job.json()['id']}/cancel").status_code == 200
    assert installation.wait(job.json(), 10)["state"] == "cancelled"


def test_emoji_beside_words_are_no_obstacle(installation: Installation) -> None:
    job = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="Hi 😀!").json())
    assert job["state"] == "succeeded", job["error"]


@pytest.mark.parametrize("name", ["../x", "..", "a b", "某人", "a/b", "x" * 65, "a\u0000b"])
def test_ids_are_plain_or_refused(installation: Installation, name: str) -> None:
    both(lambda headers: requests.post(f"{installation.url}/api/jobs/generate", headers=headers, timeout=20,
                                       json={"avatar": name, "text": "hi"}), "path.identifier")
    assert requests.get(f"{installation.url}/api/avatars/{requests.utils.quote(name, safe='')}",
                        timeout=20).status_code in (404, 422)
    assert not list(installation.home.parent.glob("x*"))


def test_a_name_in_chinese_gets_an_id_of_its_own(installation: Installation, clips: Clips) -> None:
    jobs = []
    for _ in range(2):
        sent = upload(installation, "video", "某人 说话.mp4", clips("no_sound")).json()
        assert sent["name"] == "某人_说话.mp4"
        jobs.append(post(installation, "/api/jobs/train", upload=sent["id"], name="某人", epochs=1).json())
    for job in jobs:
        assert job["title"] == "某人"
        post(installation, f"/api/jobs/{job['id']}/cancel")
    assert all(installation.wait(job, 20)["state"] in ("cancelled", "failed") for job in jobs)


def test_wrong_fields_are_named_in_the_language_of_the_page(installation: Installation) -> None:
    for body, code in (({"speed": "fast"}, "request.not_a_number"), ({"speed": 7}, "request.too_high"),
                       ({"nonsense": 1}, "request.unknown_field"), ({"device": "toaster"}, "request.device"),
                       ({"title": "x" * 200}, "request.too_long"), ({"sound": "/etc/passwd"}, "path.outside")):
        both(lambda headers, body=body: requests.post(
            f"{installation.url}/api/jobs/generate", headers=headers, timeout=20,
            json={"avatar": "astronaut", "text": "" if "sound" in body else "hi", **body}), code)
    for data in (b"", b"{", b"[1]", b"null"):
        both(lambda headers, data=data: requests.post(
            f"{installation.url}/api/jobs/generate", data=data, timeout=20,
            headers={**headers, "Content-Type": "application/json"}), "request.no_object")
    both(lambda headers: requests.post(f"{installation.url}/api/jobs/generate", data=b"[" * 100_000, timeout=20,
                                       headers={**headers, "Content-Type": "application/json"}), "http.bad_request")
    both(lambda headers: requests.post(f"{installation.url}/api/jobs/generate", data=b'{"text":"' + b"a" * 6_000_000,
                                       headers={**headers, "Content-Type": "application/json"}, timeout=20),
         "http.too_large")


def test_a_browser_that_goes_away_in_mid_upload_leaves_nothing(installation: Installation) -> None:
    folder, host = installation.home / "var" / "uploads", installation.url.removeprefix("http://")
    before = set(folder.iterdir())
    with socket.create_connection(tuple(host.split(":")), timeout=10) as line:
        line.sendall(f"POST /api/uploads?kind=video&name=a.mp4 HTTP/1.1\r\nHost: {host}\r\n"
                     f"Content-Length: 900000\r\n\r\n".encode() + b"x" * 300_000)
        _until(lambda: set(folder.iterdir()) != before)
    _until(lambda: set(folder.iterdir()) == before)


def test_jobs_take_being_stopped_and_repeated_twice(installation: Installation) -> None:
    job = post(installation, "/api/jobs/generate", avatar="astronaut", text="word " * 400).json()
    both(lambda headers: requests.post(f"{installation.url}/api/jobs/{job['id']}/retry", headers=headers, timeout=20),
         "job.not_ended")
    both(lambda headers: requests.delete(f"{installation.url}/api/jobs/{job['id']}", headers=headers, timeout=20),
         "job.not_ended")
    assert post(installation, f"/api/jobs/{job['id']}/cancel").status_code == 200
    assert post(installation, f"/api/jobs/{job['id']}/cancel").status_code == 200
    assert installation.wait(job, 20)["state"] == "cancelled"
    assert post(installation, f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    again = post(installation, f"/api/jobs/{job['id']}/retry")
    assert again.status_code == 202 and again.json()["id"] != job["id"]
    post(installation, f"/api/jobs/{again.json()['id']}/cancel")
    assert installation.wait(again.json(), 20)["state"] == "cancelled"
    for gone in (job, again.json()):
        assert requests.delete(f"{installation.url}/api/jobs/{gone['id']}", timeout=20).status_code == 204


def _until(holds: object, seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_where_the_microphone_is_refused_the_page_has_words_for_it(installation: Installation) -> None:
    for lang in ("zh", "en"):
        words = requests.get(f"{installation.url}/static/i18n/{lang}.json", timeout=20).json()["errors"]
        told = words["page.microphone_refused"]
        assert told["message"] and told["hint"]


def test_parts_of_a_video_can_be_asked_for(installation: Installation) -> None:
    job = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="Yes.").json())
    address = installation.url + job["result"]["url"]
    part = requests.get(address, headers={"Range": "bytes=10-19"}, timeout=20)
    assert (part.status_code, len(part.content)) == (206, 10)
    assert requests.get(address, headers={"Range": "bytes=999999999-"}, timeout=20).status_code == 416
    head = requests.head(address, timeout=20)
    assert head.status_code == 200 and int(head.headers["Content-Length"]) > 10_000
    Path(installation.home / "static" / "videos" / address.rpartition("/")[2]).stat()
