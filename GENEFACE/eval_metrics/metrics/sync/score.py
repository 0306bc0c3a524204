"""Offset of picture and sound, lip correlation and sync score: all from meshes and the shipped speech encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.metrics.sync.belonging import REACH, SHIFTS, SLOW, WINDOW, Belonging, belonging
from eval_metrics.metrics.sync.clock import at_frames, require_length
from eval_metrics.metrics.sync.mouth import MEASURES, MouthWatch
from eval_metrics.metrics.sync.told import told_mouth
from visage.errors import BadAudio, BadVideo
from visage.types import FPS, SPEECH_RATE

_SEEN = 0.8
"""Least share of the frames with a face."""
_QUIET = 0.01
"""Spread of the told opening (of 1) below which the sound moves no lips."""
_STILL = 1e-3
"""Spread of the seen opening (of the distance of the eyes) below which the lips do not move."""
_SURE, _LIKELY = 1.5, 0.25
"""How many times the best correlation far away, and which correlation at all, the peak must reach to be believed.

Of ten-second pieces of real clips 2 % stay below, of such with another clip's sound 95 %.
"""


class Sync:
    """Watches the mouth, then compares it with what the sound tells.  Keeps about 30 bytes a frame."""

    info = MetricInfo("sync", "Lips and sound", needs=("face", "sound"), consecutive=True,
                      gives=("av_offset", "lip_correlation", "sync_score"))

    def __init__(self, options: Options) -> None:
        del options
        self._watch = MouthWatch()

    def take(self, frames: Sequence[Frame]) -> None:
        """Take the next frames in order."""
        for frame in frames:
            self._watch.take(frame.time, frame.pred_points)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """The three figures.

        Raises `InvalidRequest` for too short a clip or too few frames a second,
        `BadVideo` when the face is missing or its lips are still, `BadAudio` when nothing is spoken.
        """
        mouth = self._watch.mouth()
        seen, there = mouth.even()
        sound = scene.sound if scene.sound is not None else np.zeros(0, np.float32)
        count = min(round(len(mouth.times) * FPS / scene.fps), len(sound) * FPS // SPEECH_RATE)
        require_length(round(count * scene.fps / FPS), scene.fps)
        require_face(np.isfinite(mouth.measures[:, 0]))
        told = told_mouth(sound[:count * SPEECH_RATE // FPS])
        if seen[:count, 0].std() < _STILL:
            raise BadVideo("The lips do not move.", code="sync.still", hint="Use a clip of somebody who speaks.")
        if told[:count, 0].std() < _QUIET:
            raise BadAudio("Nothing is spoken that would move the lips.", code="sync.silent",
                           hint="Use a clip with speech.")
        return _figures(belonging(told, seen, there), scene, len(mouth.times))


def require_face(seen: np.ndarray) -> None:
    """Raises `BadVideo` when a face was seen, bool [N], in too few frames."""
    share = float(seen.mean()) if len(seen) else 0.0
    if share < _SEEN:
        raise BadVideo("No face is seen in {share} % of the frames.", code="sync.face_lost",
                       hint="Use a clip in which one face is seen throughout.", share=round(100 * (1 - share)))


def _figures(found: Belonging, scene: Scene, frames: int) -> dict[str, Figure]:
    sure = found.correlation > max(_LIKELY, _SURE * found.rival)
    doubt = "" if sure else "no shift stands out: sound and picture may not belong together"
    shared = {"fps": FPS, "shifts": REACH, "measures": list(MEASURES), "sound": "visemes of the shipped speech encoder"}
    lag = shared | {"slower_than_taken_away_frames": SLOW, "whole_frames": found.frames,
                    "curve_from_frames": int(SHIFTS[0]), "curve": [round(float(value), 4) for value in found.curve]}
    fine = shared | {"slower_than_taken_away_frames": round(WINDOW, 3)}
    milliseconds = 1000 / FPS
    return {
        "av_offset": Figure(found.offset * milliseconds, "ms", "nearer to 0", found.count,
                            found.offset_error * milliseconds, parameters=lag, title="Picture later than sound",
                            note=doubt),
        "lip_correlation": Figure(found.correlation, "", "higher", found.count, found.correlation_error,
                                  parameters=lag, title="Lip correlation", note=doubt),
        "sync_score": Figure(found.score, "", "higher", found.count, found.score_error,
                             at_frames(found.each, frames, scene.fps), parameters=fine, title="Sync score",
                             note="our own, without SyncNet: not comparable with LSE-C; "
                                  "depends on how much the speech moves the lips")}
