"""Old uploads go, needed and new ones stay, and what people made is never touched."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

from backend.housekeeping import sweep
from backend.services import Services
from visage.config import read_settings
from visage.jobs.job import Lane
from visage.storage.uploads import Upload


def stored(services: Services, days: float) -> Upload:
    upload = services.uploads.keep(services.uploads.receive(io.BytesIO(b"x"), "video", "a.mp4", "me"))
    age(services.uploads.folder(upload.id), days)
    return upload


def age(path: Path, days: float) -> None:
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))


def test_only_what_nobody_needs_is_removed(tmp_path: Path) -> None:
    services = Services(read_settings(home=tmp_path))
    old, needed, fresh = stored(services, 8), stored(services, 8), stored(services, 1)
    services.store.create("train", "t", Lane.CPU, {"upload": needed.id})
    cancelled, going_on = (services.paths.training / name for name in ("cancelled", "going_on"))
    services.store.create("train", "t", Lane.CPU, {"id": "going_on"})
    for folder in (cancelled, going_on):
        folder.mkdir()
        age(folder, 8)
    recording, clip = services.paths.sounds / "recording_1.wav", services.paths.clips / "lite_a.mp4"
    for file in (recording, clip):
        file.write_bytes(b"x")
        age(file, 100)
    assert sweep(services) == 3
    assert not cancelled.exists()
    assert going_on.exists()
    assert not services.uploads.folder(old.id).exists()
    assert services.uploads.folder(needed.id).exists()
    assert services.uploads.folder(fresh.id).exists()
    assert not recording.exists()
    assert clip.exists()
    services.database.dispose()
