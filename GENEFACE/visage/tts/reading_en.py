"""English text with what espeak-ng drops or misreads written out; plain numbers, ``%`` and ``:30`` it reads itself."""

from __future__ import annotations

import re
from collections.abc import Callable

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")
_UNITS = {
    "km/h": "kilometers per hour", "m/s²": "meters per second squared",
    "m/s": "meters per second", "mph": "miles per hour", "kWh": "kilowatt hours",
    "kg": "kilograms", "mg": "milligrams", "km": "kilometers", "cm": "centimeters", "mm": "millimeters",
    "ms": "milliseconds", "ml": "milliliters", "mL": "milliliters", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "Hz": "hertz", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes",
    "kW": "kilowatts", "dB": "decibels", "m²": "square meters", "m³": "cubic meters", "fps": "frames per second",
    "px": "pixels", "min": "minutes", "lb": "pounds", "oz": "ounces", "ft": "feet",
}
_MONEY = {"$": ("dollar", "cents"), "€": ("euro", "cents"), "£": ("pound", "pence"), "¥": ("yuan", "fen")}
_ADDRESS = {"://": " colon slash slash ", ".": " dot ", "/": " slash ", "@": " at ", "-": " dash ", "_": " underscore ",
            "?": " question mark ", "=": " equals ", "&": " and ", "#": " hash ", "%": " percent ", ":": " colon ",
            "+": " plus ", "~": " tilde "}
ADDRESS = re.compile(r"(?:https?://|www\.)[\w\-./?=&#%:+~@]*[\w/]|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+", re.ASCII)
"""A web or mail address."""


def spell_address(text: str, names: dict[str, str]) -> str:
    """An address with its signs named, ``"://"`` as one."""
    signs = re.compile("|".join(re.escape(sign) for sign in sorted(names, key=len, reverse=True)))
    return signs.sub(lambda match: names[match[0]], text)


def _date(match: re.Match[str]) -> str:
    year, month, day = match[1], int(match[2]), int(match[3])
    return f"{_MONTHS[month - 1]} {day}, {year}" if 1 <= month <= 12 and 1 <= day <= 31 else match[0]


def _money(match: re.Match[str]) -> str:
    unit, small = _MONEY[match[1]]
    amount, part, large = match[2], match[3] or "", match[4]
    units = unit if unit == "yuan" or (amount == "1" and not part and not large) else f"{unit}s"
    if large or len(part) not in (0, 2):
        return f"{amount}{f'.{part}' if part else ''}{f' {large}' if large else ''} {units}"
    return f"{amount} {units}" + (f" {int(part)} {small}" if part and int(part) else "")


def _temperature(match: re.Match[str]) -> str:
    scale = {"C": " Celsius", "F": " Fahrenheit"}.get(match[2] or "", "")
    return f"{match[1]} degrees{scale}"


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (ADDRESS, lambda match: spell_address(match[0], _ADDRESS)),
    (re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b"), _date),
    (re.compile(r"([$€£¥])\s?(\d+(?:,\d{3})*)(?:\.(\d+))?(?:\s?(thousand|million|billion|trillion))?\b(?!\.\d)"),
     _money),
    (re.compile(r"(?<![\w.])[-−](?=\d)"), "minus "),
    (re.compile(r"(\d)\s*°(?:\s*([CF])\b)?"), _temperature),
    (re.compile(r"(?<=\d)\s?(" + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True)) + r")(?![\w/])"),
     lambda match: " " + _UNITS[match[1]]),
    (re.compile(r"(?<=\d)\s?[-–~]\s?(?=\d)"), " to "),
    (re.compile(r"(?<=\d)\s?×\s?(?=\d)"), " by "),
    (re.compile(r"(?<=[\w)])²"), " squared"), (re.compile(r"(?<=[\w)])³"), " cubed"),
    (re.compile(r"#(?=\d)"), " number "),
    (re.compile(r"\^(?=\w)"), " to the power of "),
    (re.compile(r"_"), " underscore "),
    (re.compile(r"<="), " less than or equal to "), (re.compile(r">="), " greater than or equal to "),
    (re.compile(r"<"), " less than "), (re.compile(r">"), " greater than "),
    (re.compile(r"≤"), " less than or equal to "), (re.compile(r"≥"), " greater than or equal to "),
    (re.compile(r"≠"), " not equal to "), (re.compile(r"≈"), " approximately "), (re.compile(r"±"), " plus or minus "),
    (re.compile(r"×"), " times "), (re.compile(r"÷"), " divided by "), (re.compile(r"~(?=\d)"), "about "),
    (re.compile(r"\s/\s"), " or "), (re.compile(r"\|"), ", "),
)


def read_english(text: str) -> str:
    """English text as an English voice should get it."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
