"""The avatar's own voice in the microphone, told from a speaker's: the avatar must not interrupt itself.

What is played is known.  An echo of it follows it: band by band its loudness rises and falls with what was played a
moment before.  The guard keeps the loudness of both in 12 bands, 62 times a second, and

1. searches the delay at which they go together best (correlation of the logarithmic loudness, over the last second);
2. learns at this delay how much of each band comes back (a median of the ratios where the far end is loud);
3. takes for somebody's speech what stands clearly above the echo so foretold, in enough bands, for long enough.

Each time the avatar begins, the delay must be found anew.  Until then the echo may come at any of the delays that are
possible, so that only what is louder than all of them together is somebody's; the first time of all, when not even
the echo's loudness is known, whatever is heard counts as echo, unless for some time it moves with nothing played.
Where something loud was played and nothing came back, as behind a good canceller, there is no echo to be feared.
"""

from __future__ import annotations

import numpy as np

from visage.types import SPEECH_RATE

HOP = 256
SPAN = 512
BANDS = 12
LOW_HZ, HIGH_HZ = 250.0, 6000.0
KEPT = 64
"""Hops of the microphone that are compared, one second."""
EARLIEST, LATEST = -32, 70
"""Hops that the echo may come after the moment that was told: half a second of doubt, 0.6 s of delay more."""
SILENT_DB = -100.0
LOUD_DB = 25.0
"""What was played is loud where it is no softer than this below its loudest; there the echo is measured."""
DECAY_DB = 2.0
"""How fast what was played dies away in a room, dB a hop: by 60 dB in half a second."""
GAP = 16
"""Hops without a sound after which the delay is searched anew."""
SLIP = 2
"""Hops that the delay may be wrong by."""
SELDOM = 4
"""Once the delay is found, it is looked at again only every so many windows."""
TAIL = 12
"""Hops that a room goes on sounding."""
FLOOR_RISE_DB, FLOOR_FALL_DB = 0.05, 0.35
"""How fast the floor of the microphone's noise follows, dB a hop: it settles where one hop in eight is softer."""
AUDIBLE_DB = 9.0
"""Above the floor, something is heard."""
ABOVE_DB = 6.5
"""How far above the echo a band must be to be somebody's."""
SHARE = 0.2
"""Share of the bands in which it must be so, on the average of the last hops."""
FOUND = 0.6
"""Correlation from which the delay counts as found."""
STRANGE = 0.45
"""Correlation below which what is heard has nothing to do with what is played."""
ENOUGH = 8
"""Hops that must be heard before anything is concluded."""
SURE = 24
"""The same before the delay counts as found."""
LONG = 10
"""The same before it is concluded from unlikeness."""


NONE_DB = -60.0
"""How much comes back where nothing is heard of it."""
WAITED, LONG_AGO = 24, 24
"""Hops in which an echo would have come, and hops before them that are looked at."""


class EchoGuard:
    """Follows one microphone; `is_echo` and `played` in the same stream time."""

    def __init__(self) -> None:
        self._taper = np.hanning(SPAN).astype(np.float32)
        self._edges = (np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1) * SPAN / SPEECH_RATE).round().astype(int)
        self._before = np.zeros(SPAN - HOP, np.float32)
        self._near = np.full((KEPT, BANDS), SILENT_DB)
        self._floor = np.full(BANDS, -60.0)
        self._mine = np.zeros(KEPT, bool)
        self._gain: np.ndarray | None = None
        self._now = 0
        self._fell_silent()

    def _fell_silent(self) -> None:
        self._far: dict[int, np.ndarray] = {}
        self._last = 0
        self._peak = SILENT_DB
        self._scores = np.zeros(LATEST - EARLIEST + 1)
        self._found = False
        self._above = 0.0
        self._turn = 0
        self._alike = 1.0

    def played(self, samples: np.ndarray, at: float) -> None:
        """Sound, float32 at `SPEECH_RATE`, that begins to be heard ``at`` seconds of the microphone's stream."""
        sound = np.concatenate([np.zeros(SPAN - HOP), np.nan_to_num(samples), np.zeros(SPAN - HOP)])
        levels = self._levels(sound.astype(np.float32))
        power = np.zeros(BANDS)
        first = round(at * SPEECH_RATE / HOP)
        if first > self._last + GAP:
            self._found, self._scores = False, np.zeros_like(self._scores)
        for index in range(len(levels) + TAIL):
            power *= 10 ** (-DECAY_DB / 10)
            if index < len(levels):
                power = power + 10 ** (levels[index] / 10)
            fading = 10 * np.log10(power + 10 ** (SILENT_DB / 10))
            known = self._far.get(first + index)
            self._far[first + index] = fading if known is None else np.maximum(known, fading)
        self._peak = max(self._peak, float(levels.max(initial=SILENT_DB)))
        self._last = max(self._last, first + len(levels))

    def stopped(self, at: float) -> None:
        """Nothing is played any more from ``at`` on."""
        end = round(at * SPEECH_RATE / HOP) + 1
        self._far = {index: level for index, level in self._far.items() if index <= end - EARLIEST}
        self._last = min(self._last, end)

    @property
    def active(self) -> bool:
        """Whether something that was played may be heard now."""
        return bool(self._far) and self._now <= self._last + LATEST + TAIL

    def is_echo(self, window: np.ndarray) -> bool:
        """Whether the microphone's next samples, a multiple of `HOP`, hold nothing but what was played.

        Call it with every window, so that the noise of the place is known; False where nothing was played.
        """
        sound = np.concatenate([self._before, window])
        self._before = sound[len(sound) - (SPAN - HOP):]
        levels = self._levels(sound)
        for level in levels:
            self._floor += np.where(level > self._floor, FLOOR_RISE_DB, -FLOOR_FALL_DB)
        fresh = len(levels)
        self._near = np.concatenate([self._near[fresh:], levels])
        self._mine = np.concatenate([self._mine[fresh:], np.zeros(fresh, bool)])
        self._now += fresh
        if not self.active:
            if self._far:
                self._fell_silent()
            return False
        echo = self._judge(fresh)
        self._mine[-fresh:] = not echo
        return echo

    def _levels(self, sound: np.ndarray) -> np.ndarray:
        """dB of each band [hops, BANDS], a hop for each `HOP` samples after the first `SPAN` - `HOP`."""
        pieces = np.lib.stride_tricks.sliding_window_view(sound, SPAN)[::HOP]
        power = np.abs(np.fft.rfft(pieces * self._taper, axis=1)) ** 2
        return 10 * np.log10(np.add.reduceat(power, self._edges, axis=1)[:, :-1] / SPAN + 1e-10)

    def _judge(self, fresh: int) -> bool:
        heard = np.mean(self._near > self._floor + AUDIBLE_DB, axis=1) > 0.25
        first = self._now - KEPT - LATEST
        silent = np.full(BANDS, SILENT_DB)
        far = np.array([self._far.get(first + index, silent) for index in range(KEPT + LATEST - EARLIEST)])
        if far.max() <= SILENT_DB:
            return False
        self._turn += 1
        if self._gain is None or not self._found or self._turn % SELDOM == 0:
            self._alike = self._compare(far, int(heard.sum()))
        lag = EARLIEST + int(np.argmax(self._scores))
        there = far[LATEST - lag:LATEST - lag + KEPT]
        if self._found:
            self._learn(there)
        if self._gain is None and self._inaudible(far, heard):
            self._gain = np.full(BANDS, NONE_DB)
        if self._gain is None:
            strange = heard[-2 * LONG:].sum() >= LONG and self._alike < STRANGE
            return not strange
        newest = KEPT + LATEST - lag
        possible = far[newest - fresh - SLIP:newest + SLIP] if self._found else far[KEPT:]
        foretold = possible.max(axis=0)
        return not self._stands_out(self._near[-fresh:], foretold + self._gain)

    def _inaudible(self, far: np.ndarray, heard: np.ndarray) -> bool:
        """Whether something loud was played long enough ago, and nothing came back: as behind a good canceller."""
        now = KEPT + LATEST
        loud = (far[now - WAITED - LONG_AGO:now - WAITED] > self._peak - LOUD_DB).any(axis=1)
        return bool(loud.mean() > 0.6 and not heard[-WAITED - LONG_AGO:].any())

    def _compare(self, far: np.ndarray, heard: int) -> float:
        """How well the microphone moves with what was played, at the best delay; notes the delays' merits."""
        mine = np.maximum(self._near, self._floor + AUDIBLE_DB / 2)
        theirs = np.maximum(far, self._peak - LOUD_DB - 10)
        mine = mine - mine.mean(axis=0)
        shifted = np.lib.stride_tricks.sliding_window_view(theirs, KEPT, axis=0)[::-1]
        shifted = shifted - shifted.mean(axis=2, keepdims=True)
        both = np.einsum("lbt,tb->l", shifted, mine)
        norm = np.sqrt(np.einsum("lbt,lbt->l", shifted, shifted) * np.sum(mine ** 2)) + 1e-3
        alike = both / norm
        if heard < ENOUGH:
            return 1.0
        self._scores = 0.95 * self._scores + np.maximum(alike, 0) ** 2
        best = float(alike.max())
        self._found = self._found or (best >= FOUND and heard >= SURE)
        return best

    def _learn(self, there: np.ndarray) -> None:
        """How much of each band comes back, from the hops that are nobody's."""
        loud = (there > self._peak - LOUD_DB) & ~self._mine[:, None]
        enough = loud.sum(axis=0) >= ENOUGH
        if enough.sum() < BANDS // 3:
            return
        back = np.where(loud, self._near - there, np.nan)[:, enough]
        gain = np.full(BANDS, np.nan)
        gain[enough] = np.nanmedian(back, axis=0)
        gain[~enough] = np.median(gain[enough]) if self._gain is None else self._gain[~enough]
        self._gain = gain if self._gain is None else self._gain + 0.2 * (gain - self._gain)

    def _stands_out(self, near: np.ndarray, foretold: np.ndarray) -> bool:
        mine = (near > foretold + ABOVE_DB) & (near > self._floor + AUDIBLE_DB)
        for share in mine.mean(axis=1):
            self._above += 0.25 * (float(share) - self._above)
        return self._above > SHARE
