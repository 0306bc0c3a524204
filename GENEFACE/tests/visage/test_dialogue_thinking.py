"""Answers while they are written, through the real SDKs, from a server on a real socket."""

from __future__ import annotations

import threading
import time

import pytest

from tests.glm_server import GlmServer
from visage.config import Settings
from visage.dialogue.scope import Scope
from visage.dialogue.thinking import Thinking
from visage.dialogue.turn import LONGEST_ANSWER
from visage.errors import Cancelled, ServiceError
from visage.llm import Message, Responder, open_responder

ASK = [Message("user", "讲一讲")]


@pytest.fixture(params=["zhipu", "openai"])
def driver(request: pytest.FixtureRequest) -> str:
    return request.param


def responder(server: GlmServer, driver: str = "zhipu") -> Responder:
    return open_responder(Settings(zhipu_api_key="k", zhipu_base_url=server.base_url, openai_base_url=server.base_url,
                                   openai_model="tiny"), driver)


def test_sentences_come_in_order_with_what_is_shown(driver: str) -> None:
    answer = "<think>嗯</think>**北京**今天天气很好，适合出门走走。气温25°C！\n- 带上 `水` 😀。"
    with GlmServer(answer) as server:
        thinking = Thinking(responder(server, driver), ASK, Scope())
        thoughts = list(thinking)
    said = [thought.sentence for thought in thoughts]
    assert said == ["北京今天天气很好，", "适合出门走走。", "气温25°C！", "带上 水 。"]
    shown = "**北京**今天天气很好，适合出门走走。气温25°C！\n- 带上 `水` 😀。"
    assert thinking.shown == shown
    assert thinking.answered is not None
    assert (thinking.answered.text, thinking.answered.llm) == (shown, responder(server, driver).name)
    assert thinking.answered.spoken == "北京今天天气很好，适合出门走走。气温25°C！\n带上 水 。"
    assert 0 < thinking.answered.first_seconds <= thinking.answered.seconds
    reaches = [shown[:thought.reach] for thought in thoughts]
    assert reaches[:3] == ["**北京**今天天气很好，", "**北京**今天天气很好，适合出门走走。",
                           "**北京**今天天气很好，适合出门走走。气温25°C！"]
    assert reaches == sorted(reaches, key=len) and reaches[-1] == shown
    assert all(thought.shown.startswith(reach) for thought, reach in zip(thoughts, reaches, strict=True))


def test_the_first_clause_is_there_long_before_the_end() -> None:
    with GlmServer("这个问题问得很好，" + "我们慢慢来说。" * 30, pause=0.05) as server:
        thinking = Thinking(responder(server), ASK, Scope())
        first = next(thinking)
        assert first.sentence == "这个问题问得很好，"
        assert thinking.answered is None
        assert len(first.shown) < 60
        thinking.close()
        assert server.aborted.wait(3)
        assert list(thinking) == []


@pytest.mark.parametrize("mode", ["silent", "stalled"])
def test_cancelling_is_at_once_for_the_caller_and_the_server(driver: str, mode: str) -> None:
    with GlmServer(mode=mode) as server:
        scope, cancelled = Scope(), []

        def cancel() -> None:
            until = time.monotonic() + 20
            while not server.requests and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.1)
            cancelled.append(time.monotonic())
            scope.cancel()

        thinking = Thinking(responder(server, driver), ASK, scope)
        waiting = threading.Thread(target=cancel)
        waiting.start()
        with pytest.raises(Cancelled):
            list(thinking)
        assert server.aborted.wait(2.5)
        assert time.monotonic() - cancelled[0] < 2.5  # a hundredth of it is usual
        with pytest.raises(Cancelled):
            next(thinking)
        waiting.join()


def test_a_cancelled_scope_asks_nobody() -> None:
    with GlmServer() as server:
        scope = Scope()
        scope.cancel()
        with pytest.raises(Cancelled):
            next(Thinking(responder(server), ASK, scope))
        assert not server.requests


def test_what_was_said_before_the_model_died_stays(driver: str) -> None:
    with GlmServer("好的。我想想，然后再说", mode="cut") as server:
        thinking = Thinking(responder(server, driver), ASK, Scope())
        assert next(thinking).sentence == "好的。"
        with pytest.raises(ServiceError) as caught:
            next(thinking)
    assert caught.value.code == "llm.cut"
    assert thinking.shown == "好的。我想想，然后"[:8]
    assert thinking.answered is None


@pytest.mark.parametrize(("answer", "mode"), [("", "empty"), ("😀", "answer"), ("```\ncode\n```", "answer"),
                                              ("<think>for ever and ever", "answer")])
def test_an_answer_without_words_is_an_error(answer: str, mode: str) -> None:
    with GlmServer(answer, mode) as server, pytest.raises(ServiceError) as caught:
        list(Thinking(responder(server), ASK, Scope()))
    assert caught.value.code == "turn.no_answer"


@pytest.mark.parametrize("unit", ["All work and no play. ", "只工作不玩耍。", "词，"])
def test_a_hundred_kilobytes_are_stopped_and_told(driver: str, unit: str) -> None:
    with GlmServer(unit * (100_000 // len(unit)), pause=0.0001) as server:
        thinking = Thinking(responder(server, driver), ASK, Scope())
        thoughts = list(thinking)
        assert server.aborted.wait(5)
    assert thinking.answered is not None
    text = thinking.answered.text
    assert LONGEST_ANSWER - 170 < len(text) <= LONGEST_ANSWER
    assert thinking.answered.note == f"The answer was stopped after {len(text)} characters."
    said = "".join(thought.sentence for thought in thoughts)
    assert said.replace(" ", "") == text.replace(" ", "")


def test_a_monologue_without_end_is_stopped() -> None:
    class Large(GlmServer):
        def pieces(self) -> list[str]:
            return [self.answer[n:n + 400] for n in range(0, len(self.answer), 400)]

    with Large("<think>" + "hm " * 100_000, pause=0.001) as server:
        with pytest.raises(ServiceError) as caught:
            list(Thinking(responder(server), ASK, Scope()))
        assert server.aborted.wait(5)
    assert caught.value.code == "turn.no_answer"


def test_an_answer_in_one_large_piece_comes_in_sentences_too() -> None:
    class Whole(GlmServer):
        def pieces(self) -> list[str]:
            return [self.answer]

    with Whole("这是第一句话。" * 15_000) as server:
        thoughts = list(Thinking(responder(server), ASK, Scope()))
    assert len(thoughts) == LONGEST_ANSWER // 7
    assert [thought.reach for thought in thoughts] == [7 * (number + 1) for number in range(len(thoughts))]


def test_a_sentence_reaches_no_word_further_than_it_says() -> None:
    with GlmServer("That is a good question. I would say so, e.g. today. Yes") as server:
        thinking = Thinking(responder(server), ASK, Scope())
        reaches = [thinking.shown[:thought.reach].rstrip() for thought in thinking]
    assert reaches == ["That is a good question.", "That is a good question. I would say so, e.g. today.",
                       "That is a good question. I would say so, e.g. today. Yes"]


def test_the_offline_responder_thinks_too() -> None:
    thoughts = list(Thinking(open_responder(Settings(), "offline"), [Message("user", "What is 2 + 3?")], Scope()))
    assert [thought.sentence for thought in thoughts] == ["That makes 5."]
