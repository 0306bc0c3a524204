"""How evaluation finds model files: named, installed, downloaded; and what it says of each and of none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from eval_metrics import weights as found_by
from eval_metrics.contract import Options
from eval_metrics.weights import ModelFile, seek, state_of, told
from tests.file_server import Store, serving
from tests.visage.weight_files import array, checkpoint, packed
from visage.engines.weights.check import look
from visage.engines.weights.table import table, weights
from visage.engines.weights.taking import take
from visage.errors import BadMedia, NotFound, NotInstalled
from visage.storage.paths import EVALUATION_TABLE, Paths

CONTENT = checkpoint(3)
PLACE = "evaluation/toy/v0.1/toy.pth"


def row(url: str, **more: object) -> dict:
    file = {"path": PLACE, "kind": "torch", "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "url": f"{url}/toy.pth"}
    return {"name": "toy", "title": "Toy", "root": "cache", "needed_for": ["evaluate"], "optional": True,
            "licence": {"name": "MIT", "url": ""}, "page": "https://example.org/toy", "fetch": True, "note": "",
            "files": [file], **more}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with nothing in it, and a table of one toy; nothing answers where it comes from."""
    monkeypatch.setenv("VISAGE_HOME", str(tmp_path / "home"))
    offer(tmp_path, monkeypatch, row("http://127.0.0.1:9"))
    found_by._answers.cache_clear()
    return tmp_path / "home"


def offer(folder: Path, monkeypatch: pytest.MonkeyPatch, *rows: dict) -> None:
    (folder / "table.json").write_text(json.dumps({"engine": "evaluation", "weights": rows}))
    monkeypatch.setattr(found_by, "EVALUATION_TABLE", folder / "table.json")
    found_by._answers.cache_clear()


def put(place: Path, content: bytes = CONTENT) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def test_a_named_file_goes_before_an_installed_one(home: Path, tmp_path: Path) -> None:
    put(home / "model_cache" / PLACE)
    other = put(tmp_path / "mine.bin", checkpoint(4))
    file = seek("toy", Options(weights={"toy": other}))
    assert file.path == other and file.source == "given" and file.published is False
    assert file.sha256 == hashlib.sha256(other.read_bytes()).hexdigest()
    assert file.told["checksum"].startswith("differs")
    put(tmp_path / "folder" / "toy.pth")
    assert seek("toy", Options(weights={"toy": tmp_path / "folder"})).published is True
    with pytest.raises(NotFound) as caught:
        seek("toy", Options(weights={"toy": tmp_path / "nothing"}))
    assert "scripts/weights fetch toy" in caught.value.hint
    for content, reason in ((b"<html>no</html>", "web page"), (array(), "no PyTorch file"), (b"", "empty")):
        with pytest.raises(BadMedia, match=reason):
            seek("toy", Options(weights={"toy": put(tmp_path / "bad.pth", content)}))


@pytest.mark.parametrize("place", [PLACE, "toy.pth"])
def test_an_installed_file_is_found_in_each_folder(home: Path, tmp_path: Path, place: str,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "model_cache" / place)
    file = seek("toy", Options(online=False))
    assert file.source == "installed" and file.published and file.path == home / "model_cache" / place
    with pytest.raises(NotInstalled):
        seek("toy", Options(models=tmp_path / "empty", online=False))
    put(tmp_path / "mounted" / place)
    assert seek("toy", Options(models=tmp_path / "mounted")).path == tmp_path / "mounted" / place
    monkeypatch.setenv("VISAGE_EVALUATION_MODELS", str(tmp_path / "mounted"))
    assert seek("toy", Options()).path == tmp_path / "mounted" / place


def test_an_installed_file_that_is_another_one_is_not_used(home: Path) -> None:
    put(home / "model_cache" / PLACE, CONTENT[:-4] + b"hack")
    with pytest.raises(BadMedia, match="sha256|cut off"):
        seek("toy", Options())
    put(home / "model_cache" / PLACE, CONTENT[:-1])
    with pytest.raises(BadMedia, match="bytes"):
        seek("toy", Options())


def test_a_download_happens_once_and_is_checked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Store({"/toy.pth": CONTENT})) as store:
        offer(tmp_path, monkeypatch, row(store.url))
        with pytest.raises(NotInstalled, match="switched off"):
            seek("toy", Options(online=False))
        with pytest.raises(NotInstalled, match="not installed"):
            seek("toy", Options(), download=False)
        monkeypatch.setenv("VISAGE_ONLINE", "false")
        with pytest.raises(NotInstalled, match="switched off"):
            seek("toy", Options())
        monkeypatch.delenv("VISAGE_ONLINE")
        assert not store.asked
        first, second = seek("toy", Options(models=tmp_path / "own")), seek("toy", Options(models=tmp_path / "own"))
        assert (first.source, second.source) == ("downloaded", "installed") and len(store.asked) == 1
        assert first.path == tmp_path / "own" / PLACE and first.published
        assert not home.exists(), "a folder of its own leaves the installation alone"
        store.files["/toy.pth"] = checkpoint(9)
        with pytest.raises(NotInstalled, match="not what it should be") as caught:
            seek("toy", Options())
        assert "scripts/weights fetch toy" in caught.value.hint
        assert not (home / "model_cache" / PLACE).exists()


def test_what_keeps_a_download_away_is_told(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotInstalled, match=r"127\.0\.0\.1:9 cannot be reached") as caught:
        seek("toy", Options())
    for part in ("GENEFACE/scripts/weights fetch toy", str(home / "model_cache/evaluation/toy"), "example.org/toy"):
        assert part in caught.value.hint
    with serving(Store()) as store:
        offer(tmp_path, monkeypatch, row(store.url))
        with pytest.raises(NotInstalled, match="not at"):
            seek("toy", Options())
        bound = {"licence": {"name": "research only", "url": "", "research_only": True}}
        offer(tmp_path, monkeypatch, row(store.url, **bound))
        asked = len(store.asked)
        with pytest.raises(NotInstalled, match="yours to accept"):
            seek("toy", Options())
        offer(tmp_path, monkeypatch, row(store.url, fetch=False))
        with pytest.raises(NotInstalled) as caught:
            seek("toy", Options())
        assert "scripts/weights import FILE" in caught.value.hint and len(store.asked) == asked
        put(tmp_path / "blocked", b"a file where the folder should be")
        offer(tmp_path, monkeypatch, row(store.url))
        with pytest.raises(NotInstalled):
            seek("toy", Options(models=tmp_path / "blocked"))


def test_files_that_hold_no_tensors_are_refused(tmp_path: Path) -> None:
    import torch

    for name, content in (("list", [1, 2]), ("code", {"a": print})):
        torch.save(content, tmp_path / name)
        with pytest.raises(BadMedia, match="cannot be used as toy"):
            state_of(ModelFile("toy", tmp_path / name, "given", "", None))


def test_two_files_are_told_beside_each_other(tmp_path: Path) -> None:
    one = ModelFile("a", tmp_path / "x.pth", "given", "11", None)
    other = ModelFile("b", tmp_path / "y.pth", "installed", "22", True)
    assert told(one, other)["sha256"] == "11 + 22" and told(one)["name"] == "a/x.pth"


# the table that ships, and scripts/weights on it

def test_the_shipped_table_is_whole() -> None:
    rows = {weight.name: weight for weight in table(EVALUATION_TABLE)}
    assert set(rows) == {"inception", "syncnet", "lpips", "niqe", "niqe-live", "arcface"}
    assert {weight.name for weight in weights("evaluation")} == set(rows)
    for weight in rows.values():
        assert weight.optional and weight.root == "cache" and weight.needed_for == ("evaluate",)
        assert all(file.path.startswith("evaluation/") and file.sha256 and file.size or weight.name == "niqe-live"
                   for file in weight.files)
    assert rows["inception"].files[0].sha256.startswith("6726825d"), "as the file's own name says"
    assert rows["arcface"].licence.research_only


def test_a_package_with_two_versions_gives_the_right_one(tmp_path: Path) -> None:
    """The wheel of lpips has alex.pth twice, under v0.0 and v0.1."""
    (tmp_path / "table.json").write_text(json.dumps({"engine": "evaluation", "weights": [row("")]}))
    among = table(tmp_path / "table.json")
    for order in (("v0.0", "v0.1"), ("v0.1", "v0.0")):
        home = tmp_path / order[0]
        wheel = tmp_path / f"{order[0]}.whl"
        wheel.write_bytes(packed({f"toy/weights/{version}/toy.pth": CONTENT if version == "v0.1" else checkpoint(8)
                                  for version in order}))
        (one,) = take(Paths(home), wheel, among)
        assert one.place == home / "model_cache" / PLACE and one.place.read_bytes() == CONTENT
        assert all(finding.ok for finding in look(Paths(home), among[0]))


def test_kinds_of_evaluation_are_told_from_other_files(tmp_path: Path) -> None:
    for kind, good, bad in (("npz", packed({"mean.npy": array()}), array()),
                            ("onnx", b"\x08\x07\x12\x01", b"PK\x03\x04")):
        entry = {"path": f"evaluation/a.{kind}", "kind": kind, "url": "http://127.0.0.1:9/a"}
        (tmp_path / "table.json").write_text(json.dumps({"engine": "x", "weights": [row("", files=[entry])]}))
        (weight,) = table(tmp_path / "table.json")
        paths = Paths(tmp_path / kind)
        for content, state in ((good, "present"), (bad, "wrong")):
            put(paths.models / entry["path"], content)
            assert look(paths, weight)[0].state == state
