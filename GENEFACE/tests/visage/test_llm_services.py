"""Failures of language model services, each over a real socket, for both SDKs."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.glm_server import GlmServer
from visage.config import Settings
from visage.errors import (
    NotInstalled,
    ServiceBusy,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
    UnknownDriver,
)
from visage.llm import Message, Responder, open_responder

SECRET = "sk-very-secret"
ASK = [Message("user", "你好")]
Opener = Callable[..., Responder]


@pytest.fixture
def server() -> Iterator[GlmServer]:
    with GlmServer() as running:
        yield running


@pytest.fixture(params=["zhipu", "openai"])
def opened(request: pytest.FixtureRequest, server: GlmServer) -> Opener:
    def opener(url: str = server.base_url, **given: object) -> Responder:
        return open_responder(Settings(zhipu_api_key=SECRET, zhipu_base_url=url, openai_api_key=SECRET,
                                       openai_base_url=url, openai_model="tiny", **given), request.param)
    return opener


def ask(responder: Responder) -> str:
    return "".join(responder.stream(ASK))


def test_the_answer_arrives_whole_and_the_question_as_told(opened: Opener, server: GlmServer) -> None:
    assert ask(opened()) == server.answer
    sent = server.requests[0]
    assert sent["stream"] is True
    assert sent["messages"] == [{"role": "user", "content": "你好"}]
    assert server.keys == [SECRET]


@pytest.mark.parametrize(("mode", "error", "code"), [
    ("refused", ServiceRefused, "llm.refused"), ("forbidden", ServiceRefused, "llm.refused"),
    ("busy", ServiceBusy, "llm.busy"), ("broken", ServiceError, "llm.failed"), ("missing", ServiceError, "llm.missing"),
    ("cut", ServiceError, "llm.cut"), ("closed", ServiceError, "llm.cut"),
    ("drop", ServiceUnreachable, "llm.unreachable"),
    ("malformed", ServiceError, "llm.malformed"), ("strange", ServiceError, "llm.malformed"),
    ("html", ServiceError, "llm.malformed"), ("error_event", ServiceError, "llm.failed"),
    ("filtered", ServiceError, "llm.filtered"),
])
def test_each_failure_has_its_name_and_a_remedy(opened: Opener, server: GlmServer, mode: str,
                                                error: type[ServiceError], code: str) -> None:
    server.mode = mode
    with pytest.raises(error) as caught:
        ask(opened())
    assert type(caught.value) is error
    assert caught.value.code == code
    assert caught.value.hint
    assert SECRET not in str(caught.value.as_dict())


def test_what_came_before_a_cut_is_not_lost(opened: Opener, server: GlmServer) -> None:
    server.mode = "cut"
    heard = []
    with pytest.raises(ServiceError):
        heard.extend(opened().stream(ASK))
    answer = opened().stream(ASK)
    assert [next(answer), next(answer)] == server.pieces()[:2]
    answer.close()


@pytest.mark.parametrize("mode", ["silent", "stalled"])
def test_silence_ends_at_the_limit(opened: Opener, server: GlmServer, mode: str) -> None:
    server.mode = mode
    begun = time.monotonic()
    with pytest.raises(ServiceTimeout, match=r"0\.3 seconds") as caught:
        ask(opened(llm_timeout=0.3))
    assert time.monotonic() - begun < 3
    assert caught.value.hint.endswith("VISAGE_LLM_TIMEOUT=0.6")
    assert len(server.requests) == 1


def test_a_busy_server_is_asked_once_more_and_no_more(opened: Opener, server: GlmServer) -> None:
    server.mode = "busy_once"
    assert ask(opened()) == server.answer
    server.requests.clear()
    server.mode = "busy"
    with pytest.raises(ServiceBusy, match="余额不足"):
        ask(opened())
    assert len(server.requests) == 2


def test_nobody_there(opened: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ServiceUnreachable) as caught:
        ask(opened(f"http://127.0.0.1:{port}/v1"))
    assert str(port) in caught.value.message


@pytest.mark.parametrize("url", ["127.0.0.1:1/v1", "http://"])
def test_an_address_that_is_none(opened: Opener, url: str) -> None:
    with pytest.raises(ServiceError):
        ask(opened(url))


def test_closing_the_iterator_stops_the_server(opened: Opener, server: GlmServer) -> None:
    server.answer, server.pause = "word " * 4000, 0.005
    answer = opened().stream(ASK)
    next(answer)
    answer.close()
    assert server.aborted.wait(3)


@pytest.mark.parametrize(("mode", "read"), [("silent", 0), ("stalled", 2)])
def test_another_thread_can_hang_up_on_a_silent_server(opened: Opener, server: GlmServer, mode: str, read: int) -> None:
    server.mode = mode
    answer = opened().stream(ASK)
    for _ in range(read):
        next(answer)
    rest: list[str] = []
    waiting = threading.Thread(target=lambda: rest.extend(answer))
    waiting.start()
    until = time.monotonic() + 10
    while not server.requests and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    assert waiting.is_alive()
    begun = time.monotonic()
    answer.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert server.aborted.wait(2.5)
    assert time.monotonic() - begun < 2.5  # a twentieth of it is usual
    assert rest == []


def test_a_line_cut_before_it_was_made_asks_nothing(opened: Opener, server: GlmServer) -> None:
    answer = opened().stream(ASK)
    answer.close()
    assert list(answer) == []
    assert not server.requests


def test_nobody_is_asked_again_after_hanging_up(opened: Opener, server: GlmServer) -> None:
    server.mode = "busy"
    answer = opened().stream(ASK)
    waiting = threading.Thread(target=lambda: list(answer))
    waiting.start()
    until = time.monotonic() + 10
    while not server.requests and time.monotonic() < until:
        time.sleep(0.005)
    answer.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert len(server.requests) == 1


def test_an_empty_answer_is_no_failure_of_the_service(opened: Opener, server: GlmServer) -> None:
    server.mode = "empty"
    assert ask(opened()) == ""


def test_reasoning_is_no_answer(opened: Opener, server: GlmServer) -> None:
    server.mode = "thinking"
    assert ask(opened()) == server.answer


def test_a_proxy_of_the_environment_is_not_used_next_door(opened: Opener, server: GlmServer,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask(opened()) == server.answer


def test_the_only_model_of_a_server_needs_no_name(server: GlmServer) -> None:
    responder = open_responder(Settings(openai_base_url=server.base_url), "openai")
    assert ask(responder) == server.answer
    assert server.requests[0]["model"] == "tiny"
    assert responder.name == "openai tiny"


def test_of_several_models_one_must_be_named(server: GlmServer) -> None:
    server.models = ("qwen", "llama")
    with pytest.raises(NotInstalled, match="qwen, llama") as caught:
        ask(open_responder(Settings(openai_base_url=server.base_url), "openai"))
    assert caught.value.hint == "export VISAGE_OPENAI_MODEL=qwen"


@pytest.mark.parametrize(("choice", "variable"), [
    ("zhipu", "ZHIPU_API_KEY"), ("OpenAI", "VISAGE_OPENAI_BASE_URL"), ("azure", "VISAGE_OPENAI_BASE_URL")])
def test_a_service_that_is_not_set_up_says_how(choice: str, variable: str) -> None:
    with pytest.raises(NotInstalled) as caught:
        open_responder(Settings(zhipu_api_key="", openai_base_url="", openai_api_key=""), choice)
    assert caught.value.hint.startswith(f"export {variable}=")


def test_an_unknown_service_lists_what_there_is() -> None:
    with pytest.raises(UnknownDriver, match="azure, offline, openai, zhipu"):
        open_responder(Settings(), "clippy")


@pytest.mark.parametrize(("given", "name"), [
    ({}, "offline"),
    ({"openai_base_url": "http://127.0.0.1:1/v1", "openai_model": "m"}, "openai m"),
    ({"zhipu_api_key": "k", "openai_base_url": "http://127.0.0.1:1/v1"}, "zhipu glm-4-flashx"),
    ({"zhipu_api_key": "k", "online": False}, "offline"),
    ({"zhipu_api_key": "k", "online": False, "zhipu_base_url": "http://127.0.0.1:1/"}, "zhipu glm-4-flashx"),
])
def test_without_a_choice_the_best_one_configured_answers(given: dict[str, object], name: str) -> None:
    blank = {"zhipu_api_key": "", "zhipu_base_url": "", "openai_base_url": "", "openai_api_key": "", "openai_model": "",
             "zhipu_model": "glm-4-flashx"}
    assert open_responder(Settings(**{**blank, **given})).name == name


def test_the_internet_is_not_used_where_it_is_forbidden() -> None:
    with pytest.raises(NotInstalled) as caught:
        open_responder(Settings(zhipu_api_key="k", online=False), "zhipu")
    assert caught.value.code == "llm.internet_forbidden"
