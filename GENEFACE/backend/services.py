"""Settings → Services: the only place that picks drivers.

Everything is opened when first used, so that building `Services` is free and a
process pays only for what its verb needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from visage.asr import open_recognizer
from visage.asr.contract import Recognizer
from visage.config import Settings, read_settings
from visage.containers import open_containers
from visage.containers.contract import Containers
from visage.engines import Engine, engine_names, open_engine
from visage.errors import Cancelled, ServiceTimeout, revived
from visage.jobs.job import Job, State
from visage.jobs.queue import JobQueue
from visage.jobs.store import JobStore
from visage.llm import open_responder
from visage.llm.contract import Responder
from visage.storage.catalog import Catalog
from visage.storage.database import open_database, upgrade
from visage.storage.evaluations import Evaluations
from visage.storage.paths import Paths
from visage.storage.records import Clips, Conversations
from visage.storage.talks import Talks
from visage.storage.uploads import Uploads
from visage.trust.audit import Audit
from visage.trust.consents import Consents
from visage.trust.labelling import Labeller
from visage.tts.cloning.store import ClonedVoices
from visage.tts.http import VoiceServer


@dataclass(frozen=True)
class Services:
    """What verbs and pages work with."""

    settings: Settings
    """The settings of this process."""

    @cached_property
    def paths(self) -> Paths:
        """The folders, made when missing."""
        return Paths(self.settings.home.resolve()).create()

    @cached_property
    def database(self):
        """The database, at its newest version."""
        engine = open_database(self.settings.database_url or self.paths.database)
        upgrade(engine)
        return engine

    @cached_property
    def catalog(self) -> Catalog:
        """The avatars."""
        return Catalog(self.paths.avatars, self.paths.home)

    @cached_property
    def uploads(self) -> Uploads:
        """What browsers have sent."""
        return Uploads(self.paths.uploads, self.settings.upload_limit_mb << 20)

    @cached_property
    def store(self) -> JobStore:
        """The jobs."""
        return JobStore(self.database, self.paths)

    @cached_property
    def queue(self) -> JobQueue:
        """Where jobs are handed in."""
        return JobQueue(self.settings, self.store, self.paths)

    @cached_property
    def clips(self) -> Clips:
        """Finished videos."""
        return Clips(self.database)

    @cached_property
    def evaluations(self) -> Evaluations:
        """Finished evaluations."""
        return Evaluations(self.database, self.paths.evaluations)

    @cached_property
    def conversations(self) -> Conversations:
        """What was said."""
        return Conversations(self.database)

    @cached_property
    def talks(self) -> Talks:
        """What live conversations leave on disk."""
        return Talks(self.conversations, self.paths.conversations)

    @cached_property
    def cloned_voices(self) -> ClonedVoices:
        """The voices that people lent."""
        return ClonedVoices(self.paths.voices)

    @cached_property
    def audit(self) -> Audit:
        """The log of what was agreed to and made."""
        return Audit(self.database, self.settings.audit_days)

    @cached_property
    def consents(self) -> Consents:
        """Who agreed to what."""
        return Consents(self.database, self.paths.home, self.audit, with_proof=self.settings.consent_proof)

    @cached_property
    def labeller(self) -> Labeller:
        """Who says in every export that a machine made it."""
        return Labeller(self.settings, self.paths, self.audit)

    @property
    def voice_url(self) -> str:
        """Address of the voice server."""
        return self.settings.voice_url or f"http://127.0.0.1:{self.settings.voice_port}"

    @cached_property
    def voice(self) -> VoiceServer:
        """The voice server's client."""
        return VoiceServer(self.voice_url)

    @cached_property
    def containers(self) -> Containers:
        """Where engines in images run."""
        return open_containers("docker", self.paths.home)

    @cached_property
    def recognizer(self) -> Recognizer:
        """Who listens."""
        return open_recognizer(self.settings)

    def responder(self, choice: str = "") -> Responder:
        """Who answers; ``choice`` as in `visage.llm.open_responder`."""
        return open_responder(self.settings, choice)

    def engine(self, name: str) -> Engine:
        """The engine of that name."""
        return open_engine(name, self.settings, self.paths)

    def engines(self) -> list[Engine]:
        """All engines, installed or not."""
        return [self.engine(name) for name in engine_names(self.paths)]


def wait_for(services: Services, job: Job) -> Mapping[str, Any]:
    """The result of a job once it has succeeded.

    Raises the error it failed with, `Cancelled`, or `ServiceTimeout` after ``settings.wait_limit`` seconds.
    """
    ended = services.queue.wait(job.id)
    if ended.error:
        raise revived(ended.error)
    if ended.state is State.CANCELLED:
        raise Cancelled("The job was cancelled.", hint="Start it again.")
    if not ended.state.ended or ended.result is None:
        raise ServiceTimeout("The job has not ended after {seconds} s; it goes on.", code="job.slow",
                             hint="Look at GET /api/jobs/{id}.", seconds=round(services.settings.wait_limit), id=job.id)
    return ended.result


def open_services(settings: Settings | None = None) -> Services:
    """The services of this process; settings come from the environment unless given."""
    return Services(settings or read_settings())
