"""What an avatar has outside its folder: packed, unpacked under another id, and never anywhere else."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from visage.errors import BadMedia, Conflict
from visage.storage.belongings import BESIDE, belongings
from visage.storage.catalog import Avatar, Catalog, now

GLOBS = ("Work/checkpoints/{id}", "Work/data/{id}/*.lms", "Work/raw/{id}.mp4")


def made(home: Path, avatar_id: str = "May") -> Catalog:
    catalog = Catalog(home / "avatars", home)
    catalog.save(Avatar(avatar_id, "May", "Mine", "video", now(), 512, 512))
    (catalog.folder(avatar_id) / "poster.jpg").write_bytes(b"picture")
    for name, text in {f"checkpoints/{avatar_id}/head/config.yaml": f"id: {avatar_id}\ndir: checkpoints/{avatar_id}/x\n"
                       "other: MayDay\n", f"checkpoints/{avatar_id}/head/model.ckpt": f"{avatar_id} weights",
                       f"data/{avatar_id}/1.lms": "1", f"data/{avatar_id}/1.jpg": "not needed",
                       f"raw/{avatar_id}.mp4": "video", "checkpoints/Other/model.ckpt": "another's"}.items():
        file = home / "Work" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return catalog


def files(home: Path) -> set[str]:
    return {file.relative_to(home).as_posix() for file in (home / "Work").rglob("*") if file.is_file()}


def moved(tmp_path: Path, new: str | None = None) -> Path:
    there = tmp_path / "there"
    zipped = made(tmp_path / "here").export("May", tmp_path / "package.zip", GLOBS)
    avatar = Catalog(there / "avatars", there).take_in(zipped, new, lambda *_: GLOBS)
    assert avatar.id == (new or "May")
    assert not (there / "avatars" / avatar.id / BESIDE).exists()
    return there


def test_they_travel_with_the_avatar(tmp_path: Path) -> None:
    there = moved(tmp_path)
    assert files(there) == {"Work/checkpoints/May/head/config.yaml", "Work/checkpoints/May/head/model.ckpt",
                            "Work/data/May/1.lms", "Work/raw/May.mp4"}


def test_under_another_id_every_path_and_every_config_follows(tmp_path: Path) -> None:
    there = moved(tmp_path, "Eve")
    assert files(there) == {"Work/checkpoints/Eve/head/config.yaml", "Work/checkpoints/Eve/head/model.ckpt",
                            "Work/data/Eve/1.lms", "Work/raw/Eve.mp4"}
    config = (there / "Work/checkpoints/Eve/head/config.yaml").read_text()
    assert config == "id: Eve\ndir: checkpoints/Eve/x\nother: MayDay\n"
    assert (there / "Work/checkpoints/Eve/head/model.ckpt").read_text() == "May weights"


def test_deleting_takes_them_along_and_nothing_else(tmp_path: Path) -> None:
    catalog = made(tmp_path)
    before = catalog.size("May")
    assert catalog.size("May", GLOBS) > before
    catalog.delete("May", GLOBS)
    assert files(tmp_path) == {"Work/checkpoints/Other/model.ckpt", "Work/data/May/1.jpg"}


def test_a_file_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    zipped = made(tmp_path / "here").export("May", tmp_path / "package.zip", GLOBS)
    there = tmp_path / "there"
    (there / "Work/raw").mkdir(parents=True)
    (there / "Work/raw/May.mp4").write_text("mine")
    catalog = Catalog(there / "avatars", there)
    (there / "avatars").mkdir()
    with pytest.raises(Conflict, match=r"May\.mp4"):
        catalog.take_in(zipped, None, lambda *_: GLOBS)
    assert files(there) == {"Work/raw/May.mp4"}
    assert not catalog.list()
    assert not list((there / "avatars").iterdir())


@pytest.mark.parametrize("name", ["Work/checkpoints/Other/model.ckpt", "Work/raw/Other.mp4", "app.py",
                                  "Work/data/May/1.jpg", "Work/checkpoints/x/May/a"])
def test_a_package_cannot_choose_where_it_goes(tmp_path: Path, name: str) -> None:
    zipped = made(tmp_path / "here").export("May", tmp_path / "package.zip", GLOBS)
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(f"{BESIDE}/{name}", "evil")
    there = tmp_path / "there"
    (there / "avatars").mkdir(parents=True)
    with pytest.raises(BadMedia, match="does not know"):
        Catalog(there / "avatars", there).take_in(zipped, None, lambda *_: GLOBS)
    assert not (there / "Work").exists()


def test_an_engine_without_a_workspace_takes_none(tmp_path: Path) -> None:
    zipped = made(tmp_path / "here").export("May", tmp_path / "package.zip", GLOBS)
    (tmp_path / "there" / "avatars").mkdir(parents=True)
    with pytest.raises(BadMedia):
        Catalog(tmp_path / "there" / "avatars", tmp_path / "there").take_in(zipped)


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    made(tmp_path / "home")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "home/Work/data/May/2.lms").symlink_to(outside)
    assert outside not in [found.resolve() for found in belongings(tmp_path / "home", GLOBS, "May")]
