"""Live conversations with demanding users: strange sound, strange language models, interruptions at every moment."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests

from tests.conftest import Installation, run_product
from tests.glm_server import GlmServer
from tests.web.live_client import ANSWER, LATE, LiveClient
from tests.web.live_speech import said
from visage.media.audio import read_sound


@pytest.fixture(scope="module")
def model() -> Iterator[GlmServer]:
    with GlmServer(ANSWER) as server:
        yield server


@pytest.fixture(scope="module")
def product(installation: Installation, model: GlmServer, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[Installation]:
    home = tmp_path_factory.mktemp("bad")
    shutil.copytree(installation.home / "var" / "avatars", home / "var" / "avatars")
    with run_product(home, ZHIPU_API_KEY="key", ZHIPUAI_BASE_URL=model.base_url, VISAGE_LLM_TIMEOUT="6") as running:
        yield running


@pytest.fixture(autouse=True)
def _answering(model: GlmServer) -> None:
    model.mode, model.answer, model.first, model.pause = "answer", ANSWER, 0.0, 0.0
    model.__dict__.pop("pieces", None)


@pytest.fixture
def client(product: Installation) -> Iterator[LiveClient]:
    with LiveClient(product) as client:
        client.wait("ready", LATE)
        yield client


def stored(product: Installation, client: LiveClient, count: int) -> list[dict[str, Any]]:
    """The turns that are kept of a conversation, once there are so many."""
    limit = time.monotonic() + 60
    while True:
        told = requests.get(f"{product.url}/api/conversations/{client.wait('ready')['conversation']}", timeout=20,
                            cookies={"visage": client.cookie}).json()["turns"]
        if len(told) >= count or time.monotonic() > limit:
            assert len(told) == count, told
            return told
        time.sleep(0.1)


def goes_on(client: LiveClient) -> dict[str, Any]:
    """The conversation works: a typed question gets its answer, whole."""
    before = max((event["turn"] for event in client.all("heard")), default=0)
    client.tell("say", text="Are you still there?")
    client.until(lambda: any(event["turn"] > before and event["typed"] for event in client.all("heard")), LATE)
    turn = client.finish(max(event["turn"] for event in client.all("heard")))
    assert turn["heard"] == 1 and turn["question"] == "Are you still there?" and turn["answer"]
    return turn


def test_half_a_minute_of_speech_without_a_pause_is_one_question(client: LiveClient) -> None:
    talk = said("the weather is nice today and I would like to know what you think about it because my friend who "
                "lives in the city told me that it will rain tomorrow and the day after tomorrow and then again")
    loud = np.flatnonzero(np.abs(talk) > 0.02)
    talk = np.tile(talk[loud[0]:loud[-1]], 4)[:30 * 16_000]
    client.speak(talk)
    client.silence(2.0)
    client.until(lambda: client.all("heard"), LATE)
    client.until(lambda: not client.all("user")[-1]["speaking"], LATE)
    assert sum(len(event["text"].split()) for event in client.all("heard")) > 40
    goes_on(client)


@pytest.mark.parametrize("kind", ["noise", "digital silence", "floats", "clipping"])
def test_sound_without_words_starts_no_turn(client: LiveClient, kind: str) -> None:
    rng = np.random.default_rng(3)
    if kind == "floats":
        garbage = np.r_[rng.normal(size=16_000), np.nan, np.inf, -np.inf].astype("<f4").tobytes()
        for begin in range(0, len(garbage), 1024):
            client.send(garbage[begin:begin + 1024])
        client.silence(1.5)
    else:
        loud = {"noise": 0.05, "digital silence": 0.0, "clipping": 5.0}[kind]
        client.speak(rng.normal(0, 1, (20 if kind == "noise" else 8) * 16_000).astype(np.float32) * loud)
        client.silence(1.5)
    if kind == "digital silence":
        assert goes_on(client)["turn"] == 1 and not client.all("user")
        return
    goes_on(client)
    told = [event["speaking"] for event in client.all("user")]
    assert told == [True, False] * (len(told) // 2) and all(event["typed"] for event in client.all("heard"))


def test_the_microphone_may_be_switched_off_in_the_middle_of_a_word(client: LiveClient) -> None:
    talk = said("what is the weather like today")
    client.speak(talk[:len(talk) // 2])
    client.until(lambda: client.all("user"), LATE)
    client.tell("microphone", on=False)
    client.until(lambda: not client.all("user")[-1]["speaking"], LATE)
    assert not client.all("heard")
    client.tell("microphone", on=True)
    client.silence(0.5)
    client.speak(talk)
    client.silence(2.0)
    assert "weather" in client.wait("heard", LATE)["text"]
    client.finish(1)


@pytest.mark.parametrize("size", [1, 333, 8191])
def test_sound_may_be_cut_anywhere(client: LiveClient, size: int) -> None:
    talk = np.concatenate([np.zeros(8000, np.float32), said("what is the weather like today")])
    data = (np.clip(talk, -1, 1) * 32767).astype("<i2").tobytes()
    head = len(data) if size > 1 else 3001
    for begin in range(0, head, size):
        client.send(data[begin:begin + size])
        client.send(b"")
    for begin in range(head, len(data), 4001):
        client.send(data[begin:begin + 4001])
    client.silence(2.0)
    assert "weather" in client.wait("heard", LATE)["text"]
    client.finish(1)


@pytest.mark.parametrize(("mode", "answer", "code"), [
    ("empty", ANSWER, "turn.no_answer"), ("silent", ANSWER, "llm."), ("stalled", ANSWER, "llm."),
    ("cut", ANSWER, "llm.cut"), ("answer", "```python\nprint(1)\n```", "turn.no_answer"),
    ("answer", "😀 🎉", "turn.no_answer"),
    ("answer", "<think>hmm, hmm", "turn.no_answer")])
def test_a_model_that_fails_is_told_and_the_next_turn_works(client: LiveClient, model: GlmServer, mode: str,
                                                           answer: str, code: str) -> None:
    model.mode, model.answer = mode, answer
    client.tell("say", text="Hello?")
    client.until(lambda: client.all("error") or client.tell("played", turn=1, at=3600.0), LATE)
    error = client.wait("error")
    assert error["turn"] == 1 and error["code"].startswith(code) and error["hint"]
    model.mode, model.answer = "answer", ANSWER
    assert goes_on(client)["answer"] == ANSWER


def test_an_endless_answer_ends_and_says_so(client: LiveClient, model: GlmServer) -> None:
    model.answer = "This is one more sentence of very many. " * 2500
    client.tell("say", text="Tell me everything.")
    client.wait("begin", LATE)
    client.play(1)
    client.tell("interrupt", turn=1, heard=2)
    assert client.wait("turn", LATE)["heard"] < 0.5
    model.answer = ANSWER
    goes_on(client)


@pytest.mark.parametrize("answer", [ANSWER, "博物馆九点开门。下午五点关门。", "Half \ud83d a character. And more."])
def test_an_answer_in_one_piece_is_said_whole(product: Installation, client: LiveClient, model: GlmServer,
                                              answer: str) -> None:
    model.answer = answer
    model.pieces = lambda: [model.answer]  # type: ignore[method-assign]
    client.tell("say", text="Hello \ud83d there?")
    turn = client.finish(1)
    assert turn["heard"] == 1 and turn["answer"] == answer.replace("\ud83d", "\ufffd")
    assert stored(product, client, 1)[0]["answer"] == turn["answer"]
    goes_on(client)


def test_an_interruption_is_heard_at_every_moment(product: Installation, client: LiveClient, model: GlmServer) -> None:
    model.first, model.pause = 0.2, 0.02
    delays = (0.0, 0.03, 0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 1.0)
    for turn, delay in enumerate(delays, 1):
        client.tell("say", text=f"Question {turn}?")
        time.sleep(delay)
        client.wait("heard", turn=turn)
        client.tell("interrupt", turn=turn, heard=0)
        client.tell("interrupt", turn=turn, heard=0)
        client.wait("turn", turn=turn)
        length = len(client.video.get(turn, b""))
        time.sleep(0.1)
        about = [event["type"] for event in client.events if event.get("turn") == turn]
        about = [kind for kind in about if kind != "kept"]
        assert about[-2:] == ["stop", "turn"] and about.count("stop") == 1, about
        assert len(client.video.get(turn, b"")) == length
    goes_on(client)
    assert [row["question"] for row in stored(product, client, len(delays) + 1)][:2] == ["Question 1?", "Question 2?"]
    told = [message["content"] for message in model.requests[-1]["messages"]]
    assert all(f"Question {turn}?" in told for turn in range(1, len(delays) + 1)), told


def test_an_interruption_after_the_end_counts_and_what_follows_it_does_not(client: LiveClient) -> None:
    client.tell("say", text="One?")
    client.until(lambda: client.all("end") or client.tell("played", turn=1, at=3600.0), LATE)
    client.tell("interrupt", turn=1, heard=0.5)
    client.tell("done", turn=1)
    assert client.wait("stop", turn=1)["reason"] == "button"
    client.wait("turn", turn=1)
    goes_on(client)
    assert len([event for event in client.all("turn") if event["turn"] == 1]) == 1


@pytest.mark.parametrize("heard", ["1e6", "-1", "NaN", "1e400", '"x"', "null", "true"])
def test_an_interruption_with_absurd_numbers_interrupts_all_the_same(client: LiveClient, heard: str) -> None:
    client.tell("say", text="One?")
    client.wait("begin", turn=1)
    client.send(f'{{"type": "shown", "turn": 1, "first_frame_ms": {heard}, "play_ms": {heard}}}')
    client.send(f'{{"type": "interrupt", "turn": 1, "heard": {heard}}}')
    assert client.wait("stop")["reason"] == "button"
    turn = client.wait("turn")
    assert 0 <= turn["heard"] <= 1
    assert all(np.isfinite(stage["end_ms"]) for stage in turn["stages"])
    assert [event["code"] for event in client.all("error")] == ([] if heard == "1e6" else ["request.number"])
    goes_on(client)


def test_ten_questions_at_once_are_ten_turns_and_the_last_one_is_answered(product: Installation, client: LiveClient
                                                                         ) -> None:
    for number in range(1, 11):
        client.tell("say", text=f"Question {number}?")
    assert client.finish(10)["heard"] == 1
    assert [event["turn"] for event in client.all("stop")] == list(range(1, 10))
    assert [event["turn"] for event in client.all("turn")] == list(range(1, 11))
    assert [row["question"] for row in stored(product, client, 10)] == [f"Question {n}?" for n in range(1, 11)]


def test_a_typed_question_replaces_what_is_just_being_said(product: Installation, client: LiveClient) -> None:
    client.silence(0.5)
    client.speak(said("what is the weather like today"))
    client.until(lambda: client.all("user"), LATE)
    client.tell("say", text="Typed?")
    client.silence(2.0)
    assert client.finish(1)["question"] == "Typed?"
    goes_on(client)
    assert len(stored(product, client, 2)) == 2 and not client.all("stop")
    assert [event["speaking"] for event in client.all("user")] == [True, False]


def test_who_goes_on_after_a_pause_has_asked_one_question(product: Installation, client: LiveClient, model: GlmServer
                                                         ) -> None:
    model.first, before = 30.0, len(model.requests)
    first, second = said("what is the weather"), said("in the city of london today")
    client.silence(0.5)
    client.speak(first)
    client.silence(1.5)
    client.wait("heard", LATE, turn=1)
    client.until(lambda: len(model.requests) > before)
    time.sleep(0.1)
    model.first = 0.0
    client.speak(second)
    client.silence(1.5)
    heard = client.wait("heard", LATE, turn=2)["text"]
    assert "weather" in heard and "london" in heard, heard
    assert client.wait("stop")["reason"] == "voice" and not client.all("turn")
    assert client.finish(2)["question"] == heard
    (kept,) = stored(product, client, 1)
    assert kept["question"] == heard
    (sound,) = (product.home / "var" / "conversations").glob(f"{client.wait('ready')['conversation']}/*/question.wav")
    assert len(read_sound(sound)) > 0.8 * (len(first) + len(second))


def test_who_goes_on_within_a_pause_voids_the_answer_that_was_prepared(product: Installation, client: LiveClient,
                                                                      model: GlmServer) -> None:
    before = len(model.requests)
    client.silence(0.5)
    talk = said("what is the weather")
    client.speak(talk[:np.flatnonzero(np.abs(talk) > 0.02)[-1]])
    client.silence(0.3)
    client.until(lambda: len(model.requests) > before, LATE)
    client.speak(said("in the city of london today"))
    client.silence(2.0)
    heard = client.wait("heard", LATE)
    assert "weather" in heard["text"] and "london" in heard["text"], heard
    assert client.finish(heard["turn"])["answer"] == ANSWER
    assert len(client.all("heard")) == 1 and len(stored(product, client, 1)) == 1 and not client.all("stop")
