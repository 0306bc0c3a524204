"""The parts of the live benchmark that can be wrong by themselves."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from benchmarks.live_figures import course, first_frames, interruptions, spread
from benchmarks.live_load import Memory, cpu_seconds, neighbours
from benchmarks.live_model import FIRST_SECONDS, SHORT, model
from benchmarks.live_speech import QUESTIONS, spoken
from benchmarks.live_talker import pictures
from visage.config import Settings
from visage.dialogue.scope import Scope
from visage.dialogue.thinking import Thinking
from visage.llm import Message, open_responder
from visage.media.audio import read_sound
from visage.media.fmp4 import FragmentWriter
from visage.types import FPS, SPEECH_RATE

TURN = {"turn": 1, "typed": False, "first_frame_ms": 800, "play_ms": 20, "stalls": 0, "seconds": 5.0,
        "stages": [{"name": "llm", "start_ms": 200, "end_ms": 500}, {"name": "tts", "start_ms": 500, "end_ms": 520}]}


def test_spoken_turns_alone_count() -> None:
    turns = [TURN, {**TURN, "first_frame_ms": 1000, "stages": None}, {**TURN, "typed": True, "first_frame_ms": 9},
             {**TURN, "first_frame_ms": None}]
    found = first_frames({"turns": turns})
    assert found["first_frame_ms"] == {"median": 900.0, "p95": 990.0}
    assert found["stages_ms"] == {"turn_end": None, "asr": None, "llm": 300.0, "tts": 20.0, "render": None, "mux": None,
                                  "play": None}
    assert found["spread"]["first_frame_ms"]["count"] == 2
    assert found["spread"]["stages_ms"]["llm"]["ended"]["median"] == 500.0


def test_the_largest_offset_counts_either_way() -> None:
    found = course({"turns": [TURN, TURN], "offsets": [1.0, -42.5, 3.0], "stalls": 2})
    assert (found["av_offset_ms"], found["stalls"]) == (42.5, 2)
    assert found["spread"]["seconds_spoken"] == 10.0
    assert course({"turns": [], "offsets": [], "stalls": 0})["av_offset_ms"] is None


def test_only_what_a_voice_really_interrupted_counts() -> None:
    each = [{"ms": 200, "by": "voice", "kept": True}, {"ms": 900, "by": "voice", "kept": False},
            {"ms": 1, "by": "button", "kept": True}]
    found = interruptions({"turns": [TURN], "interruptions": each})
    assert found["bargein_ms"] == 200
    assert found["spread"]["bargein_ms"]["taken_back"] == 1


def test_nothing_measured_is_no_number() -> None:
    assert spread([None])["median"] is None
    assert Memory([1, 2], [3, 4]).growth()["mb_per_hour"] is None


def test_growth_leaves_the_warming_up_out() -> None:
    seconds = [float(n) for n in range(0, 3600, 60)]
    used = [100.0 if at < 600 else 200 + at / 360 for at in seconds]
    grown = Memory(seconds, used).growth()
    assert grown["mb_per_hour"] == pytest.approx(10, abs=0.2)
    assert grown["error"] is not None and grown["error"] < 0.1


def test_cpu_of_this_process_is_not_elsewhere() -> None:
    before = cpu_seconds(os.getpid())
    with neighbours() as others:
        end = time.thread_time() + 0.5
        while time.thread_time() < end:
            pass
    assert cpu_seconds(os.getpid()) - before >= 0.4
    assert 0 <= others["busy_elsewhere_percent"] <= 100 * (os.cpu_count() or 1)


def test_pictures_of_fragments_are_counted() -> None:
    writer = FragmentWriter(64, 64, 48_000)
    frame, sound = np.full((96, 64), 90, np.uint8), np.zeros(48_000 // FPS, np.float32)
    written = [writer.write(frame, sound) for _ in range(FPS)] + [writer.close()]
    assert sum(map(bool, written)) > 2
    assert sum(map(pictures, written)) == FPS


def test_the_microphone_holds_every_question_and_its_silence(tmp_path: Path) -> None:
    if not shutil.which("flite"):
        pytest.skip("flite, which speaks the questions, is not on this machine: apt-get install flite")
    sound = read_sound(spoken(tmp_path / "said.wav", QUESTIONS[:2], silence=3.0), SPEECH_RATE)
    loud = np.abs(sound) > 0.01
    edges = np.flatnonzero(np.diff(np.flatnonzero(loud)) > 2.5 * SPEECH_RATE)
    assert len(edges) == 1
    assert not loud[:SPEECH_RATE - 10].any() and not loud[-3 * SPEECH_RATE + 10:].any()


def test_the_model_takes_its_time_and_changes_its_answers() -> None:
    with model(SHORT) as settings:
        responder = open_responder(Settings(zhipu_base_url=settings["VISAGE_ZHIPU_BASE_URL"],
                                            zhipu_api_key=settings["ZHIPU_API_KEY"]), "zhipu")
        answers = []
        for _ in range(2):
            thinking = Thinking(responder, [Message("user", "?")], Scope())
            next(thinking)
            answers.append(thinking)
            assert thinking.first_seconds >= FIRST_SECONDS
        texts = ["".join(thought.sentence for thought in thinking) for thinking in answers]
        assert texts[0] != texts[1]
        address = settings["VISAGE_ZHIPU_BASE_URL"]
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/models", timeout=5)
