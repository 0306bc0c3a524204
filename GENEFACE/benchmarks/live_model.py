"""The language model of a measurement: the GLM-protocol server of the tests, in a process of its own."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from tests.glm_server import GlmServer

FIRST_SECONDS = 0.2
"""Until the first token."""
TOKENS_A_SECOND = 30.0
"""After it; a token is four characters."""
SHORT = (
    "That is a good question. I would say that it depends on the day, and on how much time you have.",
    "Yes, I think so too. Most people find it easier after the second attempt, so do not give up early.",
    "Let me think about it. The short answer is about 25 degrees, and the long one takes a whole evening.",
    "I have seen that before. It began in 1998, with three friends and a very small room near the river.",
)
"""Answers of six to seven seconds."""
LONG = (
    "There is a lot to say about that, so let me begin at the beginning. First of all, the weather was fine that day, "
    "and nobody expected that anything would change. Then the wind turned, the clouds came up from the south, and "
    "within an hour the whole valley was dark. We waited for a long time, and in the end we walked home slowly.",
)
"""An answer of about twenty seconds: long enough to be interrupted."""


class _Rotating(GlmServer):
    """Gives one answer after the other."""

    def __init__(self, answers: Sequence[str]) -> None:
        super().__init__(first=FIRST_SECONDS, pause=1 / TOKENS_A_SECOND)
        self._answers = itertools.cycle(answers)

    def pieces(self) -> list[str]:
        """The next answer, token by token."""
        answer = next(self._answers)
        return [answer[n:n + 4] for n in range(0, len(answer), 4)]


@contextmanager
def model(answers: Sequence[str]) -> Iterator[dict[str, str]]:
    """A language model that runs meanwhile; gives the settings with which a product uses it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, tuple(answers)), daemon=True)
    process.start()
    try:
        yield {"VISAGE_ZHIPU_BASE_URL": ours.recv(), "ZHIPU_API_KEY": "none"}
    finally:
        ours.send("end")
        process.join(10)


def _serve(pipe: Connection, answers: Sequence[str]) -> None:
    with _Rotating(answers) as server:
        pipe.send(server.base_url)
        pipe.recv()
