"""Numbers as Chinese characters."""

from __future__ import annotations

DIGITS = "零一二三四五六七八九"
_TENS = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
LONGEST = 16
"""Whole numbers with more digits are read digit by digit."""


def digits(text: str, one: str = "一") -> str:
    """Each digit by itself: ``"2024"`` → ``二零二四``; ``one`` is 幺 in telephone numbers."""
    return "".join(one if sign == "1" else DIGITS[int(sign)] for sign in text)


def whole(text: str) -> str:
    """A whole number of decimal digits: ``"10050"`` → ``一万零五十``; leading zeros, too many digits: singly."""
    if len(text) > LONGEST or (len(text) > 1 and text[0] == "0"):
        return digits(text)
    value = int(text)
    if value == 0:
        return "零"
    parts: list[str] = []
    gap = False
    for index in range(3, -1, -1):
        group = value // 10_000**index % 10_000
        if group == 0:
            gap = gap or bool(parts)
            continue
        if parts and (gap or group < 1000):
            parts.append("零")
        parts.append(_group(group) + _GROUPS[index])
        gap = False
    spoken = "".join(parts)
    return spoken[1:] if spoken.startswith("一十") else spoken


def number(text: str) -> str:
    """A decimal number, with optional sign and thousands commas: ``"-1,234.50"`` → ``负一千二百三十四点五零``."""
    sign = "负" if text[:1] in "-−–" else ""
    integer, dot, fraction = text.lstrip("+-−–").replace(",", "").partition(".")
    return sign + whole(integer or "0") + ("点" + digits(fraction) if dot and fraction else "")


def _group(value: int) -> str:
    spoken, zero = "", False
    for index in range(3, -1, -1):
        digit = value // 10**index % 10
        if digit == 0:
            zero = bool(spoken)
            continue
        spoken += ("零" if zero else "") + DIGITS[digit] + _TENS[index]
        zero = False
    return spoken
