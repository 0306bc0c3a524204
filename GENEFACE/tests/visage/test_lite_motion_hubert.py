"""The HuBERT driver: a small network of the real architecture with random weights, and what is told without one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.visage.lite_talker import plain_face, talk
from tests.visage.small_hubert import put
from visage.engines.lite.generic_mouth import generic_basis
from visage.engines.lite.listen import open_listener, restore_listener, stored_listener
from visage.engines.lite.mel import frame_count
from visage.engines.lite.mouth import fit_basis, select
from visage.errors import NotInstalled


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISAGE_HOME", str(tmp_path))
    return tmp_path


def test_without_a_model_it_is_told_how_to_get_one(home: Path) -> None:
    with pytest.raises(NotInstalled) as caught:
        open_listener(generic_basis(plain_face()), "hubert")
    assert caught.value.code == "listener.hubert_missing"
    assert "chinese-hubert-base" in caught.value.hint and str(home / "model_cache" / "hubert") in caught.value.hint


def test_a_broken_model_is_named(home: Path) -> None:
    folder = home / "model_cache" / "hubert"
    put(folder)
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(NotInstalled) as caught:
        open_listener(generic_basis(plain_face()), "hubert").heard(talk(1)[0])
    assert caught.value.code == "listener.hubert_broken"


def test_rows_are_in_time_and_seamless(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from visage.engines.lite.listen import hubert

    folder = home / "model_cache" / "hubert"
    put(folder, norm="layer")
    sound = np.random.default_rng(0).normal(0, 0.1, 6 * 16_000).astype(np.float32)
    whole = hubert.hubert_rows(sound, folder)
    assert whole.shape == (2 * frame_count(sound), 32)
    other = sound.copy()
    other[3 * 16_000:3 * 16_000 + 640] *= -1
    changed = np.abs(hubert.hubert_rows(other, folder) - whole).mean(1)
    assert 148 <= changed.argmax() <= 154, "rows 150 and 151 are made of what was changed"
    monkeypatch.setattr(hubert, "_PIECE", 90)
    pieces = hubert.hubert_rows(sound, folder)
    assert pieces.shape == whole.shape
    likeness = (pieces * whole).mean(1)
    assert likeness.min() > 0.9 and hubert.hubert_rows(sound[:100], folder).shape == (2, 32)


def test_it_learns_is_kept_and_knows_its_model(home: Path) -> None:
    folder = home / "model_cache" / "hubert"
    put(folder)
    sound, points = talk(10)
    basis = fit_basis(select(points))
    listener = open_listener(basis, "hubert")
    fit = listener.fit(sound, basis.encode(select(points)))
    assert fit.opening > 0.4
    stored = stored_listener(listener)
    again = restore_listener(stored, basis)
    assert np.abs(again.predict(sound) - listener.predict(sound)).max() < 1e-5
    shutil.rmtree(folder)
    put(folder, seed=1)
    with pytest.raises(NotInstalled) as caught:
        restore_listener(stored, basis)
    assert caught.value.code == "listener.hubert_other"
