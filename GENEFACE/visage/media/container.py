"""Opening media files safely: by content, never by name, and never anything but the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from visage.errors import BadMedia, DiskFull, NotFound, VisageError, from_os_error

FORMATS = ("mov,mp4,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,h264,hevc,m4v,asf,ogg,mxf,dv,nut,rm,gif,"
           "wav,w64,mp3,aac,ac3,flac,aiff,caf,amr,au,wv,ape")
"""Demuxers that may be used.  Not playlists and scripts: those can make FFmpeg read other files or addresses."""


@contextmanager
def open_media(path: Path, error: type[BadMedia] = BadMedia) -> Iterator[InputContainer]:
    """The file, opened for reading; what FFmpeg raises inside the ``with`` becomes ``error``.

    Raises `NotFound`; ``error`` also for what is empty or no medium.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound("There is no file {name}.", code="media.missing", hint="Upload it again.", name=path.name)
    if path.stat().st_size == 0:
        raise error("{name} is empty: it has 0 bytes.", code="media.empty",
                    hint="Copy or record the file again; the upload or the recording broke off.", name=path.name)
    try:
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        container = av.open(f"file:{path.resolve()}", options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as exc:
        raise unreadable(path, error) from exc
    try:
        with container:
            yield container
    except av.FFmpegError as exc:
        raise unreadable(path, error) from exc


def unreadable(path: Path, error: type[BadMedia]) -> VisageError:
    """The error for a file that no decoder understands; a recording without its index is named as such."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free"):
        return error("{name} breaks off: the index at its end is missing.", code="media.truncated",
                     hint="The copy or the recording was interrupted. Copy the whole file again.", name=path.name)
    return error("{name} is neither video, sound nor picture.", code="media.unknown",
                 hint="Use an MP4, MOV, WebM or MKV video, a WAV, MP3, M4A or WebM sound, a JPEG or PNG picture.",
                 name=path.name)


def writing_failed(path: Path, exc: OSError) -> VisageError:
    """The error for a failed write; FFmpeg's own errors carry the errno of the system."""
    failed = from_os_error(exc)
    if isinstance(failed, DiskFull):
        failed.params["path"] = path.name
    return failed
