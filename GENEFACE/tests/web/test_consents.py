"""Consents, the log and checking files over HTTP, against the running product; cloned voices obey them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.conftest import Installation
from tests.visage.labelled_files import copied
from tests.visage.speakers import flite
from tests.web.test_cloned_voices import lend, upload, wav
from visage.trust.sentences import SENTENCES


def browser(installation: Installation) -> requests.Session:
    """A browser of its own, with its cookie."""
    made = requests.Session()
    made.get(installation.url + "/", timeout=30)
    return made


def photo(shade: int = 90) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 64), (shade, 60, 60)).save(made, "PNG")
    return made.getvalue()


def sent(installation: Installation, who: requests.Session, data: bytes) -> str:
    return who.post(f"{installation.url}/api/uploads?kind=image&name=ada.png", data=data, timeout=60).json()["id"]


def wish(**more: object) -> dict[str, object]:
    return {"person": "Ada", "scope": "swap", "consent": True, "sentence": SENTENCES["swap"]["en"], **more}


def test_a_consent_is_recorded_proved_withdrawn_and_erased(installation: Installation) -> None:
    me, other, url = browser(installation), browser(installation), f"{installation.url}/api/consents"
    picture = sent(installation, me, photo())
    made = me.post(url, json=wish(photos=[picture], giver="Ada's agent", expires="2099-01-01T00:00:00Z"), timeout=30)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["state"], told["giver"], told["proof"], told["made"]) == ("valid", "Ada's agent", None, {"photo": 1})
    assert told["expires"] == "2099-01-01T00:00:00+00:00" and len(told["photos"][0]) == 64
    address = f"{url}/{told['id']}"
    assert me.post(f"{address}/proof", data=b"words", timeout=30).json()["code"] == "consent.proof_kind"
    assert other.post(f"{address}/proof", data=photo(), timeout=30).status_code == 404
    proof = me.post(f"{address}/proof", data=photo(200), timeout=30).json()["proof"]
    assert proof["kind"] == "image" and me.get(installation.url + proof["url"], timeout=30).content == photo(200)
    assert other.get(installation.url + proof["url"], timeout=30).status_code == 404
    assert told["id"] not in {one["id"] for one in other.get(url, timeout=30).json()["consents"]}
    assert other.delete(address, timeout=30).status_code == 404
    assert me.post(f"{address}/revoke", timeout=30).json()["state"] == "revoked"
    erased = me.delete(address, timeout=30).json()["erased"]
    assert {one["kind"] for one in erased} == {"photo", "proof"} and all(one["size"] > 50 for one in erased)
    assert me.get(address, timeout=30).json()["code"] == "consent.missing"
    assert me.get(f"{installation.url}/api/uploads/{picture}", timeout=30).status_code == 404
    events = [entry["event"] for entry in me.get(f"{installation.url}/api/audit", timeout=30).json()["entries"]]
    assert events == ["consent.given", "consent.proved", "consent.revoked", "consent.erased"]
    assert not other.get(f"{installation.url}/api/audit", timeout=30).json()["entries"]


@pytest.mark.parametrize(("more", "code"), [
    ({"sentence": "ok", "photos": None}, "consent.not_agreed"), ({"photos": []}, "consent.no_photo"),
    ({"expires": "2001-01-01T00:00:00Z", "photos": None}, "consent.past"), ({"expires": "soon"}, "request.field"),
    ({"uses": ["war"], "photos": None}, "consent.use"), ({"scope": "soul"}, "request.field")])
def test_bad_consents_are_refused(installation: Installation, more: dict, code: str) -> None:
    me = browser(installation)
    if "photos" in more and more["photos"] is None:
        more = {**more, "photos": [sent(installation, me, photo())]}
    answer = me.post(f"{installation.url}/api/consents", json=wish(**more), timeout=30)
    assert answer.status_code == 422 and answer.json()["code"] == code, answer.text
    assert not me.get(f"{installation.url}/api/consents", timeout=30).json()["consents"]


def test_a_withdrawn_voice_falls_silent_and_erasing_takes_its_clips(installation: Installation) -> None:
    voice = lend(installation, wav(flite("slt")), name="Lena").json()
    consent = voice["consent"]["id"]
    address = f"{installation.url}/api/consents/{consent}"
    assert requests.get(address, timeout=30).json()["made"] == {"voice": 1}
    body = {"avatar": "astronaut", "text": "Good morning.", "voice": voice["id"]}
    job = installation.wait(requests.post(f"{installation.url}/api/jobs/generate", json=body, timeout=30).json())
    assert job["state"] == "succeeded", job
    assert requests.get(address, timeout=30).json()["made"] == {"output": 1, "voice": 1}
    requests.post(f"{address}/revoke", timeout=30)
    for path, sent_ in (("/api/jobs/generate", body), ("/api/voices/preview", {"text": "Hi", "voice": voice["id"]})):
        refused = requests.post(installation.url + path, json=sent_, timeout=60)
        assert refused.status_code == 403 and refused.json()["code"] == "consent.revoked"
    spoken = requests.post(f"{installation.voice_url}/tts", json={"text": "Hi", "voice": voice["id"]}, timeout=60)
    assert spoken.status_code == 403 and spoken.json()["code"] == "consent.revoked"
    erased = requests.delete(address, timeout=30).json()["erased"]
    assert sorted(one["kind"] for one in erased) == ["output", "voice"]
    assert requests.get(installation.url + job["result"]["url"], timeout=30).status_code == 404
    clips = requests.get(f"{installation.url}/api/clips", timeout=30).json()["clips"]
    assert job["result"]["clip"] not in {clip["id"] for clip in clips}
    assert not (installation.home / "var" / "voices" / voice["key"]).exists()


def test_a_voice_under_a_consent_recorded_before(installation: Installation) -> None:
    sound, url = wav(flite("rms")), f"{installation.url}/api/consents"
    kept = requests.post(url, json=wish(scope="voice", sentence=SENTENCES["voice"]["zh"], person="Rob",
                                        recording=upload(installation, sound)), timeout=30).json()
    wrong = lend(installation, wav(0.9 * flite("slt")), sentence="", consent=False, consent_id=kept["id"])
    assert wrong.status_code == 403 and wrong.json()["code"] == "consent.other_recording"
    voice = lend(installation, sound, sentence="", consent=False, consent_id=kept["id"], name="Rob")
    assert voice.status_code == 201, voice.text
    assert voice.json()["consent"]["id"] == kept["id"] and voice.json()["consent"]["valid"]
    address = f"{installation.url}/api/voices/cloned/{voice.json()['key']}"
    assert requests.delete(address, timeout=30).status_code == 204
    assert requests.get(f"{url}/{kept['id']}", timeout=30).json()["state"] == "revoked"
    none = lend(installation, sound, sentence="", consent=False, consent_id="0" * 32)
    assert none.status_code == 403 and none.json()["code"] == "consent.missing"


def test_a_file_is_checked_and_not_kept(installation: Installation, tmp_path: Path) -> None:
    answer = requests.post(f"{installation.voice_url}/v1/audio/speech",
                           json={"input": "Good morning.", "response_format": "mp3"}, timeout=60)
    before = list((installation.home / "var").iterdir())
    address = f"{installation.url}/api/verify?name=speech.mp3"
    told = requests.post(address, data=answer.content, timeout=30).json()
    assert (told["state"], told["ours"], told["name"], told["kind"]) == ("intact", True, "speech.mp3", "mp3")
    assert told["label"]["producer"] == "Visage" and told["label"]["made_as"] in answer.headers["X-AIGC"]
    (tmp_path / "speech.mp3").write_bytes(answer.content)
    bare = copied(tmp_path / "speech.mp3", tmp_path / "bare.mp3", "-map_metadata", "-1").read_bytes()
    assert requests.post(address, data=bare, timeout=30).json()["state"] == "missing"
    assert requests.post(address, data=b"words", timeout=30).json() | {"digest": ""} == {
        "name": "speech.mp3", "kind": "", "state": "missing", "labelled": False, "ours": False, "digest": "",
        "label": None, "credential": None}
    assert requests.post(address, data=b"", timeout=30).json()["code"] == "upload.empty"
    assert list((installation.home / "var").iterdir()) == before
