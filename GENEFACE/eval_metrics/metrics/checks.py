"""Plain checks: how long, how fast and with what sound the clip plays, against the ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene

_ALONE = "It compares with a ground truth, and none was given."


class Checks:
    """Differences that a file tells without a look at its pictures.  Uses what `pairing` found out."""

    info = MetricInfo("checks", "Checks", gives=("duration_difference", "fps_difference", "frames_difference",
                                                 "sound_present", "sound_minus_picture"))

    def __init__(self, options: Options) -> None:
        self._frames = 0

    def take(self, frames: Sequence[Frame]) -> None:
        """Only counts them."""
        self._frames += len(frames)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """Clip minus ground truth in seconds, frames per second and frames; sound there or not, and its length."""
        pred, truth = scene.facts["pred"], scene.facts["truth"]
        figures = {f"{name}_difference": self._difference(pred, truth, key, unit, title) for name, key, unit, title in (
            ("duration", "seconds", "s", "Duration, clip minus ground truth"),
            ("fps", "fps", "fps", "Frame rate, clip minus ground truth"),
            ("frames", "frames", "frames", "Number of frames, clip minus ground truth"))}
        return {**figures, "sound_present": self._present(pred, truth), "sound_minus_picture": self._lengths(pred)}

    def _difference(self, pred: Mapping[str, Any], truth: Mapping[str, Any] | None, key: str, unit: str,
                    title: str) -> Figure:
        if truth is None:
            return Figure(None, unit, "nearer to 0", self._frames, parameters={"pred": pred[key]}, title=title,
                          reason=_ALONE, remedy="--gt_video FILE")
        note = "its frames come at uneven times" if key == "fps" and pred["variable_rate"] else ""
        return Figure(float(pred[key] - truth[key]), unit, "nearer to 0", self._frames, note=note, title=title,
                      parameters={"pred": pred[key], "truth": truth[key]})

    def _present(self, pred: Mapping[str, Any], truth: Mapping[str, Any] | None) -> Figure:
        has = {name: clip["sound_seconds"] is not None for name, clip in (("pred", pred), ("truth", truth)) if clip}
        note = "the ground truth has sound, the clip has none" if has.get("truth") and not has["pred"] else ""
        return Figure(float(has["pred"]), "", "higher", self._frames, parameters=has, note=note,
                      title="Sound track (1: there is one)")

    def _lengths(self, pred: Mapping[str, Any]) -> Figure:
        title = "Sound's length less the picture's"
        if pred["sound_seconds"] is None:
            return Figure(None, "s", "nearer to 0", title=title, reason="The clip has no sound.",
                          remedy="Use a clip with a sound track.")
        parameters = {"sound": pred["sound_seconds"], "picture": pred["seconds"]}
        return Figure(pred["sound_seconds"] - pred["seconds"], "s", "nearer to 0", self._frames,
                      parameters=parameters, title=title)
