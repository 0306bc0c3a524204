"""Avatars as their engines know them: exported, imported and deleted with all that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backend.services import Services
from visage.errors import Conflict, InvalidRequest, VisageError
from visage.jobs.job import State
from visage.storage.catalog import Avatar
from visage.storage.paths import identifier


def size(services: Services, avatar: Avatar) -> int:
    """Bytes that deleting it would free."""
    return services.catalog.size(avatar.id, _belongings(services, avatar))


def export(services: Services, avatar: Avatar, out: Path) -> Path:
    """Write its package, with what its engine needs to make it speak elsewhere."""
    return services.catalog.export(avatar.id, out, services.engine(avatar.engine).describe().travels)


def take_in(services: Services, package: Path, avatar_id: str = "") -> Avatar:
    """Unpack an exported avatar; its engine must be known here.  Raises as `Catalog.take_in`, and `UnknownDriver`."""
    def places(told: Avatar, chosen: str) -> Sequence[str]:
        info = services.engine(told.engine).describe()
        identifier(chosen, plain=info.plain_ids)
        if info.fixed_ids and chosen != told.id:
            raise InvalidRequest("An avatar of {engine} keeps its id: this one is {id}.", code="engine.fixed_id",
                                 hint="Import it without another id.", engine=info.title, id=told.id)
        return info.travels

    return services.catalog.take_in(package, avatar_id or None, places)


def delete(services: Services, avatar: Avatar) -> None:
    """Delete it everywhere, with its own evaluations; clips made with it stay, and theirs.

    `Conflict` while a job works with it; evaluations of it, which nobody may have asked for, are stopped.
    """
    working = [job for state in (State.RUNNING, State.QUEUED) for job in services.store.list(state=state, limit=1000)
               if avatar.id in (job.request.get("id"), job.request.get("avatar"))]
    if any(job.state is State.RUNNING and job.kind != "evaluate" for job in working):
        raise Conflict("A job is working with the avatar {id}.", code="avatar.in_use",
                       hint="Wait until it has ended, or cancel it.", id=avatar.id)
    for job in working:
        if job.kind == "evaluate":
            services.queue.cancel(job.id)
    services.catalog.delete(avatar.id, _belongings(services, avatar))
    for evaluation in services.evaluations.list(avatar=avatar.id, limit=10_000):
        if not evaluation.clip:
            services.evaluations.delete(evaluation.id)


def _belongings(services: Services, avatar: Avatar) -> Sequence[str]:
    try:
        return services.engine(avatar.engine).describe().belongings
    except VisageError:  # an engine whose description was taken away: its workspace is nobody's to clear
        return ()
