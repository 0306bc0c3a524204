"""The verb *generate*: an avatar and a text or a sound in, a clip out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend import face_swapper, recordings
from backend.consents import require_voice, spoken_by
from backend.exporting import finish_clip
from backend.forms import ChatForm, FaceForm, GenerateForm, generate_form
from backend.model_trainer import check_engine, device_of, lane, working_engine
from backend.services import Services, open_services, wait_for
from visage.engines import RenderRequest
from visage.errors import BadAudio, InvalidRequest, OutputInvalid
from visage.jobs.job import Job, Lane
from visage.media.audio import sound_seconds, write_wav
from visage.media.probe import probe
from visage.storage.catalog import Avatar
from visage.storage.records import Clip
from visage.tts.contract import Speech, SpeechRequest
from visage.types import Phone, Progress, Report


@dataclass(frozen=True, slots=True)
class Line:
    """What is said in one clip."""

    sound: Path
    """The sound file."""
    phones: tuple[Phone, ...] = ()
    """Phone times where they are known."""
    text: str = ""
    """The words, where they are known."""
    voice: str = ""
    """`Voice.id` of a synthesised line."""
    notes: tuple[str, ...] = ()
    """What the user should know."""


def generate_video(data: Mapping[str, Any]) -> str:
    """Generate from an old form (`forms.generate_form`) and wait; returns ``static/videos/….mp4``."""
    services = open_services()
    return str(wait_for(services, submit(services, generate_form(data), owner=""))["url"]).lstrip("/")


def submit(services: Services, form: GenerateForm, owner: str) -> Job:
    """Queue a clip after everything that can be checked at once was checked."""
    avatar = find_avatar(services, form)
    if form.upload or form.sound:
        check_sound(services, find_sound(services, form, owner))
        if form.sound:
            pinned = recordings.pin(services, find_sound(services, form, owner), owner)
            form = form.model_copy(update={"upload": pinned.id})
    else:
        check_text(services, form.text)
        require_voice(services, form.voice)
    if form.appearance:
        face_swapper.check(services, face_swapper.wanted_by(services, form.appearance), "video")
    title = form.title or form.text[:60] or f"{avatar.name}"
    return services.queue.submit("generate", title, clip_lane(services, avatar, form.device),
                                 form.model_dump(mode="json"), owner)


def run(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do a ``generate`` job."""
    form = GenerateForm(**job.request)
    avatar = services.catalog.get(form.avatar)
    folder = services.store.folder(job.id)
    if form.upload or form.sound:
        sound = find_sound(services, form)
        line = Line(sound, text=form.text)
    else:
        report(Progress("speak", 0.01, "The voice reads the text."))
        request = SpeechRequest(form.text, form.voice, form.speed, form.pitch)
        line = spoken(services.voice.speak(request), form.text, folder / "speech.wav")
    clip, notes = render(services, avatar, line, job, report, start=0.1, face=form.appearance)
    return {"clip": clip.id, "url": f"/static/videos/{clip.file}", "seconds": clip.seconds, "text": line.text,
            "voice": line.voice, "notes": [*line.notes, *notes]}


def spoken(speech: Speech, text: str, file: Path) -> Line:
    """Write a synthesised speech to a file."""
    write_wav(file, speech.samples, speech.rate)
    return Line(file, speech.phones, text, speech.voice, speech.notes)


def render(services: Services, avatar: Avatar, line: Line, job: Job, report: Report, *, start: float,
           face: FaceForm | None = None) -> tuple[Clip, Sequence[str]]:
    """Make the avatar say the line into ``static/videos``, prove that the file is whole, and remember it as a clip.

    ``start`` is the fraction of the job that was done before; ``face`` is put on what the avatar says.  Returns the
    clip, and notes.
    """
    spoken_share = 0.5 if face else 0.99

    def forward(step: Progress) -> None:
        report(Progress(step.stage, start + (1 - start) * step.fraction * spoken_share, step.message, step.facts))

    name = f"{avatar.engine.lower()}_{avatar.id}_{_sound_name(line.sound, job)}.mp4"
    out = services.paths.clips / name
    made = services.store.folder(job.id) / name if face else out
    engine = working_engine(services, avatar.engine, job)
    marked = engine.describe().marks and not face
    engine.render(RenderRequest(services.catalog.folder(avatar.id), line.sound, made, line.phones, device_of(job),
                                mark=marked and services.labeller.marking().visible, job=job.id), forward)
    report(Progress("verify", start + (1 - start) * spoken_share, "The file is checked."))
    seconds, width, height = verify(made, sound_seconds(line.sound))
    spoken_by(services, line.voice, "output", out)
    notes = _faced(services, face, made, out, line, job, report) if face else \
        finish_clip(services, out, "clip", job.owner, [line.sound], marked=marked)
    return services.clips.add(job=job.id, avatar=avatar.id, avatar_name=avatar.name, file=name, text=line.text,
                              voice=line.voice, seconds=seconds, width=width, height=height,
                              size=out.stat().st_size, owner=job.owner), notes


def _faced(services: Services, face: FaceForm, made: Path, out: Path, line: Line, job: Job,
           report: Report) -> Sequence[str]:
    """Put the form's face on a clip that is not marked yet; returns notes."""
    def forward(step: Progress) -> None:
        report(Progress(step.stage, 0.55 + 0.44 * step.fraction, step.message, step.facts))

    result, _, notes = face_swapper.put_on(
        services, face_swapper.wanted_by(services, face), made, out, services.store.folder(job.id),
        face_swapper.By(job.id, job.owner), forward, sources=[line.sound])
    made.unlink(missing_ok=True)
    return [*result.notes, *notes]


def verify(clip: Path, expected: float) -> tuple[float, int, int]:
    """Seconds, width and height of a finished clip.

    Raises `OutputInvalid` unless it exists, decodes, has picture and sound, and lasts as long as its sound.
    """
    if not clip.is_file():
        raise OutputInvalid("The engine ended without writing {file}.", code="job.output_missing",
                            hint="Look at the log, then try again.", file=clip.name)
    info = probe(clip)
    if not info.has_sound or abs(info.seconds - expected) > 0.2:
        raise OutputInvalid("{file} is not whole: {found} s of video for {expected} s of sound.",
                            code="job.output_invalid", hint="Look at the log, then try again.", file=clip.name,
                            found=round(info.seconds, 2), expected=round(expected, 2))
    return round(info.seconds, 2), info.width, info.height


def find_avatar(services: Services, form: GenerateForm | ChatForm) -> Avatar:
    """The avatar of a form, its engine checked.  Raises `NotFound`, `NotInstalled` or `InvalidRequest`."""
    asked = check_engine(services, form.engine, form.device, to_render=True).name if form.engine else ""
    avatar = services.catalog.get(form.avatar)
    if asked and asked != avatar.engine:
        raise InvalidRequest("The avatar {id} was made with {made}, not with {asked}.", code="avatar.other_engine",
                             hint="Choose {made}, or train it again with {asked}.", id=avatar.id, made=avatar.engine,
                             asked=asked)
    info = check_engine(services, avatar.engine, form.device, to_render=True)
    if not info.renders:
        raise InvalidRequest("{engine} cannot make faces speak.", code="engine.no_inference",
                             hint="Choose an avatar of another engine.", engine=info.title)
    return avatar


def find_sound(services: Services, form: GenerateForm, owner: str = "") -> Path:
    """The sound file of a form; ``owner``'s own come first."""
    if form.upload:
        return services.uploads.file(services.uploads.get(form.upload))
    return services.paths.find_media(form.sound, owner)


def check_sound(services: Services, sound: Path) -> None:
    """Raise `BadAudio` for a sound that cannot drive a face."""
    limit, seconds = services.settings.speech_limit_minutes, sound_seconds(sound)
    if seconds < 0.1:
        raise BadAudio("The sound is empty.", code="audio.empty", hint="Record or choose another sound.")
    if seconds > limit * 60:
        raise BadAudio("The sound lasts {minutes} minutes; {limit} are allowed.", code="audio.too_long",
                       hint="Cut it into parts, or raise VISAGE_SPEECH_LIMIT_MINUTES.", minutes=round(seconds / 60),
                       limit=round(limit))


def check_text(services: Services, text: str) -> None:
    """Raise `InvalidRequest` for a text that cannot be spoken."""
    limit = services.settings.text_limit
    if not re.search(r"[^\W_]", text):
        raise InvalidRequest("There is nothing to say in this text.", code="text.nothing_to_say",
                             hint="Type at least one word.")
    if len(text) > limit:
        raise InvalidRequest("The text has {count} characters; {limit} are allowed.", code="text.too_long",
                             hint="Split it into several clips.", count=len(text), limit=limit)


def clip_lane(services: Services, avatar: Avatar, device: str) -> Lane:
    """Where a clip of this avatar waits."""
    return lane(services.engine(avatar.engine).describe(), device, Lane.QUICK)


def _sound_name(sound: Path, job: Job) -> str:
    """Older clients look for the sound's name in the clip's; the job's id keeps two clips apart."""
    stem = re.sub(r"[^\w-]+", "_", sound.stem)[:40]
    return f"{stem}_{job.id[:8]}"


def all_notes(*groups: Sequence[str]) -> list[str]:
    """Notes of several stages, each once, in order."""
    return list(dict.fromkeys(note for group in groups for note in group if note))
