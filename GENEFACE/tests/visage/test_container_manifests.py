"""YAML files that describe engines: what is read, what is refused, and how a mistake shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from visage.config import Settings
from visage.engines import engine_names, open_engine
from visage.engines.container.manifest import SHIPPED, read_manifest, read_manifests
from visage.engines.container.workspace import Workspace, sound_name
from visage.errors import Conflict, InvalidRequest, UnknownDriver
from visage.storage.paths import Paths

SMALL = """
name: Mine
image: mine:latest
build: docker build -t mine:latest mine
workspace: mine
gpu: none
train: {argv: [learn, "{id}", "{epochs}"]}
infer: {argv: [speak, "{id}", "{sound}"]}
avatar: ["checkpoints/{id}"]
"""


def described(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_the_shipped_ones_keep_the_fixed_command_lines() -> None:
    geneface = read_manifest(SHIPPED / "geneface.yaml")
    assert geneface.train and geneface.infer
    assert [word.format(id="May", epochs=3) for word in geneface.train.argv] == [
        "bash", "scripts/train_pipeline.sh", "--video_path", "data/raw/videos/May.mp4", "--epochs", "3"]
    assert [word.format(id="May", sound="a") for word in geneface.infer.argv] == [
        "bash", "scripts/infer_pipeline.sh", "--video_id", "May", "--audio_path", "data/raw/val_wavs/a.wav"]
    assert (geneface.image, geneface.workspace, geneface.root) == ("geneface:latest", "GeneFace-main", "/GeneFace")
    assert dict(geneface.mounts) == {"model_cache": "/root/.cache/torch/hub/checkpoints"}


def test_a_file_of_the_operator_adds_an_engine_and_may_replace_one(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert engine_names(paths) == ["lite", "GeneFace", "SyncTalk"]
    file = described(paths.engines, SMALL)
    assert engine_names(paths) == ["lite", "GeneFace", "SyncTalk", "Mine"]
    info = open_engine("MINE", Settings(home=tmp_path), paths).describe()
    assert (info.title, info.devices, info.needs_gpu) == ("Mine", ("CPU",), False)
    assert info.belongings == info.travels == ("mine/checkpoints/{id}",)
    file.write_text(SMALL.replace("name: Mine", "name: synctalk"))
    os.utime(file, (1, 1))
    assert engine_names(paths) == ["lite", "GeneFace", "synctalk"]


def test_an_unknown_engine_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownDriver, match="lite, GeneFace, SyncTalk"):
        open_engine("model1", Settings(home=tmp_path), Paths(tmp_path))


@pytest.mark.parametrize(("change", "reason"), [
    (("name: Mine", "name: 'a b'"), "is not a name"),
    (("image: mine:latest", ""), "image: Field required"),
    (("workspace: mine", "workspace: ../mine"), "leaves the folder"),
    (("workspace: mine", "workspace: /mine"), "leaves the folder"),
    (('["checkpoints/{id}"]', '["checkpoints"]'), "names the avatar by {id}"),
    (('["checkpoints/{id}"]', '["checkpoints/{id}", "../../{id}"]'), "leaves the folder"),
    (('"{epochs}"', '"{steps}"'), "stands for nothing"),
    (("gpu: none", "gpu: maybe"), "gpu"),
    (("gpu: none", "gpus: 1"), "gpus"),
    (("name: Mine", "name: [Mine"), "while parsing"),
    ((SMALL, "- just a list"), "mapping"),
    ((SMALL, ""), "mapping"),
])
def test_a_mistake_is_named_with_its_file(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_manifest(described(tmp_path, SMALL.replace(*change)))
    assert "mine.yaml" in caught.value.message
    assert reason in caught.value.message


def test_a_mistake_hides_no_other_engine_and_shows_as_one_that_needs_mending(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    described(paths.engines, "name: [", "odd.yaml")
    described(paths.engines, SMALL)
    assert engine_names(paths) == ["lite", "GeneFace", "SyncTalk", "Mine", "odd"]
    info = open_engine("odd", Settings(home=tmp_path), paths).describe()
    assert not info.installed
    assert "odd.yaml" in info.needs[0].detail
    with pytest.raises(InvalidRequest, match=r"odd\.yaml"):
        open_engine("odd", Settings(home=tmp_path), paths).train(None, None)  # type: ignore[arg-type]


def test_a_folder_that_is_not_there_describes_nothing(tmp_path: Path) -> None:
    assert list(read_manifests([tmp_path / "none"])) == []


def test_the_sound_of_a_clip_has_the_name_that_older_clients_know() -> None:
    assert sound_name(Path("/x/geneface_May_hello_0123abcd.mp4"), "May", "GeneFace") == "hello_0123abcd"
    assert sound_name(Path("/x/\u4f60\u597d.mp4"), "May", "GeneFace") == "sound"


def test_files_that_somebody_put_there_are_never_cleared_away(tmp_path: Path) -> None:
    manifest = read_manifest(described(tmp_path, SMALL))
    space = Workspace(manifest, Paths(tmp_path))
    (tmp_path / "one.mp4").write_bytes(b"one")
    (tmp_path / "two.mp4").write_bytes(b"two")
    brought = tmp_path / "mine/checkpoints/May/model.ckpt"
    brought.parent.mkdir(parents=True)
    brought.write_text("hours of work")
    with pytest.raises(Conflict, match="May"):
        space.put_video(tmp_path / "one.mp4", "May")
    assert brought.read_text() == "hours of work"
    assert not (tmp_path / "mine/data/raw/videos/May.mp4").exists()


def test_an_unfinished_training_goes_on_with_its_own_recording_only(tmp_path: Path) -> None:
    told = SMALL.replace('"{epochs}"]', '"{epochs}"], done: ["checkpoints/{id}/model.ckpt"]')
    space = Workspace(read_manifest(described(tmp_path, told)), Paths(tmp_path))
    (tmp_path / "one.mp4").write_bytes(b"one")
    (tmp_path / "two.mp4").write_bytes(b"two")
    space.put_video(tmp_path / "one.mp4", "Ann")
    half = tmp_path / "mine/checkpoints/Ann/half.ckpt"
    half.parent.mkdir(parents=True)
    half.touch()
    space.put_video(tmp_path / "one.mp4", "Ann")
    assert half.exists()
    assert space.put_video(tmp_path / "two.mp4", "Ann").read_bytes() == b"two"
    assert not half.exists()
    space.clear("Ann")
    half.parent.mkdir(parents=True, exist_ok=True)
    half.with_name("model.ckpt").touch()
    with pytest.raises(Conflict):
        space.put_video(tmp_path / "one.mp4", "Ann")
