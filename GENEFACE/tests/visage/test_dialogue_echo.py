"""The avatar's own voice, from a loudspeaker in a room, is told from a speaker's."""

from __future__ import annotations

import numpy as np

from tests.voices import decibels, flite, in_a_room, silence
from visage.dialogue.echo import EchoGuard
from visage.types import SPEECH_RATE

FAR = "well, the history of china is very long and rich. it begins with small villages along the yellow river."


def not_echo(guard: EchoGuard, sound: np.ndarray) -> np.ndarray:
    return np.array([not guard.is_echo(window) for window in
                     sound[:len(sound) // 512 * 512].astype(np.float32).reshape(-1, 512)])


def scene(db: float, delay: float, told: float, near: float | None) -> np.ndarray:
    """Windows that are not echo: the avatar talks at 1 s, somebody else, so much louder than the echo, at 3 s."""
    far = flite(FAR) * (0.1 / np.std(flite(FAR)))
    echo = in_a_room(far, 3) * decibels(db)
    sound = silence(9)
    start = round((1 + delay) * SPEECH_RATE)
    sound[start:start + len(echo)] += echo
    if near is not None:
        voice = flite("stop, that is not what i wanted", "rms")
        sound[3 * SPEECH_RATE:3 * SPEECH_RATE + len(voice)] += voice * (np.std(echo) * decibels(near) / np.std(voice))
    guard = EchoGuard()
    guard.played(far, 1 + told)
    return not_echo(guard, sound[:round((1 + delay) * SPEECH_RATE) + len(echo)])[SPEECH_RATE // 512 + 1:]


def test_most_of_an_echo_is_known_as_one_however_late_and_soft() -> None:
    shares = [float(scene(db, delay, told, None).mean())
              for db, delay, told in ((-6, 0.02, 0), (-12, 0.2, -0.3), (-20, 0.5, 0), (-30, 0.3, 0.2))]
    print("share of windows not taken for echo", shares)
    assert max(shares) < 0.15


def test_somebody_louder_than_the_echo_gets_through() -> None:
    begin = 2 * SPEECH_RATE // 512
    for told in (0.0, -0.3):
        heard = scene(-15, 0.2, told, 10)[begin:begin + 16]
        assert heard.sum() >= 4, told


def test_where_nothing_is_played_nothing_is_echo() -> None:
    assert not_echo(EchoGuard(), np.concatenate([silence(1), flite(FAR)])).all()


def test_what_was_stopped_is_forgotten() -> None:
    guard = EchoGuard()
    guard.played(flite(FAR), 0.5)
    not_echo(guard, silence(1))
    guard.stopped(1.0)
    not_echo(guard, silence(2.5))
    assert not guard.active and not_echo(guard, flite(FAR)).all()


def test_where_nothing_comes_back_the_first_interruption_is_heard_as_soon_as_it_is_loud() -> None:
    played = flite("the museum opens at nine and it closes at five in the afternoon on mondays it stays shut")
    hum = np.random.default_rng(3).normal(0, 2e-4, 20_000).astype(np.float32)
    near = flite("stop please I have another question")
    guard = EchoGuard()
    guard.played(played, 0.05)
    not_echo(guard, hum[:len(hum) // 512 * 512])
    heard = not_echo(guard, near[:len(near) // 512 * 512])
    loud = np.abs(near[:len(heard) * 512]).reshape(-1, 512).max(axis=1) > 0.05
    first = int(loud.argmax())
    assert heard[first:first + 6].any(), heard
