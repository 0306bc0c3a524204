"""Face-swap models from the command line: ``python -m backend.face_models list|import|verify``.

Nothing is ever downloaded: a person brings the files and accepts their licences.
Exit codes: 0 all is well, 1 something that is needed is missing or wrong, 2 wrong
arguments or a licence that was not accepted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.terminal import paint, words
from visage.config import Settings, read_settings
from visage.engines.weights import Finding, Weight, look
from visage.engines.weights.check import verify
from visage.engines.weights.table import table
from visage.engines.weights.taking import recognise, take
from visage.errors import BadMedia, InvalidRequest, NotFound, VisageError, from_os_error
from visage.storage.paths import Paths, safe_name
from visage.swap.onnx import files
from visage.swap.onnx.network import Network
from visage.swap.onnx.providers import Wish

TABLE = Path(files.__file__).with_name("models.json")
"""The files that are known, with their licences and checksums."""


@dataclass(frozen=True, slots=True)
class FacePaths(Paths):
    """The folders of an installation, with the folder of face models in place of ``model_cache``."""

    folder: Path = Path()
    """Where face models lie."""

    @property
    def models(self) -> Path:
        """Where weights whose root is ``cache`` belong."""
        return self.folder


def paths_of(settings: Settings) -> FacePaths:
    """The folders that the settings mean."""
    return FacePaths(settings.home.resolve(), files.folder(settings))


def report(paths: FacePaths, found: Callable[[Paths, Weight], Sequence[Finding]] = look) -> list[dict[str, Any]]:
    """Each known model as JSON-ready data: where it belongs, whether it is there, its licence and source."""
    rows = []
    for weight in table(TABLE):
        findings = found(paths, weight)
        rows.append({"name": weight.name, "title": weight.title, "optional": weight.optional,
                     "ok": all(one.ok for one in findings), "licence": weight.licence.name,
                     "licence_url": weight.licence.url, "page": weight.page, "note": weight.note,
                     "files": [{"path": str(one.place), "state": one.state, "detail": one.detail,
                                "sha256": one.file.sha256} for one in findings]})
    return rows


def others(paths: FacePaths) -> list[dict[str, str]]:
    """Files of the folder that are not of the table: what each is, by its ports, or why it cannot be used."""
    if not paths.folder.is_dir():
        return []
    own = {weight.place(paths, file) for weight in table(TABLE) for file in weight.files}
    return [{"path": str(entry.path), "state": entry.state, "detail": entry.detail}
            for entry in files.scan(paths.folder) if entry.path not in own]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code."""
    choice = _parser().parse_args(arguments)
    try:
        return _VERBS[choice.verb](choice, paths_of(read_settings()))
    except VisageError as exc:
        text = json.dumps({"ok": False, **exc.as_dict()}) if choice.json else f"{exc.message}\n  {exc.hint}"
        print(text, file=sys.stderr)
        return 2 if isinstance(exc, InvalidRequest | NotFound) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend.face_models",
                                     description="Models for face swapping; you bring the files.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|import|verify")
    for verb, text in {"list": "what is known, what is here, and under which licence",
                       "import": "put files, folders or buffalo_l.zip where they belong, after their licences",
                       "verify": "read every file, compare its checksum and run it once"}.items():
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("--json", action="store_true", help="one JSON object instead of text")
        if verb == "import":
            one.add_argument("what", metavar="PATH", nargs="+", type=Path)
            one.add_argument("--accept-licence", action="store_true", help="I have read the licences and accept them")
    return parser


def _list(choice: argparse.Namespace, paths: FacePaths) -> int:
    rows, more = report(paths), others(paths)
    if choice.json:
        print(json.dumps({"folder": str(paths.folder), "models": rows, "others": more}, ensure_ascii=False, indent=2))
    else:
        print(words(f"Folder: {paths.folder}", f"文件夹：{paths.folder}"))
        for row in rows:
            print(f" {_mark(row['ok'], row['optional'])} {row['name']}  {row['title']}")
            if not row["ok"]:
                print(f"    {words('licence', '许可')}: {row['licence']} <{row['licence_url']}>\n"
                      f"    {words('from', '来源')}: {row['page']}  {row['note']}")
                print("\n".join(f"    {one['state']}: {one['path']} {one['detail']}" for one in row["files"]))
        for one in more:
            print(f" {_mark(one['state'] == 'known')} {one['path']}  {one['detail']}")
    # any file that does the task will do, whatever its name
    return 0 if {"detect", "recognise", "swap"} <= _tasks(paths) else 1


def _tasks(paths: FacePaths) -> set[str]:
    entries = files.scan(paths.folder) if paths.folder.is_dir() else []
    return {entry.model.spec.task for entry in entries if entry.model}


def _verify(choice: argparse.Namespace, paths: FacePaths) -> int:
    rows = [row for row in report(paths, verify) if any(one["state"] != "missing" for one in row["files"])]
    ran = [_run(entry) for entry in files.scan(paths.folder)]
    # another export of a model has another checksum: what it is and whether it runs is told, too
    well = all(one["ok"] for one in ran) and not any(one["state"] == "wrong" for row in rows for one in row["files"])
    if choice.json:
        print(json.dumps({"ok": well, "models": rows, "runs": ran}, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            for one in row["files"]:
                print(f" {_mark(one['state'] == 'present')} {one['path']}  {one['state']} {one['detail']}")
        for one in ran:
            print(f" {_mark(one['ok'])} {one['path']}  {one['detail']}")
    return 0 if well and ran else 1


def _run(entry: files.Entry) -> dict[str, Any]:
    """Whether a file can be computed on this machine's processor."""
    told = {"path": str(entry.path), "ok": False, "detail": f"{entry.state}: {entry.detail}"}
    if entry.model is None:
        return told
    try:
        network = Network(entry.model, Wish(device="cpu"))
        network.warm_up()
        network.session.close()
    except VisageError as exc:
        return {**told, "detail": exc.message}
    return {**told, "ok": True, "detail": f"{entry.detail}, {words('computes', '可以计算')}"}


def _import(choice: argparse.Namespace, paths: FacePaths) -> int:
    for source in choice.what:
        if not source.exists():
            raise NotFound("There is no file {name}.", code="faces.no_such_file", hint="Check the path.",
                           name=str(source))
    licences = {name: licence for source in choice.what for name, licence in _licences(source).items()}
    _ask(licences, choice)
    rows = [row for source in choice.what for row in _take(source, paths)]
    if choice.json:
        print(json.dumps({"ok": True, "models": rows}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(f" {_mark(True)} {row['name']}: {row['path']}  {row['detail']}" for row in rows))
    return 0


def _licences(source: Path) -> dict[str, str]:
    """Name and licence of every model in a file, folder or archive; raises as `files.load` for a bad single file."""
    known = table(TABLE)
    if source.is_dir():
        return {entry.path.name: _licence(entry.path, entry.model.spec.licence)
                for entry in files.scan(source) if entry.model}
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as packed:
            found = [(name, recognise(f"{source.stem}/{name}", known)) for name in packed.namelist()]
        return {Path(name).name: f"{one[0].licence.name} <{one[0].licence.url}>" for name, one in found if one}
    return {source.name: _licence(source, files.load(source).spec.licence)}


def _licence(path: Path, otherwise: str) -> str:
    one = recognise(str(path), table(TABLE))
    return f"{one[0].licence.name} <{one[0].licence.url}>" if one else otherwise


def _ask(licences: Mapping[str, str], choice: argparse.Namespace) -> None:
    """Show the licences; raises `InvalidRequest` unless they are accepted."""
    for name, licence in licences.items():
        print(f"{name}: {licence}", file=sys.stderr)
    if choice.accept_licence or not licences:
        return
    question = words("Do you accept these licences? [y/N] ", "您接受这些许可吗？[y/N] ")
    if sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes", "是"):
        return
    raise InvalidRequest("The licences of {files} were not accepted: {licences}.", code="faces.licence",
                         hint="Read them, then run it again with --accept-licence.", files=", ".join(licences),
                         licences="; ".join(sorted(set(licences.values()))))


def _take(source: Path, paths: FacePaths) -> list[dict[str, str]]:
    """Put models in their places: those of the table by name and checksum, other exports by their ports."""
    try:
        return [{"name": one.weight.name, "path": str(one.place), "detail": words("as published", "与发布的一致")}
                for one in take(paths, source, table(TABLE))]
    except BadMedia:
        if source.is_dir() or zipfile.is_zipfile(source):
            raise
    model = files.load(source)
    place = paths.folder / safe_name(source.name)
    part = place.with_name(place.name + ".new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, part)
        part.replace(place)
    except OSError as exc:
        raise from_os_error(exc) from exc
    finally:
        part.unlink(missing_ok=True)
    return [{"name": model.spec.kind, "path": str(place),
             "detail": words("not a published file; known by its ports", "不是已发布的文件；按接口识别")}]


def _mark(ok: bool, optional: bool = False) -> str:
    return paint("✓", "green") if ok else paint("–", "yellow") if optional else paint("✗", "red")


_VERBS: Mapping[str, Callable[[argparse.Namespace, FacePaths], int]] = {
    "list": _list, "import": _import, "verify": _verify}

if __name__ == "__main__":
    sys.exit(main())
