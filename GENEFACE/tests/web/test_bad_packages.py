"""Avatar packages and pictures from strangers: taken when they are sound, else refused without a trace."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
import requests
from PIL import Image
from skimage import data

from tests.conftest import Installation
from tests.web.test_api import upload
from tests.web.test_bad_input import ZH, checked, in_chinese, plain

MANIFEST = {"id": "stranger", "name": "Stranger", "engine": "lite", "kind": "photo", "width": 512, "height": 512,
            "created": "2026-01-01T00:00:00+00:00"}


def package(manifest: object, **files: bytes) -> bytes:
    """A zip with that manifest (bytes: as they are)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest if isinstance(manifest, bytes) else json.dumps(manifest))
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def damaged() -> bytes:
    """A package with a byte flipped in one of its files."""
    whole = bytearray(package(MANIFEST, **{"a.bin": np.random.default_rng(1).bytes(5000)}))
    whole[whole.find(b"a.bin") + 2000] ^= 255
    return bytes(whole)


@pytest.mark.parametrize(("made", "code"), [
    (package(MANIFEST, **{"../../evil.txt": b"x"}), "avatar.unsafe_package"),
    (package(MANIFEST, **{"/evil.txt": b"x"}), "avatar.unsafe_package"),
    (package(MANIFEST, **{"zeros.bin": bytes(40 << 20)}), "avatar.unsafe_package"),
    (package({**MANIFEST, "id": "../x"}), "path.identifier"), (package({**MANIFEST, "id": 5}), "avatar.not_a_package"),
    (package({**MANIFEST, "created": 7}), "avatar.not_a_package"), (package([1]), "avatar.not_a_package"),
    (package({**MANIFEST, "figures": 7}), "avatar.not_a_package"), (package(b"[" * 99_999), "avatar.not_a_package"),
    (package({**MANIFEST, "engine": "nope"}), "engine.unknown"), (damaged(), "avatar.not_a_package"),
    (package({**MANIFEST, "format": 99}), "avatar.too_new"),
    (package({**MANIFEST, "id": "astronaut"}), "avatar.exists"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_strange_packages_are_refused_without_a_trace(installation: Installation, made: bytes, code: str) -> None:
    before = set((installation.home / "var" / "avatars").iterdir())
    sent = upload(installation, "package", "p.zip", made)
    assert sent.status_code == 201, sent.text
    told = requests.post(f"{installation.url}/api/avatars/import", json={"upload": sent.json()["id"]}, headers=ZH,
                         timeout=60)
    assert told.status_code in (404, 409, 422), told.text
    assert told.json()["code"] == code
    plain(told.json())
    in_chinese(told.json())
    assert set((installation.home / "var" / "avatars").iterdir()) == before
    assert requests.get(f"{installation.url}/api/avatars", timeout=20).status_code == 200


@pytest.mark.parametrize("kind", ["large", "cmyk", "moving", "deep"])
def test_strange_pictures_of_a_face_are_accepted(installation: Installation, kind: str) -> None:
    face = Image.fromarray(data.astronaut()[:400, 24:424]).resize((512, 512))
    out = io.BytesIO()
    if kind == "large":
        face.resize((10_000, 9_000)).save(out, "JPEG")
    elif kind == "cmyk":
        face.convert("CMYK").save(out, "JPEG")
    elif kind == "moving":
        face.save(out, "GIF", save_all=True, append_images=[face.rotate(5)], duration=100)
    else:
        Image.fromarray(np.asarray(face.convert("L")).astype(np.uint16) * 257).save(out, "PNG")
    sent = upload(installation, "image", f"{kind}.png", out.getvalue())
    assert sent.status_code == 201, sent.text
    assert checked(installation, sent.json()["id"], ZH)["ok"]
    trained = requests.post(f"{installation.url}/api/jobs/train", json={"upload": sent.json()["id"]}, headers=ZH,
                            timeout=20)
    assert trained.json()["code"] == "upload.not_a_video"
    in_chinese(trained.json())
