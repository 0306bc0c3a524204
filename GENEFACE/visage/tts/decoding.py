"""Sound that a service sent, as samples."""

from __future__ import annotations

import io

import av
import numpy as np

from visage.errors import ServiceError


def decode(sound: bytes, form: str) -> tuple[np.ndarray, int]:
    """float32 mono samples and their rate, from the bytes of any format PyAV reads.

    Raises `ServiceError` when they hold no sound; ``form`` names the format that was expected.
    """
    try:
        with av.open(io.BytesIO(sound), "r") as container:
            stream = container.streams.audio[0]
            rate = stream.rate
            mixer = av.AudioResampler("flt", "mono", rate)
            frames = [made for frame in container.decode(stream) for made in mixer.resample(frame)]
            frames += mixer.resample(None)
            parts = [frame.to_ndarray()[0] for frame in frames]
    except (av.FFmpegError, IndexError) as exc:
        raise ServiceError("The service sent no {form} sound.", code="tts.not_sound",
                           hint="Use a built-in voice.", form=form) from exc
    return (np.concatenate(parts) if parts else np.zeros(0, np.float32)), rate
