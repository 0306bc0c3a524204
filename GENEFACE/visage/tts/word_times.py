"""Phone times out of word times: what a voice that tells only when its words are spoken lets us know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visage.errors import NotInstalled
from visage.tts.builtin import LANGUAGES
from visage.types import Phone

_RATE, _PITCH = 170, 50


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word."""

    text: str
    start: float
    """Seconds."""
    end: float
    """Seconds."""


def phones_of_words(words: Sequence[Word], language: str, seconds: float) -> tuple[Phone, ...]:
    """Phones without gaps from 0 to ``seconds``: each word's as espeak-ng says it, stretched to the word's time.

    Pauses are ``"_"``.  Empty without words, for a language that espeak-ng does
    not read, and where it is not installed: lips then go by what is heard.
    """
    try:
        from visage.tts.espeak_library import library

        speaker = library()
    except NotInstalled:
        return ()
    name = LANGUAGES.get(language, ("",))[0]
    if not name:
        return ()
    phones: list[Phone] = []
    for word in words:
        begin = max(word.start, phones[-1].end if phones else 0.0)
        end = min(word.end, seconds)
        said = [phone for phone in speaker.say(word.text, name, _RATE, _PITCH).phones if phone.symbol != "_"]
        if not said or end <= begin:
            continue
        phones += _pause(phones[-1].end if phones else 0.0, begin)
        scale = (end - begin) / sum(phone.end - phone.start for phone in said)
        for phone in said:
            phones.append(Phone(phone.symbol, begin, begin := begin + (phone.end - phone.start) * scale))
    return tuple(phones + _pause(phones[-1].end, seconds)) if phones else ()


def _pause(start: float, end: float) -> list[Phone]:
    return [Phone("_", start, end)] if end > start else []
