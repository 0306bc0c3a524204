"""Another face on the running product: photos, consent, jobs, results, POST /swap, clips with another face."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from tests.backend.test_face_swapper import picture
from tests.conftest import Installation
from tests.web.test_api import post, upload
from tests.web.test_bad_input import ZH, in_chinese
from visage.media.labels import read_label

PROOF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A photo, and another picture of a face, as PNG."""
    folder = tmp_path_factory.mktemp("faces")
    return picture(folder, "photo.png").read_bytes(), picture(folder, "target.png", mirrored=True).read_bytes()


@pytest.fixture(scope="module")
def agreed(installation: Installation, files: tuple[bytes, bytes]) -> tuple[str, str]:
    """Ids of the uploaded photo and of the proved consent to use it."""
    photo = upload(installation, "image", "photo.png", files[0]).json()["id"]
    told = requests.get(f"{installation.url}/api/consents", timeout=30).json()
    made = post(installation, "/api/consents", person="Eileen", scope="swap", photos=[photo], consent=True,
                sentence=told["sentences"]["swap"]["en"])
    assert made.status_code == 201, made.text
    proved = requests.post(f"{installation.url}/api/consents/{made.json()['id']}/proof", data=PROOF, timeout=30)
    assert proved.status_code == 200, proved.text
    return photo, made.json()["id"]


def fetched(installation: Installation, url: str) -> bytes:
    answer = requests.get(installation.url + url, timeout=30)
    assert answer.status_code == 200, url
    return answer.content


def test_what_there_is(installation: Installation) -> None:
    told = requests.get(f"{installation.url}/api/faceswap", timeout=60).json()
    engines = {one["name"]: one for one in told["engines"]}
    assert engines["embedded"]["ready"] and engines["embedded"]["title"] == "basic"
    rows = {fault["number"]: fault for fault in told["faults"]}
    assert "swap.no_face" in rows["E05"]["codes"] and "BadMedia" in rows["E01"]["kinds"]
    assert "BadImage" in rows["E01"]["kinds"], "kinds of the kind are named as well"
    assert not engines["onnx"]["ready"] and "face_models" in engines["onnx"]["lacks"]["message"]
    assert [fault["number"] for fault in told["faults"]] == [f"E{number:02}" for number in range(1, 15)]


def test_a_picture_gets_the_face_and_says_so(installation: Installation, files: tuple[bytes, bytes],
                                             agreed: tuple[str, str], tmp_path: Path) -> None:
    target = upload(installation, "image", "target.png", files[1]).json()["id"]
    found = post(installation, "/api/faceswap/detect", target={"upload": target}, restorer="embedded").json()
    assert len(found["faces"]) == 1 and 0 < found["faces"][0]["box"][0] < found["faces"][0]["box"][2] < 1
    job = installation.wait(post(installation, "/api/jobs/swap", target={"upload": target}, photos=[agreed[0]],
                                 consent=agreed[1], restorer="embedded").json())
    assert job["state"] == "succeeded", job["error"]
    result = job["result"]
    assert (result["kind"], result["swapped"], result["consent"]) == ("image", 1, agreed[1]) and result["notes"]
    made = tmp_path / "made.png"
    made.write_bytes(fetched(installation, result["url"]))
    assert read_label(made).producer == "Visage"
    before = np.asarray(Image.open(io.BytesIO(fetched(installation, result["before"]))).convert("RGB"))
    assert (np.abs(before.astype(int) - np.asarray(Image.open(made).convert("RGB"))) > 8).any(2).mean() > 0.02


def test_the_consent_of_a_photo_is_found_by_its_content(installation: Installation, files: tuple[bytes, bytes],
                                                        agreed: tuple[str, str]) -> None:
    browser = requests.Session()
    browser.get(f"{installation.url}/", timeout=30)
    sentence = browser.get(f"{installation.url}/api/consents", timeout=30).json()["sentences"]["swap"]["zh"]

    def sent(content: bytes) -> str:
        answer = browser.post(f"{installation.url}/api/uploads", params={"kind": "image", "name": "p.png"}, timeout=30,
                              data=content)
        return answer.json()["id"]

    photo, again, other = sent(files[0]), sent(files[0]), sent(files[1])
    made = browser.post(f"{installation.url}/api/consents", timeout=30, json={
        "person": "Eileen", "scope": "swap", "photos": [photo], "consent": True, "sentence": sentence}).json()
    assert made["uploads"] == [photo] and made["proof"] is None

    def covers(*photos: str) -> bool:
        told = browser.get(f"{installation.url}/api/consents", params={"photos": ",".join(photos)}, timeout=30).json()
        return next(one["covers"] for one in told["consents"] if one["id"] == made["id"])

    assert covers(again) and covers(photo, again)
    assert not covers() and not covers(other) and not covers(photo, other)
    missing = browser.get(f"{installation.url}/api/consents", params={"photos": "nothing"}, timeout=30)
    assert missing.status_code == 404 and missing.json()["code"]


def test_a_talking_clip_gets_another_face_at_once(installation: Installation, agreed: tuple[str, str],
                                                  tmp_path: Path) -> None:
    face = {"photos": [agreed[0]], "consent": agreed[1], "restorer": "embedded"}
    job = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="Hello.",
                                 appearance=face).json())
    assert job["state"] == "succeeded", job["error"]
    assert any("basic" in note for note in job["result"]["notes"])
    made = tmp_path / "clip.mp4"
    made.write_bytes(fetched(installation, job["result"]["url"]))
    assert read_label(made)
    again = installation.wait(post(installation, "/api/jobs/swap", target={"clip": job["result"]["clip"]},
                                   restorer="embedded").json())
    assert again["state"] == "succeeded", again["error"]
    assert again["result"]["kind"] == "video" and again["result"]["sound"] == "copied"


def test_one_request_one_picture(installation: Installation, files: tuple[bytes, bytes],
                                 agreed: tuple[str, str]) -> None:
    sent = {"source": ("a.png", files[0]), "target": ("b.png", files[1])}
    form = requests.post(f"{installation.url}/swap", files=sent, data={"consent": agreed[1]}, timeout=120)
    assert form.status_code == 200, form.text
    assert Image.open(io.BytesIO(base64.b64decode(form.json()["image"]))).size == (300, 320)
    body = {"source": base64.b64encode(files[0]).decode(), "consent": agreed[1],
            "target": "data:image/png;base64," + base64.b64encode(files[1]).decode()}
    told = requests.post(f"{installation.url}/swap", json=body, timeout=120)
    assert told.status_code == 200 and told.json()["provider"] == "CPU", told.text


@pytest.mark.parametrize(("body", "status", "code"), [
    ({"photos": [], "restorer": ""}, 422, "swap.nothing_to_do"), ({"consent": ""}, 403, "consent.none"),
    ({"consent": "0" * 32}, 403, "consent.missing"), ({"target": {}}, 422, "swap.one_target"),
    ({"target": {"path": "/etc/passwd"}}, 422, None), ({"engine": "magic"}, 422, "request.unknown_driver"),
    ({"engine": "onnx"}, 424, "swap.model_absent"), ({"photos": ["nothing"]}, 404, None),
    ({"order": "random"}, 422, "swap.option"), ({"strength": 2}, 422, None), ({"who": "nobody"}, 422, None)])
def test_what_cannot_be_asked(installation: Installation, files: tuple[bytes, bytes], agreed: tuple[str, str],
                              body: dict, status: int, code: str | None) -> None:
    target = upload(installation, "image", "target.png", files[1]).json()["id"]
    asked = {"target": {"upload": target}, "photos": [agreed[0]], "consent": agreed[1], **body}
    answer = requests.post(f"{installation.url}/api/jobs/swap", json=asked, headers=ZH, timeout=60)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code, answer.text
    in_chinese(answer.json())


@pytest.mark.parametrize(("source", "target"), [("?", "?"), ("", ""), ("AAAA", "AAAA")])
def test_pictures_that_are_none(installation: Installation, source: str, target: str) -> None:
    answer = requests.post(f"{installation.url}/swap", json={"source": source, "target": target}, timeout=60)
    assert answer.status_code == 422 and answer.json()["hint"], answer.text
