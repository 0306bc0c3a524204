"""What the ONNX engine costs beside its networks: python -m benchmarks.swap_onnx --json

The networks are the stand-ins of the tests with the real names and input sizes,
weighed down with convolutions: the detector to the 13.3 GMAC that SCRFD-10GF has
at 640 x 640 by its published count, the swapper to 20 and the restorer to 30 GMAC,
which is less than the published networks of 554 and 340 MB need.  A lighter
network makes the ratio worse, so what is measured is an upper limit.  Times are
CPU seconds of the whole process and its children; each session computes with one
thread, so that its own run time is CPU time as well.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visage.config import read_settings
from visage.media.encoder import ClipWriter
from visage.swap.contract import Identity
from visage.swap.onnx import OnnxRestorer, OnnxSwapper
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.pipeline import swap_file

WIDTH, HEIGHT = 806, 684
SIDE = 280
"""Side of the face, pixels: what a talking head has in such a frame."""
FRAMES = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one run through the pipeline."""

    whole: float
    """Of everything, from reading to the verified file."""
    sessions: float
    """Of the sessions' own runs."""
    frames: int
    """Frames that were worked on."""

    @property
    def ratio(self) -> float:
        """Whole over sessions."""
        return self.whole / self.sessions

    @property
    def beside(self) -> float:
        """Milliseconds a frame that are not the networks'."""
        return (self.whole - self.sessions) / self.frames * 1000


def onnx_overhead(folder: Path, frames: int = FRAMES) -> dict[str, Any]:
    """The figures, with networks and clips in ``folder``: swap alone, and swap with restoration."""
    gmac = _networks(folder / "face_models")
    target = _clip(folder / "talk.mp4", frames)
    settings = read_settings(home=folder, face_models=folder / "face_models")
    with OnnxSwapper(settings, threads=1) as swapper, OnnxRestorer(settings, threads=1) as restorer:
        identity = swapper.identify([_frame(263, 202)])
        swap = _measured(target, folder / "swap.mp4", swapper, identity, None)
        both = _measured(target, folder / "both.mp4", swapper, identity, restorer)
        provider = swapper.provider
    return {"onnx_overhead_ratio": round(both.ratio, 3), "onnx_overhead_ratio_swap_only": round(swap.ratio, 3),
            "onnx_overhead_ms": round(both.beside, 1), "onnx_overhead_ms_swap_only": round(swap.beside, 1),
            "onnx_session_ms": round(both.sessions / both.frames * 1000, 1), "onnx_gmac": gmac,
            "onnx_frames": frames, "onnx_provider": provider}


def overhead_ratio() -> float:
    """Whole pipeline over its sessions' own run times, with swap and restoration; for the figures of face swapping."""
    with tempfile.TemporaryDirectory() as folder:
        return float(onnx_overhead(Path(folder))["onnx_overhead_ratio"])


def _measured(target: Path, out: Path, swapper: OnnxSwapper, identity: Identity, restorer: OnnxRestorer | None
              ) -> Cost:
    kits = [swapper.kit, *([restorer.kit] if restorer else [])]
    before, computed = _cpu(), sum(kit.meters[1] for kit in kits)
    asked = SwapRequest(target, out, SwapOptions(), out.parent / "jobs")
    result = swap_file(asked, swapper, identity, restorer)
    if result.swapped != result.frames_in or result.frames_out != result.frames_in:
        raise SystemExit(f"{result.swapped} of {result.frames_in} frames were worked on; the figure would be false")
    return Cost(_cpu() - before, sum(kit.meters[1] for kit in kits) - computed, result.swapped)


def _cpu() -> float:
    whole = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in whole)


def _networks(root: Path) -> dict[str, float]:
    """Stand-ins as heavy as told above; what each computes, GMAC a run."""
    from tests.visage import swap_networks as nets

    nets.recogniser(root / "w600k_r50.onnx")
    heavy = {"det_10g": (nets.detector(root / "det_10g.onnx", reach=36), "input.1", (640, 640), 8, 128, 14),
             "inswapper_128": (nets.inswapper(root / "inswapper_128.onnx"), "target", (128, 128), 4, 256, 33),
             "GFPGANv1.4": (nets.gfpgan(root / "GFPGANv1.4.onnx"), "input", (512, 512), 8, 128, 50)}
    return {name: round(nets.weigh_down(*facts), 1) for name, facts in heavy.items()}


def _clip(path: Path, frames: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ClipWriter(path, WIDTH, HEIGHT, 25, sound_rate=16_000, preset="veryfast") as writer:
        for number in range(frames):
            writer.write(_frame(263 + 3 * number, 202))
        writer.write_sound(np.random.default_rng(0).normal(0, 0.05, 16_000 * frames // 25).astype(np.float32))
    return path


def _frame(left: int, top: int) -> np.ndarray:
    """A red square, which is a face to the stand-in detector, on a ground with some texture, uint8 RGB."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    grey = 100 + 30 * np.sin(columns / 17) * np.cos(rows / 23)
    picture = np.repeat(grey[..., None], 3, 2).astype(np.uint8)
    picture[top:top + SIDE, left:left + SIDE] = (255, 0, 0)
    return picture


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--frames", type=int, default=FRAMES)
    choice = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = onnx_overhead(Path(folder), choice.frames)
    print(json.dumps(figures) if choice.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
