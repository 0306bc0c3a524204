"""The verbs on consents: record, prove, withdraw, erase; and voices, which bring a consent of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from backend.forms import ConsentForm
from backend.services import Services
from visage.errors import NotFound, Refused, VisageError
from visage.trust.consents import Consent, Wish
from visage.trust.erasing import Erased
from visage.trust.proofs import receive_proof
from visage.tts.cloning.consent import checksum
from visage.tts.cloning.store import ClonedVoice

_CLONE = "clone:"


def record(services: Services, form: ConsentForm, owner: str) -> Consent:
    """Keep a consent; its photos and recording are uploads, which go when it is erased."""
    uploads = [services.uploads.get(name) for name in (*form.photos, *([form.recording] if form.recording else []))]
    sums = [checksum(services.uploads.file(upload)) for upload in uploads]
    photos = tuple(sums[:len(form.photos)])
    made = services.consents.record(Wish(
        form.person, form.giver, form.scope, form.sentence, form.consent, form.uses, photos,
        sums[-1] if form.recording else "", form.expires, owner))
    for upload in uploads:
        services.consents.attach(made.id, "photo" if upload.kind == "image" else "cache",
                                 services.uploads.folder(upload.id))
    return made


def checksums(services: Services, photos: Sequence[str]) -> set[str]:
    """SHA-256 of each of these uploads.  Raises `NotFound`."""
    return {checksum(services.uploads.file(services.uploads.get(photo))) for photo in photos}


def prove(services: Services, consent_id: str, stream: IO[bytes], owner: str) -> Consent:
    """Keep the file that proves a consent of this browser."""
    found = services.consents.get(consent_id, owner)
    return services.consents.prove(found.id, receive_proof(stream, services.paths.consents / found.id))


def proof_file(services: Services, consent_id: str, owner: str) -> Path:
    """The file that proves a consent of this browser.  Raises `NotFound`."""
    found = services.consents.get(consent_id, owner)
    file = services.paths.consents / found.id / (found.proof_name or "-")
    if not file.is_file():
        raise NotFound("The consent {id} has no proof.", code="consent.proof_missing", hint="Upload one.", id=found.id)
    return file


def revoke(services: Services, consent_id: str, owner: str) -> Consent:
    """Withdraw a consent of this browser; voices that it covers fall silent at once."""
    found = services.consents.revoke(services.consents.get(consent_id, owner).id)
    for voice in _voices(services, found.id):
        services.cloned_voices.amend(voice.id, replace(voice.consent, revoked=True))
    return found


def erase(services: Services, consent_id: str, owner: str) -> Sequence[Erased]:
    """Withdraw a consent of this browser and delete all that was made under it; returns what is gone."""
    found = services.consents.get(consent_id, owner)
    gone = {path.name for kind, path in services.consents.things(found.id) if kind == "output"}
    for clip in services.clips.list(limit=1_000_000):
        if clip.file in gone:
            services.clips.delete(clip.id)
            for evaluation in services.evaluations.list(clip=clip.id, limit=500):
                services.evaluations.delete(evaluation.id)
    for job in services.store.list(kind="swap", limit=1_000_000):
        if job.request.get("consent") == found.id and job.state.ended:
            services.store.delete(job.id)
    return services.consents.erase(found.id, services.paths.consents)


def adopt_voices(services: Services) -> None:
    """Give every voice that was lent before there was one store of consents its entry there."""
    for voice in services.cloned_voices.list():
        if not voice.consent.record:
            keep_voice(services, voice, "")


def keep_voice(services: Services, voice: ClonedVoice, record_id: str) -> ClonedVoice:
    """Tie a voice to the consent ``record_id``, made from the voice's own when empty; the log says who was cloned."""
    told = voice.consent
    if not record_id:
        record_id = services.consents.record(Wish(
            voice.name, "", "voice", told.text, True, (), (), told.recording_sha256, None, told.given_by),
            datetime.fromisoformat(told.given_at)).id
    kept = services.consents.get(record_id)
    expires = datetime.fromtimestamp(kept.expires, timezone.utc).isoformat() if kept.expires else ""
    services.consents.attach(record_id, "voice", services.paths.voices / voice.id)
    services.audit.note("voice.cloned", voice.id, told.given_by, consent=record_id, name=voice.name,
                        recording=told.recording_sha256)
    return services.cloned_voices.amend(voice.id, replace(told, record=record_id, expires=expires))


def forget_voice(services: Services, voice_id: str) -> None:
    """Delete a lent voice; a consent that covered nothing else is withdrawn.  Raises `NotFound`."""
    services.cloned_voices.get(voice_id)
    consent_id = services.consents.of(services.paths.voices / voice_id)
    services.cloned_voices.delete(voice_id)
    try:
        covered = services.consents.get(consent_id)
    except NotFound:
        return
    if covered.scope == "voice" and not list(_voices(services, covered.id)):
        services.consents.revoke(covered.id)


def spoken_by(services: Services, voice: str, kind: str, file: Path) -> None:
    """Remember that a file speaks in a lent voice, so that it goes with the consent; other voices need nothing."""
    if voice.startswith(_CLONE):
        consent_id = services.consents.of(services.paths.voices / voice.removeprefix(_CLONE))
        if consent_id:
            services.consents.attach(consent_id, kind, file)


def require_voice(services: Services, voice: str) -> None:
    """Raises `Refused` for a lent voice whose consent has ended; other voices and unknown ones pass."""
    if not voice.startswith(_CLONE):
        return
    try:
        found = services.cloned_voices.get(voice.removeprefix(_CLONE))
    except Refused:
        raise
    except VisageError:  # whoever speaks tells what is wrong with it
        return
    found.consent.require(found.name)


def shown(consent: Consent, things: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    """A consent as docs/http-api.md has it."""
    told = asdict(consent)
    moment = {name: datetime.fromtimestamp(told[name], timezone.utc).isoformat(timespec="seconds")
              if told[name] is not None else None for name in ("expires", "revoked")}
    proof = {"kind": consent.proof_kind, "size": consent.proof_size, "sha256": consent.proof_sha256,
             "url": f"/api/consents/{consent.id}/proof"} if consent.proof_name else None
    counts = {kind: sum(one == kind for one, _ in things) for kind in sorted({kind for kind, _ in things})}
    kept = {name: told[name] for name in ("id", "person", "giver", "scope", "uses", "statement", "language", "photos",
                                          "recording")}
    photos = [path.name for kind, path in things if kind == "photo" and path.is_dir()]
    return {**kept, "uploads": list(dict.fromkeys(photos)),
            "state": consent.state, "created": consent.created.isoformat(timespec="seconds"), **moment,
            "proof": proof, "made": counts}


def _voices(services: Services, consent_id: str) -> Iterator[ClonedVoice]:
    """The voices that a consent covers and that are still there."""
    for kind, path in services.consents.things(consent_id):
        if kind == "voice" and path.is_dir():
            yield services.cloned_voices.get(path.name)
