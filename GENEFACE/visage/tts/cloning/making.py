"""Recording → `VoicePrint`: judged, measured, and the built-in voice that comes nearest found."""

from __future__ import annotations

from functools import lru_cache
from math import log2
from pathlib import Path

from visage.media.audio import read_sound, resample, sound_seconds
from visage.media.probe import probe
from visage.tts.builtin import PEOPLE, Person, voice_id
from visage.tts.cloning.gate import LONGEST, check_length, quality_of
from visage.tts.cloning.likeness import best_warp, likeness
from visage.tts.cloning.traits import Traits, traits_of
from visage.tts.cloning.voiceprint import VoicePrint
from visage.tts.cloning.world import RATE, analyse
from visage.tts.contract import SpeechRequest, Synthesizer
from visage.tts.loudness import level

PASSAGES = {
    "en": "When the evening train reached the small harbour, a young doctor stepped out and looked around. Nobody was "
          "waiting, but she could hear voices and music from the old house by the water.",
    "zh": "傍晚的火车到达小港口时，一位年轻的医生下了车，四处张望。"
          "没有人在等她，但是她听见水边的老房子里传来说话声和音乐声。",
}
"""What built-in voices say to be measured; other languages are measured in English."""
STRANGE_PITCH = 0.03
"""Price of a semitone between a built-in voice's pitch and the wanted one, as a share of how unlike they sound."""


def make_print(file: Path, language: str, speaker: Synthesizer) -> VoicePrint:
    """Measure the recording of somebody who agreed to it; ``speaker`` has the built-in voices.

    Raises `BadAudio` (see `visage.tts.cloning.gate`), `NotInstalled` or what the speaker raises.
    """
    check_length(sound_seconds(file))
    samples = read_sound(file, RATE, limit=LONGEST + 1)
    frames = analyse(samples, careful=True)
    quality = quality_of(samples, frames.pitch)
    target = traits_of(samples, frames)
    spoken = language if language in PASSAGES else "en"
    known = {person: _builtin(speaker, person, spoken) for person in PEOPLE}
    chosen = min(known, key=lambda person: _distance(target, known[person]))
    pitches = {code: known[chosen].pitch if code == spoken else _builtin(speaker, chosen, code).pitch
               for code in PASSAGES}
    pitches[""] = sum(pitches.values()) / len(pitches)
    way = likeness(target, known[chosen], chosen.variant, pitches, _highest(file))
    return VoicePrint(round(target.pitch, 2), round(target.range, 3), round(target.pace, 3), round(target.loudness, 2),
                      quality, way)


@lru_cache(maxsize=16)
def _builtin(speaker: Synthesizer, person: Person, language: str) -> Traits:
    speech = speaker.speak(SpeechRequest(PASSAGES[language], voice_id(language, person), language=language))
    return traits_of(level(resample(speech.samples, speech.rate, RATE).copy(), RATE))


def _distance(target: Traits, own: Traits) -> float:
    return best_warp(target, own)[1] * (1 + STRANGE_PITCH * abs(12 * log2(target.pitch / own.pitch)))


def _highest(file: Path) -> float:
    """Hz above which the recording holds nothing."""
    return min(RATE, probe(file, "audio").sound_rate or RATE) / 2
