"""The picture service: each step told with its time; words, another face, a clearer one, label, store; over HTTP."""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from werkzeug.serving import make_server

from backend.face_swapper import BASIC
from backend.picture_service import PictureService, handler_of, service_of
from backend.services import Services, open_services
from tests.backend.test_face_swapper import agreed, picture, uploaded
from visage.config import read_settings
from visage.errors import NotInstalled
from visage.media.labels import read_label
from visage.swap.faults import fault_of
from web.picture_service import create_picture_app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return open_services(read_settings(home=tmp_path, consent_proof=False))


def b64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def order(services: Services, folder: Path, **more: Any) -> dict[str, Any]:
    photo = picture(folder, "photo.png")
    consent = agreed(services, uploaded(services, photo))
    target = picture(folder, "target.png", mirrored=True)
    return {"image": b64(target), "source": b64(photo), "consent": consent, **more}


def names(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["name"], step["status"]) for step in told["steps"]]


def pixels(told: dict[str, Any]) -> bytes:
    with Image.open(io.BytesIO(base64.b64decode(told["image"]))) as opened:
        return opened.tobytes()


def test_every_step_is_told_and_the_result_is_labelled_and_stored(services: Services, tmp_path: Path) -> None:
    told = handler_of(services)({"id": "7", "input": order(services, tmp_path, engine="embedded")})
    assert "error" not in told, told
    assert names(told) == [("generate", "ok"), ("swap", "ok"), ("enhance", "ok"), ("label", "ok"), ("upload", "ok")]
    assert told["enhanced"] is True and all(step["ms"] >= 0 for step in told["steps"])
    stored = tmp_path / "var" / "objects" / "7.png"
    assert told["url"] == stored.as_uri() and base64.b64decode(told["image"]) == stored.read_bytes()
    assert read_label(stored).producer == "Visage"


def test_the_label_of_what_was_given_lives_on(services: Services, tmp_path: Path) -> None:
    given = picture(tmp_path, "labelled.png")
    before = services.labeller.finish(given, "test")
    told = handler_of(services)({"id": "8", "input": {"image": b64(given), "engine": "embedded"}})
    made = tmp_path / "made.png"
    made.write_bytes(base64.b64decode(told["image"]))
    after = read_label(made)
    assert after.made_as != before.made_as and before.made_as in repr(after)


def test_without_a_restorer_the_swapped_picture_is_kept_and_that_is_said(services: Services, tmp_path: Path) -> None:
    told = handler_of(services)({"input": order(services, tmp_path)})
    assert told["enhanced"] is False and "face_models" in told["reason"]
    assert ("swap", "ok") in names(told) and ("enhance", "skipped") in names(told) and told["image"]


def test_words_begin_with_a_picture_of_the_library(services: Services, tmp_path: Path) -> None:
    library = tmp_path / "model_cache" / "pictures"
    library.mkdir(parents=True, exist_ok=True)
    picture(library, "woman in an office.png")
    told = handler_of(services)({"input": {"prompt": "a woman in an office", "enhance": False}})
    assert told["steps"][0]["maker"] == "library:woman in an office.png" and told["steps"][0]["notes"]


@pytest.mark.parametrize(("asked", "code"), [
    ({"prompt": "anybody"}, "pictures.library_empty"), ({}, "pictures.nothing_to_do"), ({"image": "?"}, "swap.base64"),
    ({"image": base64.b64encode(b"no picture").decode()}, "image.unknown"), (None, "pictures.no_input"),
    ({"image": "", "nonsense": 1}, "request.unknown_field"), ({"image": 5}, None)])
def test_what_cannot_be_done_is_told(services: Services, asked: Any, code: str | None) -> None:
    told = handler_of(services)({"input": asked})
    assert told["error"] and "steps" in told and (code is None or told["code"] == code), told


def test_no_consent_no_face(services: Services, tmp_path: Path) -> None:
    told = handler_of(services)({"input": {**order(services, tmp_path), "consent": ""}})
    assert (told["fault"], told["stage"], told["code"]) == ("E09", "trust", "consent.none")
    assert names(told) == [("generate", "ok"), ("swap", "failed")]


def test_a_store_that_fails_leaves_the_file_here(tmp_path: Path) -> None:
    services = open_services(read_settings(
        home=tmp_path, consent_proof=False, objects="s3", s3_endpoint="http://127.0.0.1:9", s3_bucket="b",
        s3_access_key="k", s3_secret_key="s"))
    pytest.importorskip("boto3", reason="boto3 is not installed: pip install -e .[objects]")
    told = handler_of(services)({"id": "../../x", "input": {"image": b64(picture(tmp_path, "t.png")),
                                                            "enhance": False, "name": "x"}})
    assert told["upload_error"] and ("upload", "failed") in names(told)
    kept = Path(told["kept"])
    assert kept.parent == tmp_path / "static" / "pictures" and kept.read_bytes() == base64.b64decode(told["image"])


def test_the_log_names_models_as_they_are(services: Services, tmp_path: Path,
                                          caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        config = PictureService(services).models_config()
    assert config.keys() == {"face_swap", "face_enhance", "face_analysis"}
    assert sum("模型不存在" in line for line in caplog.messages) == 3


@pytest.fixture
def service(services: Services) -> Iterator[PictureService]:
    made = service_of(services)
    yield made
    made.engines.close()


@pytest.fixture
def served(service: PictureService) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_picture_app(service), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_over_http_at_once_and_later(served: str, services: Services, tmp_path: Path) -> None:
    asked = {"input": order(services, tmp_path, engine="embedded", enhance=False)}
    at_once = requests.post(f"{served}/runsync", json=asked, timeout=120).json()
    assert at_once["status"] == "COMPLETED" and at_once["output"]["image"] and at_once["executionTime"] > 0
    later = requests.post(f"{served}/run", json=asked, timeout=10).json()
    assert later["status"] in ("IN_QUEUE", "IN_PROGRESS", "COMPLETED")
    while (told := requests.get(f"{served}/status/{later['id']}", timeout=10).json())["status"].startswith("IN_"):
        pass
    assert told["status"] == "COMPLETED"
    failed = requests.post(f"{served}/runsync", json={"input": {}}, timeout=30).json()
    assert failed["status"] == "FAILED" and failed["error"] == failed["output"]["error"]
    assert requests.get(f"{served}/status/none", timeout=10).status_code == 404
    assert requests.post(f"{served}/runsync", data="{", timeout=10).status_code == 400
    metrics = requests.get(f"{served}/metrics", timeout=10).text
    numbers = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if not line.startswith("#"))
    assert numbers['visage_picture_requests_total{result="done"}'] == "2"
    assert numbers['visage_picture_requests_total{result="failed"}'] == "1" == \
        numbers['visage_picture_failures_total{fault="pictures.nothing_to_do"}']
    assert numbers['visage_picture_step_seconds_count{step="swap"}'] == "2" and numbers["visage_picture_queue"] == "0"
    assert float(numbers['visage_picture_step_seconds_sum{step="swap"}']) > 0


def test_alive_before_it_is_ready_and_ready_only_when_warm(served: str, service: PictureService) -> None:
    told = requests.get(f"{served}/health", timeout=10).json()
    assert told["status"] == "ok" and told["provider"]["got"] is None and not told["ready"] and told["version"]
    assert not told["models"]["face_swap"]["there"] and told["memory"]["workers"] == 1
    cold = requests.get(f"{served}/ready", timeout=10)
    assert (cold.status_code, cold.json()) == (503, {"ready": False})
    service.warm_up()
    warm = requests.get(f"{served}/ready", timeout=10)
    assert (warm.status_code, warm.json()) == (200, {"ready": True})
    told = requests.get(f"{served}/health", timeout=10).json()
    assert told["engine"] == "basic" and told["provider"] == {"wanted": "auto", "got": "CPU", "fell_back": False,
                                                              "strict": False} and BASIC in told["notes"]
    assert "visage_picture_ready 1" in requests.get(f"{served}/metrics", timeout=10).text


@pytest.mark.parametrize("strict", [False, True])
def test_who_wants_a_gpu_is_told_that_there_is_none_or_refused(tmp_path: Path, strict: bool) -> None:
    service = service_of(open_services(read_settings(home=tmp_path, face_provider="cuda", face_strict_provider=strict)))
    app = create_picture_app(service).test_client()
    if strict:
        with pytest.raises(NotInstalled) as caught:
            service.warm_up()
        assert fault_of(caught.value).number == "E03"
        ready = app.get("/ready")
        assert ready.status_code == 503 and ready.json["code"] == "swap.provider_fallback"
    else:
        service.warm_up()
        told = app.get("/health").json
        assert told["provider"]["fell_back"] and told["provider"]["got"] == "CPU"
        assert any(note.startswith("cuda was asked for") for note in told["notes"])
    service.engines.close()


def test_engines_are_opened_once_and_anew_after_memory_ran_out(service: PictureService, services: Services,
                                                               tmp_path: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    job = {"input": order(services, tmp_path, engine="embedded")}
    first = service.handle(job)
    swapper, _ = service.engines.swapper("embedded")
    second = service.handle(job)
    assert pixels(first) == pixels(second) and service.engines.swapper("embedded")[0] is swapper
    monkeypatch.setattr(swapper, "swap", lambda *_: (_ for _ in ()).throw(MemoryError()))
    assert service.handle(job)["fault"] == "E04"
    assert pixels(service.handle(job)) == pixels(first) and service.engines.swapper("embedded")[0] is not swapper


def test_one_job_from_a_file(tmp_path: Path) -> None:
    job = {"input": {"image": b64(picture(tmp_path, "t.png")), "enhance": False}}
    (tmp_path / "test_input.json").write_text(json.dumps(job))
    done = subprocess.run([sys.executable, str(ROOT / "docker" / "swap" / "handler.py")], capture_output=True,
                          text=True, timeout=120, cwd=tmp_path, check=False,
                          env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "VISAGE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["image"] and "模型不存在: face_swap" in done.stderr
