"""What the mouth does for each speech sound: a hand-set table, scaled to a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visage.engines.lite.mouth import MouthBasis


@dataclass(frozen=True, slots=True)
class Viseme:
    """The look of a class of speech sounds."""

    opening: float
    """0: shut, 1: as wide open as the person ordinarily speaks."""
    width: float
    """-1: as narrow as the person's, 1: as wide."""
    jaw: float
    """0: up, 1: down."""
    strength: float
    """How firmly it stands against its neighbours."""
    shut: bool = False
    """Whether the lips must touch."""


VISEMES = {
    "rest": Viseme(0.00, 0.00, 0.00, 0.6, shut=True),
    "lips": Viseme(0.00, -0.10, 0.12, 3.0, shut=True),
    "teeth": Viseme(0.10, 0.05, 0.15, 2.2),
    "tongue": Viseme(0.28, 0.10, 0.25, 0.8),
    "hiss": Viseme(0.22, 0.40, 0.10, 1.1),
    "hush": Viseme(0.35, -0.65, 0.15, 1.5),
    "back": Viseme(0.38, 0.05, 0.35, 0.4),
    "breath": Viseme(0.40, 0.00, 0.40, 0.2),
    "r": Viseme(0.32, -0.40, 0.25, 0.8),
    "l": Viseme(0.42, 0.10, 0.35, 0.6),
    "w": Viseme(0.15, -0.95, 0.20, 1.8),
    "j": Viseme(0.28, 0.50, 0.20, 0.8),
    "ee": Viseme(0.40, 0.80, 0.22, 1.1),
    "i": Viseme(0.45, 0.50, 0.30, 0.9),
    "e": Viseme(0.62, 0.45, 0.52, 1.0),
    "a": Viseme(0.95, 0.15, 0.95, 1.3),
    "schwa": Viseme(0.45, 0.05, 0.40, 0.5),
    "o": Viseme(0.68, -0.55, 0.72, 1.2),
    "oo": Viseme(0.30, -0.90, 0.32, 1.3),
    "ue": Viseme(0.28, -0.80, 0.22, 1.3),
}
"""By name; ``ue`` is the front round vowel of German ü and Mandarin ü."""

_SOUNDS = {
    "lips": "p b m p\\ b\\ pF B P F", "teeth": "f v V\\ M",
    "tongue": "t d n T D t[ d[ n[ n^ t. d. n. * n. 4", "hiss": "s z ts dz s; z; C ts; dz; tS; dZ; S; Z;",
    "hush": "S Z tS dZ s. z. ts. dz.", "back": "k g N x Q G q X k; g;", "breath": "h H ? h[ <h> <?>",
    "r": "r R r- r. rr *. R2 r/ r^ A\"", "l": "l L l^ L. l. l/ L^ K", "w": "w W", "j": "j J j^ jh",
    "ee": "i i: i2 I# i/", "i": "I I2 I. I^ i\"",
    "e": "E e e: E: E2 e2 e# &", "a": "a a: A A: aa a# A# A2 a2 & V V\" V: a@ aI aU A~",
    "schwa": "@ @- @2 @L @r 3 3: @5 o- i. i.. @#", "o": "o o: O O: 0 O2 o2 0# O~ oU OI O@ o@",
    "oo": "u u: U U: u# u2 U\" U@ u\"", "ue": "y y: Y Y: W: Y# y2",
}
_CLASS = {sound: name for name, sounds in _SOUNDS.items() for sound in sounds.split()}
_GLIDES = {
    "aI": ("a", "i"), "aU": ("a", "oo"), "eI": ("e", "ee"), "oU": ("o", "oo"), "OI": ("o", "i"),
    "ai": ("a", "ee"), "au": ("a", "oo"), "ei": ("e", "ee"), "ou": ("o", "oo"), "I@": ("i", "schwa"),
    "e@": ("e", "schwa"), "U@": ("oo", "schwa"), "iE": ("ee", "e"), "ia": ("ee", "a"), "ua": ("oo", "a"),
    "uo": ("oo", "o"), "io": ("ee", "o"), "iu": ("ee", "oo"), "yE": ("ue", "e"), "ya": ("ue", "a"),
    "ue": ("oo", "e"), "OY": ("o", "ue"), "ja": ("ee", "a"), "wa": ("oo", "a"), "i@": ("ee", "schwa"),
    "u@": ("oo", "schwa"), "aY": ("a", "ue"),
}


def visemes_of(symbol: str) -> tuple[str, ...]:
    """Names in `VISEMES` of one espeak-ng mnemonic, in the order they are shown; never empty.

    Stress, tone and language marks are passed over; of an unknown mnemonic the
    longest known beginning counts, else it is a weak open sound.
    """
    plain = symbol.strip("',%=|!~ ")
    if not plain or plain.startswith(("_", "(")):
        return ("rest",)
    if plain not in _CLASS:
        plain = plain[0] + plain[1:].rstrip("0123456789")
    for length in range(len(plain), 0, -1):
        start = plain[:length]
        if start in _GLIDES:
            return _GLIDES[start]
        if start in _CLASS:
            rest = plain[length:].strip(":;.#-^~\"hr@[\\0123456789")
            more = visemes_of(rest) if rest and rest != plain and rest[0] in "aeiouyAEIOUVY@03" else ()
            return (_CLASS[start], *more)
    return ("schwa",)


def person_measures(basis: MouthBasis, names: list[str]) -> np.ndarray:
    """Opening, width, outer height and jaw [N, 4] of visemes as this person would show them."""
    rest = basis.measure(basis.rest[None])[0]
    low, high = basis.span
    look = [VISEMES[name] for name in names]
    gap = np.array([one.opening for one in look]) * (1.1 * high[0] - rest[0])
    gap[[one.shut for one in look]] = 0
    middle, half = (low[1] + high[1]) / 2, (high[1] - low[1]) / 2
    wide = middle + half * np.array([one.width for one in look])
    wide[[name == "rest" for name in names]] = rest[1]
    outer = rest[2] + 0.95 * gap
    outer[[name == "lips" for name in names]] -= 0.02
    jaw = rest[3] + np.array([one.jaw for one in look]) * max(high[3] - rest[3], 0.02)
    return np.stack([rest[0] + gap, wide, outer, jaw], 1).astype(np.float32)


def enlarged(wanted: np.ndarray, basis: MouthBasis, larger: float, wider: float) -> np.ndarray:
    """Averaged measures [T, 4] with the contrast that averaging took: opening, outer height and jaw, and width.

    Swings are made larger round what is usual in these very rows, so that the
    mouth does not stay open; nothing goes below the closed mouth.
    """
    rest = basis.measure(basis.rest[None])[0]
    moving = wanted[wanted[:, 0] > rest[0] + 0.02 * (basis.span[1, 0] - rest[0])]
    usual = moving.mean(0) if len(moving) else rest
    result = usual + (wanted - usual) * np.array([larger, wider, larger, larger])
    raised = 1 + 0.6 * (larger - 1)
    result[:, [0, 2, 3]] += (raised - 1) * 0.5 * (usual - rest)[[0, 2, 3]]
    result[:, 1] = np.clip(result[:, 1], basis.span[0, 1] * 0.9, basis.span[1, 1] * 1.1)
    result[:, [0, 3]] = np.maximum(result[:, [0, 3]], rest[[0, 3]])
    result[:, 2] = np.maximum(result[:, 2], rest[2] - 0.03)
    return result.astype(np.float32)
