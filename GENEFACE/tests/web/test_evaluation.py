"""Evaluations on the running product: asked for, measured, kept, reported, compared, deleted; and what goes wrong."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from pathlib import Path

import pytest
import requests

from backend import exams
from tests.conftest import Installation
from tests.media_on_hand import Clips
from tests.web.test_api import post, talking_clip, upload  # noqa: F401 - a fixture
from tests.web.test_bad_input import ZH, in_chinese
from visage.media.run import run_tool

KEYS = ["niqe", "psnr", "ssim", "fid", "lse_c", "lse_d"]


def ask(product: Installation, **body: object) -> dict:
    """An evaluation, done."""
    answer = post(product, "/api/jobs/evaluate", **body)
    assert answer.status_code == 202, answer.text
    return product.wait(answer.json())


def got(product: Installation, route: str) -> requests.Response:
    return requests.get(product.url + route, timeout=30)


@pytest.fixture(scope="module")
def pair(installation: Installation, shared_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Uploads: a real recording of two seconds, and a coarse copy of it."""
    folder = tmp_path_factory.mktemp("pair")
    ids = []
    for name, quality in (("truth.mp4", "16"), ("coarse.mp4", "40")):
        run_tool(["ffmpeg", "-loglevel", "error", "-i", str(shared_clips / "videos" / "segment10_man_5s.mp4"),
                  "-t", "2", "-vf", "scale=256:256", "-crf", quality, str(folder / name)])
        ids.append(upload(installation, "video", name, (folder / name).read_bytes()).json()["id"])
    return ids[0], ids[1]


@pytest.fixture(scope="module")
def measured(installation: Installation, pair: tuple[str, str]) -> dict:
    """The job that compared them, whole pictures and mouths."""
    job = ask(installation, pred={"upload": pair[1]}, truth={"upload": pair[0]}, regions=["full", "mouth"], stride=2)
    assert job["state"] == "succeeded", job["error"]
    return job


@pytest.fixture(scope="module")
def spoken(installation: Installation) -> dict:
    """A clip that the product made."""
    job = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="Measure me now.").json())
    assert job["state"] == "succeeded", job["error"]
    return job["result"]


def test_a_pair_is_measured_and_its_reports_are_whole(installation: Installation, measured: dict) -> None:
    assert measured["kind"] == "evaluate"
    assert [one["region"] for one in measured["result"]["evaluations"]] == ["full", "mouth"]
    for made in measured["result"]["evaluations"]:
        shown = got(installation, f"/api/evaluations/{made['id']}").json()
        told = json.loads(got(installation, shown["reports"]["json"]).text)
        assert list(told)[:6] == KEYS
        assert (told["region"], told["pred"], told["truth"]) == (made["region"], "coarse.mp4", "truth.mp4")
        for key, figure in shown["figures"].items():
            assert figure["value"] == told["details"][key]["value"], key
            assert figure["value"] is not None or figure.get("reason") or figure.get("note"), key
        assert 20 < shown["figures"]["psnr"]["value"] < 45
        assert shown["facts"]["stride"] == 2
        page = got(installation, shown["reports"]["html"])
        assert page.headers["Content-Type"].startswith("text/html")
        assert "sandbox" in page.headers["Content-Security-Policy"]
        assert "allow-same-origin" not in page.headers["Content-Security-Policy"]
        assert page.text.rstrip().endswith("</html>") and "coarse.mp4" in page.text
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
        rows = list(csv.DictReader(io.StringIO(got(installation, shown["reports"]["csv"]).content.decode("utf-8-sig"))))
        assert {row["key"] for row in rows} == told["details"].keys()


def test_the_mouth_of_a_coarse_copy_is_measured_apart(installation: Installation, measured: dict) -> None:
    full, mouth = (got(installation, f"/api/evaluations/{one['id']}").json()["figures"]["ssim"]["value"]
                   for one in measured["result"]["evaluations"])
    assert 0 < mouth < 1 and 0 < full < 1 and mouth != full


def test_several_are_compared_on_one_page(installation: Installation, measured: dict) -> None:
    ids = ",".join(one["id"] for one in measured["result"]["evaluations"])
    page = got(installation, f"/api/evaluations/compare?ids={ids}")
    assert page.status_code == 200, page.text[:500]
    assert page.headers["Content-Type"].startswith("text/html")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert page.text.count("mouth") and page.text.rstrip().endswith("</html>")
    for wrong in ("", ids.split(",")[0]):
        assert got(installation, f"/api/evaluations/compare?ids={wrong}").json()["code"] == "evaluation.compare"
    assert got(installation, f"/api/evaluations/compare?ids={ids},nobody").status_code == 404


def test_a_clip_of_the_product_is_measured_without_truth_and_goes_with_it(installation: Installation, spoken: dict
                                                                          ) -> None:
    job = ask(installation, pred={"clip": spoken["clip"]}, max_frames=12)
    assert job["state"] == "succeeded", job["error"]
    found = got(installation, f"/api/evaluations?clip={spoken['clip']}").json()["evaluations"]
    assert [one["id"] for one in found] == [job["result"]["evaluation"]]
    assert found[0]["avatar"] == "astronaut"
    assert found[0]["truth"] is None
    assert found[0]["figures"]["psnr"]["value"] is None
    assert found[0]["figures"]["psnr"]["reason"]
    assert any(figure["value"] is not None for figure in found[0]["figures"].values())
    assert found[0]["id"] in {one["id"] for one in got(installation, "/api/evaluations?avatar=astronaut").json()
                              ["evaluations"]}
    kept = installation.home / "var" / "evaluations" / found[0]["id"]
    assert requests.delete(f"{installation.url}/api/jobs/{job['id']}", timeout=20).status_code == 204
    assert got(installation, found[0]["reports"]["html"]).status_code == 200, "what a job made stays"
    assert requests.delete(f"{installation.url}/api/clips/{spoken['clip']}", timeout=20).status_code == 204
    assert got(installation, f"/api/evaluations/{found[0]['id']}").status_code == 404
    assert not kept.exists()


def test_an_evaluation_is_deleted_with_its_reports(installation: Installation, pair: tuple[str, str]) -> None:
    made = ask(installation, pred={"upload": pair[1]}, max_frames=5)["result"]["evaluation"]
    assert (installation.home / "var" / "evaluations" / made / "report.json").is_file()
    assert requests.delete(f"{installation.url}/api/evaluations/{made}", timeout=20).status_code == 204
    assert not (installation.home / "var" / "evaluations" / made).exists()
    for route in ("", "/report.html", "/report.pdf"):
        assert got(installation, f"/api/evaluations/{made}{route}").json()["code"] == "evaluation.missing"


@pytest.mark.parametrize(("body", "code"), [
    ({}, "evaluate.what"), ({"avatar": "astronaut", "pred": {"clip": "x"}}, "evaluate.what"),
    ({"avatar": "astronaut", "truth": {"clip": "x"}}, "evaluate.avatar_truth"),
    ({"avatar": "astronaut"}, "evaluate.no_exam"), ({"avatar": "nobody"}, "avatar.missing"),
    ({"pred": {}}, "evaluate.one_video"), ({"pred": {"clip": "x", "path": "y"}}, "evaluate.one_video"),
    ({"pred": {"clip": "x"}}, "clip.missing"), ({"pred": {"upload": "x"}}, "upload.missing"),
    ({"pred": {"path": "static/nothing.mp4"}}, "path.missing"), ({"pred": {"path": "/etc/passwd"}}, "path.outside"),
    ({"pred": {"path": "x"}, "regions": ["hand"]}, "request.field"), ({"pred": {"path": "x"}, "stride": 0},
                                                                      "request.too_low"),
    ({"pred": {"path": "x"}, "max_frames": "many"}, "request.not_a_number"),
    ({"pred": {"path": "x", "colour": 1}}, "request.unknown_field"),
])
def test_what_cannot_be_measured_is_refused_in_both_languages(installation: Installation, body: dict, code: str
                                                              ) -> None:
    answer = post(installation, "/api/jobs/evaluate", **body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["code"] == code, answer.text
    assert answer.json()["hint"]
    chinese = requests.post(f"{installation.url}/api/jobs/evaluate", json=body, headers=ZH, timeout=20).json()
    assert re.search(r"[\u4e00-\u9fff]", chinese["message"])
    assert re.search(r"[\u4e00-\u9fff]", chinese["hint"])


def test_a_video_without_a_face_has_no_mouth_to_measure(installation: Installation, tmp_path: Path) -> None:
    wall = upload(installation, "video", "wall.mp4", Clips(tmp_path)("no_face")).json()["id"]
    job = ask(installation, pred={"upload": wall}, regions=["mouth"], max_frames=5)
    assert job["state"] == "failed"
    assert job["error"]["code"] == "evaluation.no_region"
    told = requests.get(f"{installation.url}/api/jobs/{job['id']}", headers=ZH, timeout=20).json()["error"]
    in_chinese({**told, "hint": told["hint"].replace("--region full", "")})
    assert not got(installation, f"/api/evaluations?avatar={job['id']}").json()["evaluations"]


@pytest.mark.slow
def test_a_training_examines_itself(installation: Installation, talking_clip: bytes) -> None:  # noqa: F811
    sent = upload(installation, "video", "examined.mp4", talking_clip).json()
    asked = {"upload": sent["id"], "name": "Examined", "epochs": 1}
    job = installation.wait(post(installation, "/api/jobs/train", **asked).json(), 300)
    assert job["state"] == "succeeded", job["error"]
    avatar = got(installation, f"/api/avatars/{job['result']['avatar']}").json()
    assert avatar["exam"]
    follow_up = installation.wait({"id": job["result"]["evaluation_job"]}, 300)
    assert (follow_up["kind"], follow_up["state"]) == ("evaluate", "succeeded"), follow_up["error"]
    history = got(installation, f"/api/evaluations?avatar={avatar['id']}").json()["evaluations"]
    assert {one["region"] for one in history} == {"face", "mouth"}
    for one in history:
        assert one["facts"]["epochs"] == 1
        assert one["facts"]["seen"] is (sent["probe"]["seconds"] < exams.LONG)
        assert one["facts"]["exam_seconds"] >= exams.SHORTEST - 0.05
        assert one["figures"]["psnr"]["value"] > 12, "a face beside the same face"
        assert 0.2 < one["figures"]["ssim"]["value"] < 1
        assert any("frames that it is compared with" in text for text in one["facts"]["warnings"])
    again = ask(installation, avatar=avatar["id"], regions=["mouth"], max_frames=25)
    assert again["state"] == "succeeded", again["error"]
    assert len(got(installation, f"/api/evaluations?avatar={avatar['id']}").json()["evaluations"]) == 3
    running = post(installation, "/api/jobs/evaluate", avatar=avatar["id"]).json()
    assert requests.delete(f"{installation.url}/api/avatars/{avatar['id']}", timeout=20).status_code == 204
    assert installation.wait(running, 20)["state"] in ("cancelled", "failed")
    assert not got(installation, f"/api/evaluations?avatar={avatar['id']}").json()["evaluations"]


def test_an_evaluation_stops_when_asked(installation: Installation, talking_clip: bytes) -> None:  # noqa: F811
    sent = upload(installation, "video", "long.mp4", talking_clip).json()
    job = post(installation, "/api/jobs/evaluate", pred={"upload": sent["id"]}).json()
    until = time.monotonic() + 60
    while got(installation, f"/api/jobs/{job['id']}").json()["stage"] != "measure":
        assert time.monotonic() < until
        time.sleep(0.1)
    began = time.monotonic()
    post(installation, f"/api/jobs/{job['id']}/cancel")
    assert installation.wait(job, 8)["state"] == "cancelled"
    assert time.monotonic() - began < 4
    assert not [one for one in got(installation, "/api/evaluations").json()["evaluations"] if one["job"] == job["id"]]


def test_a_talk_does_not_wait_for_an_evaluation(installation: Installation, talking_clip: bytes) -> None:  # noqa: F811
    sent = upload(installation, "video", "long.mp4", talking_clip).json()
    slow = post(installation, "/api/jobs/evaluate", pred={"upload": sent["id"]}, regions=["full", "face"]).json()
    quick = installation.wait(post(installation, "/api/jobs/generate", avatar="astronaut", text="Hi.").json(), 120)
    assert quick["state"] == "succeeded", quick["error"]
    now = got(installation, f"/api/jobs/{slow['id']}").json()
    post(installation, f"/api/jobs/{slow['id']}/cancel")
    assert now["state"] == "running", "the clip was made beside it"
    installation.wait(slow, 10)
