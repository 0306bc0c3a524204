"""What every voice activity detector promises."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from tests.voices import clicks, decibels, flite, hum, silence
from visage.config import Settings
from visage.errors import NotInstalled, UnknownDriver
from visage.types import SPEECH_RATE
from visage.vad import DRIVERS, WINDOW, Vad, open_vad

WORDS = "good morning, please tell me something about the history of china"


@pytest.fixture(params=sorted(DRIVERS))
def vad(request: pytest.FixtureRequest) -> Vad:
    try:
        return open_vad(Settings(vad=request.param))
    except NotInstalled as exc:
        pytest.skip(exc.message)


def judged(vad: Vad, sound: np.ndarray) -> np.ndarray:
    whole = len(sound) // WINDOW * WINDOW
    return np.array([vad.probability(window) for window in sound[:whole].astype(np.float32).reshape(-1, WINDOW)])


def test_it_says_who_it_is(vad: Vad) -> None:
    assert vad.name in DRIVERS and (vad.note == "") == (vad.name == "silero")


@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_speech_is_heard(vad: Vad, voice: str, gain: float) -> None:
    speech = flite(WORDS, voice) * gain
    likely = judged(vad, np.concatenate([silence(1), speech, silence(1)]))
    start, end = SPEECH_RATE // WINDOW, (SPEECH_RATE + len(speech)) // WINDOW
    assert np.mean(likely[start:end] > 0.5) > 0.6
    assert np.mean(likely[:start - 1] > 0.5) == 0
    assert np.mean(likely[end + 8:] > 0.5) == 0


def test_speech_is_likelier_than_noise_and_noise_than_silence(vad: Vad) -> None:
    likely = []
    for sound in (flite(WORDS), silence(4, 0.05), np.zeros(4 * SPEECH_RATE)):
        vad.reset()
        likely.append(judged(vad, sound).mean())
    assert likely[0] > likely[1] + 0.4 and likely[1] > likely[2] == 0


@pytest.mark.parametrize("name", ["noise", "loud noise", "hum", "clicks", "offset", "digital silence"])
def test_what_is_no_speech_is_not_taken_for_it(vad: Vad, name: str) -> None:
    sound = {"noise": silence(6, 0.01), "loud noise": silence(6, 0.2), "hum": hum(6), "clicks": clicks(6),
             "offset": silence(6) + 0.3, "digital silence": np.zeros(6 * SPEECH_RATE)}[name]
    likely = judged(vad, np.concatenate([silence(1), sound]))
    longest = max(len(run) for run in "".join("x" if p > 0.5 else " " for p in likely).split(" "))
    assert longest < 4, f"{longest} windows of {name} in a row"


def test_speech_over_noise_is_heard(vad: Vad) -> None:
    speech = np.concatenate([silence(2), flite(WORDS), silence(1)])
    noise = silence(len(speech) / SPEECH_RATE, float(np.std(flite(WORDS))) * decibels(-15), 3)
    likely = judged(vad, speech + noise[:len(speech)])
    assert np.mean(likely[2 * SPEECH_RATE // WINDOW:-SPEECH_RATE // WINDOW] > 0.5) > 0.4
    assert np.mean(likely[:2 * SPEECH_RATE // WINDOW - 1] > 0.5) < 0.1


def test_broken_samples_are_survived(vad: Vad) -> None:
    for value in (np.nan, np.inf, -np.inf, 5.0):
        assert all(0 <= p <= 1 for p in judged(vad, np.full(WINDOW * 4, value)))
    assert judged(vad, np.concatenate([silence(0.5), flite(WORDS)])).max() > 0.5


def test_a_window_of_another_length_is_refused(vad: Vad) -> None:
    with pytest.raises(ValueError, match="512"):
        vad.probability(np.zeros(160, np.float32))


def test_a_stream_that_is_forgotten_begins_afresh(vad: Vad) -> None:
    sound = np.concatenate([silence(0.5), flite(WORDS)])
    first = judged(vad, sound)
    vad.reset()
    assert np.allclose(judged(vad, sound), first, atol=1e-6)


def test_streams_do_not_disturb_each_other(vad: Vad) -> None:
    sound = np.concatenate([silence(0.5), flite(WORDS)])
    alone = judged(vad, sound)
    others = [open_vad(Settings(vad=vad.name)) for _ in range(4)]
    found: list[np.ndarray] = [np.zeros(0)] * 4

    def hear(index: int) -> None:
        found[index] = judged(others[index], sound)

    threads = [threading.Thread(target=hear, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.allclose(one, alone, atol=1e-5) for one in found)


def test_it_costs_little(vad: Vad) -> None:
    minute = {"silence": np.zeros(60 * SPEECH_RATE), "noise": silence(60, 0.01), "speech": np.resize(flite(WORDS),
              60 * SPEECH_RATE)}
    spent = {}
    for name, sound in minute.items():
        start = time.thread_time()
        judged(vad, sound)
        spent[name] = round(time.thread_time() - start, 3)
    print(vad.name, "CPU seconds a minute:", spent)
    assert spent["silence"] < 0.3 and max(spent.values()) < 3


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownDriver, match="silero"):
        open_vad(Settings(vad="siren"))


def test_without_the_network_loudness_listens_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from visage.vad import silero

    monkeypatch.setattr(silero.util, "find_spec", lambda _: None)
    silero._network.cache_clear()
    try:
        assert open_vad(Settings()).name == "energy" and "Silero" in open_vad(Settings()).note
        with pytest.raises(NotInstalled, match="Silero") as told:
            open_vad(Settings(vad="silero"))
        assert told.value.code == "vad.no_model" and "silero-vad==6.2.3" in told.value.hint
    finally:
        silero._network.cache_clear()


def test_the_network_is_the_one_that_set_up_installs() -> None:
    from backend.packages import SILERO
    from visage.vad.silero import PACKAGE

    assert PACKAGE == f"silero-vad=={SILERO}"
