"""Engines by name: ``lite`` is embedded; each of the others lives in an image that a YAML file describes.

The embedded engine must be usable where nothing reads settings or YAML, hence the imports in the functions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from visage.drivers import load
from visage.engines.contract import Engine, EngineInfo, LiveFace, RenderRequest, TrainRequest
from visage.errors import InvalidRequest, NotInstalled, UnknownDriver
from visage.storage.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

    from visage.config import Settings
    from visage.engines.container.manifest import EngineManifest

DRIVERS = {
    "lite": "visage.engines.lite.engine:LiteEngine",
    "container": "visage.engines.container.engine:ContainerEngine",
    "broken": "visage.engines.container.broken:BrokenEngine",
}
"""How an engine is driven; which engines there are, `engine_names` tells."""

LIVE = {"lite": "visage.engines.lite.live:LiteFace"}
"""Engines that can show their avatars in a live conversation."""

__all__ = ["DRIVERS", "LIVE", "Engine", "EngineInfo", "LiveFace", "RenderRequest", "TrainRequest", "engine_names",
           "open_engine", "open_live"]


def engine_names(paths: Paths) -> list[str]:
    """All engines of an installation, the embedded one first."""
    return ["lite", *_manifests(paths)]


def open_engine(name: str, settings: Settings, paths: Paths) -> Engine:
    """The engine of that name (any case).  Raises `UnknownDriver` with the names there are."""
    asked = name.strip().lower()
    if asked == "lite":
        return load("engine", DRIVERS, "lite")(paths)
    known = {one.lower(): one for one in _manifests(paths)}
    if asked not in known:
        raise UnknownDriver("There is no engine {name!r}; there are: {names}.", code="engine.unknown",
                            hint="Choose one of these.", name=name, names=", ".join(engine_names(paths)))
    told = _manifests(paths)[known[asked]]
    if isinstance(told, InvalidRequest):
        return load("engine", DRIVERS, "broken")(known[asked], told)
    return load("engine", DRIVERS, "container")(told, settings, paths)


def open_live(name: str, settings: Settings, paths: Paths, folder: Path) -> LiveFace:
    """The avatar in a package folder, ready to speak; the caller closes it.

    Raises `UnknownDriver`, `NotInstalled` when that engine cannot or lacks a
    package, and `BadMedia` when the avatar is damaged.
    """
    info = open_engine(name, settings, paths).describe()
    if info.name not in LIVE:
        raise NotInstalled("{engine} cannot show its avatars in a live conversation.", code="live.not_here",
                           hint="Choose an avatar of the built-in engine, or talk in the chat, which makes clips.",
                           engine=info.title)
    return load("live face", LIVE, info.name)(folder)


def _manifests(paths: Paths) -> dict[str, EngineManifest | InvalidRequest]:
    files = tuple((file, file.stat().st_mtime_ns) for file in sorted(paths.engines.glob("*.yaml")))
    return _read(paths, files)


@lru_cache(maxsize=8)
def _read(paths: Paths, _: object) -> dict[str, EngineManifest | InvalidRequest]:
    """Read once; the last argument changes when a file does."""
    from visage.engines.container.manifest import SHIPPED, read_manifests

    return read_manifests([SHIPPED, paths.engines])
