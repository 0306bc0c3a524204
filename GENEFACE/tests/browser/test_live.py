"""The live Talk page in a real Chromium with a real microphone stream, against a server that does what it is told."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from backend.model_trainer import ensure_built_in
from backend.services import Services
from tests.browser.conftest import _chromium
from tests.browser.live_stand_in import ANSWER, FPS, StandIn, running
from visage.config import read_settings
from web import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

pytestmark = [pytest.mark.browser]

SOON, MINUTE = 20_000, 60_000
WATCH = """() => { window.states = [];
  new MutationObserver(() => { const now = document.documentElement.dataset.talk;
                               if (window.states.at(-1) !== now) window.states.push(now); })
    .observe(document.documentElement, { attributes: true, attributeFilter: ['data-talk'] }); }"""
"""Keeps every state that the page shows."""
LIVE = "[...document.querySelectorAll('.stage-live')]"
SPOKEN = f"() => {LIVE}.some((video) => video.matches('.on') && !video.paused && video.currentTime > 0.4)"
STILL = f"{LIVE}.every((video) => video.paused || !video.matches('.on'))"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The pages, with a stand-in at /live."""
    services = Services(read_settings(home=tmp_path_factory.mktemp("home"), online=False))
    ensure_built_in(services)
    with running(create_app(services), services.catalog.folder(services.catalog.list()[0].id) / "idle.mp4") as server:
        yield server


@pytest.fixture(autouse=True)
def obedient(stand_in: StandIn) -> None:
    """What one test told the stand-in does not last."""
    stand_in.refusal = stand_in.failure = None
    stand_in.heard.clear()
    stand_in.begun.clear()
    stand_in.seconds = 4.0


def spoken(file: Path, *parts: str | float) -> Path:
    """A recording of sentences and of seconds of silence."""
    if not shutil.which("flite"):
        pytest.skip("flite, which speaks the questions, is not on this machine: apt-get install flite")
    sounds = []
    for number, part in enumerate(parts):
        if isinstance(part, str):
            one = file.with_suffix(f".{number}.wav")
            subprocess.run(["flite", "-voice", "slt", "-t", part, "-o", str(one)], check=True, capture_output=True)
            sounds.append(soundfile.read(one)[0])
        else:
            sounds.append(np.zeros(round(part * 16_000)))
    soundfile.write(file, np.concatenate(sounds), 16_000)
    return file


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with pytest.importorskip("playwright.sync_api").sync_playwright() as driver:
        yield driver


def launched(playwright: Playwright, said: Path) -> Browser:
    return playwright.chromium.launch(executable_path=_chromium(), args=[
        "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={said}%noloop", "--disable-background-networking", "--disable-sync",
        "--disable-component-update", "--no-first-run"])


@pytest.fixture(scope="module")
def asking(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its user asks one question and then is quiet."""
    opened = launched(playwright, spoken(tmp_path_factory.mktemp("said") / "ask.wav", 1.0, "Who are you?", 60.0))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def interrupting(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Its user asks a question and speaks again while the answer is given."""
    opened = launched(playwright, spoken(tmp_path_factory.mktemp("said") / "again.wav", 1.0, "Who are you?", 4.0,
                                         "Stop, please. I have another question for you.", 60.0))
    yield opened
    opened.close()


@contextmanager
def talking(browser: Browser, stand_in: StandIn, prepare: Callable[[Page], Any] = lambda _: None,
            **options: Any) -> Iterator[Page]:
    """The Talk page in a browser of its own; it must not complain in the console."""
    context = browser.new_context(base_url=stand_in.url, **{"locale": "en-US", "permissions": ["microphone"], **options})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text)
            if told.type == "error" and not re.match("Failed to load resource|WebSocket connection", told.text) else None)
    prepare(page)
    page.goto("/chat_system")
    page.evaluate(WATCH)
    yield page
    text = page.inner_text("body")
    assert not re.search(r"\b(?:live|live_\w+|talk|page)\.[a-z]\w+", text), text
    context.close()
    assert not complaints


def until(page: Page, state: str, timeout: float = SOON) -> None:
    page.wait_for_function("(state) => document.documentElement.dataset.talk === state", arg=state, timeout=timeout)


def eventually(page: Page, true: Callable[[], bool]) -> None:
    """What the server hears a little later than the page shows it."""
    for _ in range(100):
        try:
            if true():
                return
        except (IndexError, StopIteration):
            pass
        page.wait_for_timeout(100)
    assert true()


def ask(page: Page, text: str = "Are you there?") -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def measured(page: Page) -> dict[str, Any]:
    return page.evaluate("window.visageLive")


def test_a_spoken_question_is_answered_and_the_face_is_at_rest_again(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        page.click("#mic")
        until(page, "listening")
        assert page.get_attribute("#mic", "aria-pressed") == "true"
        page.wait_for_function(SPOKEN, timeout=SOON)
        page.wait_for_function("() => document.querySelector('.stage-caption').innerText === 'I am a stand-in.'", timeout=SOON)
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


def test_the_microphone_is_sent_in_512_samples_at_16_khz(asking: Browser, stand_in: StandIn) -> None:
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
        assert stand_in.sizes == {1024}


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
                whole.filter((sample, n) => n && (sample >= 0) !== (whole[n - 1] >= 0)).length / 2 / (whole.length / 16000)];
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


@pytest.mark.parametrize(("name", "words"), [
    ("NotAllowedError", "may not use the microphone"), ("NotFoundError", "No microphone was found"),
    ("NotReadableError", "Another program")])
def test_without_a_microphone_typing_works_live(asking: Browser, stand_in: StandIn, name: str, words: str) -> None:
    def refuse(page: Page) -> None:
        page.add_init_script("navigator.mediaDevices.getUserMedia = () => "
                             f"Promise.reject(new DOMException('no', '{name}'))")
    with talking(asking, stand_in, refuse) as page:
        until(page, "ready")
        page.click("#mic")
        page.wait_for_selector("#problem .notice", timeout=SOON)
        assert words in page.inner_text("#problem")
        assert page.get_attribute("#mic", "aria-pressed") == "false"
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)
        assert measured(page)["turns"][-1]["typed"]


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


def test_two_tabs_are_two_conversations(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as one:
        until(one, "ready")
        other = one.context.new_page()
        other.goto("/chat_system")
        until(other, "ready")
        assert measured(one)["session"] != measured(other)["session"]
        ask(other)
        other.wait_for_function(SPOKEN, timeout=SOON)
        assert one.locator("#turns .says").count() == 0
        assert measured(one)["turns"] == []


def test_a_dropped_connection_comes_back_with_its_conversation(asking: Browser, stand_in: StandIn) -> None:
    stand_in.seconds = 30.0
    with talking(asking, stand_in) as page:
        until(page, "ready")
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)
        known = page.evaluate("sessionStorage.getItem(Object.keys(sessionStorage).find((key) => key.includes('conversation')))")
        stand_in.cut()
        page.wait_for_function("() => window.states.includes('reconnecting')", timeout=SOON)
        until(page, "ready")
        assert page.evaluate(STILL)
        assert stand_in.told("hello")[-1]["conversation"] == known
        assert "what was being said was lost" in page.inner_text("#problem")
        ask(page, "Are you back?")
        page.wait_for_function(SPOKEN, timeout=SOON)
        assert page.locator("#problem .notice").count() == 0


def test_offline_and_online_again(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in) as page:
        until(page, "ready")
        page.context.set_offline(True)
        page.wait_for_function("() => window.states.includes('reconnecting')", timeout=SOON)
        page.context.set_offline(False)
        until(page, "ready")


def test_a_full_server_is_told_and_tried_again(asking: Browser, stand_in: StandIn) -> None:
    stand_in.refusal = {"code": "test.full", "message": "All places are taken.", "hint": "Try again soon.", "params": {}}
    with talking(asking, stand_in) as page:
        until(page, "idle")
        assert "All places are taken." in page.inner_text("#problem")
        assert page.is_enabled("#mic")
        stand_in.refusal = None
        page.click("#problem .button")
        until(page, "ready")
        assert page.locator("#problem .notice").count() == 0


def test_a_failed_turn_is_told_and_the_next_one_works(asking: Browser, stand_in: StandIn) -> None:
    stand_in.failure = {"code": "test.failed", "message": "The model is asleep.", "hint": "", "params": {}}
    with talking(asking, stand_in) as page:
        until(page, "ready")
        ask(page)
        page.wait_for_selector("#problem .notice", timeout=SOON)
        assert "The model is asleep." in page.inner_text("#problem")
        until(page, "ready")
        stand_in.failure = None
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)


def test_a_browser_without_media_source_goes_by_turns(asking: Browser, stand_in: StandIn) -> None:
    def poor(page: Page) -> None:
        page.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource;")
    with talking(asking, stand_in, poor) as page:
        until(page, "idle")
        assert "live" in page.inner_text("#problem .notice")
        assert page.is_visible("#mic")
        assert page.is_enabled("#mic")
        assert page.locator("#problem .button").count() == 0


def test_a_proxy_without_websockets_is_named(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in, lambda page: page.route_web_socket(re.compile("/live$"), lambda ws: ws.close())) as page:
        until(page, "idle", MINUTE)
        assert "/live" in page.inner_text("#problem .notice")


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
