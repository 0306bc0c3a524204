"""The basic clone: it moves towards the person on other sentences, stays intelligible, and refuses bad recordings."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.visage.speakers import OTHERS, SAMPLE, flite, melody, noise
from visage.errors import BadAudio, InvalidRequest, OutputInvalid
from visage.media.audio import resample, write_wav
from visage.tts.cloning.consent import SENTENCES, consent_to
from visage.tts.cloning.gate import quality_of
from visage.tts.cloning.likeness import Likeness, best_warp, likeness, pieces_of
from visage.tts.cloning.making import make_print
from visage.tts.cloning.spectrum import BANDS, cepstra, warped
from visage.tts.cloning.traits import Traits, frame_levels, traits_of
from visage.tts.cloning.voiceprint import VoicePrint, loads
from visage.tts.cloning.world import RATE, analyse, pitch_of, synthesise
from visage.tts.contract import SpeechRequest
from visage.tts.espeak import EspeakSynthesizer
from visage.tts.loudness import level

SPEAKERS = ("slt", "awb", "rms", "kal16")


@pytest.fixture(scope="module")
def speaker() -> EspeakSynthesizer:
    return EspeakSynthesizer()


@pytest.fixture(scope="module")
def prints(speaker: EspeakSynthesizer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, VoicePrint]:
    folder = tmp_path_factory.mktemp("recordings")
    return {name: make_print(write_wav(folder / f"{name}.wav", flite(name), RATE), "en", speaker)
            for name in SPEAKERS}


def said(speaker: EspeakSynthesizer, way: Likeness, text: str, pace: float = 1.0) -> np.ndarray:
    return speaker.speak(SpeechRequest(text, f"espeak:en-us+{way.person}", pace, language="en")).samples


def apart(one: np.ndarray, two: np.ndarray) -> float:
    """dB between two spectra aligned in time (dynamic time warping on mel-cepstra)."""
    a, b = (_frames(sound) for sound in (one, two))
    cost = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))
    total, steps = np.full((len(a) + 1, len(b) + 1), np.inf), np.zeros((len(a) + 1, len(b) + 1))
    total[0, 0] = 0
    for i in range(len(a)):
        for j in range(len(b)):
            before = min(((i, j), (i, j + 1), (i + 1, j)), key=lambda at: total[at])
            total[i + 1, j + 1] = cost[i, j] + total[before]
            steps[i + 1, j + 1] = steps[before] + 1
    return float(total[-1, -1] / steps[-1, -1])


def _frames(sound: np.ndarray) -> np.ndarray:
    frames = analyse(sound)
    levels = frame_levels(sound, len(frames.pitch))
    return cepstra(frames.envelope[levels > np.percentile(levels, 95) - 30][::6]) * 10 / np.log(10) / np.sqrt(BANDS)


def heard(both: Traits, target: Traits) -> tuple[float, float, float]:
    """Distances: semitones of pitch, dB of the mean spectrum, octaves of pace."""
    spectrum = float(np.sqrt(np.mean((both.voiced - target.voiced) ** 2))) * 10 / float(np.log(10))
    return abs(12 * np.log2(both.pitch / target.pitch)), spectrum, abs(float(np.log2(both.pace / target.pace)))


@pytest.mark.parametrize("name", SPEAKERS)
def test_other_sentences_move_towards_the_speaker(
        name: str, prints: dict[str, VoicePrint], speaker: EspeakSynthesizer) -> None:
    way = prints[name].likeness
    target = traits_of(np.concatenate([flite(name, text) for text in OTHERS]))
    plain = [said(speaker, way, text) for text in OTHERS]
    paced = [said(speaker, way, text, way.pace) for text in OTHERS]
    cloned = [way.apply(sound, RATE, "en") for sound in paced]
    before, after = (heard(traits_of(np.concatenate(sounds)), target) for sounds in (plain, cloned))
    print(f"\n{name}: pitch {before[0]:.1f} → {after[0]:.1f} semitones, spectrum {before[1]:.1f} → {after[1]:.1f} dB, "
          f"pace {before[2]:.2f} → {after[2]:.2f} octaves, warp {way.warp:.2f}, base {way.person}")
    assert after[0] < 1.0 and after[0] < before[0] + 0.3
    assert after[1] < 0.75 * before[1]
    aligned = [apart(sound, flite(name, text)) for sounds in (plain, cloned)
               for sound, text in zip(sounds[:2], OTHERS, strict=False)]
    print(f"    aligned spectra {np.mean(aligned[:2]):.1f} → {np.mean(aligned[2:]):.1f} dB")
    assert np.mean(aligned[2:]) < 0.9 * np.mean(aligned[:2])
    for sound, moved in zip(paced, cloned, strict=True):
        assert len(moved) == len(sound) and moved.dtype == np.float32 and np.isfinite(moved).all()
        assert np.abs(level(moved.copy(), RATE)).max() <= 0.8913


def test_each_clone_is_nearer_to_its_own_speaker_than_to_the_others(
        prints: dict[str, VoicePrint], speaker: EspeakSynthesizer) -> None:
    targets = {name: traits_of(flite(name)) for name in SPEAKERS}
    for name in SPEAKERS:
        way = prints[name].likeness
        clone = traits_of(np.concatenate([way.apply(said(speaker, way, text), RATE, "en") for text in OTHERS]))
        distance = {other: heard(clone, target)[0] + heard(clone, target)[1] for other, target in targets.items()}
        assert min(distance, key=lambda other: distance[other]) == name, distance


def test_speed_is_a_small_part_of_real_time(prints: dict[str, VoicePrint], speaker: EspeakSynthesizer) -> None:
    way = prints["slt"].likeness
    sound = said(speaker, way, SAMPLE)
    way.apply(sound[:RATE], RATE)
    began = time.thread_time()
    way.apply(sound, RATE)
    share = (time.thread_time() - began) / (len(sound) / RATE)
    print(f"\n{share:.3f} of real time")
    assert share < 0.15


def test_pauses_stay_silent_and_speech_is_not(prints: dict[str, VoicePrint], speaker: EspeakSynthesizer) -> None:
    way = prints["rms"].likeness
    speech = speaker.speak(SpeechRequest("Mama. Papa. Mama.", f"espeak:en-us+{way.person}"))
    moved = level(way.apply(speech.samples.copy(), speech.rate, "en"), speech.rate)

    def loudness(start: float, end: float) -> float:
        return float(np.sqrt(np.mean(np.square(moved[int(start * RATE):int(end * RATE)]))))

    pauses = [phone for phone in speech.phones if phone.symbol == "_" and phone.end - phone.start > 0.2]
    loud = max(loudness(phone.start, phone.end) for phone in speech.phones if phone.symbol != "_")
    assert len(pauses) >= 2 and max(loudness(pause.start + 0.1, pause.end) for pause in pauses) < 0.03 * loud


def test_it_stays_intelligible() -> None:
    """Measured on flite, because pocketsphinx does not understand espeak-ng: one flite voice becomes another."""
    from visage.asr.sphinx import SphinxRecognizer

    own, target = traits_of(flite("awb")), traits_of(flite("rms"))
    way = likeness(target, own, "awb", {"": own.pitch}, RATE / 2)
    recogniser = SphinxRecognizer()
    wrong = {"before": 0, "after": 0}
    for text in (*OTHERS, "Yesterday morning we walked along the river and talked about music."):
        plain = flite("awb", text)
        for name, sound in (("before", plain), ("after", way.apply(plain, RATE))):
            words = recogniser.transcribe(resample(level(sound.copy(), RATE), RATE, 16_000)).text
            wrong[name] += edits(re.findall(r"[a-z']+", text.lower()), re.findall(r"[a-z']+", words.lower()))
    print(f"\nwrong words of 44: {wrong}")
    assert wrong["after"] <= wrong["before"] + 4


def edits(one: list[str], two: list[str]) -> int:
    row = list(range(len(two) + 1))
    for i, word in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(two, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1]


@pytest.mark.parametrize("factor", [0.9, 1.14])
def test_the_length_of_a_vocal_tract_is_found(factor: float) -> None:
    voice = traits_of(flite("rms", OTHERS[0] + " " + OTHERS[1]))
    other = flite("rms")
    frames = analyse(other)
    longer = synthesise(replace(frames, envelope=warped(frames.envelope, factor)), len(other))
    assert best_warp(traits_of(longer), voice)[0] == pytest.approx(factor, abs=0.041)


def clipped(sound: np.ndarray) -> np.ndarray:
    return np.clip(sound * 8, -0.9, 0.9).astype(np.float32)


@pytest.mark.parametrize(("make", "code"), [
    (lambda: flite("rms")[:3 * RATE], "voice.too_short"),
    (lambda: np.tile(flite("rms"), 7), "voice.too_long"),
    (lambda: noise(12, 0.05), "voice.no_speech"), (lambda: np.zeros(12 * RATE, np.float32), "voice.no_speech"),
    (melody, "voice.music"), (lambda: clipped(flite("rms")), "voice.clipped"),
    (lambda: flite("slt") + noise(30, 0.04)[:len(flite("slt"))], "voice.noisy"),
    (lambda: np.concatenate([flite("slt"), flite("rms")]), "voice.two_speakers"),
])
def test_each_bad_recording_has_its_own_reason(make, code: str) -> None:
    sound = make()
    with pytest.raises(BadAudio) as told:
        quality_of(sound, pitch_of(sound)[0])
    assert told.value.code == code and told.value.hint


@pytest.mark.parametrize("file", ["speech/en_librispeech_1995-1837-0001.wav", "speech/zh_news_10s_16k.wav",
                                  "speech/zh_f5_ref.wav", "videos/zh_woman_15s.mp4", "videos/de_anchor_20s.mp4",
                                  "videos/jaein_20s_256.mp4", "videos/styletalk_kristinoem_18s_256.mp4"])
def test_real_people_are_let_in_and_followed(file: str, shared_clips: Path, speaker: EspeakSynthesizer) -> None:
    made = make_print(shared_clips / file, "en", speaker)
    way = made.likeness
    after = traits_of(np.concatenate([way.apply(said(speaker, way, text), RATE, "en") for text in OTHERS]))
    print(f"\n{file}: {made.pitch:.0f} Hz ± {made.range:.1f}, pace {made.pace:.1f}, snr {made.quality.snr}; from "
          f"{way.person}, warp {way.warp:.2f}, swing {way.swing:.2f}; comes to {after.pitch:.0f} Hz")
    assert abs(12 * np.log2(after.pitch / made.pitch)) < 1.0


def test_a_print_is_kept_and_a_broken_one_is_told(prints: dict[str, VoicePrint]) -> None:
    text = prints["slt"].dumps()
    assert len(text) < 8000
    again = loads(text)
    assert again.pitch == prints["slt"].pitch and again.quality == prints["slt"].quality
    assert np.allclose(again.likeness.voiced, prints["slt"].likeness.voiced, atol=1e-4)
    for broken in ("", "[]", "{}", text.replace('"warp"', '"wrap"'), text.replace('"version": 1', '"version": 9')):
        with pytest.raises(OutputInvalid):
            loads(broken)


def test_long_sound_is_cut_where_it_is_quiet() -> None:
    sound = np.concatenate([part for _ in range(6) for part in (flite("rms")[:4 * RATE], np.zeros(4000, np.float32))])
    pieces = pieces_of(sound)
    assert np.array_equal(np.concatenate(pieces), sound) and len(pieces) >= 4
    assert all(np.abs(piece[-50:]).max() < 1e-3 for piece in pieces[:-1])


@pytest.mark.parametrize(("sentence", "agreed"), [("", True), (SENTENCES["en"], False), ("I agree.", True)])
def test_nothing_is_cloned_without_the_sentence(sentence: str, agreed: bool, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as told:
        consent_to(sentence, agreed, "somebody", tmp_path / "never opened.wav")
    assert told.value.code == "voice.no_consent"
