"""What turns one built-in voice into somebody's: found by comparing traits, applied to every sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visage.media.audio import resample
from visage.tts.cloning.spectrum import bands_of, centres, cepstra, spread, warped
from visage.tts.cloning.traits import Traits
from visage.tts.cloning.world import RATE, Frames, analyse, synthesise

WARPS = np.arange(0.80, 1.2601, 0.02)
"""Ratios of vocal-tract lengths that are tried."""
FORMANTS = 5500.0
"""Hz below which spectra tell the length of a vocal tract."""
FAR = 0.25
"""Price of a factor, by its logarithm."""
CODES = 48
"""Typical spectra of a built-in voice that a recording is compared with."""
MOST_DB, MOST_DB_UNVOICED = 18.0, 8.0
"""No band of the timbre is moved further."""
RANGES, PACES = (0.55, 1.8), (0.65, 1.6)
"""How much wider pitch may swing and faster speech may go."""
LOWEST_PITCH, HIGHEST_PITCH = 55.0, 600.0
_NEPERS = np.log(10) / 10
PIECE_SECONDS = 8.0
"""Longer sound is worked on in pieces cut where it is quietest, so that a long text needs no more memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How a built-in voice becomes somebody's."""

    person: str
    """Variant of espeak-ng that it starts from."""
    warp: float
    """Factor on every formant."""
    pitch: float
    """Median pitch aimed at, Hz."""
    own_pitch: dict[str, float]
    """Median pitch of the built-in voice, Hz, by language; ``""``: of any other."""
    swing: float
    """Factor on the distance from the median pitch, in semitones."""
    pace: float
    """Factor on the speed."""
    voiced: np.ndarray
    """Added to the voiced envelope [BANDS], nepers of power."""
    unvoiced: np.ndarray
    """Added to the unvoiced envelope [BANDS]."""
    breath: np.ndarray
    """Added to the logarithm of the share of noise [BANDS]."""

    def apply(self, samples: np.ndarray, rate: int, language: str = "", semitones: float = 0.0) -> np.ndarray:
        """The built-in voice's float32 mono sound as that person's: the same length and rate, not yet levelled."""
        if not len(samples):
            return samples
        sound = resample(samples, rate, RATE)
        out = np.concatenate([self._piece(piece, language, semitones) for piece in pieces_of(sound)])
        return resample(out, RATE, rate)[:len(samples)] if rate != RATE else out

    def _piece(self, samples: np.ndarray, language: str, semitones: float) -> np.ndarray:
        frames = analyse(samples)
        voiced = frames.pitch > 0
        own = self.own_pitch.get(language) or self.own_pitch.get("") or self.pitch
        pitch = frames.pitch.copy()
        aim = np.log(self.pitch) + semitones / 12 * np.log(2)
        pitch[voiced] = np.exp(np.clip(aim + (np.log(pitch[voiced]) - np.log(own)) * self.swing,
                                       np.log(LOWEST_PITCH), np.log(HIGHEST_PITCH)))
        envelope = warped(frames.envelope, self.warp)
        envelope += np.where(voiced[:, None], spread(self.voiced), spread(self.unvoiced))
        noise = np.clip(frames.noise * np.where(voiced[:, None], np.exp(spread(self.breath)), 1.0), 1e-3, 1 - 1e-6)
        return synthesise(Frames(pitch, envelope, noise), len(samples))


def pieces_of(samples: np.ndarray) -> list[np.ndarray]:
    """The sound cut at its quietest places into pieces of at most `PIECE_SECONDS`."""
    longest, block = round(PIECE_SECONDS * RATE), round(0.02 * RATE)
    pieces = []
    while len(samples) > longest:
        count = longest // block
        power = np.square(samples[:count * block]).reshape(count, block).sum(1)
        half = count // 2
        quietest = half + int(np.flatnonzero(power[half:] <= power[half:].min() * 1.01 + 1e-9)[-1])
        cut = quietest * block + block // 2
        pieces.append(samples[:cut])
        samples = samples[cut:]
    return [*pieces, samples]


def likeness(target: Traits, own: Traits, person: str, own_pitch: dict[str, float], edge: float) -> Likeness:
    """What makes the built-in voice with the traits ``own`` sound like ``target``; ``edge``: highest Hz recorded."""
    warp, _ = best_warp(target, own)
    # compared as it will be: formants moved first, then the rest of the timbre by a filter
    moved = warped(own.spectra, warp)
    bands = bands_of(moved).mean(0)
    voiced = target.voiced - (bands - bands.mean())
    unvoiced = target.unvoiced - own.unvoiced
    return Likeness(
        person, warp, target.pitch, own_pitch,
        float(np.clip(target.range / max(own.range, 0.1), *RANGES)), float(np.clip(target.pace / own.pace, *PACES)),
        limited(voiced, MOST_DB, edge), limited(unvoiced, MOST_DB_UNVOICED, edge),
        np.clip(target.breath - own.breath, -1.0, 1.0))


def limited(curve: np.ndarray, most_db: float, edge: float) -> np.ndarray:
    """A curve over the bands, smoothed, within ``most_db``, and level above the ``edge`` of what was recorded."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    smooth = np.convolve(padded, [0.25, 0.5, 0.25], mode="valid")
    inside = np.flatnonzero(centres() < edge * 0.95)
    smooth[inside[-1] + 1:] = smooth[inside[-1]]
    return np.clip(smooth - smooth.mean(), -most_db * _NEPERS, most_db * _NEPERS)


def best_warp(target: Traits, own: Traits) -> tuple[float, float]:
    """The factor on formants under which both voices use the most alike spectra, and how unlike they stay.

    Spectra below `FORMANTS` Hz are compared by shape and without each voice's mean, so that the microphone and what
    was said weigh little; a far factor must be worth it.
    """
    codes = _codebook(own.spectra)
    wanted = cepstra(target.spectra[:: max(1, len(target.spectra) // 1500)], top=FORMANTS)
    wanted = wanted - wanted.mean(0)
    costs = []
    for factor in WARPS:
        shapes = cepstra(warped(codes, factor), top=FORMANTS)
        shapes = shapes - shapes.mean(0)
        apart = ((wanted[:, None] - shapes[None]) ** 2).sum(-1)
        costs.append(np.sqrt(apart.min(1)).mean() * (1 + FAR * abs(np.log(factor))))
    best = int(np.argmin(costs))
    return float(WARPS[best]), float(costs[best])


def _codebook(spectra: np.ndarray) -> np.ndarray:
    from scipy.cluster.vq import kmeans2

    points = cepstra(spectra, top=FORMANTS)
    count = min(CODES, max(1, len(points) // 8))
    _, labels = kmeans2(points, count, minit="++", seed=7)
    return np.array([spectra[labels == label].mean(0) for label in np.unique(labels)])
