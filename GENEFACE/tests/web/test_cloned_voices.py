"""Lending a voice over HTTP, against the running product: consent, making, speaking, deleting, bad recordings."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import requests
import soundfile

from backend.voice_cloner import HttpTTSCloner
from tests.conftest import Installation
from tests.visage.speakers import flite, melody
from visage.tts import SpeechRequest, VoiceServer
from visage.tts.cloning.consent import SENTENCES
from visage.tts.cloning.world import RATE, pitch_of
from visage.tts.loudness import speech_loudness


def wav(samples: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def upload(installation: Installation, sound: bytes) -> str:
    answer = requests.post(f"{installation.url}/api/uploads?kind=audio&name=me.wav", data=sound, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def lend(installation: Installation, sound: bytes, **more: object) -> requests.Response:
    body = {"upload": upload(installation, sound), "name": "Rita", "consent": True, "sentence": SENTENCES["en"], **more}
    return requests.post(f"{installation.url}/api/voices/cloned", json=body, timeout=280)


def test_a_lent_voice_speaks_is_listed_and_is_deleted(installation: Installation) -> None:
    sound = wav(flite("slt"))
    answer = lend(installation, sound)
    assert answer.status_code == 201, answer.text
    voice = answer.json()
    folder = installation.home / "var" / "voices" / voice["key"]
    consent = json.loads((folder / "consent.json").read_text())
    assert consent["text"] == SENTENCES["en"] and consent["language"] == "en" and consent["given_at"].endswith("+00:00")
    assert consent["recording_sha256"] == hashlib.sha256(sound).hexdigest() == voice["consent"]["sha256"]
    assert len(consent["given_by"]) == 32 and "given_by" not in voice["consent"]
    assert {file.name for file in folder.iterdir()} == {"print.json", "consent.json", "voice.json"}
    assert not [file for file in (installation.home / "var/uploads").rglob("me.wav") if file.read_bytes() == sound]

    listed = {one["id"]: one for one in requests.get(f"{installation.url}/api/voices", timeout=30).json()["voices"]}
    assert listed[voice["id"]]["driver"] == "clone" and listed[voice["id"]]["name"] == "Rita (basic)"
    spoken = VoiceServer(installation.voice_url).speak(
        SpeechRequest("The boat leaves at noon. Please be there in time.", voice["id"]))
    assert spoken.voice == voice["id"] and not spoken.notes
    assert spoken.phones[-1].end == pytest.approx(len(spoken.samples) / spoken.rate, abs=0.002)
    assert speech_loudness(spoken.samples, spoken.rate) == pytest.approx(-20, abs=0.5) \
        or np.abs(spoken.samples).max() > 0.88
    pitch, _ = pitch_of(spoken.samples)
    assert abs(12 * np.log2(np.median(pitch[pitch > 0]) / voice["pitch"])) < 1
    chinese = VoiceServer(installation.voice_url).speak(SpeechRequest("你好，今天天气很好。", voice["id"]))
    assert chinese.voice == voice["id"] and len(chinese.samples) > chinese.rate

    preview = requests.post(f"{installation.url}/api/voices/preview", json={"text": "Hi", "voice": voice["id"]},
                            timeout=60).json()
    assert preview["voice"] == voice["id"]
    address = f"{installation.url}/api/voices/cloned/{voice['key']}"
    assert requests.delete(address, timeout=30).status_code == 204 and not folder.exists()
    assert requests.delete(address, timeout=30).json()["code"] == "voice.missing"
    gone = requests.post(f"{installation.url}/api/voices/preview", json={"text": "Hi", "voice": voice["id"]},
                         timeout=60)
    assert gone.status_code == 422 and gone.json()["code"] == "tts.unknown_voice"


@pytest.mark.parametrize("more", [{"consent": False}, {"sentence": "yes"}, {"sentence": ""}])
def test_without_consent_nothing_is_opened(installation: Installation, more: dict) -> None:
    before = list((installation.home / "var/voices").glob("*"))
    answer = lend(installation, wav(flite("rms")), **more)
    assert answer.status_code == 422 and answer.json()["code"] == "voice.no_consent" and answer.json()["hint"]
    assert list((installation.home / "var/voices").glob("*")) == before


@pytest.mark.parametrize(("sound", "code"), [
    (melody, "voice.music"), (lambda: flite("rms")[:2 * RATE], "voice.too_short")])
def test_a_bad_recording_is_told_and_deleted(installation: Installation, sound, code: str) -> None:
    made = wav(sound())
    answer = lend(installation, made, name="Bad")
    assert answer.status_code == 422 and answer.json()["code"] == code
    assert not [file for file in (installation.home / "var/uploads").rglob("me.wav") if file.read_bytes() == made]


def test_what_is_asked_wrongly_is_refused(installation: Installation) -> None:
    address = f"{installation.url}/api/voices/cloned"
    body = {"name": "A", "consent": True, "sentence": SENTENCES["zh"]}
    assert requests.post(address, json=body, timeout=30).json()["code"] == "voice.which_recording"
    assert requests.post(address, json={**body, "upload": "0" * 32}, timeout=30).status_code == 404
    assert requests.post(address, json={**body, "name": " ", "upload": "x"}, timeout=30).status_code == 422
    for odd in ("..%2f..%2fx", "a" * 12, "..."):
        assert requests.delete(f"{address}/{odd}", timeout=30).status_code == 404


def test_a_kept_recording_stays_until_the_voice_goes(installation: Installation) -> None:
    voice = lend(installation, wav(flite("awb")), keep_recording=True, sentence=SENTENCES["zh"], language="en").json()
    folder = installation.home / "var/voices" / voice["key"]
    assert voice["recording_kept"] and (folder / "recording.wav").stat().st_size > 100_000
    assert voice["consent"]["language"] == "zh"
    requests.delete(f"{installation.url}/api/voices/cloned/{voice['key']}", timeout=30)
    assert not folder.exists()


def test_the_cloner_of_older_clients_makes_a_basic_clone(
        installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAGE_HOME", str(installation.home))
    reference = tmp_path / "me.wav"
    reference.write_bytes(wav(flite("kal16")))
    cloner = HttpTTSCloner(installation.voice_url, consent=SENTENCES["en"])
    before = set((installation.home / "var/voices").glob("*"))
    out = cloner.clone_voice("The boat leaves at noon.", str(reference), str(tmp_path / "out.wav"), language="en")
    samples, rate = soundfile.read(out)
    pitch, _ = pitch_of(samples)
    assert rate == RATE and 75 < np.median(pitch[pitch > 0]) < 95
    assert cloner.notes == ("Spoken by a basic clone of the recording.",)
    assert set((installation.home / "var/voices").glob("*")) == before
