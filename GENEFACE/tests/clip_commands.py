"""Command lines of ffmpeg that make unusual test clips."""

from __future__ import annotations

from pathlib import Path

from visage.media.ffmpeg import START, read_from, whole_path


def reencode(source: Path, out: Path, codec: str = "libx265", filters: str = "", container: str = "mp4"
             ) -> list[str]:
    """The video in another codec (``libx265``, ``libvpx-vp9`` …), optionally filtered."""
    quality = {"libx265": ["-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=none"],
               "libvpx-vp9": ["-deadline", "realtime", "-cpu-used", "8"]}.get(codec, ["-preset", "ultrafast"])
    sound = "libopus" if container == "webm" else "aac"
    return [*START, *read_from(source), *(["-vf", filters] if filters else []), "-fps_mode", "passthrough",
            "-c:v", codec,
            *quality, "-pix_fmt", "yuv420p", "-c:a", sound, "-f", container, whole_path(out)]


def rotated(source: Path, out: Path, degrees: int) -> list[str]:
    """The same streams, with a note to players to turn the picture by ``degrees`` clockwise."""
    return [*START, "-display_rotation", str(-degrees), *read_from(source), "-c", "copy", "-f", "mp4", whole_path(out)]
