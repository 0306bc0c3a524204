"""Drivers are opened by name: a dict of names to ``"module:Class"``, imported only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from visage.errors import NotInstalled, UnknownDriver


def load(seam: str, drivers: Mapping[str, str], name: str) -> type[Any]:
    """The driver class of that name in a seam.

    Raises `UnknownDriver` (with the names there are, and the likeliest meant)
    and `NotInstalled` when a package that the driver's module needs is absent.
    """
    target = drivers.get(name)
    if target is None:
        raise UnknownDriver("Nothing here is called {name!r}; there are: {names}.",
                            code="request.unknown_driver", hint="Choose one of these.",
                            seam=seam, name=name, names=", ".join(sorted(drivers)))
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as exc:
        if exc.name and exc.name.split(".")[0] in ("visage", "eval_metrics"):
            raise
        raise NotInstalled("The {seam} {name!r} needs the Python package {package!r}.", code="driver.package_missing",
                           hint="pip install {package}", seam=seam, name=name, package=exc.name or "?") from exc
