"""What several suites of the library need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.visage.swap_kit import face_models, face_settings  # noqa: F401 - fixtures of several suites
from visage.errors import NotInstalled
from visage.faces import open_faces
from visage.faces.contract import FaceFinder


@pytest.fixture(scope="module")
def finder() -> Iterator[FaceFinder]:
    """A face finder, where its package is installed."""
    try:
        faces = open_faces()
    except NotInstalled as exc:
        pytest.skip(f"{exc.message} {exc.hint}")
    yield faces
    faces.close()
