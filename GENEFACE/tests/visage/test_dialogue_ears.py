"""Ears, with the real detector and the real recogniser, and real speech."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest

from tests.voices import clicks, flite, silence
from visage.asr import Recognizer, open_recognizer
from visage.config import Settings
from visage.dialogue.ears import STEP, Ears, Hearing
from visage.dialogue.events import Began, EarEvent, Ended, Insisted, Nothing, Paused, Resumed, Words
from visage.types import SPEECH_RATE
from visage.vad import open_vad

QUESTION = "can you explain how a computer works"


@cache
def recognizer() -> Recognizer:
    found = open_recognizer(Settings(vosk_model=None))
    warm = found.listen()
    warm.feed(np.zeros(10, np.float32))
    warm.finish()
    return found


def ears(hearing: Hearing | None = None) -> Ears:
    return Ears(open_vad(Settings()), recognizer(), hearing)


def hear(listener: Ears, *parts: np.ndarray, size: int = 512) -> list[EarEvent]:
    sound = np.concatenate(parts).astype(np.float32)
    return [event for at in range(0, len(sound), size) for event in listener.hear(sound[at:at + size])]


def kinds(events: list[EarEvent]) -> list[type]:
    return [type(event) for event in events if not isinstance(event, Words)]


def test_a_question_is_heard_from_its_beginning_to_its_end() -> None:
    speech = flite(QUESTION)
    events = hear(ears(), silence(1), speech, silence(1.5))
    assert kinds(events)[:2] == [Began, Insisted] and kinds(events)[-2:] == [Paused, Ended]
    began, paused, ended = events[0], events[-2], events[-1]
    assert isinstance(began, Began) and isinstance(paused, Paused) and isinstance(ended, Ended)
    assert abs(began.at - 1) < 0.15
    end = 1 + len(speech) / SPEECH_RATE
    assert abs(ended.at - end) < 0.25 and paused.at == ended.at
    assert 0.3 <= ended.silence <= 1.0
    assert ended.heard.text == paused.text and {"can", "you", "explain", "computer"} <= set(ended.heard.text.split())
    assert len(ended.samples) >= len(speech) and np.abs(ended.samples).max() > 0.1


@pytest.mark.parametrize("size", [1, 160, 700, 100_000])
def test_any_number_of_samples_gives_the_same(size: int) -> None:
    sound = np.concatenate([silence(0.5), flite("good morning my friends"), silence(1.2)])
    if size == 1:
        sound = sound[:SPEECH_RATE]
    expected = [(type(event), event.at) for event in hear(ears(), sound) if not isinstance(event, Words)]
    assert [(type(event), event.at) for event in hear(ears(), sound, size=size)
            if not isinstance(event, Words)] == expected and expected


def test_speech_from_the_first_window_on() -> None:
    events = hear(ears(), flite(QUESTION), silence(1.5))
    assert kinds(events)[0] is Began and events[0].at < 0.2
    assert isinstance(events[-1], Ended) and "computer" in events[-1].heard.text


def test_a_pause_is_taken_back_and_all_words_belong_to_one_turn() -> None:
    events = hear(ears(), silence(0.5), flite("tell me a story"), silence(0.34),
                  flite("about a little girl and her dog"), silence(1.5))
    assert Resumed in kinds(events)
    ended = [event for event in events if isinstance(event, Ended)]
    assert len(ended) == 1 and {"story", "girl", "dog"} <= set(ended[0].heard.text.split())


@pytest.mark.parametrize("name", ["silence", "digital silence", "noise", "clicks", "nan", "knock"])
def test_noise_is_nothing(name: str) -> None:
    sound = {"silence": silence(20), "digital silence": np.zeros(20 * SPEECH_RATE), "noise": silence(20, 0.05),
             "clicks": clicks(20), "nan": np.full(5 * SPEECH_RATE, np.nan),
             "knock": np.concatenate([silence(1), silence(0.03, 0.4), silence(2)])}[name]
    assert hear(ears(), sound) == []


@pytest.mark.parametrize(("name", "change"), [
    ("clipped", lambda x: np.clip(x * 4, -1, 1)), ("soft", lambda x: x * 0.02), ("broken", None)])
def test_bad_sound_is_still_understood(name: str, change) -> None:
    sound = np.concatenate([silence(0.5, 1e-5), flite(QUESTION), silence(1.5, 1e-5)])
    if change is None:
        sound[20_000:20_003] = np.nan
        sound[30_000] = np.inf
    else:
        sound = change(sound)
    events = hear(ears(), sound)
    assert isinstance(events[-1], Ended) and events[-1].heard.text, name


@pytest.mark.slow
def test_speech_without_a_pause_is_ended_and_goes_on() -> None:
    speech = np.resize(np.concatenate([flite(QUESTION), flite("who was the first president of the united states")]),
                       150 * SPEECH_RATE)
    listener = ears(Hearing(longest_seconds=30))
    events = hear(listener, silence(0.5), speech, silence(1.5))
    ended = [event for event in events if isinstance(event, Ended)]
    assert 4 <= len(ended) <= 7
    assert all(len(event.samples) <= 31 * SPEECH_RATE for event in ended)
    assert len(events) < 150 / 0.15 + 60
    assert sum("computer" in event.heard.text for event in ended) >= 4


def test_switching_off_in_mid_speech_drops_it() -> None:
    listener = ears()
    hear(listener, silence(0.5), flite(QUESTION)[:SPEECH_RATE])
    assert [type(event) for event in listener.reset()] == [Nothing] and listener.reset() == []
    assert listener.now > 1.4
    events = hear(listener, silence(0.5), flite("thank you very much"), silence(1.2))
    assert isinstance(events[-1], Ended) and events[-1].at > 2


def test_switching_off_right_after_the_last_word_is_the_end_of_the_question() -> None:
    listener = ears()
    hear(listener, silence(0.5), flite(QUESTION), silence(0.1))
    events = listener.finish()
    assert kinds(events) == [Ended] and "computer" in events[0].heard.text
    assert listener.finish() == []
    assert kinds(hear(listener, silence(0.5), flite(QUESTION), silence(1.5)))[-1] is Ended


def test_what_was_no_language_is_told() -> None:
    class Deaf:
        def listen(self, after=None):
            return self

        def feed(self, samples):
            return ""

        def finish(self):
            from visage.asr.contract import Transcript
            return Transcript("", "en", "deaf", "Only English is understood.")

        def close(self):
            pass

    events = hear(Ears(open_vad(Settings()), Deaf()), silence(0.5), flite(QUESTION), silence(1.5))
    assert kinds(events) == [Began, Insisted, Nothing]
    assert events[-1].note == "Only English is understood."


def test_it_is_quick_and_cheap() -> None:
    question = np.concatenate([flite(QUESTION), silence(1.4)])
    sounds = {"silence": np.zeros(20 * SPEECH_RATE, np.float32), "noise": silence(20, 0.01),
              "speech": np.resize(question, 20 * SPEECH_RATE)}
    spent, worst = {}, 0.0
    for name, sound in sounds.items():
        listener = ears()
        start = time.thread_time()
        hear(listener, sound)
        spent[name] = round((time.thread_time() - start) / 20, 4)
    delays: dict[str, list[float]] = {"began": [], "paused": [], "ended": []}
    for voice in ("slt", "rms", "awb"):
        speech = flite(QUESTION, voice)
        listener, end = ears(), 1 + len(speech) / SPEECH_RATE
        sound = np.concatenate([silence(1), speech, silence(1.5)])
        for at in range(0, len(sound), 512):
            start = time.thread_time()
            for event in listener.hear(sound[at:at + 512]):
                name = {Began: "began", Paused: "paused", Ended: "ended"}.get(type(event))
                if name:
                    delays[name].append(round(at / SPEECH_RATE + STEP - (1 if name == "began" else end), 3))
            worst = max(worst, time.thread_time() - start)
    print("CPU s/s", spent, "worst window ms", round(worst * 1000), "delays", delays)
    assert spent["silence"] < 0.02 and spent["noise"] < 0.05 and spent["speech"] < 0.6
    assert max(delays["began"]) < 0.3 and max(delays["ended"]) < 1.2
