"""The verb *film*: a conversation in, one video of it out, with its words or without.

The upper left corner bears the mark of its origin.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.conversation_pictures import RATE, Rest, pictures, sound
from backend.conversation_script import Script, language_of, script_of
from backend.exporting import finish_clip
from backend.forms import FilmForm
from backend.services import Services
from visage.errors import DiskFull, OutputInvalid
from visage.jobs.job import Job, Lane
from visage.media.burning import SMALLEST, Burner
from visage.media.encoder import ClipWriter
from visage.media.ffmpeg import with_subtitles
from visage.media.fonts import font_for
from visage.media.labels.mark import Mark
from visage.media.probe import probe
from visage.media.run import run_tool
from visage.media.subtitles import spread, srt
from visage.types import FPS, Progress, Report

LACKING = "No font of this machine shows these characters, so they are left out: {characters}"
_ROOM = 200 << 20


def submit(services: Services, form: FilmForm, owner: str) -> Job:
    """Queue a film after everything that can be checked at once was checked."""
    script = script_of(services, services.conversations.get(form.conversation, owner))
    if form.subtitles == "burnt":
        font_for("".join(cue.text for cue in script.subtitles))
    if shutil.disk_usage(services.paths.home).free < _ROOM:
        raise DiskFull("Less than 200 MB of disk is free, too little for a film.", code="disk.too_little_film",
                       hint="Delete old clips, avatars or uploads, then try again.")
    return services.queue.submit("film", script.name, Lane.QUICK, form.model_dump(mode="json"), owner)


def run(job: Job, services: Services, report: Report) -> Mapping[str, Any]:
    """Do a ``film`` job."""
    form = FilmForm(**job.request)
    report(Progress("script", 0.0, "The turns are gathered."))
    script = script_of(services, services.conversations.get(form.conversation, job.owner))
    folder = services.store.folder(job.id)
    made, notes = folder / "film.mp4", list(script.notes)
    _clear(folder)  # what an attempt that was killed left
    try:
        notes += _shoot(services, script, form.subtitles, made, report)
        if form.subtitles == "soft" and script.subtitles:
            report(Progress("subtitles", 0.96, "The subtitles are put in."))
            made = _subtitled(script, folder, made)
        report(Progress("verify", 0.98, "The film is looked through."))
        seconds = checked(made, script, form.subtitles)
        services.conversations.get(form.conversation)
        answers = [scene.picture for scene in script.scenes if scene.picture]
        notes += finish_clip(services, made, "film", job.owner, answers, marked=True)
        target = film_file(services, form.conversation, form.subtitles)
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
    finally:
        _clear(folder)
    return {"url": f"/api/conversations/{form.conversation}/film-{form.subtitles}.mp4", "seconds": seconds,
            "size": target.stat().st_size, "turns": len(script.scenes) // 2, "subtitles": form.subtitles,
            "notes": notes}


def film_file(services: Services, conversation: str, subtitles: str) -> Path:
    """Where the newest film of that kind lies; deleted with the conversation."""
    return services.talks.folder(conversation) / f"film-{subtitles}.mp4"


def _clear(folder: Path) -> None:
    """Remove the working files of a film."""
    for pattern in ("film*", ".film*"):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def _shoot(services: Services, script: Script, subtitles: str, out: Path, report: Report) -> list[str]:
    """Write pictures, sound and, if they are to be burnt in, the words; returns what must be said of it."""
    rest = Rest(services, script)
    visible = services.labeller.marking().visible
    size = _size(script, rest, subtitles == "burnt")
    words, notes = _words(script), []
    burner = None
    if subtitles == "burnt":
        font = font_for("".join(cue.text for cue in script.subtitles))
        notes = [LACKING.format(characters=" ".join(font.lacks))] if font.lacks else []
        burner = Burner(font, *size)
    mark = Mark(*size, FPS) if visible else None
    with ClipWriter(out, *size, FPS, RATE) as writer:
        frames = pictures(script, rest, size)
        for scene in script.scenes:
            writer.write_sound(sound(scene))
            for _ in range(scene.frames):
                frame, told = next(frames), next(words)
                shown = burner.draw(frame, *told) if burner and told else frame
                writer.write(mark.on_rgb(shown.copy(), writer.frames) if mark else shown)
                report(Progress("film", 0.02 + 0.93 * writer.frames / script.frames))
    return notes


def _words(script: Script) -> Iterator[tuple[Sequence[str], str] | tuple[()]]:
    """Lines and speaker of each frame."""
    pages = [page for cue in script.subtitles for page in spread(cue)]
    at = 0
    for frame in range(script.frames):
        now = (frame + 0.5) / FPS
        while at < len(pages) and pages[at][0].end <= now:
            at += 1
        shown = at < len(pages) and pages[at][0].start <= now
        yield (pages[at][1], pages[at][0].speaker) if shown else ()


def _size(script: Script, rest: Rest, burnt: bool) -> tuple[int, int]:
    """Width and height of the film: those of the first answer; larger when letters would be too small to read."""
    first = next((scene.picture for scene in script.scenes if scene.picture), None)
    info = probe(first, "video") if first else None
    width, height = (info.width, info.height) if info else rest.size
    scale = max(1.0, SMALLEST / min(width, height)) if burnt else 1.0
    return tuple(max(2, 2 * round(side * scale / 2)) for side in (width, height))  # type: ignore[return-value]


def _subtitled(script: Script, folder: Path, film: Path) -> Path:
    """The film with a track of subtitles that players can switch off."""
    words, out = folder / "film.srt", folder / "film-soft.mp4"
    words.write_text(srt(script.subtitles), encoding="utf-8")
    said = "".join(cue.text for cue in script.subtitles)
    run_tool(with_subtitles(film, words, out, {"zh": "zho", "en": "eng"}[language_of(said)]))
    return out


def checked(film: Path, script: Script, subtitles: str) -> float:
    """Seconds of a film that is as long as its script, with sound.  Raises `OutputInvalid`."""
    info = probe(film, "video")
    if info.frames != script.frames or not info.has_sound:
        raise OutputInvalid("The film has {found} frames where {wanted} are due.", code="film.invalid",
                            hint="Try again.", found=info.frames, wanted=script.frames, subtitles=subtitles)
    return round(info.seconds, 2)
