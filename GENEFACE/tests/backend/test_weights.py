"""``scripts/weights`` as a person runs it: a process, a real server, exit codes, both languages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment
from tests.file_server import Store, serving
from tests.visage.weight_files import BFM, lrs3_zip, mat
from visage.engines.weights import find

Ran = subprocess.CompletedProcess[str]


def run(home: Path, *arguments: str, **more: str) -> Ran:
    argv = [sys.executable, "-W", "error", "-m", "backend.weights", *arguments]
    environment = clean_environment(**{"VISAGE_HOME": str(home), "LC_ALL": "C.UTF-8", **more})
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_the_list_tells_source_licence_place_and_command(tmp_path: Path) -> None:
    listed = run(tmp_path, "list")
    assert listed.returncode == 1
    for text in ("faces.dmi.unibas.ch", "signed", "GENEFACE/scripts/weights fetch lrs3", "Apache-2.0", "(optional)",
                 str(tmp_path / "GeneFace-main/deep_3drecon/BFM/01_MorphableModel.mat")):
        assert text in listed.stdout
    assert "face-parsing" not in run(tmp_path, "list", "--missing").stdout
    assert "许可" in run(tmp_path, "list", "bfm", LC_ALL="zh_CN.UTF-8").stdout
    told = json.loads(run(tmp_path, "list", "--json", "--engine", "geneface").stdout)
    assert not told["ok"] and {"name", "licence", "files", "command", "page", "ok"} <= set(told["weights"][0])
    assert json.loads(run(tmp_path, "list", "--json", "--engine", "other").stdout)["weights"] == []


def test_fetch_through_a_mirror_then_verify(tmp_path: Path) -> None:
    address = "/yerfor/GeneFace/releases/download/v1.1.0/lrs3.zip"
    with serving(Store({address: lrs3_zip()})) as store:
        fetched = run(tmp_path, "fetch", "lrs3", "--mirror", store.url)
        assert fetched.returncode == 0, fetched.stderr
        assert "lrs3.zip" in fetched.stderr
        again = run(tmp_path, "fetch", "lrs3", VISAGE_GITHUB_MIRROR=store.url)
        assert again.returncode == 0 and len(store.asked) == 1
    assert run(tmp_path, "verify", "lrs3").returncode == 0
    file = next(tmp_path.rglob("syncnet/*.ckpt"))
    file.write_bytes(file.read_bytes()[:-1])
    wrong = run(tmp_path, "verify", "lrs3", "--json")
    assert wrong.returncode == 1
    assert {one["state"] for one in json.loads(wrong.stdout)["weights"][0]["files"]} == {"present", "wrong"}


def test_fetch_says_what_a_person_must_do_and_goes_on_with_the_rest(tmp_path: Path) -> None:
    with serving(Store()) as store:
        fetched = run(tmp_path, "fetch", "--mirror", store.url, "--json")
    assert fetched.returncode == 1
    codes = [error["code"] for error in json.loads(fetched.stdout)["errors"]]
    assert codes[:3] == ["weights.licence", "weights.licence", "weights.by_hand"]
    table = json.loads((ROOT / "GeneFace-main/scripts/weights.json").read_text())["weights"]
    wanted = [one for one in table if one["fetch"] and not one["optional"] and one["root"] != "image"]
    assert codes[3:] == ["weights.gone"] * len(wanted), "one each of what may be fetched, the optional ones left out"


def test_offline_by_setting_asks_nobody(tmp_path: Path) -> None:
    refused = run(tmp_path, "fetch", VISAGE_ONLINE="false")
    assert refused.returncode == 2 and "--mirror" in refused.stderr


def test_import_takes_paths_from_where_it_was_called(tmp_path: Path) -> None:
    (tmp_path / "down loads").mkdir()
    (tmp_path / "down loads/01_MorphableModel.mat").write_bytes(mat(*BFM))
    taken = run(tmp_path / "home", "--from", str(tmp_path / "down loads"), "import", "01_MorphableModel.mat", "--json")
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["weights"][0]["name"] == "bfm"
    assert (tmp_path / "home/GeneFace-main" / find(["bfm"])[0].files[0].path).is_file()
    assert run(tmp_path / "home", "import", str(tmp_path / "nothing")).returncode == 2


@pytest.mark.parametrize("arguments", [[], ["fetch", "nonsense"], ["import"], ["burn"]])
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: list[str]) -> None:
    refused = run(tmp_path, *arguments)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
    if "nonsense" in arguments:
        assert "lrs3" in refused.stderr


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_script_hands_over_where_it_was_called(tmp_path: Path) -> None:
    root = tmp_path / "a b" / "GENEFACE"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "weights", root / "scripts")
    (root / "scripts" / "run").write_text("#!/bin/sh\n")
    (root / "scripts" / "run").chmod(0o755)
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$@"\n')
    python.chmod(0o755)
    ran = subprocess.run([str(root / "scripts" / "weights"), "import", "x y"], cwd=tmp_path, capture_output=True,
                         text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert ran.stdout.splitlines() == [str(root), "-m", "backend.weights", "--from", str(tmp_path), "import", "x y"]
