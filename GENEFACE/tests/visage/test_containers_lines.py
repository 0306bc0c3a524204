"""How a container's output is cut into lines, and how a repeated one is known; no engine is needed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from visage.containers.contract import Mount, Order
from visage.containers.folders import owner, prepare
from visage.containers.following import Pieces, Place, _seconds
from visage.errors import VisageError


def told(*chunks: bytes) -> list[str]:
    pieces = Pieces()
    return [line for chunk in chunks for line in pieces.add(chunk)] + list(pieces.rest())


def test_lines_end_where_they_end_however_the_bytes_come() -> None:
    text = "one\n\nzwölf 秒\r\nlast".encode()
    whole = ["one", "", "zwölf 秒", "last"]
    assert told(text) == whole
    assert told(*(text[n:n + 2] for n in range(0, len(text), 2))) == whole


def test_each_state_of_a_slow_bar_is_a_line() -> None:
    assert told(b"\r 1%\r", b" 2%\r", b" 3%", b"\rdone\n") == [" 1%", " 2%", " 3%", "done"]


def test_a_flood_of_states_is_thinned_and_its_last_is_told() -> None:
    flood = b"\r".join(b"%d/1000" % n for n in range(1, 1001))
    for end in (b"\n", b"\r"):
        lines = told(flood + end)
        assert len(lines) <= 11
        assert lines[-1] == "1000/1000"
        assert lines == sorted(lines, key=lambda line: int(line.split("/")[0]))


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    pieces = Pieces()
    lines = [line for _ in range(100) for line in pieces.add(b"x" * 16384)]
    assert max(map(len, lines)) <= 5 * 16384
    assert sum(map(len, [*lines, *pieces.rest()])) == 100 * 16384


def test_what_is_no_text_is_replaced() -> None:
    assert told(b"a\xffb\n") == ["a\ufffdb"]


def test_repeated_messages_are_known_though_pieces_share_a_time() -> None:
    place = Place()
    first = [(b"01", True), (b"02", False), (b"02", False)]
    assert [place.is_new(*message) for message in first] == [True] * 3
    place.again()
    more = [(b"02", True), (b"03", True)]
    assert [place.is_new(*message) for message in [*first, *more]] == [False] * 3 + [True] * 2
    assert [place.is_new(*message) for message in [*more, (b"04", True)]] == [False] * 2 + [True]
    assert not place.is_new(b"04", True)


def test_a_time_as_docker_takes_it() -> None:
    assert _seconds(b"2026-01-31T12:00:00.012345678Z") == "1769860800.012345678"


def order(*mounts: Mount) -> Order:
    return Order(job="job", step="train", image="image", argv=("true",), mounts=mounts, workdir="/")


@pytest.mark.skipif(os.geteuid() != 0, reason="giving folders away takes root")
def test_new_folders_belong_to_whom_they_lie_with(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1235)
    prepare(order(Mount(tmp_path / "a" / "b", "/work")))
    assert [(found.st_uid, found.st_gid) for found in ((tmp_path / "a").stat(), (tmp_path / "a" / "b").stat())] == [
        (1234, 1235)] * 2
    assert owner(order(Mount(tmp_path / "a", "/work"))) == (1234, 1235)


def test_without_folders_it_runs_as_this_user() -> None:
    assert owner(order()) == (os.getuid(), os.getgid())


def test_a_folder_that_its_own_user_may_not_write_in(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(VisageError) as caught:
            prepare(order(Mount(tmp_path, "/work")))
        assert caught.value.code == "container.folder_owner"
        prepare(order(Mount(tmp_path, "/work", writable=False)))
    finally:
        tmp_path.chmod(0o700)
