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
    """Delete it everywhere; clips made with it stay.  `Conflict` while a job works with it."""
    for job in services.store.list(state=State.RUNNING, limit=1000):
        if avatar.id in (job.request.get("id"), job.request.get("avatar")):
            raise Conflict("A job is working with the avatar {id}.", code="avatar.in_use",
                           hint="Wait until it has ended, or cancel it.", id=avatar.id)
    services.catalog.delete(avatar.id, _belongings(services, avatar))


def _belongings(services: Services, avatar: Avatar) -> Sequence[str]:
    try:
        return services.engine(avatar.engine).describe().belongings
    except VisageError:  # an engine whose description was taken away: its workspace is nobody's to clear
        return ()
