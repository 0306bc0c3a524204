"""Speech sounds that the encoder learns to tell apart, finer than their looks, and how every voice names them."""

from __future__ import annotations

from visage.engines.lite.visemes import VISEMES, visemes_of

_FINER = {
    "lips": "p b m", "teeth": "f v", "tongue": "t d n th dh", "hiss": "s z", "hush": "sh zh", "back": "k g ng x",
}
"""Sounds of one look that are heard as different; the first is meant when a name tells no more than the look."""
SOUNDS = {sound: look for look in VISEMES for sound in _FINER.get(look, look).split()}
"""Look of every sound, in the order of the classes."""
STOPS = frozenset(("p", "b", "t", "d", "k", "g"))
BREATHED = frozenset(("p", "t", "k"))
"""Stops whose end is breath: the mouth is open by then."""

_FIRST = {
    "lips": {"p": "p", "b": "b", "m": "m", "B": "b", "P": "p"}, "teeth": {"f": "f", "v": "v", "V": "v"},
    "tongue": {"t": "t", "d": "d", "n": "n", "T": "th", "D": "dh"},
    "hiss": {"s": "s", "z": "z", "t": "s", "d": "z", "C": "s", "S": "s", "Z": "z"},
    "hush": {"S": "sh", "Z": "zh", "t": "sh", "d": "zh", "s": "sh", "z": "zh"},
    "back": {"k": "k", "g": "g", "N": "ng", "x": "x", "Q": "x", "G": "x", "q": "k", "X": "x"},
}
"""Sound by look and first letter of an espeak-ng mnemonic."""


def of_mnemonic(symbol: str) -> tuple[str, ...]:
    """Sounds of an espeak-ng mnemonic, one for each of its looks."""
    plain = symbol.strip("',%=|!~ ") or "_"
    looks = visemes_of(symbol)
    return tuple(_FIRST[look].get(plain[0], _FINER[look].split()[0]) if look in _FINER else look for look in looks)


_ARPABET = {
    "pau": "rest", "p": "p", "b": "b", "m": "m", "em": "m", "f": "f", "v": "v", "th": "th", "dh": "dh", "t": "t",
    "d": "d", "n": "n", "dx": "d", "en": "n", "s": "s", "z": "z", "sh": "sh", "zh": "zh", "ch": "sh", "jh": "zh",
    "k": "k", "g": "g", "ng": "ng", "hh": "breath", "hv": "breath", "r": "r", "l": "l", "el": "l", "w": "w", "y": "j",
    "iy": "ee", "ih": "i", "ix": "i", "eh": "e", "ae": "e", "aa": "a", "ah": "a", "ax": "schwa", "axr": "schwa",
    "er": "schwa", "ao": "o", "uh": "oo", "uw": "oo", "ux": "oo", "ay": "a i", "aw": "a oo", "ey": "e ee", "ow": "o oo",
    "oy": "o i", "ssil": "rest", "brth": "rest", "h#": "rest", "sil": "rest",
}
_RUSSIAN = {
    "pau": "rest", "p": "p", "pp": "p", "b": "b", "bb": "b", "m": "m", "mm": "m", "f": "f", "ff": "f", "v": "v",
    "vv": "v", "t": "t", "tt": "t", "d": "d", "dd": "d", "n": "n", "nn": "n", "s": "s", "ss": "s", "z": "z", "zz": "z",
    "c": "s", "sh": "sh", "sch": "sh", "zh": "zh", "ch": "sh", "k": "k", "kk": "k", "g": "g", "gg": "g", "h": "x",
    "hh": "x", "r": "r", "rr": "r", "l": "l", "ll": "l", "j": "j", "i": "i", "ii": "ee", "y": "i", "yy": "i", "e": "e",
    "ee": "e", "a": "schwa", "aa": "a", "ay": "schwa", "ae": "a", "o": "o", "oo": "o", "u": "oo", "uu": "oo",
    "ur": "schwa", "ur*": "schwa",
}
_JAPANESE = {
    "sil": "rest", "pau": "rest", "cl": "t", "p": "p", "py": "p j", "b": "b", "by": "b j", "m": "m", "my": "m j",
    "f": "f", "v": "v", "t": "t", "ts": "s", "d": "d", "dy": "d j", "n": "n", "ny": "n j", "s": "s", "z": "z",
    "sh": "sh", "ch": "sh", "j": "zh", "k": "k", "ky": "k j", "g": "g", "gy": "g j", "h": "breath", "hy": "x",
    "r": "d", "ry": "d j", "w": "w", "y": "j", "a": "a", "A": "a", "i": "ee", "I": "ee", "u": "oo", "U": "oo",
    "e": "e", "E": "e", "o": "o", "O": "o", "N": "ng", "ty": "t j", "kw": "k w", "gw": "g w",
}
_BY_VOICE = {"arpabet": _ARPABET, "russian": _RUSSIAN, "japanese": _JAPANESE}


def of_phone(name: str, table: str) -> tuple[str, ...]:
    """Sounds of a phone as the voices of ``table`` (arpabet, russian, japanese) name it; a weak vowel if unknown."""
    return tuple(_BY_VOICE[table].get(name, "schwa").split())
