"""When the sounds of real English speech are made, found by pocketsphinx; for measuring only, nothing ships of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from visage.types import SPEECH_RATE, Phone

SENTENCES = {"grid_bbaf2n": "bin blue at f two now", "grid_lrwp9a": "lay red with p nine again",
             "grid_sbwe5n": "set blue with e five now"}
"""What is said in clips whose words are known."""
ENGLISH = ("cnn", "grid", "hdtf", "obama", "shaheen", "styletalk", "trump")
"""How the names of clips in English begin."""
SHUT = ("P", "B", "M")
"""Sounds (ARPAbet) for which lips touch."""
_TICK = 0.01
_PIECE = 3


def phones_of(sound: np.ndarray, name: str, cache: Path | None) -> list[Phone]:
    """ARPAbet sounds of the clip ``name`` and their times in its uncorrected sound, float32 at 16 kHz.

    Words are recognised unless `SENTENCES` has them, then their sounds are
    aligned.  Kept in ``cache`` as ``NAME.phones.json``.
    """
    kept = cache / f"{name}.phones.json" if cache else None
    if kept and kept.exists():
        return [Phone(*row) for row in json.loads(kept.read_text(encoding="utf-8"))]
    found = align(sound, SENTENCES.get(name, ""))
    if kept:
        kept.write_text(json.dumps([[phone.symbol, phone.start, phone.end] for phone in found]), encoding="utf-8")
    return found


def align(sound: np.ndarray, text: str = "") -> list[Phone]:
    """ARPAbet sounds and their times, of ``text`` or of the words that are recognised; pieces that fail are left out.

    Recognised speech is aligned from pause to pause, so that a misheard word spoils one piece alone.
    """
    from pocketsphinx import Decoder

    pcm = (sound / (float(np.abs(sound).max()) + 1e-9) * 29_000).astype(np.int16)
    if text:
        return _aligned(pcm, text, 0.0)
    decoder = Decoder(loglevel="FATAL")
    _decode(decoder, pcm)
    result: list[Phone] = []
    for words in _pieces([(part.word, part.start_frame, part.end_frame) for part in decoder.seg() or ()]):
        begin, end = max(words[0][1] - 5, 0), words[-1][2] + 6
        step = round(SPEECH_RATE * _TICK)
        spoken = " ".join(word.split("(")[0] for word, _, _ in words)
        result += _aligned(pcm[begin * step:end * step], spoken, begin * _TICK)
    return result


def _pieces(words: list[tuple[str, int, int]]) -> Iterator[list[tuple[str, int, int]]]:
    """Words between pauses and noises, at least `_PIECE` of them."""
    piece: list[tuple[str, int, int]] = []
    for word in words:
        if word[0][0] not in "<[+":
            piece.append(word)
        elif len(piece) >= _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _aligned(pcm: np.ndarray, text: str, begin: float) -> list[Phone]:
    """Sounds of one piece; none when the text does not fit it."""
    from pocketsphinx import Decoder

    decoder = Decoder(loglevel="FATAL")
    decoder.set_align_text(text)
    try:
        _decode(decoder, pcm)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        _decode(decoder, pcm)
    except RuntimeError:
        return []
    return [Phone(sound.name, begin + sound.start * _TICK, begin + (sound.start + sound.duration) * _TICK)
            for word in decoder.get_alignment() for sound in word]


def _decode(decoder: Any, pcm: np.ndarray) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()
