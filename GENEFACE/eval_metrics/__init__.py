"""Measures how good a talking-face clip is, alone or against the recording it should equal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eval_metrics.contract import Figure, Frame, Metric, MetricInfo, Options, Scene
from visage.drivers import load
from visage.errors import VisageError

METRICS = {
    "niqe": "eval_metrics.metrics.niqe:Niqe",
    "psnr": "eval_metrics.metrics.pictures:Psnr",
    "ssim": "eval_metrics.metrics.pictures:Ssim",
    "fid": "eval_metrics.metrics.fid:Fid",
    "lse": "eval_metrics.metrics.sync.lse:Lse",
    "lpips": "eval_metrics.metrics.lpips:Lpips",
    "identity": "eval_metrics.metrics.identity:Identity",
    "lips": "eval_metrics.metrics.lips:Lips",
    "sync": "eval_metrics.metrics.sync.score:Sync",
    "sharpness": "eval_metrics.metrics.sharpness:Sharpness",
    "flicker": "eval_metrics.metrics.flicker:Flicker",
    "checks": "eval_metrics.metrics.checks:Checks",
}
"""Every metric by name."""
GIVES = {
    "lse": ("lse_c", "lse_d"),
    "lips": ("lmd", "lmd_pixels", "lmd_aligned", "lip_closure", "closed_in_silence", "opening_ratio", "mouth_opening",
             "truth_mouth_opening", "sound_envelope"),
    "sync": ("av_offset", "lip_correlation", "sync_score"),
    "sharpness": ("cpbd", "cpbd_ratio"),
    "flicker": ("flicker", "flicker_ratio"),
    "checks": ("duration_difference", "fps_difference", "frames_difference", "sound_present", "sound_minus_picture"),
}
"""Keys of those that yield other keys than their name, known even where a metric cannot be loaded."""
FIRST = {"niqe": "NIQE", "psnr": "PSNR", "ssim": "SSIM", "fid": "FID", "lse_c": "LSE-C", "lse_d": "LSE-D"}
"""Keys that stand at the top of every report, a number or null, and their titles."""

__all__ = ["FIRST", "GIVES", "METRICS", "Absent", "open_metrics"]


class Absent:
    """Stands for a metric that cannot be had here: takes nothing and tells why at the end."""

    def __init__(self, info: MetricInfo, error: VisageError) -> None:
        self.info = info
        self.error = error

    def take(self, frames: Sequence[Frame]) -> None:
        """Nothing to do."""

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """Raises the error that kept the metric away."""
        raise self.error


def open_metrics(names: Iterable[str] = METRICS, options: Options | None = None) -> dict[str, Metric]:
    """New metrics by name, in the order asked for; one that cannot be had is an `Absent`.

    Raises `UnknownDriver` for a name that is not in `METRICS`.
    """
    return {name: _opened(name, options or Options()) for name in dict.fromkeys(names)}


def _opened(name: str, options: Options) -> Metric:
    info = MetricInfo(name, name, gives=GIVES.get(name, ()))
    if name not in METRICS:
        load("metric", METRICS, name)
    try:
        kind = load("metric", METRICS, name)
        info = kind.info
        return kind(options)
    except VisageError as exc:
        return Absent(info, exc)
    except Exception as exc:  # one that cannot be built must not take the others down
        return Absent(info, VisageError("{metric} could not be started: {reason}.", code="evaluation.metric_failed",
                                        metric=info.title, reason=f"{type(exc).__name__}: {exc}"))
