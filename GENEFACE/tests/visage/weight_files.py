"""Small files that are what the table of weights says by their content, made by the real writers of their formats."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
from scipy.io import savemat

from visage.engines.weights.table import File, Licence, Weight

BFM = ("shapePC", "shapeEV", "shapeMU", "texPC", "texEV", "texMU", "tl")
FRONT = ("meanshape", "meantex", "idBase", "exBase", "texBase", "tri", "point_buf", "keypoints", "skinmask")


def mat(*names: str) -> bytes:
    """A MATLAB file with these variables."""
    out = io.BytesIO()
    savemat(out, {name: np.arange(50.0).reshape(5, 10) for name in names}, do_compression=True)
    return out.getvalue()


def checkpoint(seed: int = 0, size: int = 4000) -> bytes:
    """A zip as PyTorch writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("model/data.pkl", b"\x80\x02}q\x00.")
        packed.writestr("model/data/0", np.random.default_rng(seed).bytes(size))
    return out.getvalue()


def expressions(vertices: int = 53215, components: int = 2) -> bytes:
    """An expression basis."""
    return np.int32(components).tobytes() + np.zeros(3 * vertices * (1 + components), np.float32).tobytes()


def array() -> bytes:
    """A NumPy file."""
    out = io.BytesIO()
    np.save(out, np.arange(1000))
    return out.getvalue()


def packed(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def lrs3_zip() -> bytes:
    """What the release calls lrs3.zip, small."""
    return packed({"lrs3/lm3d_vae_sync/model_ckpt_steps_40000.ckpt": checkpoint(1),
                   "lrs3/lm3d_vae_sync/config.yaml": b"a: 1\n",
                   "lrs3/syncnet/model_ckpt_steps_40000.ckpt": checkpoint(2), "__MACOSX/lrs3/._x": b"x"})


def one(content: bytes, url: str, **more: object) -> Weight:
    """A weight of one file with a published size and checksum."""
    facts = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more}
    return Weight("toy", "Toy", "cache", ("train",), False, Licence("MIT", ""), "https://example.org", True, "",
                  (File("sub/toy.pth", "torch", url=url, **facts),))  # type: ignore[arg-type]


def fill(folder: Path, files: dict[str, bytes | dict]) -> None:
    """Write files below a folder; a dict becomes JSON."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
