"""What every language model driver promises, held against a real server on a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.glm_server import GlmServer
from visage.config import Settings
from visage.llm import DRIVERS, Message, Responder, open_responder

TALK = [Message("system", "Be brief."), Message("user", "hello"), Message("assistant", "hi"),
        Message("user", "你是谁？")]


@pytest.fixture
def server() -> Iterator[GlmServer]:
    with GlmServer() as running:
        yield running


@pytest.fixture(params=sorted(DRIVERS))
def responder(request: pytest.FixtureRequest, server: GlmServer) -> Responder:
    settings = Settings(zhipu_api_key="k-123", zhipu_base_url=server.base_url, openai_base_url=server.base_url)
    return open_responder(settings, request.param)


def test_an_answer_comes_in_pieces_of_text(responder: Responder) -> None:
    pieces = list(responder.stream(TALK))
    assert len(pieces) > 1
    assert all(isinstance(piece, str) and piece for piece in pieces)


def test_it_has_a_name_to_show(responder: Responder) -> None:
    list(responder.stream(TALK))
    assert responder.name.strip() == responder.name != ""
    assert "k-123" not in responder.name


def test_it_can_be_asked_twice_and_stopped_at_any_piece(responder: Responder) -> None:
    answer = responder.stream(TALK)
    assert next(answer)
    answer.close()
    whole = "".join(responder.stream(TALK))
    assert whole == "".join(responder.stream(TALK))


def test_an_iterator_never_started_costs_nothing(responder: Responder, server: GlmServer) -> None:
    responder.stream(TALK).close()
    assert not server.requests


def test_any_thread_may_close_it_while_it_is_read(responder: Responder, server: GlmServer) -> None:
    server.answer, server.pause = "word " * 4000, 0.002
    answer = responder.stream(TALK)
    begun, read = threading.Event(), []

    def reader() -> None:
        for piece in answer:
            read.append(piece)
            begun.set()
        begun.set()

    thread = threading.Thread(target=reader)
    thread.start()
    assert begun.wait(10)
    answer.close()
    thread.join(5)
    assert not thread.is_alive()
    assert len(read) < 4000
    assert list(answer) == []


def test_closing_twice_or_after_the_end_is_nothing(responder: Responder) -> None:
    answer = responder.stream(TALK)
    assert list(answer)
    answer.close()
    answer.close()
