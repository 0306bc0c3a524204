"""The sentences that must be agreed to, word for word, before a face or a voice is used."""

from __future__ import annotations

SCOPES = ("swap", "voice", "both")
"""What a consent may cover."""
SENTENCES: dict[str, dict[str, str]] = {
    "voice": {
        "en": "This is my own voice, or its owner has agreed that I use it. It may be imitated on this machine.",
        "zh": "这是我本人的声音，或者声音的主人已同意我使用。允许在这台机器上模仿这个声音。",
    },
    "swap": {
        "en": "This is my own face, or the person shown has agreed separately that I use it. It may be put into videos "
              "and pictures on this machine, and what is made will say that it is AI-generated.",
        "zh": "这是我本人的人脸，或者照片中的人已单独同意我使用。允许在这台机器上把这张脸用于视频和图片，"
              "生成的内容会标明由 AI 生成。",
    },
    "both": {
        "en": "These are my own face and voice, or their owner has agreed separately that I use them. Both may be used "
              "on this machine, and what is made will say that it is AI-generated.",
        "zh": "这是我本人的人脸和声音，或者其主人已单独同意我使用。允许在这台机器上使用这张脸和这个声音，"
              "生成的内容会标明由 AI 生成。",
    },
}
"""By scope and language."""


def language_of(sentence: str, scope: str) -> str:
    """The language of a sentence of that scope; "" when it is none of them."""
    return next((code for code, text in SENTENCES.get(scope, {}).items() if text == sentence.strip()), "")
