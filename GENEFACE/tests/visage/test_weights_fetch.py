"""Weights from a real server that breaks off, lies, moves and logs in."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.file_server import PAGE, Store, serving
from tests.visage.weight_files import checkpoint, lrs3_zip, one, packed
from visage.config import Settings
from visage.engines.weights import download as download_module
from visage.engines.weights import find, look, weights
from visage.engines.weights.check import verify
from visage.engines.weights.fetching import EVERY, address, fetch, mirrors
from visage.engines.weights.record import Record
from visage.errors import (
    BadMedia,
    Conflict,
    DiskFull,
    InvalidRequest,
    NotFound,
    NotInstalled,
    OutputInvalid,
    ServiceRefused,
    ServiceUnreachable,
)
from visage.storage.paths import Paths

BIG = checkpoint(size=3_000_000)


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store({"/toy.pth": BIG})) as store:
        yield store


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module.time, "sleep", lambda _: None)


def test_a_file_comes_whole_is_recorded_and_is_not_fetched_twice(tmp_path: Path, store: Store) -> None:
    paths, toy, heard = Paths(tmp_path), one(BIG, store.url + "/toy.pth"), []
    assert fetch(paths, toy, {}, lambda *told: heard.append(told)) == [paths.models / "sub/toy.pth"]
    assert (paths.models / "sub/toy.pth").read_bytes() == BIG and heard[-1] == ("toy.pth", len(BIG), len(BIG))
    assert Record(paths).of(toy, toy.files[0])["sha256"] == toy.files[0].sha256
    assert fetch(paths, toy, {}) == [] and len(store.asked) == 1
    assert sorted(path.name for path in (paths.models / "sub").iterdir()) == ["toy.pth"]


def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path, store: Store) -> None:
    store.break_after, store.breaks = 1_100_000, 2
    fetch(Paths(tmp_path), one(BIG, store.url + "/toy.pth"), {})
    assert (tmp_path / "model_cache/sub/toy.pth").read_bytes() == BIG
    starts = [int(wanted[6:-1]) for _, wanted in store.asked[1:]]
    assert store.asked[0][1] == "" and len(starts) == 2 and 0 < starts[0] < starts[1]


def test_a_stopped_command_is_taken_up_by_the_next_one(tmp_path: Path, store: Store) -> None:
    store.break_after, store.breaks = 600_000, 99
    toy, part = one(BIG, store.url + "/toy.pth"), tmp_path / "model_cache/sub/toy.pth.part"
    with pytest.raises(ServiceUnreachable) as caught:
        fetch(Paths(tmp_path), toy, {})
    assert caught.value.code == "weights.unreachable" and "belongs at" in caught.value.hint
    assert len(store.asked) == 5 and 0 < part.stat().st_size < len(BIG)
    have, store.break_after = part.stat().st_size, 0
    fetch(Paths(tmp_path), toy, {})
    assert store.asked[-1][1] == f"bytes={have}-"
    assert (tmp_path / "model_cache/sub/toy.pth").read_bytes() == BIG


@pytest.mark.parametrize("how", ["changed", "no ranges"])
def test_a_part_of_another_file_is_never_gone_on_with(tmp_path: Path, store: Store, how: str) -> None:
    store.break_after, store.breaks = 600_000, 5
    with pytest.raises(ServiceUnreachable):
        fetch(Paths(tmp_path), one(BIG, store.url + "/toy.pth"), {})
    other = checkpoint(7, size=2_900_000) if how == "changed" else BIG
    store.files["/toy.pth"], store.ranges = other, how == "changed"
    fetch(Paths(tmp_path), one(other, store.url + "/toy.pth"), {})
    assert (tmp_path / "model_cache/sub/toy.pth").read_bytes() == other


def nothing_is_left(home: Path) -> bool:
    return not [path for path in (home / "model_cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("facts", "said"), [
    ({"size": 5}, "bytes, not 5"), ({"sha256": "0" * 64}, "its sha256 is"), ({"sha1": "0" * 40}, "its sha1 is"),
    ({"kind": "mat"}, "no MATLAB file")])
def test_what_is_not_the_published_file_never_gets_its_name(tmp_path: Path, store: Store, facts: dict, said: str
                                                            ) -> None:
    kind = facts.pop("kind", "torch")
    toy = one(BIG, store.url + "/toy.pth", **facts)
    toy = type(toy)(**{**{name: getattr(toy, name) for name in toy.__slots__},
                       "files": (type(toy.files[0])(**{**{name: getattr(toy.files[0], name) for name in
                                                          toy.files[0].__slots__}, "kind": kind}),)})
    with pytest.raises(BadMedia) as caught:
        fetch(Paths(tmp_path), toy, {})
    assert caught.value.code == "weights.wrong_file" and said in caught.value.message
    assert nothing_is_left(tmp_path)


def test_a_web_page_in_place_of_the_file_is_named(tmp_path: Path, store: Store) -> None:
    store.files["/toy.pth"] = PAGE
    with pytest.raises(BadMedia) as caught:
        fetch(Paths(tmp_path), one(BIG, store.url + "/toy.pth"), {})
    assert caught.value.code == "weights.not_the_file" and "web page" in caught.value.message
    assert nothing_is_left(tmp_path)


def test_a_cut_checkpoint_is_seen_where_nothing_is_published(tmp_path: Path, store: Store) -> None:
    store.files["/toy.pth"] = BIG[:2_000_000]
    with pytest.raises(BadMedia) as caught:
        fetch(Paths(tmp_path), one(BIG, store.url + "/toy.pth", size=None, sha256=None), {})
    assert "cut off" in caught.value.message


def test_the_checksum_that_a_hub_names_is_held_to(tmp_path: Path, store: Store) -> None:
    store.hub, toy = True, one(BIG, store.url + "/toy.pth", size=None, sha256=None)
    store.lie = "ab" * 32
    with pytest.raises(BadMedia) as caught:
        fetch(Paths(tmp_path), toy, {})
    assert "abab" in caught.value.message and nothing_is_left(tmp_path)
    store.lie = ""
    assert fetch(Paths(tmp_path), toy, {})


@pytest.mark.parametrize(("status", "kind"), [
    (404, NotFound), (403, ServiceRefused), (503, ServiceUnreachable)])
def test_refusals_tell_what_to_do_by_hand(tmp_path: Path, store: Store, status: int, kind: type[Exception]) -> None:
    store.status = status
    with pytest.raises(kind) as caught:
        fetch(Paths(tmp_path), one(BIG, store.url + "/toy.pth"), {})
    assert str(tmp_path / "model_cache/sub/toy.pth") in caught.value.hint  # type: ignore[attr-defined]
    assert len(store.asked) == (5 if status == 503 else 1)


def test_without_a_network_the_place_for_the_file_is_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/toy.pth"
    with pytest.raises(ServiceUnreachable) as caught:
        fetch(Paths(tmp_path), one(BIG, url), {})
    assert "Connection refused" in caught.value.message
    assert f"{url} belongs at {tmp_path}/model_cache/sub/toy.pth" in caught.value.hint


def test_two_downloads_of_one_file_do_not_mix(tmp_path: Path, store: Store) -> None:
    part, caught = tmp_path / "x.part", []

    def second(*_: int) -> None:
        if not caught:
            with pytest.raises(Conflict) as found:
                download_module.download(store.url + "/toy.pth", part, lambda *_: None)
            caught.append(found.value)

    download_module.download(store.url + "/toy.pth", part, second)
    assert caught[0].code == "weights.busy" and part.read_bytes() == BIG


def test_a_disk_without_room_is_told_before_the_download(tmp_path: Path, store: Store,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr("visage.engines.weights.arrival.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DiskFull) as caught:
        fetch(Paths(tmp_path), one(BIG, store.url + "/toy.pth"), {})
    assert caught.value.code == "weights.no_room"


def test_mirrors_take_the_place_of_hosts(tmp_path: Path) -> None:
    url = "https://github.com/a/b.zip"
    chosen = Settings(home=tmp_path, hf_mirror="https://hf.example/", github_mirror="https://p.example/{url}")
    assert address(url, {}) == url
    assert address(url, mirrors(chosen)) == "https://p.example/https://github.com/a/b.zip"
    assert address("https://huggingface.co/a/resolve/x?y=1", mirrors(chosen)) == "https://hf.example/a/resolve/x?y=1"
    assert address("https://www.adrianbulat.com/x", mirrors(chosen)) == "https://www.adrianbulat.com/x"
    assert address(url, mirrors(chosen, "http://m/x")) == "http://m/x/a/b.zip"
    with pytest.raises(InvalidRequest):
        address(url, {EVERY: "ftp://m"})


def test_hf_endpoint_is_a_mirror_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hf.example")
    assert mirrors(Settings(home=tmp_path)) == {"huggingface.co": "https://hf.example"}


def test_the_archive_of_the_release_is_unpacked_from_a_mirror(tmp_path: Path, store: Store) -> None:
    store.files["/yerfor/GeneFace/releases/download/v1.1.0/lrs3.zip"] = lrs3_zip()
    paths, lrs3 = Paths(tmp_path), find(["lrs3"])[0]
    fetch(paths, lrs3, mirrors(Settings(home=tmp_path), store.url))
    assert all(found.ok for found in look(paths, lrs3))
    folder = paths.geneface / "checkpoints/lrs3"
    assert (folder / "lm3d_vae_sync/config.yaml").read_text() == "a: 1\n"
    assert not list(paths.downloads.iterdir()) and not (folder.parent / "__MACOSX").exists()
    assert {found.detail for found in verify(paths, lrs3)} == {"as when it came"}


def test_an_archive_that_lacks_a_file_is_no_success(tmp_path: Path, store: Store) -> None:
    store.files["/yerfor/GeneFace/releases/download/v1.1.0/lrs3.zip"] = packed({"lrs3/readme": b"sorry"})
    with pytest.raises(OutputInvalid) as caught:
        fetch(Paths(tmp_path), find(["lrs3"])[0], {EVERY: store.url})
    assert caught.value.code == "weights.archive_lacks"


def test_a_hub_model_lies_where_its_library_looks_offline(tmp_path: Path, store: Store) -> None:
    paths, hubert = Paths(tmp_path), find(["hubert"])[0]
    store.hub = True
    for file in hubert.files:
        if file.url:
            content = BIG if file.kind == "torch" else json.dumps({"of": file.name}).encode()
            store.files[file.url.removeprefix("https://huggingface.co")] = content
    fetch(paths, hubert, mirrors(Settings(home=tmp_path, hf_mirror=store.url)))
    home = paths.models / "huggingface/hub/models--facebook--hubert-large-ls960-ft"
    revision = (home / "refs/main").read_text()
    assert (home / "snapshots" / revision / "pytorch_model.bin").read_bytes() == BIG
    assert all(found.ok for found in verify(paths, hubert))


def test_licensed_files_are_never_fetched(tmp_path: Path, store: Store) -> None:
    for weight in weights():
        assert not (weight.fetch and weight.licence.signed), weight.name
    with pytest.raises(NotInstalled) as caught:
        fetch(Paths(tmp_path), find(["bfm"])[0], {EVERY: store.url})
    assert caught.value.code == "weights.licence" and "faces.dmi.unibas.ch" in caught.value.message
    assert str(tmp_path / "GeneFace-main/deep_3drecon/BFM/01_MorphableModel.mat") in caught.value.hint
    with pytest.raises(NotInstalled) as caught:
        fetch(Paths(tmp_path), find(["facerecon"])[0], {EVERY: store.url})
    assert caught.value.code == "weights.by_hand" and not store.asked
