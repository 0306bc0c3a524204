"""What our pipelines use of upstream exists there: asked of the stand-in always, of the real tree where there is one.

    GENEFACE_UPSTREAM=/path/to/a/checkout/of/the/pinned/commit scripts/test tests/geneface/test_conformance.py
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from tests.geneface.upstream import EXTENSIONS, TABLE, write_upstream
from tests.geneface.usage import SCRIPTS, Call, calls, chain, copied, imported, number, options_of

MAIN = SCRIPTS.parent
SMOKE = json.loads((MAIN / "docker" / "smoke.json").read_text())
GENERAL = "egs/datasets/lrs3/lm3d_vae_sync.yaml"


@pytest.fixture(scope="module", params=["stand-in", "real"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that has to conform."""
    if request.param == "stand-in":
        return write_upstream(tmp_path_factory.mktemp("upstream"))
    if not os.environ.get("GENEFACE_UPSTREAM"):
        pytest.skip("GENEFACE_UPSTREAM names no checkout of GeneFace")
    return Path(os.environ["GENEFACE_UPSTREAM"])


@pytest.fixture
def real(root: Path) -> Path:
    """Only the real tree: the stand-in has no such depth."""
    if not (root / "modules" / "radnerfs" / "renderer.py").exists():
        pytest.skip("of the real tree only")
    return root


def config_of(call: Call) -> str:
    """The configuration of upstream's that the one of a call was made from: a person's is May's."""
    if not call.config or call.config.startswith("$GENERAL"):
        return call.config and GENERAL
    folder, _, name = call.config.rpartition("/")
    return f"egs/datasets/videos/May/{folder.rpartition('/')[2]}.yaml" if name == "config.yaml" \
        else f"egs/datasets/videos/May/{name}"


@cache
def outputs() -> ModuleType:
    """The program that checks what each stage wrote."""
    spec = importlib.util.spec_from_file_location("outputs", SCRIPTS / "outputs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ids(call: Call) -> str:
    return f"{call.script}-{call.config.rpartition('/')[2]}"


@pytest.mark.parametrize("call", calls(), ids=ids)
def test_the_program_takes_what_it_is_given(root: Path, call: Call) -> None:
    script = root / call.script
    assert script.is_file()
    assert call.flags <= options_of(script, root)


@pytest.mark.parametrize("call", [call for call in calls() if call.config], ids=ids)
def test_the_configuration_has_every_key(root: Path, call: Call) -> None:
    settings = chain(root, config_of(call))
    assert call.settings.keys() <= settings.keys()
    for key, value in call.settings.items():
        if re.fullmatch(r"\d+|\$(STEPS|CODES|POSTNET_STEPS)", value):
            assert isinstance(settings[key], int), f"{key} is no whole number there"
        if value == "[]":
            assert isinstance(settings[key], list), f"{key} is no list there"


def test_the_data_tasks_are_those_of_the_program(root: Path) -> None:
    asked = set(map(int, re.findall(r"process\.py \S+ --task=(\d+)", (SCRIPTS / "train_pipeline.sh").read_text())))
    tree = ast.parse((root / "data_util" / "process.py").read_text(encoding="utf-8"))
    compared = {word.value for node in ast.walk(tree) if isinstance(node, ast.Compare | ast.Dict)
                for word in (node.comparators if isinstance(node, ast.Compare) else node.keys)
                if isinstance(word, ast.Constant) and isinstance(word.value, int)}
    assert asked == {1, 3, 4, 5, 6, 7, 8, 9}
    assert asked <= compared


def test_the_intervals_are_upstreams(root: Path) -> None:
    head = chain(root, "egs/datasets/videos/May/lm3d_radnerf.yaml")
    torso = chain(root, "egs/datasets/videos/May/lm3d_radnerf_torso.yaml")
    postnet = chain(root, "egs/datasets/videos/May/lm3d_postnet_sync.yaml")
    assert head["val_check_interval"] == torso["val_check_interval"] == number("HEAD_INTERVAL")
    assert postnet["val_check_interval"] == number("POSTNET_INTERVAL")
    assert head["individual_embedding_num"] == torso["individual_embedding_num"] == number("CODES")
    assert head["finetune_lips"] is True


def test_a_persons_configuration_is_made_by_its_name(root: Path) -> None:
    for name in ("lm3d_radnerf", "lm3d_radnerf_torso", "lm3d_postnet_sync"):
        text = (root / "egs/datasets/videos/May" / f"{name}.yaml").read_text()
        assert re.search(r"^video_id: May\b", text, re.M)
    torso = chain(root, "egs/datasets/videos/May/lm3d_radnerf_torso.yaml")
    assert torso["head_model_dir"] == "checkpoints/May/lm3d_radnerf"
    assert torso["binary_data_dir"] == "data/binary/videos"
    assert torso["processed_data_dir"] == "data/processed/videos"


def test_what_the_stages_are_checked_for_is_what_upstream_writes(root: Path) -> None:
    written = "".join((root / name).read_text(encoding="utf-8") for name in (
        "data_util/process.py", "data_util/face_tracking/face_tracker.py", "data_gen/nerf/extract_hubert_mel_f0.py",
        "data_gen/nerf/extract_3dmm.py", "data_gen/nerf/binarizer.py"))
    for stage, patterns in outputs().OUTPUTS.items():
        for pattern in patterns if stage not in ("inspect", "normalise") else ():
            folder, _, name = pattern.rpartition("/")
            if folder:
                assert re.search(rf"\b{folder}\b", written), pattern
                assert name.removeprefix("*.") in written, pattern
            else:
                assert name in written or f"_{name.rpartition('_')[2]}" in written or \
                    name.rpartition("_")[0] + "_" in written, pattern
    for key in ("train_samples", "val_samples", "idexp_lm3d_std"):
        assert f"'{key}'" in written or f'"{key}"' in written


def test_checkpoints_and_bars_look_as_we_read_them(root: Path) -> None:
    trainer = root / "utils" / "commons" / "trainer.py"
    text = (trainer if trainer.exists() else root / "tasks" / "run.py").read_text(encoding="utf-8")
    text += (root / "utils" / "stand_in.py").read_text() if not trainer.exists() else ""
    assert "model_ckpt_steps_{" in text
    assert ".part" in text, "a checkpoint is written under another name first"
    assert "unit='step'" in text or "step [" in text
    assert "max_updates" in text
    tracker = (root / "data_util" / "face_tracking" / "face_tracker.py").read_text(encoding="utf-8")
    assert re.search(r" of .*done", tracker)
    parsing = (root / "data_util" / "face_parsing" / "test.py")
    parsing = parsing if parsing.exists() else root / "data_util" / "process.py"
    assert "processed parsing" in parsing.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [file["path"] for weight in TABLE if weight["root"] == "image"
                                  for file in weight["files"]])
def test_data_files_that_the_image_brings_are_there(root: Path, path: str) -> None:
    assert (root / path).exists()


def test_extensions_are_named_as_upstream_names_them(root: Path) -> None:
    dockerfile = (MAIN / "Dockerfile").read_text()
    assert SMOKE["extensions"] == list(EXTENSIONS.values())
    for folder, module in EXTENSIONS.items():
        assert re.search(rf"\b{folder}\b", dockerfile)
        assert f"'{module}'" in (root / "modules" / "radnerfs" / folder / "setup.py").read_text()


def test_a_run_gets_every_folder_that_its_programs_load(root: Path) -> None:
    loaded = {file.relative_to(root).parts[0] for call in calls() for file in imported(root, call.script)}
    loaded |= {config_of(call).partition("/")[0] for call in calls() if call.config}
    assert loaded <= copied()
    assert all((root / name).is_dir() for name in copied())


def test_the_smoke_test_asks_for_every_package_that_is_loaded(real: Path) -> None:
    from sys import stdlib_module_names
    tasks = {chain(real, config_of(call))["task_cls"].rpartition(".")[0] for call in calls() if call.config}
    scripts = {call.script for call in calls()} | {f"{task.replace('.', '/')}.py" for task in tasks}
    scripts |= {"data_util/face_tracking/face_tracker.py", "data_util/face_parsing/test.py"}
    needed = {package for script in scripts for packages in imported(real, script).values() for package in packages}
    asked = {name.partition(".")[0] for name in SMOKE["imports"]} | set(SMOKE["extensions"])
    assert needed - set(stdlib_module_names) <= asked


def test_the_pinned_commit_is_one_and_the_same() -> None:
    table = json.loads((SCRIPTS / "weights.json").read_text())
    assert f"ARG GENEFACE_COMMIT={table['commit']}\n" in (MAIN / "Dockerfile").read_text()
    assert f"ARG GENEFACE_REPO={table['upstream']}.git\n" in (MAIN / "Dockerfile").read_text()


@pytest.mark.parametrize("file", sorted([*SCRIPTS.glob("*.py"), *(MAIN / "docker").glob("*.py")]), ids=lambda f: f.name)
def test_our_programs_are_python_3_8(file: Path) -> None:
    """The base image's Python is older than the product's."""
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
    assert not re.search(r"\.removeprefix\(|\.removesuffix\(|strict=|\bmatch \w+:\n", file.read_text(encoding="utf-8"))
