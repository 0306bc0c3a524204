"""Whether a recording can be cloned from; each reason against it is an error of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visage.errors import BadAudio
from visage.tts.cloning.traits import SPEECH_DB, frame_levels
from visage.tts.cloning.world import RATE, STEP

SHORTEST, LONGEST = 5.0, 60.0
"""Seconds a recording may last; 10 to 30 are best."""
LEAST_VOICED = 0.3
"""Share of frames with a pitch; speech has 0.36 to 0.92, noise and chords under 0.15."""
LEAST_SNR = 14.0
"""dB between speech and the quietest moments; recordings at hand have 16 to 80, an office at 0 dB 9."""
MOST_CLIPPED = 0.002
"""Share of samples that stand at the limit."""
MOST_STEADY = 0.12
"""Share of long voiced stretches that keep one pitch; speech has 0 to 0.02, melodies 0.25 to 0.5."""
TWO_APART, TWO_CLEAR, TWO_SHARE = 5.0, 6.5, 0.2
"""Semitones between two groups of pitches, their distance in widths, and the smaller one's share: two speakers."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What was found in a recording that can be used."""

    seconds: float
    """Its length."""
    voiced: float
    """Share of frames with a pitch, 0 to 1."""
    snr: float
    """dB between speech and the quietest moments."""
    clipped: float
    """Share of samples at the limit."""


def check_length(seconds: float) -> None:
    """Raises `BadAudio` for a recording that is too short or too long."""
    if seconds < SHORTEST:
        raise BadAudio("The recording lasts {seconds} s; a voice needs at least {least}.", code="voice.too_short",
                       hint="Read a few sentences, 10 to 30 seconds.", seconds=round(seconds, 1), least=round(SHORTEST))
    if seconds > LONGEST:
        raise BadAudio("The recording lasts {seconds} s; at most {most} are used.", code="voice.too_long",
                       hint="Cut out 10 to 30 seconds of clear speech.", seconds=round(seconds), most=round(LONGEST))


def quality_of(samples: np.ndarray, pitch: np.ndarray) -> Quality:
    """Judge float32 mono sound at `RATE` with its pitch.  Raises `BadAudio` naming what is wrong."""
    check_length(len(samples) / RATE)
    levels = frame_levels(samples, len(pitch))
    top = float(np.percentile(levels, 95))
    voiced = (pitch > 0) & (levels > top - SPEECH_DB)
    share = float(voiced.mean())
    if share < LEAST_VOICED:
        raise BadAudio("There is hardly any speech in the recording.", code="voice.no_speech",
                       hint="Speak clearly into the microphone, without music, for 10 to 30 seconds.")
    tones = np.where(voiced, 12 * np.log2(np.maximum(pitch, 1)), np.nan)
    if steady_share(tones) > MOST_STEADY:
        raise BadAudio("The recording sounds like music, not like speech.", code="voice.music",
                       hint="Use speech without music or singing.")
    _refuse_clipped(clipped := clipped_share(samples))
    snr = float(np.mean(levels[levels > top - 15]) - np.percentile(levels, 5))
    if snr < LEAST_SNR:
        raise BadAudio("The recording is too noisy: speech is only {snr} dB above the background.", code="voice.noisy",
                       hint="Record in a quiet room, close to the microphone.", snr=round(snr))
    if two_speakers(tones):
        raise BadAudio("Two people seem to speak in the recording.", code="voice.two_speakers",
                       hint="Use a recording in which only one person speaks.")
    return Quality(round(len(samples) / RATE, 2), round(share, 3), round(min(snr, 90.0), 1), round(clipped, 5))


def _refuse_clipped(clipped: float) -> None:
    if clipped > MOST_CLIPPED:
        raise BadAudio("The recording is overdriven: {percent} % of it is cut off.", code="voice.clipped",
                       hint="Lower the microphone's volume, or move away from it.", percent=round(clipped * 100, 1))


def clipped_share(samples: np.ndarray) -> float:
    """Share of samples in runs of three or more that stand at the loudest value."""
    peak = float(np.abs(samples).max())
    if peak < 0.2:
        return 0.0
    at = np.abs(samples) >= peak * 0.995
    runs = at[:-2] & at[1:-1] & at[2:]
    return float(runs.mean())


def steady_share(tones: np.ndarray) -> float:
    """Share of voiced stretches of 150 ms within a third of a semitone; ``tones`` in semitones, NaN without voice."""
    width = round(0.15 / STEP)
    if len(tones) <= width:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(tones, width)[::5]
    windows = windows[~np.isnan(windows).any(1)]
    return float((np.ptp(windows, axis=1) < 0.35).mean()) if len(windows) else 0.0


def two_speakers(tones: np.ndarray) -> bool:
    """Whether the pitches of whole seconds fall into two groups far apart, as one speaker's never do."""
    second = round(1 / STEP)
    parts = [tones[start:start + second] for start in range(0, len(tones) - second // 2, second // 2)]
    middles = np.sort([np.nanmedian(part) for part in parts if np.isfinite(part).sum() > second / 5])
    count = len(middles)
    least = max(1, round(count * TWO_SHARE))
    for cut in range(least, count - least + 1 if count > 4 else 0):
        low, high = middles[:cut], middles[cut:]
        apart = float(high.mean() - low.mean())
        width = np.sqrt((low.var() * len(low) + high.var() * len(high)) / count + 0.2)
        if apart > TWO_APART and apart / width > TWO_CLEAR:
            return True
    return False
