"""What every listener promises."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest

from tests.visage.lite_talker import plain_face, talk
from tests.visage.small_hubert import put
from visage.engines.lite.generic_mouth import generic_basis
from visage.engines.lite.listen import DRIVERS, Listener, open_listener, restore_listener, stored_listener
from visage.engines.lite.mel import frame_count
from visage.engines.lite.mouth import MouthBasis, fit_basis, select
from visage.errors import BadVideo, InvalidRequest, UnknownDriver
from visage.types import Phone

PHONES = (Phone("_", 0.0, 0.2), Phone("m", 0.2, 0.3), Phone("A:", 0.3, 0.5), Phone("p", 0.5, 0.58),
          Phone("aI", 0.58, 0.9))


@pytest.fixture(scope="module")
def person() -> tuple[MouthBasis, np.ndarray, np.ndarray]:
    """Basis, sound and coefficients of a drawn talker."""
    sound, points = talk(12)
    basis = fit_basis(points, size=6)
    return basis, sound, basis.encode(select(points))


@pytest.fixture(params=sorted(DRIVERS), scope="module")
def listener(request: pytest.FixtureRequest, person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    basis, sound, coefficients = person
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "hubert":
            home = tmp_path_factory.mktemp("home")
            patch.setenv("VISAGE_HOME", str(home))
            put(home / "model_cache" / "hubert")
        made = open_listener(basis, request.param)
        made.fit(sound, coefficients)
        yield made


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 1.0, 3.33])
def test_one_row_for_every_frame_of_the_sound(listener: Listener, seconds: float) -> None:
    sound, _ = talk(4, seed=3)
    cut = sound[:round(seconds * 16_000)]
    told = listener.predict(cut, PHONES)
    assert told.shape == (frame_count(cut), 6) and told.dtype == np.float32
    assert np.isfinite(told).all()
    assert abs(len(told) / 25 - seconds) <= 0.04


@pytest.mark.parametrize("noise", [0.0, 1e-3, 0.05])
def test_shut_where_nobody_speaks(listener: Listener, person, noise: float) -> None:
    sound = np.random.default_rng(1).normal(0, 1, 48_000).astype(np.float32) * np.float32(noise)
    shown = person[0].measure(listener.predict(sound, PHONES[:1]))
    assert (shown[:, 0] < 0.15 * person[0].span[1, 0]).mean() >= 0.95


def test_a_clipped_or_broken_sound_is_survived(listener: Listener) -> None:
    sound = np.clip(talk(2)[0] * 100, -1, 1)
    assert np.isfinite(listener.predict(sound, PHONES)).all()


def test_the_same_after_the_disk(listener: Listener, person) -> None:
    box, sound = io.BytesIO(), talk(2, seed=4)[0]
    np.savez(box, **stored_listener(listener))
    box.seek(0)
    with np.load(box) as stored:
        again = restore_listener(stored, person[0])
    assert type(again) is type(listener)
    assert np.allclose(again.predict(sound, PHONES), listener.predict(sound, PHONES), atol=1e-4)


@pytest.mark.parametrize("driver", ["mel", "person"])
def test_a_learnt_person_is_followed(person, driver: str) -> None:
    basis, sound, coefficients = person
    made = open_listener(basis, driver)
    facts = made.fit(sound, coefficients)
    fresh, points = talk(8, seed=9)
    told, real = basis.measure(made.predict(fresh)), basis.measure(basis.encode(select(points)))
    assert facts.opening > 0.6
    assert np.corrcoef(told[:, 0], real[:, 0])[0, 1] > 0.7
    assert 0.7 < told[:, 0].std() / real[:, 0].std() < 1.3


def test_known_lip_sounds_shut_the_lips(person) -> None:
    basis, sound, coefficients = person
    made = open_listener(basis, "person")
    made.fit(sound, coefficients)
    shown = basis.measure(made.predict(talk(0.96, seed=2)[0], PHONES))[:, 0]
    assert shown[5:8].min() < 0.15 * basis.span[1, 0]
    assert shown[12:15].min() < 0.15 * basis.span[1, 0]
    assert shown[8:12].max() > 0.3 * basis.span[1, 0]


@pytest.mark.parametrize("phones", [(), PHONES])
def test_a_photo_speaks_without_a_recording(phones: tuple[Phone, ...]) -> None:
    basis = generic_basis(plain_face())
    shown = basis.measure(open_listener(basis).predict(talk(0.96, seed=2)[0], phones))
    assert shown[:, 0].max() > 0.04


def test_what_cannot_be_is_said(person) -> None:
    basis = person[0]
    with pytest.raises(UnknownDriver):
        open_listener(basis, "melt")
    with pytest.raises(InvalidRequest, match="not learnt"):
        open_listener(basis, "mel").predict(np.zeros(1600, np.float32))
    with pytest.raises(InvalidRequest, match="not known"):
        open_listener(basis, "phones").predict(np.zeros(1600, np.float32))
    with pytest.raises(BadVideo) as caught:
        open_listener(basis).fit(np.zeros(160_000, np.float32), np.zeros((250, 6), np.float32))
    assert caught.value.code == "video.no_speech"
