"""What every container engine promises, with and without an engine behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from visage.containers import DRIVERS, Containers, Mount, Order, open_containers
from visage.errors import NotInstalled, UnknownDriver


@pytest.fixture(params=sorted(DRIVERS))
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Containers:
    return open_containers(request.param, tmp_path)


@pytest.fixture
def deserted(opened: Containers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Containers:
    """With no engine behind it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    return opened


def order(tmp_path: Path) -> Order:
    return Order(job="job1", step="train", image="visage-test-none:1", argv=("true",), workdir="/work",
                 mounts=(Mount(tmp_path / "work", "/work"),), remedy="build it")


@pytest.mark.parametrize("gpu", [False, True])
def test_needs_are_told_quickly_with_their_remedies(opened: Containers, gpu: bool) -> None:
    begun = time.monotonic()
    needs = opened.needs("visage-test-none:1", "build it", gpu)
    assert time.monotonic() - begun < 5
    assert [need.name for need in needs[1:2]] == ["image visage-test-none:1"]
    assert not needs[1].ok
    assert needs[1].remedy == "build it"
    assert all(need.detail and (need.ok or need.remedy) for need in needs)
    assert not [need for need in needs if "GPU" in need.name and not gpu]


def test_needs_do_not_fail_without_an_engine(deserted: Containers) -> None:
    assert not any(need.ok for need in deserted.needs("visage-test-none:1", "build it", True))


def test_without_its_image_or_its_engine_nothing_runs(opened: Containers, tmp_path: Path) -> None:
    lines: list[str] = []
    with pytest.raises(NotInstalled) as caught:
        opened.run(order(tmp_path), lines.append)
    assert caught.value.hint
    assert not lines


@pytest.mark.parametrize("act", [
    lambda containers, tmp_path: containers.run(order(tmp_path), print),
    lambda containers, tmp_path: containers.collect(lambda _: True),
], ids=["run", "collect"])
def test_a_missing_engine_is_said(deserted: Containers, tmp_path: Path, act: Callable) -> None:
    with pytest.raises(NotInstalled) as caught:
        act(deserted, tmp_path)
    assert caught.value.hint


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownDriver, match="docker"):
        open_containers("dokcer", tmp_path)
