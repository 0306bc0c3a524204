"""Compares kinds of painters: ``python -m benchmarks.renderers [VIDEO …] --seconds S --seeds N --out FILE.json``.

Each learns the same recordings for the same CPU seconds on one thread and
paints the same held-out frames: a U-Net at full resolution, a network on
folded pixels that sees no reference, and the shipped one, which bends a real
crop and corrects it.  The last line of the output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.lips_picture import RESULTS, SHARED, measure
from visage.engines.lite import crops

CLIPS = ("de_anchor_20s", "obama1_20s_256")
_COLUMNS = ("psnr_mouth_crop", "ssim_mouth_crop", "sharpness_ratio", "flicker_ratio")


def compare(clips: Sequence[Path], seconds: float, seeds: Sequence[int], *, kept: Path | None = None,
            tracks: Path | None = None) -> dict[str, Any]:
    """For each of `renderers_networks.NETWORKS`: parameters, and what `lips_picture.measure` found."""
    from benchmarks.renderers_networks import NETWORKS

    return {name: {"parameters": sum(weight.numel() for weight in network(crops.SIZE).parameters()),
                   **measure(clips, seconds, seeds, kept=kept, tracks=tracks, network=network,
                             results=RESULTS / "renderers" / name)}
            for name, network in NETWORKS.items()}


def table(found: dict[str, Any]) -> str:
    """The comparison as a Markdown table: means with the standard deviation over clips and seeds."""
    lines = ["| painter | parameters | " + " | ".join(_COLUMNS) + " | samples per CPU second | ms per frame |",
             "|---" * (len(_COLUMNS) + 4) + "|"]
    for name, one in found.items():
        cells = [f"{one['mean'][key]:.3f} ± {one['spread'][key]:.3f}" for key in _COLUMNS]
        rate = sum(row["samples_per_cpu_s"] for row in one["rows"]) / len(one["rows"])
        lines.append(f"| {name} | {one['parameters'] / 1e6:.2f} M | {' | '.join(cells)} | {rate:.0f} "
                     f"| {one['mean']['ms_per_frame']:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line, print the table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU seconds of learning, on one thread")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path, help="folder for what is cut out of the recordings")
    parser.add_argument("--tracks", type=Path, help="folder of meshes found before")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    given = parser.parse_args()
    files = given.files or [SHARED / f"{name}.mp4" for name in CLIPS]
    found = compare(files, given.seconds, range(given.seeds), kept=given.kept, tracks=given.tracks)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
