"""What browsers record: turned into 16 kHz mono WAV, one file a browser, so that two never share one."""

from __future__ import annotations

import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.services import Services
from visage.errors import BadAudio, NotFound
from visage.media.audio import read_sound, sound_seconds, write_wav
from visage.storage.paths import child
from visage.storage.uploads import Upload
from visage.types import SPEECH_RATE

_LONGEST = 30 * 60.0


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded utterance."""

    id: str
    """32 hexadecimal digits."""
    file: Path
    """16 kHz mono WAV below ``static/audios``."""
    seconds: float
    """Its length."""
    peak: float
    """Largest amplitude, 0 to 1."""


def take(services: Services, upload: Upload) -> Recording:
    """Turn an uploaded recording into a WAV and drop the upload.

    Raises `BadAudio` when it cannot be decoded, is empty, or is longer than half an hour.
    """
    try:
        seconds = sound_seconds(services.uploads.file(upload))
        if seconds > _LONGEST:
            raise BadAudio("The recording lasts {minutes} minutes; 30 are allowed.", code="audio.recording_too_long",
                           hint="Ask a shorter question.", minutes=round(seconds / 60))
        samples = read_sound(services.uploads.file(upload), SPEECH_RATE)
    finally:
        services.uploads.delete(upload.id)
    seconds = len(samples) / SPEECH_RATE
    if seconds < 0.1:
        raise BadAudio("The recording is empty.", code="audio.empty_recording",
                       hint="Hold the button while you speak, and check the microphone.")
    file = services.paths.sounds / f"recording_{upload.id}.wav"
    write_wav(file, samples, SPEECH_RATE)
    return Recording(upload.id, file, round(seconds, 2), round(float(np.abs(samples).max()), 3))


def find(services: Services, recording_id: str) -> Path:
    """The WAV of a recording.  Raises `NotFound`."""
    file = services.paths.sounds / f"recording_{recording_id}.wav"
    if not re.fullmatch(r"[0-9a-f]{32}", recording_id) or not file.is_file():
        raise NotFound("There is no recording {id}.", code="recording.missing", hint="Record it again.",
                       id=recording_id)
    return file


def keep_own(services: Services, owner: str, name: str, file: Path) -> None:
    """Make ``file`` the ``static/audios/<name>`` of one browser.

    What lies on disk under that very name is the newest of anybody's, for scripts that read it there.
    """
    own, shared = services.paths.own_sounds(owner) / name, child(services.paths.sounds, name)
    own.parent.mkdir(parents=True, exist_ok=True)
    for target in (own, shared):
        copy = target.with_name(f".{uuid.uuid4().hex}")
        shutil.copyfile(file, copy)
        copy.replace(target)


def pin(services: Services, sound: Path, owner: str) -> Upload:
    """A copy of a sound that nobody can overwrite while its job waits."""
    with sound.open("rb") as stream:
        return services.uploads.keep(services.uploads.receive(stream, "audio", sound.name, owner))
