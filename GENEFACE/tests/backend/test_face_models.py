"""The models command: it brings nothing by itself, shows licences, and says what each file is."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

from backend import face_doctor, face_models
from backend.machine import Host
from tests.visage import swap_networks as nets
from visage.config import read_settings
from visage.engines.weights.table import table
from visage.storage.paths import Paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISAGE_HOME", str(tmp_path))
    monkeypatch.setenv("FACE_FUSION_MODELS", str(tmp_path / "faces"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return tmp_path


def told(capsys: pytest.CaptureFixture) -> dict:
    return json.loads(capsys.readouterr().out)


def test_every_known_file_has_a_licence_a_source_and_a_checksum_and_none_is_fetched() -> None:
    for weight in table(face_models.TABLE):
        assert weight.licence.name and weight.licence.url.startswith("https://") and weight.page.startswith("https://")
        assert not weight.fetch
        assert all(file.sha256 and len(file.sha256) == 64 for file in weight.files)


def test_the_table_and_the_kinds_agree_on_checksums() -> None:
    from visage.swap.onnx.specs import SPECS

    known = {sha for spec in SPECS for sha in spec.hashes}
    assert {file.sha256 for weight in table(face_models.TABLE) for file in weight.files} == known


def test_an_empty_machine_lists_what_is_missing(home: Path, capsys: pytest.CaptureFixture) -> None:
    assert face_models.main(["list", "--json"]) == 1
    listed = told(capsys)
    assert listed["folder"] == str(home / "faces")
    swap = next(row for row in listed["models"] if row["name"] == "inswapper_128")
    assert not swap["ok"] and swap["files"][0]["state"] == "missing" and "non-commercial" in swap["licence"]


def test_a_licence_must_be_accepted_before_anything_is_copied(home: Path, capsys: pytest.CaptureFixture) -> None:
    source = nets.gfpgan(home / "downloads" / "GFPGANv1.4_other.onnx")
    assert face_models.main(["import", str(source)]) == 2
    error = capsys.readouterr().err
    assert "Apache-2.0" in error and "--accept-licence" in error
    assert not (home / "faces").exists()


def test_another_export_is_taken_by_its_ports(home: Path, capsys: pytest.CaptureFixture) -> None:
    for source in (nets.detector(home / "d" / "a.onnx"), nets.recogniser(home / "d" / "b.onnx"),
                   nets.inswapper(home / "d" / "c.onnx")):
        assert face_models.main(["import", str(source), "--accept-licence", "--json"]) == 0
    assert told_last(capsys)["models"][0]["name"] == "inswapper"
    assert face_models.main(["list", "--json"]) == 0
    assert {Path(one["path"]).name: one["detail"] for one in told_last(capsys)["others"]} == {
        "a.onnx": "scrfd", "b.onnx": "arcface", "c.onnx": "inswapper"}


def told_last(capsys: pytest.CaptureFixture) -> dict:
    out = capsys.readouterr().out
    return json.loads(out[out.rindex("\n{"):] if "\n{" in out else out)


def test_a_published_archive_is_unpacked_where_it_belongs(home: Path, monkeypatch: pytest.MonkeyPatch,
                                                         capsys: pytest.CaptureFixture) -> None:
    """With a table that knows the stand-ins' checksums, as the shipped one knows the real files'."""
    detector = nets.detector(home / "d" / "det_10g.onnx").read_bytes()
    rows = json.loads(face_models.TABLE.read_text(encoding="utf-8"))
    row = rows["weights"][0]
    row["files"][0] |= {"sha256": hashlib.sha256(detector).hexdigest(), "size": len(detector)}
    rows["weights"] = [row]
    own = home / "table.json"
    own.write_text(json.dumps(rows))
    monkeypatch.setattr(face_models, "TABLE", own)
    packed = home / "buffalo_l.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("det_10g.onnx", detector)
        archive.writestr("readme.txt", "hello")
    assert face_models.main(["import", str(packed), "--accept-licence", "--json"]) == 0
    place = home / "faces" / "buffalo_l" / "det_10g.onnx"
    assert place.read_bytes() == detector
    capsys.readouterr()
    assert face_models.main(["verify", "--json"]) == 0
    verified = told(capsys)
    assert verified["models"][0]["files"][0]["detail"] == "as published"
    assert verified["runs"][0]["ok"]
    place.write_bytes(detector[:-40] + bytes(40))
    assert face_models.main(["verify", "--json"]) == 1
    assert "sha256" in told(capsys)["models"][0]["files"][0]["detail"]


def test_what_is_no_model_is_refused_with_the_reason(home: Path, capsys: pytest.CaptureFixture) -> None:
    (home / "x.onnx").write_bytes(b"<html>please log in</html>")
    assert face_models.main(["import", str(home / "x.onnx"), "--accept-licence"]) == 1
    assert "is damaged" in capsys.readouterr().err
    assert face_models.main(["import", str(home / "none.onnx"), "--accept-licence"]) == 2


def test_the_doctor_compares_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings(home=tmp_path, face_models=nets.folder(tmp_path / "faces"))
    host = Host(settings, Paths(settings.home))
    told = face_doctor.models(host)
    assert not told.ok and "det_10g.onnx: not the published file" in told.detail, "a stand-in is none"
    monkeypatch.setattr(face_doctor, "_published", lambda: {})
    assert face_doctor.models(host).ok and "det_10g.onnx" in face_doctor.models(host).detail
    (tmp_path / "faces" / "torn.onnx").write_bytes(b"\x08")
    assert "torn.onnx" in face_doctor.models(host).detail and not face_doctor.models(host).ok
