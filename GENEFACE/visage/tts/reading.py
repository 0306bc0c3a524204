"""Text as it is spoken: what a voice would drop or misread is written out first.

espeak-ng leaves out 度 of ``25°C``, reads ``2024年`` without its zero, ``50%`` as the
English word, loses the dot of ``v2.0``, ``<`` and ``_``, and spells a URL without ``.``;
its emoji names are English only.  Emoji are left out here.
"""

from __future__ import annotations

import re
import unicodedata

from visage.errors import InvalidRequest
from visage.tts.language import HAN_LANGUAGES, runs
from visage.tts.reading_en import read_english
from visage.tts.reading_zh import read_chinese

_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a-\u23ff\u20e3\ufe0e\ufe0f\u200d"
                    "\U000e0020-\U000e007f]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_MARKUP = (
    (re.compile(r"```\w*\n?|`"), ""),
    (re.compile(r"^\s{0,3}#{1,6}\s+", re.MULTILINE), ""),
    (re.compile(r"^\s{0,6}[-*+•]\s+", re.MULTILINE), ""),
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"!?\[([^\]\n]{1,300})\]\((?:https?:)?[^)\s]+\)"), r"\1"),
)
"""Markdown that language models write, without its marks; the address behind a linked word goes too."""


def read(text: str, language: str) -> str:
    """The text for a voice of ``language``, numbers, units and signs written out where that voice needs it.

    Raises `InvalidRequest` when no letter or digit is left to say.
    """
    clean = check_sayable(text)
    spoken = "".join(_read_run(run.text, run.language) for run in runs(clean, language))
    return re.sub(r"[^\S\n]+", " ", spoken).strip()


def check_sayable(text: str) -> str:
    """The text as `tidy` makes it; raises `InvalidRequest` when no letter or digit is in it."""
    clean = tidy(text)
    if not sayable(clean):
        raise InvalidRequest("There is nothing to say: the text has no letters or digits.", code="tts.nothing_to_say",
                             hint="Type at least one word.")
    return clean


def tidy(text: str) -> str:
    """The text without emoji, invisible characters and Markdown, full-width letters and digits made plain."""
    text = _EMOJI.sub(" ", _INVISIBLE.sub("", text.replace("\r\n", "\n")))
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return "".join(_plain(sign) for sign in text)


def sayable(text: str) -> bool:
    """Whether any character is a letter or a digit."""
    return any(unicodedata.category(sign)[0] in "LN" for sign in text)


def _plain(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind in ("Cc", "Cs", "Co", "Cn"):
        return sign if sign == "\n" else " "
    if "\uff10" <= sign <= "\uff5a" and sign.isalnum():
        return unicodedata.normalize("NFKC", sign)
    if sign in "％＋－＝＜＞＆＠＃＄＊／＼＿＾｜￥":
        return unicodedata.normalize("NFKC", sign)
    if "\u3300" <= sign <= "\u33ff" or sign in "℃℉" or kind == "No":
        return unicodedata.normalize("NFKC", sign).replace("\u2044", "/") if sign not in "²³" else sign
    return sign


def _read_run(text: str, language: str) -> str:
    if language in HAN_LANGUAGES:
        return read_chinese(text)
    if language.startswith("en"):
        return read_english(text)
    return text.replace("_", " ").replace("<", ", ").replace(">", ", ")
