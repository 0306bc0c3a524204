"""The verb *train*: a recording or a photo in, an avatar out."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from backend import exams
from backend.forms import PhotoForm, TrainForm, train_form
from backend.housekeeping import collect_containers
from backend.services import Services, open_services, wait_for
from visage import __version__
from visage.engines import Engine, EngineInfo, TrainRequest
from visage.engines.lite.modes import FINE, find_mode, learning_seconds
from visage.errors import BadMedia, DiskFull, InvalidRequest, NotInstalled
from visage.jobs.job import Job, Lane
from visage.storage.catalog import MANIFEST, Avatar, now
from visage.storage.paths import identifier
from visage.types import Progress, Report, silent

BUILT_IN = "astronaut"
"""Id of the avatar that every installation has."""
_ROOM = 1 << 30


def train_model(data: Mapping[str, Any]) -> str:
    """Train from an old form (`forms.train_form`) and wait; returns the path of a clip of the new avatar."""
    services = open_services()
    result = wait_for(services, submit(services, train_form(data), owner=""))
    return sample(services, str(result["avatar"]))


def learning_time(services: Services, quality: str, epochs: int = 10, device: str = "auto") -> float:
    """Seconds that the built-in engine spends learning here."""
    settings, mode = services.settings, find_mode(quality)
    given = settings.lite_fine_seconds if mode is FINE else settings.lite_train_seconds
    if device == "auto" and any(name.startswith("GPU") for name in services.engine("lite").describe().devices):
        device = "GPU"
    return learning_seconds(mode, given, epochs, device)


def sample(services: Services, avatar_id: str) -> str:
    """Path below ``home`` of a clip that shows an avatar: what older clients play after a training."""
    avatar = services.catalog.get(avatar_id)
    clip = services.paths.clips / f"{avatar.engine.lower()}_{avatar_id}.mp4"
    shutil.copyfile(services.catalog.folder(avatar_id) / "idle.mp4", clip)
    return clip.relative_to(services.paths.home).as_posix()


def submit(services: Services, form: TrainForm | PhotoForm, owner: str) -> Job:
    """Queue a training after everything that can be checked at once was checked."""
    info = check_engine(services, "lite" if isinstance(form, PhotoForm) else form.engine,
                        "auto" if isinstance(form, PhotoForm) else form.device)
    if not info.trains:
        raise InvalidRequest("{engine} cannot learn faces.", code="engine.no_training", hint="Choose another engine.",
                             engine=info.title)
    quality = "" if isinstance(form, PhotoForm) else form.quality
    if quality and quality not in info.qualities:
        raise InvalidRequest("{engine} cannot learn a face in the quality {quality!r}.", code="engine.no_quality",
                             hint="It knows: {known}.", engine=info.title, quality=quality,
                             known=", ".join(info.qualities) or "–")
    source = find_source(services, form)
    if shutil.disk_usage(services.paths.home).free < _ROOM:
        raise DiskFull("Less than 1 GB of disk is free, too little to train.", code="disk.too_little",
                       hint="Delete old clips, avatars or uploads, then try again.")
    name = form.name or source.stem
    avatar_id = identifier(form.id, plain=info.plain_ids) if form.id else _reserve(services, name, info.plain_ids)
    asked = form.model_copy(update={"id": avatar_id, "name": name})
    if isinstance(asked, TrainForm):
        asked = asked.model_copy(update={"engine": info.name})
    if isinstance(form, PhotoForm):
        return services.queue.submit("photo", name, Lane.QUICK, asked.model_dump(mode="json"), owner)
    where = lane(info, form.device, Lane.CPU)
    if quality == FINE.name and form.device == "auto" and any(name.startswith("GPU") for name in info.devices):
        where = Lane.GPU  # long enough to wait for one's turn there
    return services.queue.submit("train", name, where, asked.model_dump(mode="json"),
                                 owner)


def lane(info: EngineInfo, device: str, otherwise: Lane) -> Lane:
    """Where a job of an engine waits: for a GPU, if it needs one or was given one, else in ``otherwise``."""
    return Lane.GPU if info.needs_gpu or device.startswith("GPU") else otherwise


def working_engine(services: Services, name: str, job: Job | None) -> Engine:
    """The engine of a running job; when it works in a container, the job's row says so from now on."""
    engine = services.engine(name)
    if job and engine.describe().outlives:
        collect_containers(services)  # none of an ended job may still be on the GPU that this one was given
        services.store.works_in_container(job.id)
    return engine


def device_of(job: Job) -> str:
    """The device a running job works on: the GPU that the scheduler gave it, else what was asked for."""
    return f"GPU{job.gpu}" if job.gpu is not None else str(job.request.get("device", "auto"))


def run(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do a ``train`` job."""
    form = TrainForm(**job.request)
    made = _build(services, form.id, form.name, "video", form.engine, find_source(services, form), report,
                  device=device_of(job), epochs=form.epochs, quality=form.quality, job=job)
    followed = exams.follow(services, job, form.id)
    notes = [*made["notes"], *followed.get("notes", [])]
    return {**made, **followed, "notes": notes}


def run_photo(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do a ``photo`` job."""
    form = PhotoForm(**job.request)
    return _build(services, form.id, form.name, "photo", "lite", find_source(services, form), report, job=job)


def ensure_built_in(services: Services, report: Report = silent) -> None:
    """Make the built-in photo avatar when it is missing: NASA's portrait of Eileen Collins, public domain,
    as scikit-image ships it."""
    if any(avatar.id == BUILT_IN for avatar in services.catalog.list()):
        return
    from imageio.v3 import imwrite
    from skimage.data import astronaut
    from skimage.transform import resize

    picture = services.paths.training / f"{BUILT_IN}.png"
    imwrite(picture, resize(astronaut()[:400, 24:424], (512, 512), order=3, preserve_range=True).astype("uint8"))
    _build(services, BUILT_IN, "Eileen", "photo", "lite", picture, report, built_in=True)
    picture.unlink(missing_ok=True)


def find_source(services: Services, form: TrainForm | PhotoForm) -> Path:
    """The file to learn from.  Raises `InvalidRequest` when none is named and `NotFound`."""
    if form.upload:
        upload = services.uploads.get(form.upload)
        if isinstance(form, PhotoForm) and upload.kind != "image":
            raise BadMedia("{name} was not uploaded as a picture.", code="upload.not_a_picture",
                           hint="Upload one clear photo of a face.", name=upload.name)
        if isinstance(form, TrainForm) and upload.kind != "video":
            raise BadMedia("{name} was not uploaded as a video.", code="upload.not_a_video",
                           hint="Upload a video of one person who speaks.", name=upload.name)
        return services.uploads.file(upload)
    if form.path:
        return services.paths.find_media(form.path)
    raise InvalidRequest("There is no recording to learn from.", code="train.no_source",
                         hint="Upload a video, or name one that is on the server.")


def check_engine(services: Services, name: str, device: str, *, to_render: bool = False) -> EngineInfo:
    """What an engine is, once it is known to work here on that device; ``to_render``: to speak, not to learn.

    Raises `UnknownDriver`, `NotInstalled` with the first unmet need, or `InvalidRequest` for a device it cannot use.
    """
    info = services.engine(name).describe()
    if info.needs_gpu and device == "CPU":
        raise InvalidRequest("{engine} cannot use the CPU: it draws with programs that exist for NVIDIA GPUs only.",
                             code="engine.needs_gpu", engine=info.title,
                             hint="Choose auto or a GPU, or the engine lite, which needs none.")
    lacking = info.lacking(to_render=to_render)
    if lacking:
        raise NotInstalled("{engine} cannot work here: {need} is lacking.", code="engine.not_installed",
                           hint="{remedy}", engine=info.title, need=lacking[0].name, detail=lacking[0].detail,
                           remedy=lacking[0].remedy)
    if device != "auto" and device not in info.devices:
        raise InvalidRequest("{engine} cannot use {device} on this machine.", code="engine.no_device",
                             hint="Choose {devices} or auto.", engine=info.title, device=device,
                             devices=", ".join(info.devices))
    return info


def _build(services: Services, avatar_id: str, name: str, kind: str, engine: str, source: Path, report: Report,
           *, device: str = "auto", epochs: int = 10, quality: str = "", job: Job | None = None,
           built_in: bool = False) -> dict[str, Any]:
    began = time.monotonic()
    package = _workshop(services.paths.training / avatar_id, source, engine)
    options: dict[str, Any] = {"photo": kind == "photo"}
    if job and kind == "video":
        folder = services.store.folder(job.id)
        options |= {"preview": str(folder / "preview.jpg"), "losses": str(folder / "losses.jsonl")}
    exam, notes = exams.prepare(source, package, engine) if job and kind == "video" else (None, [])
    if engine == "lite" and kind == "video":
        options |= {"quality": quality, "seconds": learning_time(services, quality, epochs, device)}
        if exam and not exam.seen:
            options["end"] = exam.start
    facts = dict(working_engine(services, engine, job).train(TrainRequest(
        source, package, epochs, device, options, job.id if job else ""), report))
    versions = {"visage": __version__, "python": platform.python_version(), **facts.pop("versions", {})}
    facts.pop("seconds_trained", None)
    notes = [*notes, *facts.pop("notes", ())]
    avatar = Avatar(avatar_id, name, engine, kind, now(), int(facts.pop("width")), int(facts.pop("height")),
                    seconds_trained=round(time.monotonic() - began, 1), built_in=built_in, versions=versions,
                    figures={**facts, "epochs": epochs} if kind == "video" else facts, notes=list(notes))
    target = services.catalog.folder(avatar_id)
    prompt = services.catalog.get(avatar_id).prompt if (target / MANIFEST).is_file() else ""
    shutil.rmtree(target, ignore_errors=True)
    package.replace(target)
    (target / "source.json").unlink(missing_ok=True)
    services.catalog.save(replace(avatar, prompt=prompt))
    report(Progress("finish", 1.0, "The avatar is ready."))
    return {"avatar": avatar_id, "notes": list(notes)}


def _workshop(folder: Path, source: Path, engine: str) -> Path:
    """The folder to train in: what an earlier attempt left there stays only if it was the same recording."""
    mark = {"engine": engine, "source": _fingerprint(source)}
    told = folder / "source.json"
    if folder.exists() and not (told.is_file() and json.loads(told.read_text()) == mark):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    told.write_text(json.dumps(mark))
    return folder


def _fingerprint(file: Path) -> str:
    digest = hashlib.sha256(str(file.stat().st_size).encode())
    with file.open("rb") as stream:
        digest.update(stream.read(1 << 20))
    return digest.hexdigest()


def _reserve(services: Services, name: str, plain: bool) -> str:
    """A free id, held by making its training folder at once, so that two requests never get the same."""
    name = name.replace("-", "_") if plain else name
    for _ in range(100):
        taken = {path.name for path in services.paths.training.glob("*")}
        chosen = services.catalog.free_id(name)
        number = 2
        while chosen in taken or (services.paths.avatars / chosen).exists():
            chosen, number = f"{services.catalog.free_id(name)}_{number}", number + 1
        try:
            (services.paths.training / chosen).mkdir(parents=True)
        except FileExistsError:
            continue
        return chosen
    raise InvalidRequest("No free id was found for {name}.", code="avatar.no_free_id", hint="Choose another name.",
                         name=name)

