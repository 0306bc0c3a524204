"""Weights from the command line: ``python -m backend.weights list|fetch|import|verify``; `scripts/weights` calls it.

Exit codes: 0 all is well, 1 something that is needed is missing or wrong, 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.terminal import columns, pad, paint, words
from visage.config import Settings, read_settings
from visage.engines.weights import Finding, Weight, find, look
from visage.engines.weights.check import verify
from visage.engines.weights.fetching import by_hand, fetch, mirrors
from visage.engines.weights.taking import take
from visage.errors import InvalidRequest, NotFound, VisageError
from visage.storage.paths import Paths

_TOLD_SECONDS = 0.5


def told(paths: Paths, weight: Weight, findings: Sequence[Finding] | None = None) -> dict[str, Any]:
    """A weight and how it was found (default: looked up now), as JSON-ready data."""
    found = look(paths, weight) if findings is None else findings
    return {"name": weight.name, "title": weight.title, "engine": weight.engine, "ok": all(one.ok for one in found),
            "needed_for": list(weight.needed_for), "optional": weight.optional, "fetch": weight.fetch,
            "licence": {"name": weight.licence.name, "url": weight.licence.url, "signed": weight.licence.signed},
            "page": weight.page, "note": weight.note, "size": _size(weight), "command": command(weight),
            "files": [{"path": str(one.place), "state": one.state, "detail": one.detail, "size": one.file.size,
                       "sha256": one.file.sha256} for one in found]}


def command(weight: Weight) -> str:
    """What brings a weight: a download, or the import of what a person downloaded."""
    return f"GENEFACE/scripts/weights {'fetch ' + weight.name if weight.fetch else 'import FILE'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns its exit code."""
    choice = _parser().parse_args(arguments)
    try:
        settings = read_settings()
        return _VERBS[choice.verb](choice, settings, Paths(settings.home.resolve()))
    except VisageError as exc:
        _complain(exc, choice.json)
        return 2 if isinstance(exc, InvalidRequest | NotFound) else 1
    except KeyboardInterrupt:
        print(words("Stopped; the same command goes on where it stopped.", "已停止；再次运行同一命令会继续。"),
              file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/weights",
                                     description="The files that engines need beside their code.")
    parser.add_argument("--from", dest="folder", type=Path, default=Path(), help=argparse.SUPPRESS)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|fetch|import|verify")
    helps = {"list": "what is needed, what is here, where the rest comes from and under which licence",
             "fetch": "download what may be downloaded; goes on where it stopped",
             "import": "put files, archives or folders that you downloaded where they belong",
             "verify": "read every file and compare its checksum"}
    for verb, text in helps.items():
        one = verbs.add_parser(verb, help=text, description=text)
        meta, count = ("PATH", "+") if verb == "import" else ("NAME", "*")
        one.add_argument("what", metavar=meta, nargs=count)
        one.add_argument("--engine", default="", help="only what this engine needs, e.g. GeneFace")
        one.add_argument("--json", action="store_true", help="one JSON object instead of text")
        if verb == "list":
            one.add_argument("--missing", action="store_true", help="only what is not here")
        if verb == "fetch":
            one.add_argument("--mirror", default="", metavar="URL",
                             help="ask there instead of the published hosts; {url} in it stands for the address")
            one.add_argument("--all", action="store_true", help="optional ones too")
    return parser


def _list(choice: argparse.Namespace, _: Settings, paths: Paths) -> int:
    rows = [told(paths, weight) for weight in find(choice.what, choice.engine)]
    needed = all(row["ok"] for row in rows if not row["optional"])
    shown = [row for row in rows if not (choice.missing and row["ok"])]
    _print(choice.json, needed, shown, _lines)
    return 0 if needed else 1


def _verify(choice: argparse.Namespace, _: Settings, paths: Paths) -> int:
    rows = []
    for weight in find(choice.what, choice.engine):
        with _Progress() as progress:
            found = verify(paths, weight, progress)
        rows.append(told(paths, weight, found))
    wrong = any(file["state"] == "wrong" for row in rows for file in row["files"])
    well = not wrong and all(row["ok"] for row in rows if not row["optional"])
    _print(choice.json, well, rows, lambda row: [
        f" {_mark(file['state'] in ('present', 'in the image'), row['optional'])} {file['path']}  "
        f"{file['state']}{': ' if file['detail'] else ''}{file['detail']}" for file in row["files"]])
    return 0 if well else 1


def _fetch(choice: argparse.Namespace, settings: Settings, paths: Paths) -> int:
    instead = mirrors(settings, choice.mirror)
    if not settings.online and not choice.mirror:
        raise InvalidRequest("VISAGE_ONLINE is false, so nothing is downloaded.", code="weights.offline",
                             hint="Name a mirror in your network with --mirror, or use scripts/weights import.")
    asked = [weight for weight in find(choice.what, choice.engine)
             if choice.what or choice.all or not weight.optional]
    failures: list[VisageError] = []
    came: list[str] = []
    for weight in asked:
        if all(found.ok for found in look(paths, weight)):
            continue
        try:
            if not weight.fetch:
                raise by_hand(paths, weight)
            with _Progress() as progress:
                came += [str(place) for place in fetch(paths, weight, instead, progress)]
        except VisageError as exc:
            failures.append(exc)
            _complain(exc, choice.json)
    if choice.json:
        print(json.dumps({"ok": not failures, "came": came, "errors": [exc.as_dict() for exc in failures]},
                         ensure_ascii=False, indent=2))
    elif not failures:
        print(words("All is here.", "全部就绪。"))
    return 1 if failures else 0


def _import(choice: argparse.Namespace, _: Settings, paths: Paths) -> int:
    among = find((), choice.engine)
    rows: list[dict[str, str]] = []
    for name in choice.what:
        with _Progress() as progress:
            taken = take(paths, choice.folder / name, among, progress)
        rows += [{"name": one.weight.name, "path": str(one.place), "source": one.source} for one in taken]
    _print(choice.json, True, rows, lambda row: [f" {_mark(True)} {row['name']}: {row['path']}"])
    return 0


_VERBS: Mapping[str, Callable[[argparse.Namespace, Settings, Paths], int]] = {
    "list": _list, "fetch": _fetch, "import": _import, "verify": _verify}


def _print(as_json: bool, ok: bool, rows: Sequence[Any], lines: Callable[[Any], Sequence[str]]) -> None:
    if as_json:
        print(json.dumps({"ok": ok, "weights": list(rows)}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(line for row in rows for line in lines(row)))


def _lines(row: Mapping[str, Any]) -> list[str]:
    size = f"{row['size'] / 1e6:.0f} MB" if row["size"] else words("size not published", "大小未公布")
    use = ", ".join(row["needed_for"]) + (words(" (optional)", "（可选）") if row["optional"] else "")
    mark, name = _mark(row["ok"], row["optional"]), paint(pad(row["name"], 16), "bold")
    lines = [f" {mark} {name} {row['title']} · {use} · {size}"]
    if row["ok"]:
        return lines
    indent = " " * 4
    lines.append(f"{indent}{words('licence', '许可')}: {row['licence']['name']} <{row['licence']['url']}>")
    lines.append(f"{indent}{words('from', '来源')}: {row['page']}")
    lines += [f"{indent}{file['state']}: {file['path']}" + (f" ({file['detail']})" if file["detail"] else "")
              for file in row["files"] if file["state"] in ("missing", "wrong")]
    if row["note"]:
        lines.append(indent + row["note"])
    return [*lines, indent + paint(f"→ {row['command']}", "dim")]


def _mark(ok: bool, optional: bool = False) -> str:
    return paint("✓", "green") if ok else paint("–", "yellow") if optional else paint("✗", "red")


def _size(weight: Weight) -> int | None:
    """Bytes of all files, as far as they are published."""
    return sum(file.size or file.about or 0 for file in weight.files) or None


def _complain(exc: VisageError, as_json: bool) -> None:
    print(json.dumps({"ok": False, **exc.as_dict()}) if as_json else f"{exc.message}\n  {exc.hint}", file=sys.stderr)


class _Progress:
    """One line on a terminal that shows how far a file is; a line every tenth of it elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._seen, self._at, self._width = ("", -1), 0.0, 0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)

    def __call__(self, name: str, done: int, total: int) -> None:
        """Take down that ``done`` of ``total`` bytes (0: unknown) of a file are there."""
        text = f"{name}  {done / 1e6:.0f}" + (f" / {total / 1e6:.0f} MB  {done / total:.0%}" if total else " MB")
        if self._terminal:
            if time.monotonic() - self._at > _TOLD_SECONDS:
                self._at = time.monotonic()
                print("\r" + text + " " * max(0, self._width - columns(text)), end="", file=sys.stderr, flush=True)
                self._width = columns(text)
            return
        step = (name, done * 10 // total if total else done >> 28)
        if step != self._seen:
            self._seen = step
            print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
