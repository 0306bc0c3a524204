"""Command lines of ffmpeg, as lists.  Pure: nothing runs here; `run.run_tool` runs them.

The first word is ``"ffmpeg"``; which binary that is, the runner finds out.
"""

from __future__ import annotations

from pathlib import Path

from visage.media.container import FORMATS
from visage.types import FPS, SPEECH_RATE

START = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y")
"""How every command line begins."""
_H264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p"]


def to_wav(source: Path, out: Path, rate: int = SPEECH_RATE) -> list[str]:
    """Any sound or video to 16-bit mono WAV at ``rate`` (a browser's WebM or Ogg recording, for instance)."""
    return [*START, *read_from(source), "-vn", "-ac", "1", "-ar", str(rate), "-c:a", "pcm_s16le", "-f", "wav",
            whole_path(out)]


def normalise(source: Path, out: Path, fps: int = FPS, size: int | None = None) -> list[str]:
    """Any video to H.264 and AAC at a constant rate, upright, its longest side at most ``size`` pixels."""
    filters = [f"fps={fps}", "scale=trunc(iw*sar/2)*2:trunc(ih/2)*2", "setsar=1"]
    if size:
        filters.insert(1, f"scale='min({size},iw)':'min({size},ih)':force_original_aspect_ratio=decrease")
    return [*START, *read_from(source), "-map", "0:v:0", "-map", "0:a:0?", "-vf", ",".join(filters), *_H264,
            "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", "-f", "mp4", whole_path(out)]


def cut_out(source: Path, out: Path, start: float, seconds: float) -> list[str]:
    """A part of any video, picture and sound, to H.264 and AAC that lose next to nothing."""
    return [*START, "-ss", f"{start:.3f}", *read_from(source), "-t", f"{seconds:.3f}", "-map", "0:v:0", "-map", "0:a:0",
            "-vf", "scale=trunc(iw*sar/2)*2:trunc(ih/2)*2,setsar=1", "-c:v", "libx264", "-preset", "veryfast",
            "-crf", "14", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart",
            "-f", "mp4", whole_path(out)]


def with_subtitles(film: Path, words: Path, out: Path, language: str) -> list[str]:
    """A film with the SubRip file ``words`` as a track that players can switch off; ``language``: ISO 639-2."""
    return [*START, *read_from(film), "-protocol_whitelist", "file", "-f", "srt", "-i", whole_path(words),
            "-map", "0:v:0", "-map", "0:a:0?", "-map", "1:s:0", "-c", "copy", "-c:s", "mov_text",
            "-metadata:s:s:0", f"language={language}", "-disposition:s:0", "default", "-movflags", "+faststart",
            "-f", "mp4", whole_path(out)]


def read_from(source: Path) -> list[str]:
    """The input part of a command line: files of known kinds only."""
    return ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", whole_path(source)]


def whole_path(path: Path) -> str:
    """A path that is never taken for an option or an address."""
    return f"file:{Path(path).absolute()}"
