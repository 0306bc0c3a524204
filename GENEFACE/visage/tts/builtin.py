"""The built-in voices: languages that espeak-ng reads well, each with the same people.

Only names live here; nothing loads the library.
"""

from __future__ import annotations

from dataclasses import dataclass

from visage.tts.contract import Voice

LANGUAGES = {
    "zh": ("cmn", "zh-CN", "普通话"),
    "en": ("en-us", "en-US", "English"),
    "yue": ("yue", "zh-HK", "粵語"),
    "en-gb": ("en-gb", "en-GB", "British English"),
    "de": ("de", "de-DE", "Deutsch"),
    "fr": ("fr-fr", "fr-FR", "Français"),
    "es": ("es", "es-ES", "Español"),
    "it": ("it", "it-IT", "Italiano"),
    "pt": ("pt-br", "pt-BR", "Português"),
    "nl": ("nl", "nl-NL", "Nederlands"),
    "pl": ("pl", "pl-PL", "Polski"),
    "ru": ("ru", "ru-RU", "Русский"),
    "uk": ("uk", "uk-UA", "Українська"),
    "tr": ("tr", "tr-TR", "Türkçe"),
    "el": ("el", "el-GR", "Ελληνικά"),
    "ko": ("ko", "ko-KR", "한국어"),
    "ja": ("ja", "ja-JP", "日本語"),
    "vi": ("vi", "vi-VN", "Tiếng Việt"),
    "hi": ("hi", "hi-IN", "हिन्दी"),
    "ar": ("ar", "ar-SA", "العربية"),
    "he": ("he", "he-IL", "עברית"),
}
"""Our code of a language → espeak-ng's voice, BCP 47, its own name."""


@dataclass(frozen=True, slots=True)
class Person:
    """A variant of espeak-ng that sounds like one person in every language."""

    variant: str
    """espeak-ng's name of the variant."""
    name: str
    """What a person reads."""
    gender: str
    """``"female"`` or ``"male"``."""


PEOPLE = (
    Person("Annie", "Anna", "female"),
    Person("ed", "Eddie", "male"),
    Person("linda", "Linda", "female"),
    Person("max", "Max", "male"),
    Person("f2", "Flora", "female"),
    Person("michael", "Michael", "male"),
)
"""``speaker_id`` counts through this list, so its order never changes: new people go to the end."""


def voice_id(language: str, person: Person) -> str:
    """The id of a built-in voice, e.g. ``"espeak:cmn+Annie"``."""
    return f"espeak:{LANGUAGES[language][0]}+{person.variant}"


def builtin_voices() -> list[Voice]:
    """Every built-in voice, Mandarin and English first."""
    return [Voice(voice_id(code, person), f"{own} · {person.name}", tag, person.gender, "espeak")
            for code, (_, tag, own) in LANGUAGES.items() for person in PEOPLE]


def voice_for_speaker(speaker_id: int, language: str) -> str:
    """The built-in voice that an old-style ``speaker_id`` means in a language; numbers wrap around the list."""
    code = language if language in LANGUAGES else language.split("-", maxsplit=1)[0]
    return voice_id(code if code in LANGUAGES else "en", PEOPLE[speaker_id % len(PEOPLE)])


def default_voice(language: str) -> str:
    """The built-in voice for a language: a female one; English for a language there is none of."""
    return voice_for_speaker(0, language)
