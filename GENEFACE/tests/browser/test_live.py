"""The live Talk page in a real Chromium with a real microphone stream, against a server that does what it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.live_page import (
    LIVE,
    SOON,
    SPOKEN,
    STILL,
    ask,
    eventually,
    measured,
    talking,
    until,
)
from tests.browser.live_stand_in import ANSWER, FPS, StandIn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser]


def test_a_spoken_question_is_answered_and_the_face_is_at_rest_again(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        page.click("#mic")
        until(page, "listening")
        assert page.get_attribute("#mic", "aria-pressed") == "true"
        page.wait_for_function(SPOKEN, timeout=SOON)
        page.wait_for_function("() => document.querySelector('.stage-caption').innerText === 'I am a stand-in.'",
                               timeout=SOON)
        until(page, "listening")
        page.wait_for_selector("#timeline .timeline-row.play", timeout=SOON)
        found, states = measured(page), page.evaluate("window.states")
        assert [states.index(name) for name in ("listening", "hearing", "speaking")] == sorted(
            states.index(name) for name in ("listening", "hearing", "speaking"))
        turn = found["turns"][-1]
        assert 0 < turn["first_frame_ms"] < 10_000
        assert turn["typed"] is False
        assert len(found["offsets"]) > 10
        eventually(page, lambda: stand_in.heard[-1]["type"] == "idle")
        told = list(stand_in.heard)
        shown = next(message for message in told if message["type"] == "shown")
        assert shown["first_frame_ms"] == turn["first_frame_ms"]
        played = [message["at"] for message in told if message["type"] == "played"]
        assert played == sorted(played)
        assert len(played) > 2
        assert next(message for message in told if message["type"] == "done")["turn"] == 1
        assert page.inner_text("#turns .says.me") == "who are you?"
        assert page.inner_text("#turns .says.it") == " ".join(ANSWER)
        assert re.fullmatch(r"\d+\.\d s", page.inner_text("#turns .latency"))
        assert page.inner_text(".timeline-number") == page.inner_text("#turns .latency")
        page.hover(".timeline-row.llm")
        assert page.inner_text(".timeline-words") == "Language model: 60\u2013290 ms"
        # The loop goes on at the frame the speech ended at.
        done = next(number for number, message in enumerate(told) if message["type"] == "done")
        rest = next(message["frame"] for message in told[done:] if message["type"] == "idle")
        cycle = len(stand_in.loop(""))
        past = (rest - stand_in.begun[0] - round(turn["seconds"] * FPS)) % cycle
        assert min(past, cycle - past) <= 5, past
        page.click("#mic")
        until(page, "ready")


def test_the_microphone_is_sent_in_windows_of_512_samples_at_16_khz(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        stand_in.sizes.clear()
        page.click("#mic")
        until(page, "listening")
        page.wait_for_timeout(1500)
        # Both ends count what the same clock of sound made, so that a slow machine does not matter.
        first = stand_in.samples
        began = page.evaluate("performance.now()")
        page.wait_for_timeout(4000)
        seconds = (page.evaluate("performance.now()") - began) / 1000
        assert (stand_in.samples - first) / seconds == pytest.approx(16_000, rel=0.25)
        # One window while somebody speaks, four together while nobody does, what was held back as soon as one begins.
        eventually(page, lambda: {1024, 4096} <= stand_in.sizes)
        assert stand_in.sizes <= {1024, 2048, 3072, 4096}


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_speech_passes_the_change_of_rate_and_what_would_fold_does_not(asking: Browser, stand_in: StandIn,
                                                                       rate: int) -> None:
    heard = """async ([rate, pitch]) => {
        const context = new OfflineAudioContext(1, rate, rate);
        await context.audioWorklet.addModule('/static/js/worklets/capture.js');
        const node = new AudioWorkletNode(context, 'capture');
        const pieces = [];
        node.port.onmessage = ({ data }) => pieces.push(...new Int16Array(data.sound));
        const tone = new OscillatorNode(context, { frequency: pitch });
        tone.connect(node).connect(context.destination);
        tone.start();
        await context.startRendering();
        await new Promise((resolve) => setTimeout(resolve, 300));
        const whole = pieces.slice(1600).map((sample) => sample / 32768);
        return [pieces.length, Math.sqrt(whole.reduce((sum, sample) => sum + sample * sample, 0) / whole.length),
                8000 * whole.filter((sample, n) => n && (sample >= 0) !== (whole[n - 1] >= 0)).length / whole.length];
    }"""
    with talking(asking, stand_in) as page:
        count, loudness, pitch = page.evaluate(heard, [rate, 1000])
        assert count == 16_000 // 512 * 512
        assert loudness == pytest.approx(0.707, rel=0.03)
        assert pitch == pytest.approx(1000, rel=0.01)
        if rate > 16_000:
            assert page.evaluate(heard, [rate, 9_500])[1] < 0.01


@pytest.mark.parametrize("way", ["Escape", "Space", "button"])
def test_silence_at_once_when_it_is_wanted(asking: Browser, stand_in: StandIn, way: str) -> None:
    stand_in.seconds = 30.0
    with talking(asking, stand_in) as page:
        until(page, "ready")
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)
        page.evaluate("document.activeElement.blur()")
        if way == "button":
            page.click("#stop")
        else:
            page.keyboard.press(way)
        assert page.evaluate(STILL)
        page.wait_for_function(f"() => {LIVE}.every((video) => !video.matches('.on'))", timeout=SOON)
        until(page, "ready")
        eventually(page, lambda: bool(stand_in.told("interrupt")))
        last = stand_in.told("interrupt")[-1]
        assert 0.3 < last["heard"] < 30
        assert measured(page)["interruptions"][-1]["by"] == "button"
        assert measured(page)["interruptions"][-1]["ms"] < 500
        assert page.inner_text("#turns .cut-note") == "Interrupted"
        assert page.inner_text("#turns .unsaid")
        ask(page, "And now?")
        page.wait_for_function(SPOKEN, timeout=SOON)


def test_speaking_interrupts_and_is_answered(interrupting: Browser, stand_in: StandIn) -> None:
    stand_in.seconds = 12.0
    with talking(interrupting, stand_in) as page:
        until(page, "ready")
        page.click("#mic")
        page.wait_for_function(SPOKEN, timeout=SOON)
        page.wait_for_function("() => visageLive.interruptions.length > 0", timeout=SOON)
        page.wait_for_function("() => visageLive.turns.length > 1 && visageLive.turns[1].first_frame_ms", timeout=SOON)
        first = measured(page)["interruptions"][0]
        assert first["by"] == "voice"
        assert first["kept"]
        assert 0 < first["ms"] < 3000
        assert page.evaluate("window.states.includes('held')")
        assert page.locator("#turns .cut-note").count() == 1


def test_a_cough_only_pauses(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)
        session = stand_in.sessions[-1]
        session.held = True
        session.tell("hold", turn=session.turn)
        until(page, "held")
        at = page.evaluate(f"{LIVE}.find((video) => video.matches('.on')).currentTime")
        page.wait_for_timeout(500)
        assert page.evaluate(f"{LIVE}.find((video) => video.matches('.on')).currentTime") == at
        session.tell("resume", turn=session.turn)
        session.held = False
        until(page, "speaking")
        until(page, "ready")
        eventually(page, lambda: stand_in.told("done")[-1]["turn"] == session.turn)
        assert measured(page)["stalls"] == 0


def test_muted_is_said_and_nothing_is_heard(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        page.click("#mic")
        page.click("#mute")
        until(page, "muted")
        page.wait_for_timeout(4000)
        assert not stand_in.begun
        page.click("#mute")
        until(page, "listening")


def test_a_voice_is_chosen_while_talking(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        page.click("#settings-button")
        page.select_option("#llm", "offline")
        page.keyboard.press("Escape")
        eventually(page, lambda: stand_in.told("choose")[-1] == {"type": "choose", "llm": "offline"})


def test_chinese_is_complete_in_every_state(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in, locale="zh-CN") as page:
        until(page, "ready")
        for _ in range(2):
            page.click("#mic")
            page.wait_for_function(SPOKEN, timeout=SOON)
            assert re.search("[\u4e00-\u9fff]", page.inner_text("#hint"))
            assert re.search("[\u4e00-\u9fff]", page.inner_text(".stage-status"))
            page.keyboard.press("Escape")
            page.click("#mic")
            page.click("#language-button")
            page.wait_for_function("() => !/[\\u4e00-\\u9fff]/.test(document.querySelector('.talk-main').innerText)")
            page.click("#language-button")
            page.wait_for_function("() => /[\\u4e00-\\u9fff]/.test(document.querySelector('#hint').innerText)")


def test_nothing_moves_for_those_who_want_no_movement(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in, reduced_motion="reduce") as page:
        until(page, "ready")
        assert page.evaluate("document.querySelector('.stage-idle').paused")
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)
        until(page, "ready")
