"""A whole turn, with small real drivers and a language model server on a real socket."""

from __future__ import annotations

import numpy as np
import pytest

from tests.glm_server import GlmServer
from visage.asr.contract import Transcript
from visage.config import Settings
from visage.dialogue.history import Exchange
from visage.dialogue.joining import PAUSE, join
from visage.dialogue.turn import LONGEST_ANSWER, Manner, Turn
from visage.errors import BadAudio, Cancelled, InvalidRequest, ServiceError
from visage.llm import Message, open_responder
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.types import Phone, Progress

RATE = 16_000


class Beeper:
    """Says a text as a tone, 50 ms a character, between 20 ms of quiet."""

    def __init__(self) -> None:
        self.asked: list[SpeechRequest] = []

    def voices(self) -> list[Voice]:
        return [Voice("beep:one", "Beep", "en")]

    def speak(self, request: SpeechRequest) -> Speech:
        self.asked.append(request)
        seconds = 0.05 * len(request.text)
        tone = 0.3 * np.sin(np.arange(int(seconds * RATE), dtype=np.float32) + 1.5)
        samples = np.pad(tone.astype(np.float32), int(0.02 * RATE))
        return Speech(samples, RATE, "beep:one", request.text, (Phone("a", 0.02, 0.02 + seconds),), ("It beeps.",))


class Counter:
    """Understands how long a sound is."""

    def __init__(self, note: str = ""):
        self.note = note

    def transcribe(self, samples: np.ndarray) -> Transcript:
        loud = np.abs(samples).max(initial=0) > 0.1
        return Transcript(f"{len(samples)} samples" if loud else "", "en", "counter", self.note)


def offline() -> Turn:
    return Turn(open_responder(Settings(), "offline"), Beeper(), Counter("Only numbers are understood."))


def test_a_typed_question_is_answered_and_spoken() -> None:
    told: list[Progress] = []
    result = offline().take("What is 2 + 3?", report=told.append)
    assert result.heard.recogniser == "typed"
    assert result.answered.text == result.answered.spoken == "That makes 5."
    assert result.answered.llm == "offline"
    assert len(result.spoken.speech.samples) > RATE // 2
    assert result.notes == ("It beeps.",)
    assert list(dict.fromkeys(step.stage for step in told)) == ["hear", "think", "speak"]
    fractions = [step.fraction for step in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    facts = {name: value for step in told for name, value in step.facts.items()}
    assert facts == {"heard": "What is 2 + 3?", "answer": "That makes 5."}


def test_a_spoken_question_is_heard_and_its_note_is_passed_on() -> None:
    result = offline().take(np.full(800, 0.5, np.float32))
    assert result.heard.text == "800 samples"
    assert result.heard.recogniser == "counter"
    assert result.notes[0] == "Only numbers are understood."
    assert "800 samples" in result.answered.text


def test_silence_is_not_a_question() -> None:
    with pytest.raises(BadAudio, match=r"0\.1 s of sound"):
        offline().take(np.zeros(1600, np.float32))


def test_an_empty_question_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        offline().take("  \n")


def test_without_a_recogniser_one_can_still_type() -> None:
    turn = Turn(open_responder(Settings(), "offline"), Beeper())
    assert turn.take("hello").answered.text
    with pytest.raises(InvalidRequest):
        turn.take(np.full(800, 0.5, np.float32))


def test_sentences_are_spoken_one_by_one_in_one_voice_and_joined() -> None:
    beeper = Beeper()
    answer = "你好！**世界**。<think>x</think> OK 😀"
    with GlmServer(answer) as server:
        responder = open_responder(Settings(openai_base_url=server.base_url), "openai")
        result = Turn(responder, beeper).take("hi", [Exchange("before", "then")], persona="You are Ada.",
                                              manner=Manner("beep:one", 1.5, 2.0))
        sent = server.requests[0]["messages"]
    assert [message["content"] for message in sent[1:]] == ["before", "then", "hi"]
    assert sent[0]["content"].startswith("You are Ada.")
    assert [request.text for request in beeper.asked] == ["你好！", "世界。", "OK"]
    assert {(r.voice, r.speed, r.pitch, r.language) for r in beeper.asked} == {("beep:one", 1.5, 2.0, "zh")}
    assert result.answered.text == "你好！**世界**。OK 😀"
    speech = result.spoken.speech
    assert speech.text_used == "你好！ 世界。 OK"
    assert speech.notes == ("It beeps.",)
    for phone in speech.phones:
        middle = int((phone.start + phone.end) / 2 * RATE)
        assert np.abs(speech.samples[middle - 80:middle + 80]).max() > 0.2
    gaps = [b.start - a.end for a, b in zip(speech.phones, speech.phones[1:], strict=False)]
    assert gaps == pytest.approx([PAUSE] * 2, abs=0.01)


@pytest.mark.parametrize(("answer", "mode"), [("", "empty"), ("😀", "answer"), ("```\ncode\n```", "answer")])
def test_an_answer_without_words_is_an_error(answer: str, mode: str) -> None:
    with GlmServer(answer, mode) as server:
        responder = open_responder(Settings(zhipu_api_key="k", zhipu_base_url=server.base_url), "zhipu")
        with pytest.raises(ServiceError, match="no answer that can be spoken"):
            Turn(responder, Beeper()).take("hi")


def test_stopping_while_it_thinks_stops_the_server_too() -> None:
    def stop(step: Progress) -> None:
        if len(step.facts.get("answer", "")) > 20:
            raise Cancelled("Stopped.")

    with GlmServer("word " * 4000, pause=0.005) as server:
        responder = open_responder(Settings(zhipu_api_key="k", zhipu_base_url=server.base_url), "zhipu")
        with pytest.raises(Cancelled):
            Turn(responder, Beeper()).take("hi", report=stop)
        assert server.aborted.wait(3)


def test_an_answer_that_never_ends_is_stopped_and_told() -> None:
    with GlmServer("All work. " * 30_000, pause=0.0001) as server:
        responder = open_responder(Settings(openai_base_url=server.base_url), "openai")
        result = Turn(responder, Beeper()).think([Message("user", "hi")])
        assert server.aborted.wait(3)
    assert LONGEST_ANSWER - 20 < len(result.text) <= LONGEST_ANSWER
    assert result.text.endswith("work.")
    assert "stopped" in result.note


def test_joining_brings_voices_to_one_rate_and_tells() -> None:
    one = Speech(np.full(1600, 0.1, np.float32), 16_000, "a", "x", (Phone("p", 0.0, 0.1),))
    two = Speech(np.full(2400, 0.1, np.float32), 24_000, "b", "y", (Phone("q", 0.0, 0.1),))
    joined = join([one, two])
    assert joined.rate == 16_000
    assert len(joined.samples) == 3200 + PAUSE * 16_000
    assert joined.phones[1].start == pytest.approx(0.1 + PAUSE)
    assert joined.notes == ("Several voices speak: a, b.",)
    assert joined.samples.dtype == np.float32
