"""Small sums in words and signs: ``"what is 12 times 3"``, ``"三加五等于几"``, ``"(2+3)*4"``."""

from __future__ import annotations

import math
import re

_DIGITS = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SMALL = {word: number for number, word in enumerate(_WORDS)}
_SIGNS = (
    (r"除以|\bdivided by\b|\bover\b|÷", "/"), (r"乘以|乘|\btimes\b|\bmultiplied by\b|×|(?<=\d)\s*x\s*(?=\d)", "*"),
    (r"加上|加|\bplus\b|\band\b(?=\s*\d+\s*\W*$)|＋", "+"), (r"减去|减|\bminus\b|－|−", "-"),
)
_SUM = re.compile(r"[-(]*\d+(?:\.\d+)?(?:[-+*/()]+\d+(?:\.\d+)?)+\)*")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[-+*/()]")


def solve(question: str) -> float | None:
    """The result of the sum that a question holds; NaN for a division by zero, None when there is no sum."""
    text = re.sub(r"[零〇一二两三四五六七八九十百千]+", lambda found: str(_chinese(found[0])), question.lower())
    text = re.sub(r"\b[a-z]+\b", lambda found: str(_SMALL.get(found[0], found[0])), text)
    for pattern, sign in _SIGNS:
        text = re.sub(pattern, sign, text)
    text = re.sub(r"\s*([-+*/()])\s*", r"\1", text)
    found = _SUM.search(text)
    # A date or a telephone number is digits and dashes too; only a sum that stands alone or is asked for counts.
    if not found or re.fullmatch(r"\d{2,4}([-/]\d{1,4}){2,}", found[0]) or len(found[0]) > 100:
        return None
    tokens = _TOKEN.findall(found[0])
    try:
        value = _sum(tokens)
    except ZeroDivisionError:
        return math.nan
    except (IndexError, ValueError):
        return None
    return value if not tokens else None


def _chinese(words: str) -> int:
    if not any(unit in words for unit in _UNITS):
        return int("".join(str(_DIGITS[word]) for word in words))
    total, digit = 0, -1
    for word in words:
        if word in _UNITS:
            total += (1 if digit < 0 else digit) * _UNITS[word]
            digit = -1
        else:
            digit = _DIGITS[word]
    return total + max(digit, 0)


def _sum(tokens: list[str]) -> float:
    value = _product(tokens)
    while tokens and tokens[0] in "+-":
        value = value + _product(tokens) if tokens.pop(0) == "+" else value - _product(tokens)
    return value


def _product(tokens: list[str]) -> float:
    value = _factor(tokens)
    while tokens and tokens[0] in "*/":
        value = value * _factor(tokens) if tokens.pop(0) == "*" else value / _factor(tokens)
    return value


def _factor(tokens: list[str]) -> float:
    token = tokens.pop(0)
    if token == "-":
        return -_factor(tokens)
    if token != "(":
        return float(token)
    value = _sum(tokens)
    if tokens.pop(0) != ")":
        raise ValueError("unbalanced")
    return value
