"""The whole of it: a picture or a video and an identity in, a verified file out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from visage.errors import BadImage, BadMedia, InvalidRequest
from visage.media.images import is_picture, read_image
from visage.media.probe import MediaInfo, probe
from visage.swap.contract import Embedding, Identity, Look, Restorer, Swapper
from visage.swap.encoding import container_of
from visage.swap.manual import Five, levelled, marked_face
from visage.swap.options import SwapRequest, SwapResult, unrestored_note
from visage.swap.picture import check_suffix, write_picture
from visage.swap.processors import Painting, Seeing
from visage.swap.reading import clock_of, read_works
from visage.swap.segments import JobFolder, key_of
from visage.swap.selecting import ordered
from visage.swap.threads import Tally
from visage.swap.tracking import Work
from visage.swap.video import VideoJob
from visage.types import Progress, Report, silent


def identity_of(swapper: Swapper, photos: Sequence[Path], five: Five = (), size: int = 2048) -> Identity:
    """The identity in photos, read with Pillow and turned upright.  Raises `BadImage` (E01, E05) and `NotFound`.

    ``five``: points set by hand in the first photo, pixels, where no face is found there.
    """
    if not photos:
        raise InvalidRequest("There is no photo of the new face.", code="swap.no_photo", hint="Choose a photo.")
    pictures = [read_image(photo, None if five else size) for photo in photos]
    if five:
        pictures[0] = levelled(pictures[0], five)[0]
    return swapper.identify(pictures)


def swap_file(request: SwapRequest, swapper: Swapper, identity: Identity | None, restorer: Restorer | None = None,
              report: Report = silent) -> SwapResult:
    """Work on one picture or video and write ``request.out``.

    Without an identity the faces that the swapper finds are only restored.
    Raises the errors of `faults.FAULTS`; then there is no ``request.out``, and
    what was finished of a video stays in the job's folder for the next attempt.
    """
    if identity is None and restorer is None:
        raise InvalidRequest("There is neither a new face nor a restorer.", code="swap.nothing_to_do",
                             hint="Choose a photo or a restorer.")
    if request.target.resolve() == request.out.resolve():
        raise InvalidRequest("The result would overwrite the target {name}.", code="swap.same_file",
                             hint="Choose another name for the result.", name=request.out.name)
    if is_picture(request.target):
        check_suffix(request.out)
        return _told(_picture(request, swapper, identity, restorer, report), swapper, restorer)
    container_of(request.out)
    info = probe(request.target, expect="video")
    facts = (asdict(request.options), request.out.suffix.lower(), swapper.name, swapper.title, swapper.space,
             identity.photos if identity else (), (restorer.name, restorer.title) if restorer else "")
    folder = JobFolder(key_of(request.target, *facts), request.root)
    done = False
    try:
        result = _video(request, info, folder, swapper, identity, restorer, report)
        done = True
        return _told(result, swapper, restorer)
    finally:
        folder.close(done=done)


def _told(result: SwapResult, swapper: Swapper, restorer: Restorer | None) -> SwapResult:
    """With who computed in the end, and what the engines had to give up on the way."""
    engines = [swapper, *([restorer] if restorer else [])]
    notes = dict.fromkeys(note for engine in engines for note in getattr(engine, "notes", ()))
    return replace(result, provider=swapper.provider, notes=(*result.notes, *notes))


def _video(request: SwapRequest, info: MediaInfo, folder: JobFolder, swapper: Swapper, identity: Identity | None,
           restorer: Restorer | None, report: Report) -> SwapResult:
    tally = Tally()
    reference = _reference(request, swapper) if request.options.who == "reference" else None
    seeing = Seeing(swapper, request.options, info.fps, tally, reference)
    painting = Painting(swapper, identity, restorer, request.options, tally)
    return VideoJob(request, info, folder, seeing, painting, tally, lambda: swapper.provider).run(report)


def _picture(request: SwapRequest, swapper: Swapper, identity: Identity | None, restorer: Restorer | None,
             report: Report) -> SwapResult:
    started = time.monotonic()
    tally = Tally()
    picture = read_image(request.target, request.options.max_dim or None)
    report(Progress("swap", 0.1, facts={"provider": swapper.provider}))
    reference = _reference(request, swapper) if request.options.who == "reference" else None
    work = Work(0, 0, 0.0, picture)
    works: Iterable[Work] = [work]
    if request.options.five:
        work.faces = {0: marked_face(swapper, picture, request.options.five)}
    else:
        works = Seeing(swapper, request.options, 25.0, tally, reference).works(works)
    work = next(Painting(swapper, identity, restorer, request.options, tally).works(works))
    if work.failed:
        raise BadMedia("The picture could not be worked on: {reason}", code="swap.picture_failed",
                       hint="Try another picture or another engine.", reason=work.failed)
    if not work.worked:
        raise BadImage("No face to work on was found in {name}.", code="swap.no_face_picture",
                       hint="Use a brighter or larger picture of the face, or another choice of faces.",
                       name=request.target.name)
    report(Progress("encode", 0.9))
    frame = work.frame if request.mark is None else request.mark(work.frame, 0.0)
    write_picture(frame, request.out, request.options.quality, request.seal)
    took = time.monotonic() - started
    unrestored = {0: work.unrestored} if work.unrestored else {}
    return SwapResult(request.out, "image", 1, 1, 1, {}, took, 1 / max(took, 1e-3), 0.0, swapper.provider, "none",
                      check_suffix(request.out), 0, dict(tally.seconds), int(work.restored), unrestored,
                      (unrestored_note(unrestored),) if unrestored else ())


def _reference(request: SwapRequest, swapper: Swapper) -> Embedding:
    """Who is meant: the face at a position in a frame of the target.  Raises `BadImage` (E05) when it is not there."""
    options = request.options
    if is_picture(request.target):
        frame = read_image(request.target, options.max_dim or None)
    else:
        works = read_works(request.target, clock_of(request.target), options.max_dim, options.frame)
        work = next(works, None)
        works.close()
        if work is None:
            raise InvalidRequest("The target has no frame number {number}.", code="swap.no_such_frame",
                                 hint="Choose a smaller number.", number=options.frame)
        frame = work.frame
    faces = ordered(swapper.find(frame, Look(thorough=True, embed=True)), options.order)
    if options.position >= len(faces) or faces[options.position].embedding is None:
        raise BadImage("Frame {number} shows {count} faces; there is none at position {position}.",
                       code="swap.no_face_reference", hint="Choose another frame or position for the reference.",
                       number=options.frame, count=len(faces), position=options.position)
    embedding = faces[options.position].embedding
    assert embedding is not None
    return embedding
