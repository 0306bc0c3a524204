"""One small file of every format that the product or its users export, made by the real ffmpeg."""

from __future__ import annotations

from pathlib import Path

from visage.media.run import run_tool

_START = ["ffmpeg", "-y", "-loglevel", "error"]
_PICTURES = ["-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=1"]
_SOUND = ["-f", "lavfi", "-i", "sine=d=1"]
_H264 = ["-c:v", "libx264", "-c:a", "aac"]
COMMANDS: dict[str, list[str]] = {
    "plain.mp4": [*_PICTURES, *_SOUND, *_H264],
    "fast.mp4": [*_PICTURES, *_SOUND, *_H264, "-movflags", "+faststart"],
    "titled.mp4": [*_PICTURES, *_SOUND, *_H264, "-metadata", "title=hello"],
    "keyed.mp4": [*_PICTURES, *_SOUND, *_H264, "-metadata", "title=hello", "-movflags", "+use_metadata_tags"],
    "fragments.mp4": [*_PICTURES, *_SOUND, *_H264, "-movflags", "frag_keyframe+empty_moov"],
    "clip.mov": [*_PICTURES, *_SOUND, *_H264],
    "clip.mkv": [*_PICTURES, *_SOUND, *_H264],
    "clip.webm": [*_PICTURES, *_SOUND, "-c:v", "libvpx", "-c:a", "libopus"],
    "sound.wav": _SOUND, "sound.mp3": [*_SOUND, "-metadata", "title=hello"], "sound.flac": _SOUND, "sound.ogg": _SOUND,
    "sound.aac": _SOUND, "sound.m4a": _SOUND,
    "picture.png": [*_PICTURES, "-frames:v", "1"], "picture.jpg": [*_PICTURES, "-frames:v", "1"],
    "picture.webp": [*_PICTURES, "-frames:v", "1"],
}
"""File name → the arguments that make it."""
TITLED = ("titled.mp4", "keyed.mp4", "sound.mp3")
"""Those that have a title of their own."""


def make(name: str, folder: Path) -> Path:
    """The file of that name."""
    file = folder / name
    run_tool([*_START, *COMMANDS[name], str(file)], timeout=120)
    return file


def copied(file: Path, out: Path, *more: str) -> Path:
    """What ``ffmpeg -c copy`` makes of a file."""
    run_tool([*_START, "-i", str(file), "-c", "copy", *more, str(out)], timeout=120)
    return out


def decoded(file: Path) -> str:
    """What ffmpeg's own decoders get out of a file: a checksum of every frame."""
    return run_tool(["ffmpeg", "-loglevel", "error", "-xerror", "-i", str(file), "-f", "framemd5", "-"],
                    timeout=120).decode().partition("#stream#")[2]
