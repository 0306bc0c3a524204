"""Which language a text is in, where it changes, and where it can be cut."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

SCRIPTS = (
    ("zh", re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")),
    ("ja", re.compile(r"[\u3041-\u30ff]")),
    ("ko", re.compile(r"[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")),
    ("ru", re.compile(r"[\u0400-\u052f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("en", re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")),
)
"""Language of the voice that can read a script, and its letters; Latin stands for English."""
HAN_LANGUAGES = ("zh", "yue")
LATIN_PASSAGE = 4
"""A passage of so many Latin words inside Chinese is spoken by the English voice; fewer are read on the way."""
LONGEST_PIECE = 240
"""Characters handed to a voice at once."""

_ADDRESS = re.compile(r"https?://[!-~]+|[!-~]+@[!-~]+")
_SENTENCE = re.compile(r"[^。！？!?；;\n…]*(?:[。！？!?；;\n…]+[”’」』）)\"']*|$)")
_LATIN_STOP = re.compile(r"(?<=[a-z\d\")])\.(?=\s+\S)|(?<=[\u0400-\u04ff])\.(?=\s)")
_NUMBER_LAST = re.compile(r"(?<![\w.,])[-−]?[$¥￥€£]?\d+(?:[.,:/-]\d+)*\Z")
_CLAUSE = re.compile(r"[^，,、：:\s]*[，,、：:\s]*")


@dataclass(frozen=True, slots=True)
class Run:
    """Text that one voice reads."""

    text: str
    """The text, never empty."""
    language: str
    """Two- or three-letter code of the voice that reads it."""


def script_of(character: str) -> str:
    """Language whose script a character is of, or ``""`` for digits, signs and spaces."""
    return next((name for name, letters in SCRIPTS if letters.match(character)), "")


def language_of(text: str) -> str:
    """Two-letter code of the language most of a text is in; Latin letters count by the word, a bare number is English.

    Any kana makes Chinese characters Japanese.
    """
    text = _ADDRESS.sub(" ", text)
    counts = Counter(script_of(character) for character in text)
    counts["en"] = len(re.findall(r"[A-Za-z\u00c0-\u024f]+", text))
    counts.pop("", None)
    if counts["ja"] and counts["ja"] * 4 >= counts["zh"]:
        return "ja"
    best = max(counts, key=lambda name: (counts[name], name == "zh"), default="en")
    return best if counts[best] else "en"


def runs(text: str, language: str) -> list[Run]:
    """The text cut where the voice of ``language`` cannot read on; the parts joined are the text.

    Signs and digits belong to what stands before them, but a number to the Chinese character right after it.
    """
    found: list[Run] = []
    for part, name in _parts(text, language):
        number = _NUMBER_LAST.search(found[-1].text) if found and name == "zh" != found[-1].language else None
        if number:
            before, text = found.pop(), number[0] + part
            found += [Run(before.text[:number.start()], before.language)] if number.start() else []
        else:
            text = part
        if found and found[-1].language == name:
            found[-1] = Run(found[-1].text + text, name)
        else:
            found.append(Run(text, name))
    return found


def _parts(text: str, language: str) -> list[tuple[str, str]]:
    own = "zh" if language in HAN_LANGUAGES else language
    latin = own not in {name for name, _ in SCRIPTS if name != "en"}
    parts: list[tuple[str, str]] = []
    for character in text:
        script = script_of(character)
        if not script:
            name = parts[-1][1] if parts else language
        elif script == own or (script == "en" and latin):
            name = language
        else:
            name = script
        if parts and parts[-1][1] == name:
            parts[-1] = (parts[-1][0] + character, name)
        else:
            parts.append((character, name))
    if latin:
        return parts
    return [(part, name if name != "en" or _is_passage(part) else language) for part, name in parts]


def _is_passage(part: str) -> bool:
    return len(re.findall(r"[A-Za-z\u00c0-\u024f']{2,}", part)) >= LATIN_PASSAGE and "/" not in part


def pieces(text: str, longest: int = LONGEST_PIECE) -> list[str]:
    """The text cut into pieces of whole sentences, or of clauses where one is longer; joined, they are the text."""
    cut: list[str] = []
    for part in _LATIN_STOP.sub(".\u2063", text).split("\u2063"):
        for sentence in _SENTENCE.findall(part):
            cut += [sentence] if len(sentence) <= longest else _clauses(sentence, longest)
    return _grouped(cut, longest)


def _grouped(parts: list[str], longest: int) -> list[str]:
    groups = [""]
    for part in parts:
        if len(groups[-1]) + len(part) > longest:
            groups.append("")
        groups[-1] += part
    return [group for group in groups if group]


def _clauses(sentence: str, longest: int) -> list[str]:
    parts: list[str] = []
    for clause in _CLAUSE.findall(sentence):
        parts += [clause[start:start + longest] for start in range(0, len(clause), longest)]
    return _grouped(parts, longest)
