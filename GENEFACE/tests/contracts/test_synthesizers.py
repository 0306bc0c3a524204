"""What every driver that speaks on this machine promises."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.visage.tts_files import make_piper_voice
from visage.config import Settings
from visage.errors import InvalidRequest, UnknownDriver
from visage.tts import SpeechRequest, open_synthesizer
from visage.tts.chain import VoiceChain
from visage.tts.loudness import speech_loudness

OFFLINE = ("espeak", "piper")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> VoiceChain:
    folder = tmp_path_factory.mktemp("piper")
    make_piper_voice(folder)
    return open_synthesizer(Settings(online=False, piper_voices=folder, home=Path("/nonexistent")))


@pytest.fixture(params=OFFLINE)
def voice(request: pytest.FixtureRequest, chain: VoiceChain) -> str:
    if request.param not in chain.drivers:
        pytest.skip(chain.missing[request.param].message)
    return chain.drivers[request.param].voices()[0].id


def test_voices_are_named_once(chain: VoiceChain) -> None:
    found = chain.voices()
    assert len({voice.id for voice in found}) == len(found)
    assert all(voice.id.startswith(f"{voice.driver}:") and voice.name for voice in found)


def test_it_speaks_at_the_one_loudness(chain: VoiceChain, voice: str) -> None:
    speech = chain.speak(SpeechRequest("Hello, this is a test.", voice))
    assert speech.voice == voice and not speech.notes
    assert speech.samples.dtype == np.float32 and speech.samples.ndim == 1 and len(speech.samples) > speech.rate // 5
    assert abs(speech_loudness(speech.samples, speech.rate) + 20) < 0.5 or np.abs(speech.samples).max() > 0.88
    assert np.abs(speech.samples).max() <= 0.8913


def test_speed_changes_the_length(chain: VoiceChain, voice: str) -> None:
    slow, fast = (len(chain.speak(SpeechRequest("One two three four five six.", voice, speed=speed)).samples)
                  for speed in (0.6, 1.8))
    assert slow > 1.8 * fast


@pytest.mark.parametrize("pitch", [-12, -3, 5, 12])
def test_pitch_keeps_the_length(chain: VoiceChain, voice: str, pitch: int) -> None:
    plain = chain.speak(SpeechRequest("One two three four five six.", voice))
    moved = chain.speak(SpeechRequest("One two three four five six.", voice, pitch=pitch))
    assert len(moved.samples) == pytest.approx(len(plain.samples), rel=0.15)


@pytest.mark.parametrize("text", ["", "！？……", "😀"])
def test_nothing_to_say_is_refused(chain: VoiceChain, voice: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match="nothing to say"):
        chain.speak(SpeechRequest(text, voice))


@pytest.mark.parametrize("request_", [SpeechRequest("hi", speed=3), SpeechRequest("hi", pitch=13),
                                      SpeechRequest("hi", speed=float("nan")), SpeechRequest("a" * 20_001)])
def test_what_is_out_of_range_is_refused(chain: VoiceChain, request_: SpeechRequest) -> None:
    with pytest.raises(InvalidRequest):
        chain.speak(request_)


def test_an_unknown_voice_is_refused_with_the_likeliest(chain: VoiceChain) -> None:
    with pytest.raises(UnknownDriver) as told:
        chain.speak(SpeechRequest("hi", "espeak:cmn+Anny"))
    assert "espeak:cmn+Annie" in told.value.hint


def test_phones_cover_the_whole_sound(chain: VoiceChain) -> None:
    for text in ("Hello 你好 world. Привет! 3kg", "你好，今天是2024年。" * 30):
        speech = chain.speak(SpeechRequest(text, chain.drivers["espeak"].voices()[0].id))
        phones = speech.phones
        assert phones[0].start == 0
        assert phones[-1].end == pytest.approx(len(speech.samples) / speech.rate, abs=0.002)
        assert all(one.end == two.start and one.start < one.end for one, two in pairwise(phones))
        assert all(phone.symbol and not phone.symbol.startswith(("'", ",", "(")) for phone in phones)
        assert {phone.symbol for phone in phones} >= {"_", "n", "i"}


def test_pauses_are_silent_and_phones_are_not(chain: VoiceChain) -> None:
    speech = chain.speak(SpeechRequest("Mama. Papa. Mama.", chain.drivers["espeak"].voices()[6].id))
    vowels = [phone for phone in speech.phones if phone.symbol in ("A:", "a", "A", "aa", "0", "V", "A#", "a#")]
    pauses = [phone for phone in speech.phones if phone.symbol == "_" and phone.end - phone.start > 0.2]

    def loudness(start: float, end: float) -> float:
        part = speech.samples[int(start * speech.rate):int(end * speech.rate)]
        return float(np.sqrt(np.mean(part**2)))

    assert len(vowels) >= 4 and len(pauses) >= 2
    loud = np.median([loudness(phone.start, phone.end) for phone in vowels])
    assert max(loudness(phone.start + 0.1, phone.end) for phone in pauses) < 0.05 * loud
