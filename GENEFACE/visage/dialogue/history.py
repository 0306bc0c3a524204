"""What a language model is told: who it is, what was said, and what is asked now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from visage.llm.contract import Message

BUDGET = 6000
"""Characters of earlier exchanges that are told."""

STYLE = ("You are a person in a spoken video conversation. Answer in the language of the last question, in one to "
         "three short sentences, the way people talk: no lists, no headings, no Markdown, no emoji, no code. "
         "Write numbers and units so that they can be read aloud.")
"""The part of the system prompt that makes answers sayable; an avatar's own prompt goes before it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what was answered, earlier in the conversation."""

    question: str
    """What the person said."""
    answer: str
    """The whole answer as it was shown."""
    heard: float = 1.0
    """Share of the answer that was heard before it was interrupted, 0 to 1."""


def conversation(past: Iterable[Exchange], question: str, persona: str = "", budget: int = BUDGET) -> list[Message]:
    """The messages for the next answer.

    The system prompt and the question always enter, whole; of the past the newest whole
    exchanges that fit into ``budget`` characters; of an interrupted answer what was heard.
    """
    told: list[Message] = []
    left = budget
    for exchange in reversed(list(past)):
        pair = [Message("user", exchange.question), Message("assistant", _heard(exchange))]
        left -= sum(len(message.text) for message in pair)
        if left < 0:
            break
        told = [message for message in pair if message.text.strip()] + told
    return [Message("system", f"{persona.strip()}\n\n{STYLE}".strip()), *told, Message("user", question)]


def _heard(exchange: Exchange) -> str:
    if exchange.heard >= 1:
        return exchange.answer
    count = int(len(exchange.answer) * max(exchange.heard, 0.0))
    part = exchange.answer[:count]
    if exchange.answer[count:count + 1].isalnum():
        # Back to a whole word; Chinese has none to break.
        part = re.sub(r"[A-Za-z0-9'’-]+$", "", part)
    return f"{part.rstrip()}…" if part.strip() else ""
