"""The verb *swap*: a picture or a video, and photos of somebody who agrees, in; the same with that face out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.exporting import Marked
from backend.forms import FaceForm, Footage, SwapForm
from backend.services import Services
from visage.errors import BadImage, InvalidRequest, NotInstalled, Refused
from visage.heaps import one_thread_each
from visage.jobs.job import Job, Lane
from visage.media.images import is_picture, probe_image
from visage.media.probe import probe
from visage.storage.paths import child, safe_name
from visage.swap import Restorer, Swapper, open_restorer, open_swapper
from visage.swap.onnx.failures import other_provider
from visage.swap.options import SwapOptions, SwapRequest, SwapResult
from visage.swap.pipeline import identity_of, swap_file
from visage.trust.consents import Consent
from visage.tts.cloning.consent import checksum
from visage.types import Report, silent

BASIC = ("No models for faces are installed, so the engine named basic was used: it moves the photo's skin onto the "
         "face, not its shape.")
"""Note of a result of the embedded engine that nobody asked for by name."""
_PICTURES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}


@dataclass(frozen=True, slots=True)
class Engines:
    """What works on the frames."""

    swapper: Swapper
    """Who finds and swaps faces."""
    restorer: Restorer | None
    """Who makes them clearer; None: nobody."""
    notes: tuple[str, ...]
    """What the user should know of the choice."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose face goes in, and how; without photos faces are only made clearer."""

    photos: tuple[Path, ...]
    """Photos of one person."""
    consent: str
    """Id of the consent that covers them."""
    engine: str
    """Driver of `visage.swap`; empty: the best there is."""
    restorer: str
    """Driver that makes faces clearer; empty: none."""
    options: SwapOptions
    """How."""


@dataclass(frozen=True, slots=True)
class By:
    """Who asked, for the log."""

    job: str
    """The job, or another number of this piece of work."""
    owner: str
    """The browser, or empty."""


def submit(services: Services, form: SwapForm, owner: str) -> Job:
    """Queue a swap after everything that can be checked at once was checked: files, consent, engines."""
    target, name = find_target(services, form.target, owner)
    picture = is_picture(target)
    check(services, wanted_by(services, form, options_of(form)), "picture" if picture else "video")
    return services.queue.submit("swap", form.title or name[:120], Lane.QUICK if picture else Lane.CPU,
                                 form.model_dump(mode="json"), owner)


def run(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do a ``swap`` job."""
    # four threads share a video: those of a single call would only wait for one another
    one_thread_each()
    form = SwapForm(**job.request)
    target, name = find_target(services, form.target, job.owner)
    out = _place(services, target, name, job)
    wanted = wanted_by(services, form, options_of(form))
    result, consent, notes = put_on(services, wanted, target, out, services.store.folder(job.id),
                                    By(job.id, job.owner), report)
    told = {"kind": result.kind, "url": services.paths.url(out), "seconds": result.seconds, "fps": round(result.fps, 2),
            "realtime": round(result.realtime, 3), "provider": result.provider, "encoder": result.encoder,
            "sound": result.sound, "frames": result.frames_out, "swapped": result.swapped,
            "restored": result.restored, "enhanced": result.enhanced,
            "unrestored": {str(number): why for number, why in result.unrestored.items()},
            "skipped": {str(number): why for number, why in result.skipped.items()}, "resumed": result.resumed,
            "steps": {step: round(seconds, 3) for step, seconds in result.steps.items()},
            "consent": consent.id if consent else None, "before": _before(services, form.target, target),
            "notes": [*result.notes, *notes]}
    if result.kind == "image":
        return told
    info = probe(out)
    clip = services.clips.add(job=job.id, avatar="", avatar_name=name[:80], file=out.name, text="", voice="",
                              seconds=round(info.seconds, 2), width=info.width, height=info.height,
                              size=out.stat().st_size, owner=job.owner)
    return {**told, "clip": clip.id}


def put_on(services: Services, wanted: Wanted, target: Path, out: Path, root: Path, by: By,
           report: Report = silent, sources: Sequence[Path] = ()) -> tuple[SwapResult, Consent | None, tuple[str, ...]]:
    """Put a face on a file, marked, labelled and verified; returns what was done, the consent, and notes.

    ``root`` keeps what an interrupted attempt has finished; labels of ``sources`` are carried over with the target's
    and the photos'.  Raises `Refused` without a consent that covers every
    photo, and the errors of `visage.swap.faults`.
    """
    consent = agreed(services, wanted, "picture" if is_picture(target) else "video")
    marking = services.labeller.marking()

    def seal(file: Path) -> None:
        if consent:
            services.consents.require(consent.id, "swap")
        services.labeller.finish(file, "swap" if wanted.photos else "restoration", by.owner,
                                 [target, *wanted.photos, *sources])

    with opened(services, wanted) as engines:
        identity = identity_of(engines.swapper, wanted.photos) if wanted.photos else None
        request = SwapRequest(target, out, wanted.options, root, Marked() if marking.visible else None, seal)
        result = swap_file(request, engines.swapper, identity, engines.restorer, report)
        chosen = engines.notes if wanted.photos else [note for note in engines.notes if note != BASIC]
        notes = (*chosen, *(identity.notes if identity else ()), *marking.notes)
        engine = engines.swapper.name
    if consent:
        _tie(services, consent, wanted.photos, out)
    services.audit.note("face.swapped" if wanted.photos else "face.restored", by.job, by.owner, out=out.name,
                        consent=consent.id if consent else "", person=consent.person if consent else "",
                        engine=engine, provider=result.provider, target=checksum(target))
    return result, consent, notes


def options_of(form: SwapForm) -> SwapOptions:
    """The pipeline's options of a form.  Raises `InvalidRequest`."""
    return SwapOptions(who=form.who, order=form.order, position=form.position, frame=form.frame,
                       distance=form.distance, blend=form.blend, strength=form.strength, restore=form.restore,
                       max_dim=form.max_dim, quality=form.quality, sound=form.sound)


def wanted_by(services: Services, form: FaceForm, options: SwapOptions | None = None) -> Wanted:
    """What a form asks for.  Raises `NotFound` and `BadImage` for photos that are none, and `InvalidRequest`."""
    if not form.photos and not form.restorer:
        raise InvalidRequest("There is neither a new face nor a restorer.", code="swap.nothing_to_do",
                             hint="Choose a photo or a restorer.")
    options = options or SwapOptions(blend=form.blend, strength=form.strength, restore=form.restore, quality=90)
    return Wanted(tuple(photo_file(services, upload) for upload in form.photos), form.consent, form.engine,
                  form.restorer, options)


def check(services: Services, wanted: Wanted, use: str) -> None:
    """Raises `Refused`, `UnknownDriver` or `NotInstalled` where a swap for a ``picture`` or ``video`` would."""
    agreed(services, wanted, use)
    with opened(services, wanted):
        pass


def agreed(services: Services, wanted: Wanted, use: str) -> Consent | None:
    """The consent that covers every photo; None without photos.  Raises `Refused`."""
    consent = None
    for photo in wanted.photos:
        consent = services.consents.require(wanted.consent, "swap", use=use, photo=checksum(photo))
    return consent


def photo_file(services: Services, upload_id: str) -> Path:
    """The file of an uploaded photo.  Raises `NotFound` and `BadImage`."""
    upload = services.uploads.get(upload_id)
    if upload.kind != "image":
        raise BadImage("{name} was not uploaded as a photo.", code="swap.not_a_photo", name=upload.name,
                       hint="Upload a photo of the face.")
    return services.uploads.file(upload)


@contextmanager
def opened(services: Services, wanted: Wanted | FaceForm) -> Iterator[Engines]:
    """The engines asked for; without a name the best that is installed, and a note when that is the basic one."""
    with ExitStack() as stack:
        swapper, notes = best_swapper(services, wanted.engine)
        stack.enter_context(swapper)
        restorer = stack.enter_context(open_restorer(wanted.restorer, services.settings)) if wanted.restorer else None
        yield Engines(swapper, restorer, notes)


def best_swapper(services: Services, name: str) -> tuple[Swapper, tuple[str, ...]]:
    """The swapper of that name, or the best there is with notes on what it is not.

    Raises `UnknownDriver`, and `NotInstalled`: E02 where it was named, E03 in strict mode, E08.
    """
    if name and name != "embedded":
        return open_swapper(name, services.settings), ()
    notes = []
    if not name:
        try:
            return open_swapper("onnx", services.settings), ()
        except NotInstalled as exc:
            if not exc.code.startswith("swap.model"):
                raise
            notes.append(BASIC)
            if exc.code not in ("swap.model_missing", "swap.model_absent"):
                notes.append(f"The installed models cannot be used: {exc.message}")
    wanted = services.settings.face_provider
    if wanted not in ("auto", "cpu"):
        if services.settings.face_strict_provider:
            raise other_provider(wanted, "CPU", "the engine named basic has no other way", "import face models: "
                                 "GENEFACE/scripts/faceswap models list")
        notes.append(f"{wanted} was asked for, the CPU computes: the engine named basic has no other way.")
    return open_swapper("embedded", services.settings), tuple(notes)


def find_target(services: Services, footage: Footage, owner: str) -> tuple[Path, str]:
    """The picture or video of a form, and its name for people.  Raises `InvalidRequest`, `NotFound` or `BadMedia`."""
    if sum(map(bool, (footage.upload, footage.clip, footage.path))) != 1:
        raise InvalidRequest("The target must be one picture or video.", code="swap.one_target",
                             hint="Give one of upload, clip and path.")
    if footage.clip:
        clip = services.clips.get(footage.clip)
        file, name = child(services.paths.clips, clip.file), clip.text[:60] or clip.avatar_name
    elif footage.upload:
        upload = services.uploads.get(footage.upload)
        file, name = services.uploads.file(upload), upload.name
    else:
        file = services.paths.find_media(footage.path, owner)
        name = file.name
    if is_picture(file):
        probe_image(file)
    else:
        probe(file, "video")
    return file, name


def faces_in(services: Services, form: SwapForm, owner: str) -> Sequence[Mapping[str, Any]]:
    """The faces of the target's frame ``form.frame``, in the form's order: box in shares of the picture, and score."""
    from visage.media.frames import read_video
    from visage.media.images import read_image
    from visage.swap.contract import Look
    from visage.swap.selecting import ordered

    file, _ = find_target(services, form.target, owner)
    if is_picture(file):
        frame = read_image(file, form.max_dim or None)
    else:
        frames = (one for number, one in enumerate(read_video(file)) if number == form.frame)
        found = next(frames, None)
        if found is None:
            raise InvalidRequest("The target has no frame number {number}.", code="swap.no_such_frame",
                                 hint="Choose a smaller number.", number=form.frame)
        frame = found
    with opened(services, form) as engines:
        faces = ordered(engines.swapper.find(frame, Look(thorough=True)), form.order)
    height, width = frame.shape[:2]
    return [{"position": position, "score": round(face.score, 3),
             "box": [round(float(value), 4) for value in np.divide(face.box, (width, height, width, height))]}
            for position, face in enumerate(faces)]


def _tie(services: Services, consent: Consent, photos: Sequence[Path], out: Path) -> None:
    """Let what was made, and every upload of a photo that it was made with, go with the consent.

    Raises `Refused` and deletes what was made when the consent ended meanwhile.
    """
    try:
        services.consents.require(consent.id, "swap")
    except Refused:
        out.unlink(missing_ok=True)
        raise
    known = {path for _, path in services.consents.things(consent.id)}
    if out.resolve().is_relative_to(services.paths.home):
        services.consents.attach(consent.id, "output", out)
    # A photo that somebody keeps elsewhere, below the installation too, is theirs, and so is all that lies beside it.
    uploads = services.paths.uploads.resolve()
    for folder in {photo.resolve().parent for photo in photos if photo.resolve().parent.parent == uploads} - known:
        services.consents.attach(consent.id, "photo", folder)


def _place(services: Services, target: Path, name: str, job: Job) -> Path:
    """Where the result goes: clips and pictures that the web app serves."""
    stem = f"swap_{Path(safe_name(name)).stem[:40] or 'face'}_{job.id[:8]}"
    if is_picture(target):
        return services.paths.pictures / (stem + _PICTURES.get(probe_image(target).format, ".png"))
    return services.paths.clips / f"{stem}.mp4"


def _before(services: Services, footage: Footage, target: Path) -> str | None:
    """The address at which the page shows the target, where there is one."""
    if footage.upload:
        return f"/api/uploads/{footage.upload}/file"
    return services.paths.url(target) if target.is_relative_to(services.paths.home / "static") else None
