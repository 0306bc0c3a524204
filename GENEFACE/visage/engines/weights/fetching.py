"""Weights that may be downloaded by a program: from where they are published, or from a mirror."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from visage.config import Settings
from visage.engines.weights.arrival import Arrival, wrong
from visage.engines.weights.check import look
from visage.engines.weights.content import contradicted, flaw, sums
from visage.engines.weights.download import Published, download
from visage.engines.weights.table import File, Weight
from visage.engines.weights.taking import unpack
from visage.errors import InvalidRequest, NotInstalled, OutputInvalid, VisageError
from visage.storage.paths import Paths

EVERY = "*"
"""Stands for all hosts in a table of mirrors."""
Told = Callable[[str, int, int], None]


def mirrors(settings: Settings, every: str = "") -> dict[str, str]:
    """Host → what is asked in its place; ``every`` is asked in place of all of them."""
    if every:
        return {EVERY: every}
    told = {"huggingface.co": settings.hf_mirror, "github.com": settings.github_mirror}
    return {host: mirror for host, mirror in told.items() if mirror}


def address(url: str, instead: Mapping[str, str]) -> str:
    """Where to ask for ``url``: a mirror's address takes the place of scheme and host, or of ``{url}`` in it.

    Raises `InvalidRequest` for a mirror that is no address.
    """
    parts = urlsplit(url)
    mirror = instead.get(EVERY) or instead.get(parts.netloc)
    if not mirror:
        return url
    if urlsplit(mirror).scheme not in ("http", "https"):
        raise InvalidRequest("{mirror} is no address of a mirror.", code="weights.mirror",
                             hint="Use a form like https://your.mirror or https://your.proxy/{{url}}.", mirror=mirror)
    if "{url}" in mirror:
        return mirror.replace("{url}", url)
    return mirror.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def fetch(paths: Paths, weight: Weight, instead: Mapping[str, str], told: Told = lambda *_: None) -> list[Path]:
    """Download what a weight lacks; returns what came.

    Raises `NotInstalled` for weights that only a person may fetch, and what `download` and `Arrival` raise, with the
    place where the file belongs in the hint.
    """
    lacking = [found for found in look(paths, weight) if not found.ok]
    if not lacking:
        return []
    if not weight.fetch:
        raise by_hand(paths, weight)
    arrival = Arrival(paths, told)
    if weight.archive:
        return _archive(paths, weight, arrival, address(weight.archive.url, instead), told)
    return [arrival.write(weight, found.file) if found.file.text is not None else
            _file(paths, weight, found.file, arrival, address(found.file.url, instead), told) for found in lacking]


def by_hand(paths: Paths, weight: Weight) -> NotInstalled:
    """What a person has to do for a weight that no program may fetch."""
    places = ", ".join(str(weight.place(paths, file)) for file in weight.files[:3])
    if weight.licence.signed:
        return NotInstalled("{title} needs a signed licence: apply at {page}", code="weights.licence",
                            hint="Then: GENEFACE/scripts/weights import FILE (it belongs at {places})",
                            title=weight.title, page=weight.page, places=places)
    return NotInstalled("{title} must be downloaded with a browser: {page}", code="weights.by_hand",
                        hint="Then: GENEFACE/scripts/weights import FILE (it belongs at {places})",
                        title=weight.title, page=weight.page, places=places)


def _file(paths: Paths, weight: Weight, file: File, arrival: Arrival, url: str, told: Told) -> Path:
    place = weight.place(paths, file)
    part = place.with_name(place.name + ".part")
    published = _bring(url, part, place, lambda done, total: told(file.name, done, total or file.size or 0))
    _held_to(published, part, file, weight)
    return arrival.whole(weight, file, part, url)


def _archive(paths: Paths, weight: Weight, arrival: Arrival, url: str, told: Told) -> list[Path]:
    assert weight.archive is not None
    first = weight.place(paths, weight.files[0])
    part = paths.downloads / (weight.archive.name + ".part")
    name = weight.archive.name
    _bring(url, part, first, lambda done, total: told(name, done, total))
    try:
        taken = [one.place for one in unpack(arrival, paths, part, [weight], url)]
    finally:
        part.unlink(missing_ok=True)
    left = [found.file.path for found in look(paths, weight) if not found.ok]
    if left:
        raise OutputInvalid("{file} was unpacked, but {left} was not in it.", code="weights.archive_lacks",
                            hint="Look at {page}", file=name, left=", ".join(left), page=weight.page)
    return taken


def _bring(url: str, part: Path, place: Path, told: Callable[[int, int], None]) -> Published:
    try:
        return download(url, part, told)
    except VisageError as exc:
        exc.hint += f" By hand: {url} belongs at {place}"
        exc.params.setdefault("url", url)
        raise


def _held_to(published: Published, part: Path, file: File, weight: Weight) -> None:
    """Compare a download with what the server said of it; a wrong one is removed, so that it is not gone on with."""
    reason = ""
    if published.size is not None and part.stat().st_size != published.size:
        reason = f"it has {part.stat().st_size} bytes, not {published.size}"
    elif published.sums:
        reason = contradicted(sums(part), File(file.path, file.kind, **published.sums))  # type: ignore[arg-type]
    reason = reason or flaw(part, file)
    if reason:
        part.unlink(missing_ok=True)
        raise wrong(part.name.removesuffix(".part"), reason, weight)
