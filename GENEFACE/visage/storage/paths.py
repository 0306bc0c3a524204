"""The only file that spells a folder.

Names on disk are fixed by deployed clients (see docs/http-api.md): clips in
``static/videos``, sounds in ``static/audios``, GeneFace's tree in
``GeneFace-main``.  What is ours alone lies under ``var``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from visage.errors import InvalidRequest, NotFound

WEIGHTS_TABLE = Path(__file__).resolve().parents[2] / "GeneFace-main" / "scripts" / "weights.json"
"""The table of GeneFace's weights, as this version of the product has it."""
EVALUATION_TABLE = WEIGHTS_TABLE.parents[2] / "eval_metrics" / "weights.json"
"""The table of evaluation's weights."""
_UNSAFE = re.compile(r"[^\w.-]+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Paths:
    """Every folder of one installation, below ``home``."""

    home: Path
    """Absolute root."""

    @property
    def clips(self) -> Path:
        """Finished videos, served at ``/static/videos``."""
        return self.home / "static" / "videos"

    @property
    def sounds(self) -> Path:
        """Recorded and synthesised sounds, served at ``/static/audios``."""
        return self.home / "static" / "audios"

    @property
    def pictures(self) -> Path:
        """Finished pictures, served at ``/static/pictures``."""
        return self.home / "static" / "pictures"

    @property
    def geneface(self) -> Path:
        """What is mounted into ``geneface:latest``."""
        return self.home / "GeneFace-main"

    @property
    def engines(self) -> Path:
        """Where an operator describes more engines, a YAML file each."""
        return self.home / "engines"

    @property
    def models(self) -> Path:
        """Downloaded weights."""
        return self.home / "model_cache"

    @property
    def var(self) -> Path:
        """What only the product itself reads."""
        return self.home / "var"

    @property
    def avatars(self) -> Path:
        """One folder an avatar package."""
        return self.var / "avatars"

    @property
    def training(self) -> Path:
        """One folder an avatar that is being trained; moved to `avatars` when whole."""
        return self.var / "training"

    @property
    def uploads(self) -> Path:
        """One folder an upload."""
        return self.var / "uploads"

    @property
    def jobs(self) -> Path:
        """One folder a job: log, lock, previews, working files."""
        return self.var / "jobs"

    @property
    def evaluations(self) -> Path:
        """One folder a finished evaluation: its reports."""
        return self.var / "evaluations"

    @property
    def conversations(self) -> Path:
        """One folder a conversation: its films, and one folder a turn."""
        return self.var / "conversations"

    @property
    def voices(self) -> Path:
        """One folder a cloned voice: its print, the consent to it, and the recording where that is kept."""
        return self.var / "voices"

    @property
    def consents(self) -> Path:
        """One folder a consent: the file that proves it."""
        return self.var / "consents"

    @property
    def label_key(self) -> Path:
        """The key that seals the labels of this installation, made when the first one is written."""
        return self.var / "label.key"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.var / "visage.db"

    @property
    def queue(self) -> Path:
        """The file of the job queue."""
        return self.var / "queue.db"

    @property
    def logs(self) -> Path:
        """What the web app, the voice server and the worker print."""
        return self.var / "logs"

    @property
    def worker(self) -> Path:
        """The file that the worker locks while it lives and writes its heartbeat to."""
        return self.var / "worker.json"

    @property
    def weights(self) -> Path:
        """What was recorded of each weight when it came."""
        return self.var / "weights.json"

    @property
    def downloads(self) -> Path:
        """Archives on their way, until they are unpacked."""
        return self.var / "downloads"

    @property
    def secret(self) -> Path:
        """The key that signs cookies, made at the first start."""
        return self.var / "secret"

    def create(self) -> Paths:
        """Make the folders that must exist; returns itself."""
        for folder in (self.clips, self.pictures, self.sounds, self.models, self.avatars, self.training, self.uploads,
                       self.jobs, self.evaluations):
            folder.mkdir(parents=True, exist_ok=True)
        return self

    def url(self, file: Path) -> str:
        """The address under which the web app serves a file below ``static``."""
        return "/" + file.resolve().relative_to(self.home.resolve()).as_posix()

    def own_sounds(self, owner: str) -> Path:
        """Where one browser's ``input.wav`` and ``tts.wav`` lie, so that two browsers never share a file."""
        return child(self.var / "sounds", owner)

    def find_media(self, name: str, owner: str = "") -> Path:
        """The file that an old client means by a path, a ``/static/…`` address or a bare name.

        The asking browser's own sounds come first; else it is looked up in ``static/``,
        ``GeneFace-main/data/`` and the uploads.  A URL or a path outside these raises
        `InvalidRequest`, an absent file `NotFound`.
        """
        if "://" in name:
            raise InvalidRequest("Only files on this machine can be used, not the address {name}.", code="path.url",
                                 hint="Upload the file, or copy it into static/.", name=name)
        roots = [self.home / "static", self.geneface / "data", self.uploads]
        text = name.strip().replace("\\", "/")
        if len(text) > 1000 or "\0" in text:
            raise InvalidRequest("This path is no path.", code="path.unreadable", hint="Name a file below static/.")
        absolute = Path(text)
        own = self.own_sounds(owner) / absolute.name if owner else None
        if own and own.is_file() and text.lstrip("/") in (own.name, f"static/audios/{own.name}"):
            return own
        candidates = [self.home / text.lstrip("/"), self.geneface / text.lstrip("/")]
        if absolute.is_absolute():
            candidates.insert(0, absolute)
        if "/" not in text:
            candidates += [self.sounds / text, self.clips / text]
        for candidate in candidates:
            if candidate.is_file() and any(inside(root, candidate) for root in roots):
                return candidate.resolve()
        if any(candidate.exists() for candidate in candidates) or ".." in Path(text).parts:
            raise InvalidRequest("The path {name} lies outside the folders that may be read.", code="path.outside",
                                 hint="Use a file below static/ or GeneFace-main/data/.", name=name)
        raise NotFound("There is no file {name}.", code="path.missing",
                       hint="Upload it, or copy it into static/.", name=name)


def inside(root: Path, path: Path) -> bool:
    """Whether a path, all links followed, lies below ``root``."""
    return path.resolve().is_relative_to(root.resolve())


def child(root: Path, name: str) -> Path:
    """``root / name``; raises `InvalidRequest` unless that is a direct child of ``root``."""
    if not name or name in {".", ".."} or "/" in name or "\\" in name or "\0" in name:
        raise InvalidRequest("{name!r} is not a name.", code="path.name",
                             hint="Use letters, digits, - and _.", name=name)
    return root / name


def safe_name(name: str, fallback: str = "file") -> str:
    """A file name that is safe on every system and still readable; keeps letters of any script."""
    text = unicodedata.normalize("NFC", Path(name.replace("\\", "/")).name)
    text = _UNSAFE.sub("_", text).strip("._")
    stem, dot, suffix = text.rpartition(".")
    return f"{stem[:60]}.{suffix[:8]}" if dot and stem else (text[:60] or fallback)


def identifier(name: str, *, plain: bool = False) -> str:
    """``name`` when it can be an avatar's id (``[A-Za-z0-9_-]``, at most 64; ``plain``: without ``-``).

    Programs of engines in containers pass ids through shells and comma-separated lists.  Else raises `InvalidRequest`.
    """
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", name) and not (plain and "-" in name):
        return name
    if plain:
        raise InvalidRequest("{name!r} cannot be the id of an avatar of this engine.", code="path.plain_identifier",
                             hint="Use 1 to 64 Latin letters, digits and _ (no -).", name=name)
    raise InvalidRequest("{name!r} cannot be an id.", code="path.identifier",
                         hint="Use 1 to 64 Latin letters, digits, - and _.", name=name)
