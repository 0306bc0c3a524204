"""What a file shows and sounds like as one number that no change of its metadata or container alters."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from visage.media.container import open_media
from visage.media.images import is_picture


def content_digest(path: Path) -> str:
    """SHA-256, hexadecimal: of the pixels of a picture, else of the coded pictures and sound, stream by stream.

    Copying streams into another container, subtitles and metadata do not change it; coding anew does.  Raises
    `BadMedia`, `NotFound`.
    """
    if is_picture(path):
        from PIL import Image

        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGBA"))
        return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    with open_media(path) as container:
        chosen = [*container.streams.video, *container.streams.audio]
        digests = {stream.index: hashlib.sha256() for stream in chosen}
        for packet in container.demux(chosen):
            if packet.size:
                digests[packet.stream.index].update(packet)
        return hashlib.sha256(b"".join(digests[stream.index].digest() for stream in chosen)).hexdigest()
