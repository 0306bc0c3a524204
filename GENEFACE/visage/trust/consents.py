"""Consents: who lets whose face or voice be used for what, until when; one store for every door."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import sqlalchemy as sa

from visage.errors import InvalidRequest, NotFound, Refused
from visage.storage.database import consent_things, consents
from visage.storage.records import filled, rows, write
from visage.trust.audit import Audit
from visage.trust.erasing import Erased, erase_things
from visage.trust.proofs import Proof
from visage.trust.refusals import ended
from visage.trust.sentences import SCOPES, language_of

USES = ("video", "picture", "dialogue", "voice")
"""What a consent may be limited to; none named: all of them."""
KINDS = ("photo", "embedding", "cache", "output", "voice")
"""What is made under a consent and goes with it."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to what."""

    id: str
    """32 hexadecimal digits."""
    person: str
    """Whose face or voice it is."""
    giver: str
    """Who agrees: that person, or somebody who may for them."""
    scope: str
    """``swap``, ``voice`` or ``both``."""
    uses: Sequence[str]
    """Some of `USES`; empty: all."""
    statement: str
    """The sentence that was agreed to."""
    language: str
    """Its language."""
    photos: Sequence[str]
    """SHA-256 of each photo it covers."""
    recording: str
    """SHA-256 of the recording it covers, or empty."""
    proof_name: str
    """Name of the file that proves it; empty: there is none."""
    proof_kind: str
    """``document``, ``image``, ``audio`` or ``video``."""
    proof_sha256: str
    """Its checksum."""
    proof_size: int
    """Bytes."""
    owner: str
    """The browser that recorded it, or empty."""
    created: datetime
    """UTC."""
    expires: float | None
    """Seconds since 1970, UTC; None: never."""
    revoked: float | None
    """Seconds since 1970, UTC; None: it was not."""

    @property
    def state(self) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= time.time() else "valid"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of whoever consents."""

    person: str
    """Whose face or voice it is."""
    giver: str
    """Who agrees; empty: that person."""
    scope: str
    """``swap``, ``voice`` or ``both``."""
    sentence: str
    """The sentence agreed to, one of `visage.trust.sentences.SENTENCES`."""
    agreed: bool
    """Whether it was."""
    uses: tuple[str, ...] = ()
    """Some of `USES`; empty: all."""
    photos: tuple[str, ...] = ()
    """SHA-256 of the photos it covers."""
    recording: str = ""
    """SHA-256 of the recording it covers."""
    expires: datetime | None = None
    """When it ends; None: never."""
    owner: str = ""
    """The browser that records it."""


class Consents:
    """All consents and what was made under each."""

    def __init__(self, engine: sa.Engine, home: Path, log: Audit, *, with_proof: bool = True) -> None:
        self._engine, self._home, self._log, self._with_proof = engine, home, log, with_proof

    def record(self, wish: Wish, created: datetime | None = None) -> Consent:
        """Keep a consent.  Raises `InvalidRequest` unless the sentence of its scope was agreed to, word for word."""
        language = _checked(wish)
        consent_id = uuid.uuid4().hex
        write(self._engine, sa.insert(consents).values(
            id=consent_id, person=wish.person.strip(), giver=(wish.giver or wish.person).strip(), scope=wish.scope,
            uses=list(wish.uses), statement=wish.sentence.strip(), language=language, photos=list(wish.photos),
            recording=wish.recording, proof_name="", proof_kind="", proof_sha256="", proof_size=0, owner=wish.owner,
            created=(created or datetime.now(timezone.utc)).timestamp(), revoked=None,
            expires=wish.expires.timestamp() if wish.expires else None))
        made = self.get(consent_id)
        self._log.note("consent.given", made.id, wish.owner, person=made.person, giver=made.giver, scope=made.scope,
                       uses=list(made.uses), expires=made.expires, statement=made.statement, photos=list(made.photos),
                       recording=made.recording)
        return made

    def get(self, consent_id: str, owner: str | None = None) -> Consent:
        """The consent of that id, of that browser where one is named.  Raises `NotFound`."""
        found = rows(self._engine, sa.select(consents).where(consents.c.id == consent_id))
        if not found or (owner is not None and found[0].owner not in ("", owner)):
            raise NotFound("There is no consent {id}.", code="consent.missing",
                           hint="It may have been deleted. Record it again.", id=consent_id)
        return filled(Consent, found[0])

    def list(self, owner: str | None = None) -> list[Consent]:
        """Consents, newest first."""
        query = sa.select(consents).order_by(consents.c.created.desc(), consents.c.id)
        if owner is not None:
            query = query.where(consents.c.owner.in_([owner, ""]))
        return [filled(Consent, row) for row in rows(self._engine, query)]

    def prove(self, consent_id: str, proof: Proof) -> Consent:
        """Remember the file that proves a consent."""
        write(self._engine, sa.update(consents).where(consents.c.id == self.get(consent_id).id).values(
            proof_name=proof.name, proof_kind=proof.kind, proof_sha256=proof.sha256, proof_size=proof.size))
        found = self.get(consent_id)
        self._log.note("consent.proved", found.id, found.owner, kind=proof.kind, sha256=proof.sha256, size=proof.size)
        return found

    def require(self, consent_id: str, scope: str, *, use: str = "", photo: str = "") -> Consent:
        """The consent, when it covers this: ``scope`` ``swap`` or ``voice``, a ``use`` of `USES`, a photo's SHA-256.

        Raises `Refused`, each reason with a code of its own.
        """
        if not consent_id:
            raise Refused("Nobody has agreed to this.", code="consent.none",
                          hint="Record a consent first: who is shown, who agrees, to what and until when.")
        try:
            found = self.get(consent_id)
        except NotFound as exc:
            raise Refused(exc.message, code="consent.missing", hint=exc.hint, id=consent_id) from exc
        if found.state != "valid":
            raise ended(found.id, found.person, found.state)
        if found.scope not in (scope, "both"):
            raise Refused("{person} has agreed to something else ({scope}).", code="consent.other_scope",
                          hint="Record a consent for this.", person=found.person, scope=found.scope)
        if use and found.uses and use not in found.uses:
            raise Refused("{person} has not agreed to this use ({use}).", code="consent.other_use",
                          hint="Record a consent that covers it.", person=found.person, use=use)
        if photo and photo not in found.photos:
            raise Refused("The consent of {person} is about another photo.", code="consent.other_photo",
                          hint="Use the photo that was agreed to, or record a consent for this one.",
                          person=found.person)
        if scope == "swap" and self._with_proof and not found.proof_name:
            raise Refused("Nothing proves the consent of {person}.", code="consent.no_proof", person=found.person,
                          hint="Upload a signed paper, a photo of it, or a recording of the spoken consent.")
        return found

    def revoke(self, consent_id: str) -> Consent:
        """Withdraw a consent: nothing more is made under it; what was made stays until `erase`."""
        found = self.get(consent_id)
        if found.revoked is None:
            write(self._engine, sa.update(consents).where(consents.c.id == found.id).values(revoked=time.time()))
            self._log.note("consent.revoked", found.id, found.owner)
        return self.get(consent_id)

    def attach(self, consent_id: str, kind: str, file: Path) -> None:
        """Remember that a file or folder below ``home`` was made under a consent and is erased with it."""
        if kind not in KINDS:
            raise ValueError(f"{kind} is nothing that a consent has")
        path = file.resolve().relative_to(self._home.resolve()).as_posix()
        write(self._engine, sa.insert(consent_things).values(
            id=uuid.uuid4().hex, consent=self.get(consent_id).id, kind=kind, path=path, created=time.time()))

    def things(self, consent_id: str) -> Sequence[tuple[str, Path]]:
        """Kind and place of what was made under a consent, oldest first."""
        query = sa.select(consent_things).where(consent_things.c.consent == consent_id)
        return [(row.kind, self._home / row.path) for row in rows(
            self._engine, query.order_by(consent_things.c.created, consent_things.c.id))]

    def of(self, file: Path) -> str:
        """Id of the newest consent under which a file or folder was made; "" when there is none."""
        path = file.resolve().relative_to(self._home.resolve()).as_posix()
        query = sa.select(consent_things).where(consent_things.c.path == path)
        found = rows(self._engine, query.order_by(consent_things.c.created.desc()))
        return str(found[0].consent) if found else ""

    def erase(self, consent_id: str, proofs: Path) -> Sequence[Erased]:
        """Delete a consent with all that was made under it and its proof below ``proofs``; returns what is gone."""
        found = self.get(consent_id)
        erased = erase_things([*self.things(found.id), ("proof", proofs / found.id)], self._home)
        write(self._engine, sa.delete(consent_things).where(consent_things.c.consent == found.id))
        write(self._engine, sa.delete(consents).where(consents.c.id == found.id))
        counts = {kind: sum(one.kind == kind for one in erased) for kind in sorted({one.kind for one in erased})}
        self._log.note("consent.erased", found.id, found.owner, erased=counts)
        return erased


def _checked(wish: Wish) -> str:
    """The language of a wish that may be kept."""
    if wish.scope not in SCOPES:
        raise InvalidRequest("A consent cannot be about {scope!r}; there are: {names}.", code="consent.scope",
                             hint="Use one of these.", scope=wish.scope, names=", ".join(SCOPES))
    strange = [use for use in wish.uses if use not in USES]
    if strange:
        raise InvalidRequest("There is no use {use!r}; there are: {names}.", code="consent.use",
                             hint="Use some of these, or none for all.", use=strange[0], names=", ".join(USES))
    language = language_of(wish.sentence, wish.scope)
    if not wish.agreed or not language:
        raise InvalidRequest("Nothing is recorded unless the sentence is agreed to, word for word.",
                             code="consent.not_agreed", hint="GET /api/consents has the sentences.")
    if not wish.person.strip():
        raise InvalidRequest("A consent says whose face or voice it is.", code="consent.no_person",
                             hint="Give the name.")
    if wish.scope != "voice" and not wish.photos:
        raise InvalidRequest("A consent to the use of a face says which photo.", code="consent.no_photo",
                             hint="Upload the photo first.")
    if wish.expires is not None and wish.expires.timestamp() <= time.time():
        raise InvalidRequest("This consent would have ended already.", code="consent.past",
                             hint="Give a day to come, or none.")
    return language
