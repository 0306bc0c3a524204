"""What every engine promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from visage.config import Settings
from visage.engines import Engine, RenderRequest, TrainRequest, engine_names, open_engine
from visage.errors import NotInstalled, UnknownDriver, VisageError
from visage.storage.paths import Paths
from visage.types import silent

# MediaPipe asks protobuf in an old way whenever a second finder is opened.
pytestmark = pytest.mark.filterwarnings("ignore:label:DeprecationWarning")
NAMES = engine_names(Paths(Path("/nowhere")))


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return open_engine(request.param, Settings(home=tmp_path), Paths(tmp_path).create())


def test_it_says_what_it_is(engine: Engine) -> None:
    info = engine.describe()
    assert info.name in NAMES
    assert info.title
    assert info.summary.endswith(".")
    assert info.devices or not info.installed


def test_every_need_that_is_not_met_has_a_remedy(engine: Engine) -> None:
    for need in engine.describe().needs:
        assert need.name
        assert need.detail
        assert need.ok or need.remedy


def test_without_its_needs_it_names_the_first(engine: Engine, tmp_path: Path) -> None:
    if engine.describe().installed:
        pytest.skip("everything it needs is here")
    with pytest.raises(NotInstalled) as caught:
        engine.train(TrainRequest(tmp_path / "none.mp4", tmp_path / "avatar"), silent)
    assert caught.value.hint


def test_a_missing_source_is_an_error_of_the_tree(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(VisageError):
        engine.train(TrainRequest(tmp_path / "none.mp4", tmp_path / "avatar"), silent)


def test_a_missing_sound_is_an_error_of_the_tree_and_leaves_no_clip(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(VisageError):
        engine.render(RenderRequest(tmp_path / "avatar", tmp_path / "none.wav", tmp_path / "out.mp4"), silent)
    assert not list(tmp_path.glob("*.mp4"))


def test_names_are_found_in_any_case(tmp_path: Path) -> None:
    assert open_engine(" LITE ", Settings(), Paths(tmp_path)).describe().name == "lite"
    with pytest.raises(UnknownDriver, match="lite"):
        open_engine("lyte", Settings(), Paths(tmp_path))
