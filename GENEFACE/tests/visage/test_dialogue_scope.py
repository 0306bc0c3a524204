"""The small parts of a live conversation: cancel scopes, playback clocks, the turnstile, the showing of frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from visage.dialogue.playback import TRUST, Playback
from visage.dialogue.scope import Scope
from visage.dialogue.showing import AHEAD, RESERVE, SOUND_RATE, Caption, Show
from visage.dialogue.turnstile import Turnstile
from visage.errors import Cancelled
from visage.tts.contract import Speech
from visage.types import FPS, SPEECH_RATE, Phone


def test_a_scope_closes_what_blocks_once_and_late_comers_at_once() -> None:
    scope, closed = Scope(), []
    scope.on_cancel(lambda: closed.append("first"))
    scope.check()
    scope.cancel()
    scope.cancel()
    scope.on_cancel(lambda: closed.append("late"))
    assert closed == ["first", "late"] and scope.cancelled
    with pytest.raises(Cancelled):
        scope.check()


def test_waiting_in_a_scope_ends_with_it() -> None:
    scope = Scope()
    threading.Timer(0.05, scope.cancel).start()
    with pytest.raises(Cancelled):
        scope.wait(60)
    assert not Scope().until(lambda: False, 0.02)
    assert Scope().until(lambda: True, 0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_position_is_reckoned_on_but_never_beyond_what_was_sent() -> None:
    clock = Clock()
    playback = Playback(clock)
    playback.sent(2.0)
    clock.now += 5
    assert playback.position() == 0 and not playback.started
    playback.report(0.5)
    clock.now += 0.4
    assert playback.position() == pytest.approx(0.9)
    playback.report(0.2)  # an old report that came late does not turn the clock back
    assert playback.position() == pytest.approx(0.5)
    clock.now += 10
    assert playback.position() == 2.0
    playback.sent(99)
    assert playback.position() == pytest.approx(0.5 + TRUST)


def test_a_held_playback_stands_still() -> None:
    clock = Clock()
    playback = Playback(clock)
    playback.sent(9)
    playback.report(1.0)
    clock.now += 1
    playback.hold()
    clock.now += 3
    assert playback.held and playback.position() == pytest.approx(2.0)
    playback.go_on()
    clock.now += 1
    assert playback.position() == pytest.approx(3.0)


def test_the_turnstile_lets_the_most_urgent_through_first() -> None:
    gate, order, ready = Turnstile(1), [], threading.Barrier(4)

    def work(deadline: float) -> None:
        ready.wait()
        with gate.through(deadline):
            order.append(deadline)

    threads = [threading.Thread(target=work, args=(deadline,)) for deadline in (3.0, 1.0, 2.0)]
    with gate.through(0.0):
        for thread in threads:
            thread.start()
        ready.wait()
        while len(gate._waiting) < 3:
            pass
        assert not order
    for thread in threads:
        thread.join()
    assert order == [1.0, 2.0, 3.0]


def test_a_place_of_the_turnstile_is_free_again_after_a_failure() -> None:
    gate = Turnstile(1)
    with pytest.raises(ZeroDivisionError), gate.through(0):
        raise ZeroDivisionError
    with gate.through(0):
        pass


class Face:
    """Frames that tell where they are from: 1 while speaking, 0 at rest, and their number."""

    width = height = 2
    cycle = 50

    def rest(self, start: int) -> Iterator[np.ndarray]:
        while True:
            yield np.array([[0, start]])
            start += 1

    def speak(self, samples: np.ndarray, phones: Sequence[Phone], start: int) -> Iterator[np.ndarray]:
        for number in range(round(len(samples) * FPS / SPEECH_RATE)):
            yield np.array([[1, start + number]])

    def close(self) -> None:
        """Nothing is held."""


class Tape:
    """A muxer that keeps what it gets."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int]] = []
        self.sound: list[np.ndarray] = []

    def write(self, frame: np.ndarray, sound: np.ndarray) -> bytes:
        self.frames.append((int(frame[0, 0]), int(frame[0, 1])))
        self.sound.append(sound)
        return b"x"

    def close(self) -> bytes:
        return b"end"


def show_on(tape: Tape, playback: Playback, scope: Scope | None = None) -> tuple[Show, list[tuple[bytes, float]]]:
    out: list[tuple[bytes, float]] = []

    def send(data: bytes, seconds: float) -> None:
        out.append((data, seconds))
        playback.sent(seconds)

    return Show(Face(), tape, 7, scope or Scope(), playback, Turnstile(1), send), out


def speech(seconds: float, rate: int = SOUND_RATE) -> Speech:
    return Speech(np.linspace(0.1, 0.9, round(seconds * rate), dtype=np.float32), rate, "test", "text")


def test_sentences_follow_one_another_with_rest_between_them() -> None:
    tape, playback = Tape(), Playback()
    show, out = show_on(tape, playback)
    captions: list[Caption] = []
    show.say(speech(0.5), "One.", lambda caption, _: captions.append(caption))
    while show.frames * 1.0 / FPS - playback.position() >= RESERVE:
        playback.sent(9)
        playback.report(playback.position() + 0.04)
    before = show.frames
    show.fill()
    assert show.frames == before + 1
    show.say(speech(0.3), "Two.", lambda caption, _: captions.append(caption))
    assert show.finish() == show.frames / FPS and out[-1][0] == b"end"
    kinds, numbers = zip(*tape.frames, strict=True)
    assert kinds == (1,) * 12 + (0,) + (1,) * 8 and numbers == tuple(range(7, 7 + 21))
    assert [(caption.text, caption.start) for caption in captions] == [("One.", 0.0), ("Two.", 13 / FPS)]
    assert all(len(part) == SOUND_RATE // FPS for part in tape.sound)
    assert tape.sound[0][0] == pytest.approx(0.1) and not tape.sound[12].any()


def test_no_more_is_made_than_will_be_played_soon() -> None:
    tape, playback, scope = Tape(), Playback(), Scope()
    show, _ = show_on(tape, playback, scope)
    done: list[str] = []

    def talk() -> None:
        try:
            show.say(speech(30), "Long.", lambda *_: None)
        except Cancelled:
            done.append("cancelled")

    thread = threading.Thread(target=talk)
    thread.start()
    while show.seconds <= AHEAD:
        assert thread.is_alive()
    thread.join(0.3)
    assert AHEAD < show.seconds < AHEAD + 0.2 and thread.is_alive()
    scope.cancel()
    thread.join(5)
    assert done == ["cancelled"]


def test_sound_of_any_rate_stays_with_its_pictures() -> None:
    tape, playback = Tape(), Playback()
    show, _ = show_on(tape, playback)
    show.say(speech(1.0, 22_050), "One.", lambda *_: None)
    assert show.frames == FPS and sum(map(len, tape.sound)) == SOUND_RATE
