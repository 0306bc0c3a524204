"""LSE-C and LSE-D (Prajwal et al. 2020): how near lips and sound lie in the space of the published SyncNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eval_metrics.contract import Figure, Frame, MetricInfo, Options, Scene
from eval_metrics.metrics.sync.clock import EvenFrames, at_frames, require_length
from eval_metrics.metrics.sync.crops import MEDIAN, SCALE, FaceCrops
from eval_metrics.metrics.sync.distances import REACH, Distances, distances
from eval_metrics.metrics.sync.mfcc import mfcc
from eval_metrics.spread import standard_error
from eval_metrics.weights import seek
from visage.errors import BadVideo
from visage.types import FPS, SPEECH_RATE

if TYPE_CHECKING:
    from eval_metrics.metrics.sync.network import SyncNet

_RUN = 8
"""Windows embedded at once."""
_LOST = 0.2
"""Share of the frames without a face from which on nothing is told."""


class Lse:
    """Cuts out the face, embeds it as it comes, keeps 4 kB a frame.

    Raises what `weights.seek` raises, without SyncNet's weights `NotInstalled`.
    """

    info = MetricInfo("lse", "LSE", needs=("face", "sound"), gives=("lse_c", "lse_d"), whole=True, consecutive=True)

    def __init__(self, options: Options) -> None:
        self._file = seek("syncnet", options)
        # after the file is found: torch takes 250 MB, which nobody should pay for a metric that is null
        from eval_metrics.metrics.sync.network import load_syncnet

        self._network: SyncNet = load_syncnet(self._file)
        self._clock, self._crops = EvenFrames(), FaceCrops()
        self._run: list[np.ndarray] = []
        self._seen: list[np.ndarray] = []
        self._points: np.ndarray | None = None
        self._first = self._count = self._lost = 0

    def take(self, frames: Sequence[Frame]) -> None:
        """Take the next frames in order, with their whole pictures."""
        for frame in self._clock.take(frames):
            self._follow(frame)

    def finish(self, scene: Scene) -> Mapping[str, Figure]:
        """LSE-C and LSE-D.  Raises `InvalidRequest` for too short a clip and `BadVideo` when the face is missing."""
        for frame in self._clock.rest():
            self._follow(frame)
        for crop in self._crops.rest():
            self._embed(crop)
        self._embed(None)
        require_length(self._count, FPS)
        lost = (self._lost + self._first) / max(self._count, 1)
        if self._points is None or lost > _LOST:
            raise BadVideo("No face is seen in {share} % of the frames.", code="sync.face_lost",
                           hint="Use a clip in which one face is seen throughout.", share=round(100 * lost))
        found = self._compared(scene.sound if scene.sound is not None else np.zeros(0, np.float32))
        return self._figures(found, scene)

    def _follow(self, frame: Frame) -> None:
        self._count += 1
        if frame.pred_points is None:
            if self._points is None:
                self._first += 1
                return
            self._lost += 1
        else:
            self._points = frame.pred_points
        picture = frame.pred_whole if frame.pred_whole is not None else frame.pred
        for crop in self._crops.take(picture, self._points):
            self._embed(crop)

    def _embed(self, crop: np.ndarray | None) -> None:
        """Keep a crop until a run is full; None: embed what is left."""
        from eval_metrics.metrics.sync.network import WINDOW, embed_pictures

        if crop is not None:
            self._run.append(crop)
        if len(self._run) >= WINDOW and (crop is None or len(self._run) == _RUN + WINDOW - 1):
            self._seen.append(embed_pictures(self._network, np.array(self._run)))
            self._run = self._run[1 - WINDOW:]

    def _compared(self, sound: np.ndarray) -> Distances:
        from eval_metrics.metrics.sync.network import WINDOW, embed_sound

        sound = sound[self._first * SPEECH_RATE // FPS:]
        frames = min(self._count - self._first, len(sound) * FPS // SPEECH_RATE)
        require_length(frames, FPS)
        # as in the scripts, whose last window but one is the last
        count = frames - WINDOW
        return distances(np.concatenate(self._seen)[:count], embed_sound(self._network, mfcc(sound), count))

    def _figures(self, found: Distances, scene: Scene) -> dict[str, Figure]:
        lead = np.full(self._first + 2, np.nan)
        count = round((self._count - 1) * scene.fps / FPS) + 1
        near = np.concatenate([lead, found.nearest])
        sure = np.concatenate([lead, np.median(found.mean) - found.nearest])
        told = {"frames": len(found.nearest), "weights": self._file.told, "parameters": self._parameters(found),
                "note": self._note()}
        return {
            "lse_c": Figure(found.lse_c, "", "higher", error=found.lse_c_error, title="LSE-C",
                            series=at_frames(sure, count, scene.fps), **told),
            "lse_d": Figure(found.lse_d, "", "lower", error=standard_error(found.nearest), title="LSE-D",
                            series=at_frames(near, count, scene.fps), **told)}

    def _parameters(self, found: Distances) -> dict[str, object]:
        return {"fps": FPS, "window_frames": 5, "mfcc": "13 at 100 Hz", "shifts": REACH, "crop": 224,
                "crop_scale": SCALE, "box": "of the face mesh, longer side", "box_median_frames": MEDIAN,
                "recompressed": False, "track": "the whole clip", "av_offset_frames": found.offset,
                "mean_distance": [round(float(value), 4) for value in found.mean]}

    def _note(self) -> str:
        lost = self._first + self._lost
        seen = f"; {lost} frames without a face" if lost else ""
        return f"the box comes from the face mesh where the published scripts use S3FD{seen}"
