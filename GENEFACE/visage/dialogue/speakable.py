"""What of a written answer can be said aloud: without Markdown, pictures of faces, and code."""

from __future__ import annotations

import re

_STEPS: tuple[tuple[str, str], ...] = (
    (r"(?s)```.*?(```|\Z)|~~~.*?(~~~|\Z)", "\n"),              # code blocks
    (r"(?m)^(?=.*---)[ \t:|-]+$", ""),                           # rules, and the line below the head of a table
    (r"(?m)^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", ""),                # the borders of a table row
    (r"(?<=\S)[ \t]+\|[ \t]+(?=\S)", ", "),              # its columns
    (r"!\[([^\]]*)\]\([^)]*\)", r"\1"),                          # pictures
    (r"\[([^\]]+)\]\([^)]*\)", r"\1"),                           # links
    # Addresses: the host says enough.
    (r"<?https?://(?:www\.)?([A-Za-z0-9.:_-]*[A-Za-z0-9])(?:[/?#][!-;=?-~]*[\w/=&+-])?/?>?", r"\1"),
    (r"</?[A-Za-z][^<>]*>", " "),                                # HTML
    (r"(?m)^[ \t]*(#{1,6}[ \t]+|>+[ \t]?|[-*+•][ \t]+)+", ""),   # headings, quotations, list marks
    (r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1", r"\2"),                # bold, struck out
    (r"(?<![A-Za-z0-9*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![A-Za-z0-9*])", r"\1"),  # italic, but not 2*3*4
    (r"(?<![A-Za-z0-9_])_(?=\S)([^_\n]+?)(?<=\S)_(?![A-Za-z0-9_])", r"\1"),    # italic, but not some_long_name
    (r"`+", ""),
    (r"[ \t\u00a0]+", " "),
    (r" *\n\s*", "\n"),
)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u23e9-\u23fa\u3030\u303d"
    "\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]+")
_THINKING = re.compile(r"(?s)\s*<think(ing)?>.*?(</think(ing)?>|\Z)\s*")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


def without_thoughts(answer: str) -> str:
    """The answer without the monologue that some models write before it in ``<think>`` tags."""
    return _THINKING.sub("", answer).strip()


def speakable(answer: str) -> str:
    """The words of an answer as plain text, a line a paragraph; empty when there are none."""
    text = _EMOJI.sub(" ", answer)
    for pattern, instead in _STEPS:
        text = re.sub(pattern, instead, text)
    text = text.strip()
    return text if re.search(r"[^\W_]", text) else ""


def holds_chinese(text: str) -> bool:
    """Whether any Chinese character is in it."""
    return _CHINESE.search(text) is not None


def language_of(text: str) -> str:
    """``"zh"`` or ``"en"``: the language most of a text is in, a Chinese character counting as a word."""
    return "zh" if len(_CHINESE.findall(text)) > len(_LATIN_WORD.findall(text)) else "en"
