"""Weights that a person brings: known by name, folder or content; refused when they are something else."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.file_server import PAGE
from tests.visage.weight_files import BFM, FRONT, array, checkpoint, expressions, fill, lrs3_zip, mat, packed
from visage.engines.weights import find, look, missing, weights
from visage.engines.weights.check import verify
from visage.engines.weights.taking import recognise, take
from visage.errors import BadMedia, NotFound
from visage.storage.paths import Paths

ALL = weights()
BIG = checkpoint(size=200_000)
MODEL = "GeneFace-main/deep_3drecon/BFM/01_MorphableModel.mat"


def tgz(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def bring(home: Path, name: str, content: bytes) -> list[str]:
    """Import a downloaded file; paths of what came, below ``home``."""
    source = home / "Downloads" / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(content)
    return [str(one.place.relative_to(home)) for one in take(Paths(home), source, ALL)]


@pytest.mark.parametrize("name", ["01_MorphableModel.mat", "01_MorphableModel (1).mat", "download"])
def test_a_file_is_known_by_its_name_or_its_content(tmp_path: Path, name: str) -> None:
    assert bring(tmp_path, name, mat(*BFM)) == [MODEL]
    assert bring(tmp_path, name, mat(*FRONT) if name == "download" else mat(*BFM))


def test_the_archive_that_the_owners_send_is_taken_as_it_is(tmp_path: Path) -> None:
    assert bring(tmp_path, "BaselFaceModel.tgz", tgz({"PublicMM1/01_MorphableModel.mat": mat(*BFM),
                                                      "PublicMM1/readme.txt": b"x"})) == [MODEL]


@pytest.mark.parametrize("content", [PAGE, b"", mat("something", "else"), mat(*BFM)[:-9], checkpoint(),
                                     b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"])
def test_what_only_has_the_name_is_refused_and_leaves_what_is_there(tmp_path: Path, content: bytes) -> None:
    good = mat(*BFM)
    bring(tmp_path, "01_MorphableModel.mat", good)
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "01_MorphableModel.mat", content)
    assert caught.value.code == "weights.wrong_file" and "unibas" in caught.value.hint
    assert (tmp_path / MODEL).read_bytes() == good
    assert [path.name for path in (tmp_path / MODEL).parent.iterdir()] == ["01_MorphableModel.mat"]


def test_a_login_page_of_any_name_is_called_that(tmp_path: Path) -> None:
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "uc", PAGE)
    assert "web page" in caught.value.message


def test_something_unknown_is_named_with_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "holiday.jpg", b"\xff\xd8\xff" + bytes(100))
    assert caught.value.code == "weights.not_recognised" and "epoch_20.pth" in caught.value.hint
    with pytest.raises(NotFound):
        take(Paths(tmp_path), tmp_path / "absent", ALL)


def test_the_zips_of_the_release_go_below_checkpoints(tmp_path: Path) -> None:
    came = bring(tmp_path, "lrs3.zip", lrs3_zip())
    assert "GeneFace-main/checkpoints/lrs3/lm3d_vae_sync/config.yaml" in came and len(came) == 3
    configs = {f"May/{part}/config.yaml": b"a: 1" for part in ("lm3d_postnet_sync", "lm3d_radnerf",
                                                                "lm3d_radnerf_torso")}
    packed_may = packed({**configs, "May/lm3d_radnerf/model_ckpt_steps_250000.ckpt": checkpoint()})
    came = bring(tmp_path, "May.zip", packed_may)
    assert "GeneFace-main/checkpoints/May/lm3d_radnerf/model_ckpt_steps_250000.ckpt" in came and len(came) == 4


def test_checkpoints_of_one_name_are_told_apart_by_their_folder(tmp_path: Path) -> None:
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "model_ckpt_steps_40000.ckpt", checkpoint())
    assert "folder above" in caught.value.hint
    fill(tmp_path / "mine", {"syncnet/model_ckpt_steps_40000.ckpt": checkpoint(1),
                             "lm3d_vae_sync/model_ckpt_steps_40000.ckpt": checkpoint(2), "notes.txt": b"x"})
    take(Paths(tmp_path), tmp_path / "mine", ALL)
    for name, seed in (("syncnet", 1), ("lm3d_vae_sync", 2)):
        there = tmp_path / f"GeneFace-main/checkpoints/lrs3/{name}/model_ckpt_steps_40000.ckpt"
        assert there.read_bytes() == checkpoint(seed)


def test_a_cache_of_the_model_hub_is_taken_as_it_is(tmp_path: Path) -> None:
    """Such a cache has links from names to contents, and may be of another revision."""
    hub = tmp_path / "hub/models--facebook--hubert-large-ls960-ft"
    fill(hub, {"blobs/aa": checkpoint(3), "snapshots/123/config.json": {"a": 1}, "snapshots/123/vocab.json": {"b": 2},
               "snapshots/123/preprocessor_config.json": {}, "snapshots/123/special_tokens_map.json": {},
               "snapshots/123/tokenizer_config.json": {}})
    (hub / "snapshots/123/pytorch_model.bin").symlink_to("../../blobs/aa")
    paths, hubert = Paths(tmp_path / "home"), find(["hubert"])[0]
    take(paths, tmp_path / "hub", ALL)
    assert all(found.ok for found in verify(paths, hubert))
    assert not any(found.ok for found in look(paths, find(["esperanto"])[0]))


def test_a_common_name_alone_says_nothing(tmp_path: Path) -> None:
    assert recognise("x/stats.npy", ALL) is None and recognise("x/config.json", ALL) is None
    known = recognise("data/lrs3/stats.npy", ALL)
    assert known and known[0].name == "lrs3-data"
    fill(tmp_path / "lrs3", {"stats.npy": array(), "spk_id2ispk_idx.npy": array(), "train.data": b"123"})
    came = {one.place.name for one in take(Paths(tmp_path), tmp_path / "lrs3", ALL)}
    assert came == {"stats.npy", "spk_id2spk_idx.npy", "train.data"}


def test_structure_tells_a_cut_file_from_a_whole_one(tmp_path: Path) -> None:
    whole = expressions()
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "Exp_Pca.bin", whole[:-1])
    assert "cut off" in caught.value.message
    assert bring(tmp_path, "Exp_Pca.bin", whole) == ["GeneFace-main/deep_3drecon/BFM/Exp_Pca.bin"]
    with pytest.raises(BadMedia):
        bring(tmp_path, "epoch_20.pth", checkpoint()[:-100])
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "s3fd-619a316812.pth", checkpoint())
    assert "bytes, not 89843225" in caught.value.message


@pytest.mark.parametrize("name", ["../../evil.mat", "/tmp/evil.mat", "a\\..\\evil"])
def test_an_archive_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    for file, content in (("x.zip", packed({name: b"x", "lrs3/01_MorphableModel.mat": mat(*BFM)})),
                          ("x.tgz", tgz({name: b"x", "01_MorphableModel.mat": mat(*BFM)}))):
        with pytest.raises(BadMedia) as caught:
            bring(tmp_path, file, content)
        assert caught.value.code == "weights.unsafe_archive"
    assert not (tmp_path / MODEL).exists()


def test_links_in_archives_are_left_out_and_cut_archives_named(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("lrs3/syncnet/model_ckpt_steps_40000.ckpt")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadMedia):
        bring(tmp_path, "lrs3.zip", out.getvalue())
    with pytest.raises(BadMedia) as caught:
        bring(tmp_path, "BaselFaceModel.tgz", tgz({"01_MorphableModel.mat": bytes(100) + BIG})[:-2000])
    assert caught.value.code == "weights.bad_archive"


def test_what_changes_after_it_came_is_noticed(tmp_path: Path) -> None:
    paths, bfm = Paths(tmp_path), find(["bfm"])[0]
    bring(tmp_path, "01_MorphableModel.mat", mat(*BFM))
    assert verify(paths, bfm)[0].ok
    (tmp_path / MODEL).write_bytes(mat(*BFM, "more"))
    assert look(paths, bfm)[0].state == "wrong" and "when it came" in look(paths, bfm)[0].detail
    content = bytearray(mat(*BFM))
    content[60] ^= 1  # in the text at its head: still a MATLAB file of the same size
    (tmp_path / MODEL).write_bytes(bytes(content))
    assert look(paths, bfm)[0].ok and verify(paths, bfm)[0].state == "wrong"


def test_files_put_there_by_hand_are_recorded_when_they_are_verified(tmp_path: Path) -> None:
    paths, front = Paths(tmp_path), find(["bfm-front"])[0]
    fill(paths.geneface, {front.files[0].path: mat(*FRONT)})
    assert [verify(paths, front)[0].detail for _ in range(2)] == ["unknown so far; recorded now", "as when it came"]


def test_what_is_missing_for_what(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    train, infer = missing(paths, "train", "GeneFace"), missing(paths, "infer", "GeneFace")
    assert not train.ok and "bfm, bfm-front, facerecon" in train.detail
    assert train.remedy == "GENEFACE/scripts/weights fetch"
    assert infer.detail == "missing: bfm-front, lrs3, hubert, alexnet"
    fill(paths.geneface, {find(["bfm"])[0].files[0].path: PAGE})
    assert "bfm," in missing(paths, "train", "GeneFace").detail, "a web page is not the file"


def test_another_engine_may_have_a_table_of_its_own(tmp_path: Path) -> None:
    paths, file = Paths(tmp_path), tmp_path / "weights.json"
    row = {"name": "net", "title": "Net", "root": "workspace", "needed_for": ["infer"], "optional": False,
           "licence": {"name": "MIT", "url": ""}, "page": "https://example.org", "fetch": False, "note": "",
           "files": [{"path": "net.pth", "kind": "torch"}]}
    fill(tmp_path, {"weights.json": {"engine": "Sync", "workspace": "Sync-main", "weights": [row]}})
    told = missing(paths, "infer", "Sync", file)
    assert (told.name, told.detail) == ("Sync weights", "missing: net")
    assert told.remedy == "GENEFACE/scripts/weights list --missing"
    assert missing(paths, "train", "Sync", file).ok
    fill(tmp_path, {"Sync-main/net.pth": checkpoint()})
    assert missing(paths, "infer", "Sync", file).ok
    file.write_text("{")
    told = missing(paths, "infer", "Sync", file)
    assert not told.ok and str(file) in told.detail and told.remedy


def test_a_copy_of_what_the_image_has_is_held_to_the_name_that_git_gave_it(tmp_path: Path) -> None:
    paths, tables = Paths(tmp_path), find(["face-tables"])[0]
    assert {found.state for found in verify(paths, tables)} == {"in the image"}
    fill(paths.geneface, {"deep_3drecon/BFM/std_exp.txt": b"1 2 3\n".ljust(615)})
    told = {found.file.name: found for found in verify(paths, tables)}
    assert "git_blob" in told["std_exp.txt"].detail and told["std_exp.txt"].state == "wrong"


def test_the_tables_are_whole() -> None:
    names = [weight.name for weight in ALL]
    assert len(names) == len(set(names)) == 21
    for weight in ALL:
        assert weight.root in ("workspace", "cache", "image")
        assert set(weight.needed_for) <= {"train", "infer", "evaluate"}
        assert weight.page.startswith(("https://", "http://live.ece.utexas.edu/"))
        assert weight.licence.name
        assert weight.fetch == bool(weight.archive or all(file.url or file.text for file in weight.files)), weight.name
    with pytest.raises(NotFound):
        find(["nonsense"])
