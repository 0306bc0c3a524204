"""Live conversations over bad networks, beside dying servers and things that are deleted; and what they leave."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.conftest import Installation, run_product
from tests.glm_server import GlmServer
from tests.web.live_client import ANSWER, LATE, LiveClient
from tests.web.slow_line import SlowLine, deaf_browser, frame


@pytest.fixture(scope="module")
def model() -> Iterator[GlmServer]:
    with GlmServer(ANSWER) as server:
        yield server


@pytest.fixture(scope="module")
def product(installation: Installation, model: GlmServer, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("lines")
    shutil.copytree(installation.home / "var" / "avatars", home / "var" / "avatars")
    with run_product(home, ZHIPU_API_KEY="key", ZHIPUAI_BASE_URL=model.base_url, VISAGE_LLM_TIMEOUT="5") as running:
        yield running


@pytest.fixture(autouse=True)
def _answering(model: GlmServer) -> None:
    model.mode, model.answer, model.first, model.pause = "answer", ANSWER, 0.0, 0.0


def until(ready: Callable[[], Any], seconds: float = 60.0, what: str = "") -> None:
    limit = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


def sessions(product: Installation) -> int:
    return requests.get(f"{product.url}/health", timeout=20).json()["live"]["sessions"]


def turns(product: Installation, client: LiveClient) -> list[dict[str, Any]]:
    return requests.get(f"{product.url}/api/conversations/{client.wait('ready')['conversation']}", timeout=20,
                        cookies={"visage": client.cookie}).json()["turns"]


def begun(client: LiveClient, text: str, turn: int = 1) -> None:
    """Ask, and see the first of the answer's video."""
    client.tell("say", text=text)
    client.wait("begin", LATE, turn=turn)
    client.until(lambda: client.video.get(turn), LATE)
    client.tell("shown", turn=turn, first_frame_ms=300, play_ms=30)


def test_a_line_that_hangs_for_three_seconds_loses_nothing(product: Installation) -> None:
    for moment in (0.0, 0.6):
        with SlowLine(product.url) as line, LiveClient(replace(product, url=line.url)) as client:
            client.wait("ready", LATE)
            begun(client, "When?")
            time.sleep(moment)
            line.open.clear()
            time.sleep(3)
            line.open.set()
            turn = client.finish(1)
            assert turn["answer"] == ANSWER and turn["heard"] == 1
            frames, sound, _ = client.clip(1)
            seconds = client.wait("end")["seconds"]
            assert frames == round(seconds * 25) and abs(sound - seconds) < 0.05


def test_a_line_that_hangs_for_long_is_given_up_and_what_was_heard_is_kept(product: Installation, model: GlmServer
                                                                          ) -> None:
    until(lambda: not sessions(product))
    model.answer = ANSWER * 3
    with SlowLine(product.url) as line, LiveClient(replace(product, url=line.url)) as client:
        client.wait("ready", LATE)
        begun(client, "Remember seven.")
        client.tell("played", turn=1, at=0.9)
        client.tell("dance")
        client.wait("error")  # so all before it has arrived
        line.open.clear()
        until(lambda: not sessions(product), 40, "the session of a dead line is still there")
        (kept,) = turns(product, client)
        assert kept["question"] == "Remember seven." and 0 < kept["heard"] < 0.5, kept
        model.answer = ANSWER
        with LiveClient(product, conversation=client.wait("ready")["conversation"], cookie=client.cookie) as again:
            again.wait("ready", LATE)
            again.tell("say", text="Which?")
            assert again.finish(1)["answer"] == ANSWER
            told = [message["content"] for message in model.requests[-1]["messages"]]
            assert "Remember seven." in told and any(text.endswith("…") for text in told), told
            assert len(turns(product, again)) == 2


def test_a_browser_that_does_not_read_disturbs_nobody(product: Installation, model: GlmServer) -> None:
    until(lambda: not sessions(product))
    web = psutil.Process(product.child("app.py"))
    model.answer = ANSWER * 8
    with LiveClient(product) as well:
        well.wait("ready", LATE)
        with deaf_browser(product.url) as deaf:
            frame(deaf, '{"type":"hello","avatar":"astronaut"}')
            until(lambda: sessions(product) == 2)
            before = web.memory_info().rss
            frame(deaf, '{"type":"say","text":"Talk."}')
            # It goes on telling that it plays, so only what it does not take can end it.
            with pytest.raises(OSError, match=r"eset|roken"):
                until(lambda: frame(deaf, '{"type":"played","turn":1,"at":3600}'), 90)
            until(lambda: sessions(product) == 1, 20)
            assert web.memory_info().rss - before < 150 << 20
            model.answer = ANSWER
            well.tell("say", text="And me?")
            assert well.finish(1)["heard"] == 1


def test_a_dying_voice_server_costs_what_it_did_not_say_and_the_next_turn_works(product: Installation,
                                                                               model: GlmServer) -> None:
    def alive(other_than: int) -> bool:
        try:
            return product.child("tts_server") != other_than and requests.get(f"{product.voice_url}/health",
                                                                              timeout=5).ok
        except (LookupError, requests.RequestException):
            return False

    with LiveClient(product) as client:
        client.wait("ready", LATE)
        model.answer = ANSWER * 8
        begun(client, "Talk long.")
        first = product.child("tts_server")
        os.kill(first, signal.SIGKILL)
        client.until(lambda: client.all("error") or client.tell("played", turn=1, at=3600.0), LATE)
        error = client.wait("error")
        assert error["turn"] == 1 and error["code"].startswith("tts.") and error["hint"]
        seconds = client.wait("end", turn=1)["seconds"]
        assert client.clip(1)[0] == round(seconds * 25) > 0
        client.tell("done", turn=1)
        told = client.wait("turn", turn=1)
        assert told["answer"].startswith("The museum opens") and 0 < told["heard"] <= 1
        until(lambda: alive(first))
        model.answer, second = ANSWER, product.child("tts_server")
        os.kill(second, signal.SIGKILL)
        client.tell("say", text="Before the turn?")
        client.until(lambda: [event for event in client.events if event.get("turn") == 2 and
                              event["type"] in ("error", "begin")], LATE)
        until(lambda: alive(second))
        number = max(event["turn"] for event in client.all("heard")) + 1
        client.tell("say", text="And now?")
        assert client.finish(number)["answer"] == ANSWER


def test_conversations_leave_nothing_behind(product: Installation, model: GlmServer) -> None:
    until(lambda: not sessions(product))
    web = psutil.Process(product.child("app.py"))

    def some(count: int) -> None:
        for number in range(count):
            model.first = 0.3 if number % 5 == 4 else 0.0
            with LiveClient(product) as client:
                if number % 5 == 0:
                    continue  # gone during hello
                client.wait("ready", LATE)
                client.tell("say", text="One?")
                if number % 5 == 1:
                    continue
                client.wait("heard", LATE)
                if number % 5 == 2:
                    client.tell("interrupt", turn=1, heard=0)
                    client.wait("turn", LATE)
                elif number % 5 == 3:
                    client.wait("begin", LATE)
        until(lambda: not sessions(product))

    def level(threads: int = 0, files: int = 0) -> tuple[int, int]:
        return web.num_threads() - threads, web.num_fds() - files

    def rests() -> tuple[int, int]:
        last, since = level(), time.monotonic()
        while time.monotonic() - since < 12:  # threads of the server wait for the next request for a while
            time.sleep(0.2)
            if level() != last:
                last, since = level(), max(since, time.monotonic() - 9)
        return last

    some(10)
    before, memory = rests(), web.memory_info().rss
    some(30)
    after = rests()
    assert after[0] <= before[0] + 6 and after[1] <= before[1] + 6, (before, after)
    assert web.memory_info().rss - memory < 60 << 20, (memory >> 20, web.memory_info().rss >> 20)


def test_a_choice_holds_from_the_next_turn_on_and_a_wrong_one_changes_nothing(product: Installation, model: GlmServer
                                                                            ) -> None:
    with LiveClient(product) as client:
        client.wait("ready", LATE)
        begun(client, "One?")
        client.tell("choose", llm="offline")
        assert client.finish(1)["answer"] == ANSWER
        client.tell("say", text="Two?")
        assert client.finish(2)["answer"] != ANSWER
        for wrong in ({"llm": "nobody"}, {"voice": "espeak:nobody"}, {"llm": "zhipu", "voice": "nobody:x"}):
            client.events.clear()
            client.tell("choose", **wrong)
            assert client.wait("error")["hint"]
        asked = len(model.requests)
        client.tell("say", text="Three?")
        assert client.finish(3)["answer"] != ANSWER and len(model.requests) == asked
        client.tell("choose", llm="", voice="")
        client.tell("say", text="Four?")
        assert client.finish(4)["answer"] == ANSWER


def test_the_avatar_and_the_conversation_may_be_deleted_while_one_talks(product: Installation) -> None:
    folder = product.home / "var" / "avatars"
    shutil.copytree(folder / "astronaut", folder / "doomed")
    manifest = folder / "doomed" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"astronaut"', '"doomed"'))
    with LiveClient(product, avatar="doomed") as client:
        conversation = client.wait("ready", LATE)["conversation"]
        begun(client, "One?")
        assert requests.delete(f"{product.url}/api/avatars/doomed", timeout=20).ok
        assert requests.delete(f"{product.url}/api/conversations/{conversation}", timeout=20,
                               cookies={"visage": client.cookie}).ok
        assert client.finish(1)["heard"] == 1
        client.tell("say", text="Two?")
        assert client.finish(2)["answer"] == ANSWER and not client.all("error")
        client.tell("choose", voice="", llm="")
        client.tell("say", text="Three?")
        client.finish(3)
    until(lambda: not sessions(product))
    kept = [path for path in (product.home / "var").rglob("*") if conversation in str(path) and path.is_file()]
    assert not kept and not (folder / "doomed").exists()
    for gone in ({"avatar": "doomed"}, {"conversation": conversation, "cookie": client.cookie}):
        with LiveClient(product, **gone) as late:
            assert late.wait("refused")["hint"] is not None


def test_two_tabs_may_talk_in_one_conversation_and_strangers_may_not(product: Installation) -> None:
    with LiveClient(product) as one:
        conversation = one.wait("ready", LATE)["conversation"]
        with LiveClient(product, conversation=conversation, cookie=one.cookie) as two:
            two.wait("ready", LATE)
            one.tell("say", text="Left?")
            two.tell("say", text="Right?")
            assert one.finish(1)["question"] == "Left?" and two.finish(1)["question"] == "Right?"
            until(lambda: len(turns(product, one)) == 2)
        with LiveClient(product, conversation=conversation, cookie="no cookie at all") as stranger:
            assert stranger.wait("refused")["code"] == "conversation.missing"
        with LiveClient(product, cookie="none") as nobody:
            nobody.wait("ready", LATE)


def test_a_full_disk_is_told_and_the_talk_goes_on(installation: Installation, model: GlmServer, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)], check=False,
                                           capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        shutil.copytree(installation.home / "var" / "avatars" / "astronaut", disk / "var" / "avatars" / "astronaut")
        with run_product(disk, ZHIPU_API_KEY="key", ZHIPUAI_BASE_URL=model.base_url,
                         VISAGE_VOICE_URL=installation.voice_url) as small, LiveClient(small) as client:
            client.wait("ready", LATE)
            (disk / "filler").write_bytes(b"x" * (shutil.disk_usage(disk).free - 4096))
            client.tell("say", text="One?")
            assert client.finish(1)["answer"] == ANSWER
            error = client.wait("error", 20)
            assert error["code"] == "live.not_kept" and error["hint"]
            client.tell("say", text="Two?")
            assert client.finish(2)["heard"] == 1 and len(client.all("error")) == 1
            (disk / "filler").unlink()
            client.tell("say", text="Three?")
            client.finish(3)
            until(lambda: any(row["question"] == "Three?" and row["seconds"] > 0 for row in turns(small, client)))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True, timeout=20)
