"""The live Talk page when something is missing, refused, dropped or broken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.live_page import (
    MINUTE,
    SOON,
    SPOKEN,
    STILL,
    ask,
    measured,
    talking,
    until,
)
from tests.browser.live_stand_in import StandIn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser]


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
        known = f"c{len(stand_in.sessions)}"
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


def test_a_tab_that_nobody_uses_sleeps_and_wakes(asking: Browser, stand_in: StandIn) -> None:
    with talking(asking, stand_in, lambda page: page.clock.install()) as page:
        until(page, "ready")
        page.clock.fast_forward("10:30")
        until(page, "asleep")
        ask(page)
        page.wait_for_function(SPOKEN, timeout=SOON)
        assert len(stand_in.told("hello")) == 2
        assert stand_in.told("hello")[1]["conversation"]


def test_a_full_server_is_told_and_tried_again(asking: Browser, stand_in: StandIn) -> None:
    stand_in.refusal = {"code": "test.full", "message": "All places are taken.", "hint": "Later.", "params": {}}
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
    def closed(page: Page) -> None:
        page.route_web_socket(re.compile("/live$"), lambda socket: socket.close())
    with talking(asking, stand_in, closed) as page:
        until(page, "idle", MINUTE)
        assert "/live" in page.inner_text("#problem .notice")
