"""What every recogniser that can be opened here promises, and what is said of one that cannot."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.voices import flite, silence
from visage.asr import DRIVERS, Recognizer, Transcript, open_recognizer
from visage.asr.contract import Utterance
from visage.config import Settings
from visage.errors import BadAudio, NotInstalled
from visage.types import SPEECH_RATE


@pytest.fixture(scope="module", params=sorted(DRIVERS))
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    model = os.environ.get("VISAGE_VOSK_MODEL")
    if request.param == "vosk" and not model:
        pytest.skip("no Vosk model on this machine (VISAGE_VOSK_MODEL)")
    return open_recognizer(Settings(vosk_model=model if request.param == "vosk" else None))


@pytest.mark.parametrize("samples", [0, 1, 100, SPEECH_RATE // 10])
def test_almost_no_sound_is_no_text(recognizer: Recognizer, samples: int) -> None:
    assert recognizer.transcribe(np.full(samples, 0.1, np.float32)).text == ""


def test_silence_and_steady_noise_are_no_text(recognizer: Recognizer) -> None:
    random = np.random.default_rng(1)
    clock = np.arange(5 * SPEECH_RATE) / SPEECH_RATE
    for sound in (np.zeros(5 * SPEECH_RATE), random.normal(0, 0.1, 5 * SPEECH_RATE), 0.3 * np.sin(2764 * clock),
                  np.full(5 * SPEECH_RATE, np.nan)):
        heard = recognizer.transcribe(sound.astype(np.float32))
        assert isinstance(heard, Transcript) and heard.text == "" and heard.driver


def test_half_an_hour_of_silence_does_no_harm(recognizer: Recognizer) -> None:
    assert recognizer.transcribe(np.zeros(1800 * SPEECH_RATE, np.float32)).text == ""


def test_more_than_an_hour_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(BadAudio, match="at most 60"):
        recognizer.transcribe(np.broadcast_to(np.float32(0), 3601 * SPEECH_RATE))


def test_a_missing_or_broken_vosk_model_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled) as told:
        open_recognizer(Settings(vosk_model=tmp_path / "absent"))
    assert told.value.code == "asr.no_model" and "VISAGE_VOSK_MODEL" in told.value.hint
    (tmp_path / "am").mkdir()
    with pytest.raises(NotInstalled) as told:
        open_recognizer(Settings(vosk_model=tmp_path))
    assert told.value.code == "asr.bad_model"


def listened(recognizer: Recognizer, sound: np.ndarray, after: Utterance | None = None) -> tuple[list[str], str]:
    utterance = recognizer.listen(after)
    partials = [utterance.feed(sound[at:at + 512]) for at in range(0, len(sound), 512)]
    return partials, utterance.finish().text


def test_an_utterance_is_understood_while_it_is_spoken(recognizer: Recognizer) -> None:
    sound = np.concatenate([silence(0.4), flite("tell me a story about a little girl and her dog"), silence(0.3)])
    listened(recognizer, sound)  # a decoder is warm from here on
    partials, text = listened(recognizer, sound)
    assert partials[0] == "" and any(partials[:-10])
    assert len({"story", "about", "little", "girl", "dog"} & set(text.split())) >= 3


def test_an_utterance_of_nothing_has_no_words(recognizer: Recognizer) -> None:
    for sound in (np.zeros(0, np.float32), np.zeros(2 * SPEECH_RATE, np.float32), np.full(SPEECH_RATE, np.nan)):
        assert listened(recognizer, sound)[1] == ""


def test_several_utterances_are_open_at_once(recognizer: Recognizer) -> None:
    sounds = [np.concatenate([flite(text), silence(0.3)]) for text in (
        "thank you very much for your help", "how many people live in this city")]
    open_ones = [recognizer.listen() for _ in sounds]
    for at in range(0, max(map(len, sounds)), 512):
        for one, sound in zip(open_ones, sounds, strict=True):
            one.feed(sound[at:at + 512])
    first, second = (one.finish().text for one in open_ones)
    assert "help" in first and "help" not in second and "city" in second


def test_what_is_over_is_over_and_closing_does_no_harm(recognizer: Recognizer) -> None:
    utterance = recognizer.listen()
    utterance.feed(flite("thank you"))
    utterance.close()
    utterance.close()
    for late in (lambda: utterance.feed(np.zeros(512, np.float32)), utterance.finish):
        with pytest.raises(ValueError, match="over"):
            late()


def test_dropped_utterances_leave_nothing_behind() -> None:
    ear = open_recognizer(Settings(vosk_model=None))
    for _ in range(6):
        utterance = ear.listen()
        for at in range(0, SPEECH_RATE, 512):
            utterance.feed(flite("thank you very much for your help")[at:at + 512])
        utterance._lent.result()  # the decoder is there, so the next one is lent the same
        utterance.close()
    assert ear._decoders.idle() == 1
    assert "help" in listened(ear, np.concatenate([flite("thank you very much for your help"), silence(0.3)]))[1]


def test_vosk_joins_its_parts() -> None:
    """With a stand-in for Vosk's own recogniser, which needs a model: only how answers are read and joined."""
    class Answers:
        count = 0

        def AcceptWaveform(self, data: bytes) -> bool:
            self.count += 1
            return self.count == 2

        def PartialResult(self) -> str:
            return '{"partial": "今 天"}'

        def Result(self) -> str:
            return '{"text": "你 好"}'

        def FinalResult(self) -> str:
            return '{"text": "天 气"}'

    from visage.asr.vosk import VoskUtterance

    utterance = VoskUtterance(Answers(), "zh")
    assert [utterance.feed(np.zeros(512, np.float32)) for _ in range(3)] == ["今天", "你好", "你好今天"]
    assert utterance.finish().text == "你好天气"
