"""Parameter sets of NIQE: the published one, and the product's own with the program that makes it.

``python -m eval_metrics.metrics.niqe_pristine`` fits ``niqe_visage_1.json`` again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval_metrics.contract import Options
from eval_metrics.metrics.niqe_features import BLOCK, FEATURES, features, luma
from eval_metrics.weights import ModelFile, seek
from visage.errors import BadMedia, NotInstalled

OWN = Path(__file__).with_name("niqe_visage_1.json")
"""The product's own set."""
PICTURES = {
    "astronaut": "NASA, public domain",
    "camera": "Lav Varshney, CC0",
    "chelsea": "Stefan van der Walt, CC0",
    "coffee": "Rachel Michetti, CC0",
    "rocket": "SpaceX, public domain",
}
"""What it is fitted from: pictures inside scikit-image, and who gave them away."""
STEP = 48
"""Pixels between blocks: half a block, because the pictures are few."""
SHARP = 0.5
"""Part of a picture's sharpest block that a block must reach; 0.75 would leave fewer blocks than features."""


@dataclass(frozen=True, slots=True, eq=False)
class ParameterSet:
    """What the features of undistorted pictures look like."""

    name: str
    """``visage-1`` or ``published``; figures of two sets cannot be compared."""
    mean: np.ndarray
    """float64 [36]."""
    covariance: np.ndarray
    """float64 [36, 36]."""
    told: Mapping[str, str]
    """Name, source and checksum for the report."""


def parameter_set(options: Options) -> ParameterSet:
    """The published set where its file is named or installed, else the product's own.

    Raises `NotFound` and `BadMedia` for a file that was named and is not one.
    """
    for name in ("niqe", "niqe-live"):
        try:
            return published(seek(name, options, download=False))
        except NotInstalled:
            continue
    return own()


def published(file: ModelFile) -> ParameterSet:
    """The set in ``niqe_pris_params.npz`` or ``modelparameters.mat``; raises `BadMedia` for another file."""
    from scipy.io import loadmat

    try:
        if file.path.suffix == ".mat":
            held: Mapping[str, Any] = loadmat(file.path)
        else:
            with np.load(file.path, allow_pickle=False) as packed:
                held = dict(packed)
        names = ("mu_prisparam", "cov_prisparam") if "mu_prisparam" in held else ("mu_pris_param", "cov_pris_param")
        mean, covariance = (np.asarray(held[name], np.float64) for name in names)
        return ParameterSet("published", mean.reshape(FEATURES), covariance.reshape(FEATURES, FEATURES), file.told)
    except Exception as exc:  # readers of such files raise whatever they like
        raise BadMedia("{file} cannot be used as {name}: {reason}.", code="evaluation.unfit_weights",
                       file=file.path.name, name=file.name, reason=f"{type(exc).__name__}: {exc}",
                       hint="Remove it and get it again: GENEFACE/scripts/weights list") from exc


def own() -> ParameterSet:
    """The product's own set."""
    import hashlib

    raw = OWN.read_bytes()
    card = json.loads(raw)
    covariance = np.zeros((FEATURES, FEATURES))
    covariance[np.tril_indices(FEATURES)] = [value for row in card["covariance"] for value in row]
    covariance += np.tril(covariance, -1).T
    return ParameterSet(card["name"], np.array(card["mean"]), covariance,
                        {"name": card["name"], "source": "comes with the product",
                         "sha256": hashlib.sha256(raw).hexdigest()})


def fit() -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Mean and covariance of the features of the sharp blocks of `PICTURES`, and how many blocks each gave."""
    rows, counts = [], {}
    for name in PICTURES:
        found, sharpness = features(luma(_picture(name)), STEP)
        kept = found[(sharpness >= SHARP * sharpness.max()) & np.isfinite(found).all(1)]
        rows.append(kept)
        counts[name] = len(kept)
    together = np.concatenate(rows)
    return together.mean(0), np.cov(together, rowvar=False), counts


def _picture(name: str) -> np.ndarray:
    from skimage import data

    picture = getattr(data, name)()
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2)


def write(place: Path = OWN) -> None:
    """Fit the own set and write it with its card; nothing in it is drawn by chance."""
    mean, covariance, counts = fit()
    card = {
        "name": "visage-1",
        "what": "NIQE: mean and covariance (lower triangle) of 36 features of sharp 96 x 96 blocks of good photographs",
        "made_by": "python -m eval_metrics.metrics.niqe_pristine",
        "pictures": {name: f"skimage.data.{name}, {owner}, {counts[name]} blocks"
                     for name, owner in PICTURES.items()},
        "blocks": sum(counts.values()), "block": BLOCK, "step": STEP, "sharp": SHARP,
        "limits": "Few pictures: ranks distortions of one clip and compares clips measured with this very set; its "
                  "figures are not those of the published set.",
        "mean": [float(f"{value:.9g}") for value in mean],
        "covariance": [[float(f"{value:.9g}") for value in row[: place_ + 1]]
                       for place_, row in enumerate(covariance)],
    }
    lines = json.dumps(card, indent=1)
    place.write_text(_joined(lines) + "\n", encoding="utf-8")


def _joined(text: str) -> str:
    """JSON with the numbers of a list in one line."""
    import re

    return re.sub(r"\[\s+(-?\d[^\[\]]*?)\s+\]", lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text)


if __name__ == "__main__":
    write()
