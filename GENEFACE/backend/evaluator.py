"""The verb *evaluate*: a clip, or an avatar, in; figures and reports out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend import exams
from backend.alignment import stand_still
from backend.forms import EvaluateForm, Footage, read
from backend.measuring import checked, measure, summary, write_reports
from backend.model_trainer import check_engine, device_of, lane, working_engine
from backend.services import Services
from visage.engines import RenderRequest
from visage.errors import BadMedia, InvalidRequest
from visage.jobs.job import Job, Lane
from visage.media.probe import probe
from visage.storage.evaluations import Evaluation
from visage.storage.paths import child
from visage.types import Progress, Report

SEEN = "The avatar learnt from the frames that it is compared with: these figures flatter it."
UNSEEN = "The avatar never saw the frames that it is compared with."
STILL = ("Both heads were held still by the corners of the eyes and the bridge of the nose, because the avatar moves "
         "its head in its own way; collar and background then move against the face, and PSNR and SSIM count that too.")
RENDER_SHARE = 0.4
"""Part of an avatar's evaluation that goes into making it speak."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is measured."""

    pred: Path
    """The clip."""
    name: str
    """What people read of it."""
    truth: Path | None = None
    """What it should equal."""
    truth_name: str = ""
    """What people read of that."""
    avatar: str = ""
    """Id of who speaks, where that is known."""
    clip: str = ""
    """Id of the clip, if it is one."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the figures must be read with."""

    @property
    def notes(self) -> list[str]:
        """The same in sentences, for the reports."""
        if "seen" not in self.facts:
            return []
        return [SEEN if self.facts["seen"] else UNSEEN, STILL]


def submit(services: Services, form: EvaluateForm, owner: str) -> Job:
    """Queue an evaluation after everything that can be checked at once was checked.

    It waits where trainings wait, and not where clips and turns do: a talk is never held up.
    """
    if bool(form.avatar) == bool(form.pred):
        raise InvalidRequest("Either a clip or an avatar is measured, not both and not neither.",
                             code="evaluate.what", hint="Give pred, or avatar.")
    if form.avatar:
        if form.truth:
            raise InvalidRequest("An avatar is compared with its own recording, not with another video.",
                                 code="evaluate.avatar_truth", hint="Leave truth out, or give a clip in pred.")
        avatar = services.catalog.get(form.avatar)
        exams.held(services, avatar.id)
        info = check_engine(services, avatar.engine, form.device, to_render=True)
        where, title = lane(info, form.device, Lane.CPU), avatar.name
        asked = form.model_copy(update={"regions": form.regions or ("face", "mouth")})
    else:
        pair = find_pair(services, form, owner)
        where, title = Lane.CPU, " / ".join(name for name in (pair.name, pair.truth_name) if name)
        asked = form.model_copy(update={"regions": form.regions or ("full",)})
    return services.queue.submit("evaluate", form.title or title[:120], where, asked.model_dump(mode="json"), owner)


def submit_avatar(services: Services, avatar_id: str, training: Job) -> Job:
    """Queue the evaluation that follows a training."""
    form = read(EvaluateForm, {"avatar": avatar_id, "device": training.request.get("device") or "auto"})
    return submit(services, form, training.owner)


def run(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do an ``evaluate`` job: one evaluation a region, each kept only once its reports are there and can be read."""
    form = EvaluateForm(**job.request)
    folder = services.store.folder(job.id)
    report(Progress("prepare", 0.0, "The videos are looked at."))
    start = RENDER_SHARE if form.avatar else 0.02
    if form.avatar:
        pair = _examined(services, form.avatar, folder, job, report)
    else:
        pair = find_pair(services, form, job.owner)
    regions = tuple(dict.fromkeys(form.regions)) or ("full",)
    share = (1 - start) / len(regions)
    made = [_evaluated(services, form, job, pair, region, report, (start + share * number, share))
            for number, region in enumerate(regions)]
    for file in (pair.pred, pair.truth) if form.avatar else ():
        file.unlink(missing_ok=True)  # type: ignore[union-attr]
    first = made[0]
    return {"evaluation": first.id, "url": f"/api/evaluations/{first.id}/report.html",
            "evaluations": [{"id": one.id, "region": one.region} for one in made],
            "figures": {key: told["value"] for key, told in first.figures.items()}}


def find_pair(services: Services, form: EvaluateForm, owner: str) -> Pair:
    """The clip of a form and its ground truth, both known to be videos.  Raises `InvalidRequest` or `BadMedia`."""
    file, name = find_video(services, form.pred, owner, "pred")
    truth, truth_name = find_video(services, form.truth, owner, "truth") if form.truth else (None, "")
    clip = services.clips.get(form.pred.clip) if form.pred and form.pred.clip else None
    return Pair(file, name, truth, truth_name, avatar=clip.avatar if clip else "", clip=clip.id if clip else "")


def find_video(services: Services, footage: Footage | None, owner: str, field_name: str) -> tuple[Path, str]:
    """The file of a footage, and its name for people."""
    if footage is None or sum(map(bool, (footage.upload, footage.clip, footage.path))) != 1:
        raise InvalidRequest("{field} must name one video.", code="evaluate.one_video", field=field_name,
                             hint="Give one of upload, clip and path.")
    if footage.clip:
        clip = services.clips.get(footage.clip)
        file, name = child(services.paths.clips, clip.file), clip.text[:60] or clip.avatar_name
    elif footage.upload:
        upload = services.uploads.get(footage.upload)
        if upload.kind != "video":
            raise BadMedia("{name} was not uploaded as a video.", code="evaluate.not_a_video",
                           hint="Upload a video.", name=upload.name)
        file, name = services.uploads.file(upload), upload.name
    else:
        file = services.paths.find_media(footage.path, owner)
        name = file.name
    probe(file, "video")
    return file, name


def _examined(services: Services, avatar_id: str, folder: Path, job: Job, report: Report) -> Pair:
    """The avatar saying what its recording says at its end, beside that recording."""
    avatar = services.catalog.get(avatar_id)
    truth, exam = exams.held(services, avatar_id)

    def forward(step: Progress) -> None:
        report(Progress("render", 0.02 + (RENDER_SHARE - 0.12) * step.fraction, step.message, step.facts))

    said, sound = folder / f"{avatar.id}.mp4", exams.sound_of(truth, folder)
    working_engine(services, avatar.engine, job).render(
        RenderRequest(services.catalog.folder(avatar.id), sound, said, device=device_of(job), job=job.id), forward)
    report(Progress("render", RENDER_SHARE - 0.1, "The heads are held still."))
    still = stand_still(said, truth, folder)
    for file in (said, sound):
        file.unlink(missing_ok=True)
    facts = {"exam_start": exam.start, "exam_seconds": exam.seconds, "seen": exam.seen, "engine": avatar.engine,
             "epochs": avatar.figures.get("epochs"), "trained": avatar.created, "heads_held_still": True}
    return Pair(still[0], avatar.name, still[1], exams.VIDEO, avatar=avatar.id, facts=facts)


def _evaluated(services: Services, form: EvaluateForm, job: Job, pair: Pair, region: str, report: Report,
               part: tuple[float, float]) -> Evaluation:
    """Measure in one region, write the reports and keep them; ``part`` is where in the job, and how much of it."""
    def forward(step: Progress) -> None:
        report(Progress("measure", part[0] + part[1] * step.fraction * 0.95, step.message, step.facts))

    result = measure(services, pair.pred, pair.truth, region, form, forward)
    report(Progress("report", part[0] + part[1] * 0.96, "The reports are written."))
    folder = services.store.folder(job.id) / f"evaluation-{region}"
    write_reports({**result, "pred": pair.name, "truth": pair.truth_name or None, "about": dict(pair.facts),
                   "warnings": [*result["warnings"], *pair.notes]}, folder)
    told = checked(folder)
    facts = {"pair": told.get("pair", {}), "warnings": told.get("warnings", []), "seconds": told.get("seconds"),
             "stride": form.stride, "max_frames": form.max_frames, **pair.facts}
    return services.evaluations.add(
        folder, job=job.id, title=job.title, pred=pair.name, truth=pair.truth_name, region=region, avatar=pair.avatar,
        clip=pair.clip, owner=job.owner, figures=summary(told), facts=facts)
