"""Where the lips are against the truth's, whether they close when they should, and how far they open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.metrics.closing import RATIO, SHUT, TOLERANCE, Closing, closed, closing, quiet_frames
from eval_metrics.metrics.sync.clock import at_frames, require_length
from eval_metrics.metrics.sync.mouth import Mouth, MouthWatch
from eval_metrics.metrics.sync.score import require_face
from eval_metrics.metrics.sync.told import envelope, shut_lips
from eval_metrics.spread import standard_error
from visage.engines.lite.mel import frame_count
from visage.errors import VisageError
from visage.types import FPS, SPEECH_RATE

MOUTH_68 = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)
"""Mesh points of numbers 49 to 68 of the 68-point layout: the outer edge from the right corner, then the inner."""
_EYES = (33, 263)
_HEARD = 0.5
"""Probability of p, b or m that counts as heard."""


class Lips:
    """Watches both mouths; keeps about 400 bytes a frame."""

    info = MetricInfo("lips", "Lips", needs=("face",), consecutive=True, gives=(
        "lmd", "lmd_pixels", "lmd_aligned", "lip_closure", "closed_in_silence", "opening_ratio",
        "mouth_opening", "truth_mouth_opening", "sound_envelope"))

    def __init__(self, options: Options) -> None:
        del options
        self._pred, self._truth = MouthWatch(MOUTH_68), MouthWatch(MOUTH_68)
        self._apart: list[float] = []
        self._eyes: list[float] = []
        self._has_truth = False

    def take(self, frames: Sequence[Frame]) -> None:
        """Take the next frames in order."""
        for frame in frames:
            self._has_truth = self._has_truth or frame.truth is not None or frame.truth_points is not None
            self._pred.take(frame.time, frame.pred_points)
            self._truth.take(frame.time, frame.truth_points)
            both = frame.pred_points is not None and frame.truth_points is not None
            self._apart.append(_distance(frame.pred_points, frame.truth_points, MOUTH_68) if both else np.nan)
            self._eyes.append(_between_eyes(frame.truth_points) if both else np.nan)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """All figures; each that lacks the truth, the sound or enough frames says so.

        Raises `BadVideo` when the clip's face is missing.
        """
        pred, truth = self._pred.mouth(), self._truth.mouth()
        require_face(np.isfinite(pred.measures[:, 0]))
        with_truth = self._has_truth and np.isfinite(truth.measures[:, 0]).mean() > 0.5
        return {**self._landmarks(pred, truth, with_truth), **_behaviour(pred, truth if with_truth else None, scene),
                **_curves(pred, truth if with_truth else None, scene)}

    def _landmarks(self, pred: Mouth, truth: Mouth, with_truth: bool) -> dict[str, Figure]:
        titles = {"lmd": "Landmark distance", "lmd_pixels": "Landmark distance in pixels",
                  "lmd_aligned": "Landmark distance, heads aligned"}
        if not with_truth or not np.isfinite(self._apart).any():
            return {key: _missing(title, _NO_TRUTH) for key, title in titles.items()}
        apart = np.array(self._apart)
        still = np.linalg.norm(pred.picked - truth.picked, axis=-1).mean(-1)
        share = "% of the outer eye corners' distance"
        return {"lmd": _mean(titles["lmd"], 100 * apart / np.array(self._eyes), share),
                "lmd_pixels": _mean(titles["lmd_pixels"], apart, "px"),
                "lmd_aligned": _mean(titles["lmd_aligned"], 100 * still, share)}


_NO_TRUTH = ("There is no ground truth with a face.", "Give the recording that the clip should equal (--gt_video).")
_NO_SOUND = ("The clip has no sound.", "Use a clip with sound.")


def _distance(first: np.ndarray, second: np.ndarray, points: Sequence[int]) -> float:
    picked = list(points)
    return float(np.linalg.norm(first[picked, :2] - second[picked, :2], axis=1).mean())


def _between_eyes(points: np.ndarray) -> float:
    right, left = points[list(_EYES), :2]
    return float(np.linalg.norm(left - right))


def _missing(title: str, why: tuple[str, str], note: str = "") -> Figure:
    return Figure(None, title=title, reason=why[0], remedy=why[1], note=note)


def _mean(title: str, values: np.ndarray, unit: str) -> Figure:
    kept = values[np.isfinite(values)]
    return Figure(float(kept.mean()), unit, "lower", len(kept), standard_error(kept), [float(v) for v in values],
                  parameters={"points": list(MOUTH_68), "layout": "49 to 68 of 68, from the face mesh"}, title=title)


def _behaviour(pred: Mouth, truth: Mouth | None, scene: Scene) -> dict[str, Figure]:
    titles = {"lip_closure": "Lips closed where they should be", "closed_in_silence": "Mouth closed in silence",
              "opening_ratio": "Opening against the truth's"}
    seen, there = pred.even()
    try:
        require_length(round(len(seen) * scene.fps / FPS), scene.fps)
    except VisageError as exc:
        return {key: _missing(title, (exc.message, exc.hint)) for key, title in titles.items()}
    real = None if truth is None else truth.even()
    sound = scene.sound
    shut = _Told(real, sound)
    return {"lip_closure": _closure(titles["lip_closure"], seen, there, shut),
            "closed_in_silence": _in_silence(titles["closed_in_silence"], seen, there, sound, real),
            "opening_ratio": _ratio(titles["opening_ratio"], seen, there, real)}


class _Told:
    """Where lips must be shut: as the truth shows, else as the sound tells."""

    def __init__(self, real: tuple[np.ndarray, np.ndarray] | None, sound: np.ndarray | None) -> None:
        self.source, self.frames = "", np.zeros(0, bool)
        if real is not None:
            self.source, self.frames = "the ground truth's mouth", closed(real[0][:, 0]) & real[1]
        elif sound is not None:
            self.source, self.frames = "p, b and m heard by the speech encoder", shut_lips(sound) > _HEARD


def _closure(title: str, seen: np.ndarray, there: np.ndarray, told: _Told) -> Figure:
    if not told.source:
        return _missing(title, _NO_SOUND)
    count = min(len(seen), len(told.frames))
    found: Closing = closing(closed(seen[:count, 0]), told.frames[:count], there[:count])
    given = {"closures_from": told.source, "tolerance_frames": TOLERANCE, "closed_below_share_of_p95": RATIO,
             "closed_below": SHUT, "fps": FPS}
    if not found.hits:
        return Figure(None, title=title, reason=f"No closed lips are to be expected by {told.source}.",
                      remedy="Use a longer clip.", parameters=given)
    hits = np.array(found.hits, np.float64)
    error = float(np.sqrt(hits.mean() * (1 - hits.mean()) / len(hits)))
    return Figure(float(100 * hits.mean()), "%", "higher", len(hits), 100 * error, title=title, parameters=given
                  | {"by_chance_percent": round(100 * found.chance, 1), "events": len(hits)},
                  note=f"{len(hits)} closures by {told.source}; {100 * found.chance:.0f} % would be met by chance")


def _in_silence(title: str, seen: np.ndarray, there: np.ndarray, sound: np.ndarray | None,
                real: tuple[np.ndarray, np.ndarray] | None) -> Figure:
    if sound is None:
        return _missing(title, _NO_SOUND)
    count = min(len(seen), frame_count(sound))
    quiet = quiet_frames(sound[:count * SPEECH_RATE // FPS], count) & there[:count]
    if quiet.sum() < 3:
        return _missing(title, ("Somebody speaks all the time.", "Use a clip with a pause."))
    shut = closed(seen[:, 0])[:count][quiet].astype(np.float64)
    note = ""
    if real is not None:
        own = closed(real[0][:, 0])
        both = quiet[:len(own)] & real[1][:count]
        note = f"{100 * own[:count][both].mean():.0f} % in the ground truth" if both.any() else ""
    return Figure(100 * float(shut.mean()), "%", "higher", int(quiet.sum()), 100 * (standard_error(shut) or 0.0),
                  parameters={"away_from_speech_ms": 120, "closed_below_share_of_p95": RATIO, "closed_below": SHUT},
                  title=title, note=note)


def _ratio(title: str, seen: np.ndarray, there: np.ndarray, real: tuple[np.ndarray, np.ndarray] | None) -> Figure:
    if real is None:
        return _missing(title, _NO_TRUTH)
    count = min(len(seen), len(real[0]))
    both = there[:count] & real[1][:count]
    first, second = seen[:count, 0], real[0][:count, 0]
    if both.sum() < FPS or second[both].std() < 1e-4:
        return _missing(title, ("The ground truth's mouth does not move.", "Use a recording of somebody who speaks."))
    whole = first[both].std() / second[both].std()
    part = np.arange(count) * 10 // count
    left = np.array([first[both & (part != n)].std() / max(second[both & (part != n)].std(), 1e-9) for n in range(10)])
    return Figure(float(whole), "", "nearer to 1", int(both.sum()), float(np.sqrt(9 * left.var())),
                  parameters={"opening": "inner lips, standard deviation over time", "fps": FPS}, title=title)


def _curves(pred: Mouth, truth: Mouth | None, scene: Scene) -> dict[str, Figure]:
    frames = len(pred.times)
    result = {"mouth_opening": _opening("Mouth opening", pred)}
    result["truth_mouth_opening"] = (_missing("Mouth opening of the truth", _NO_TRUTH) if truth is None
                                     else _opening("Mouth opening of the truth", truth))
    if scene.sound is None:
        return result | {"sound_envelope": _missing("Sound", _NO_SOUND)}
    heard = np.array(at_frames(envelope(scene.sound), frames, scene.fps))
    kept = heard[np.isfinite(heard)]
    result["sound_envelope"] = Figure(float(kept.mean()) if len(kept) else None, "dB", "", len(kept),
                                      standard_error(kept), [float(v) for v in heard], title="Sound",
                                      parameters={"band_hz": [60, 7600], "below": "full scale"},
                                      reason="" if len(kept) else "The sound is empty.")
    return result


def _opening(title: str, mouth: Mouth) -> Figure:
    values = 100 * mouth.measures[:, 0].astype(np.float64)
    kept = values[np.isfinite(values)]
    return Figure(float(kept.mean()), "% of the outer eye corners' distance", "", len(kept), standard_error(kept),
                  [float(v) for v in values], parameters={"points": [13, 14], "head_motion": "taken away"}, title=title)
