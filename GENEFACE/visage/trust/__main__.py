"""``python -m visage.trust``: is a file labelled; the log; agreements on unlabelled copies.

``verify FILE…`` ends with 0 when every file says, believably, that a machine made it, with 1 when one does not, with 2
when one cannot be read.  ``audit`` prints the log as JSON lines and ends with 1 when it was tampered with.  ``agree``
and ``disagree`` write down who wants exports without the mark that people see, and who no longer does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from visage.config import Settings, read_settings
from visage.errors import VisageError
from visage.storage.database import open_database, upgrade
from visage.storage.paths import Paths
from visage.trust.audit import Audit
from visage.trust.seals import Seals
from visage.trust.verifying import Verdict, examine

_WORDS = {"intact": "labelled, content as it was", "unbound": "labelled, but the label names no content",
          "changed": "label present, but the content is not the one that was labelled",
          "forged": "label present, but altered after it was sealed here", "missing": "label missing"}


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    told = _parser().parse_args(argv)
    settings = read_settings()
    commands: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
        "verify": _verify, "audit": _audit, "agree": _agree, "disagree": _disagree}
    try:
        return commands[told.command](told, settings)
    except VisageError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m visage.trust", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="say whether files are labelled as made by a machine")
    verify.add_argument("files", nargs="+", type=Path, metavar="FILE")
    verify.add_argument("--json", action="store_true", help="one JSON object a file and line")
    audit = commands.add_parser("audit", help="print the log as JSON lines")
    audit.add_argument("--out", type=Path, help="write it there instead")
    agree = commands.add_parser("agree", help="write down who agreed to exports without the visible and audible mark")
    agree.add_argument("--name", required=True, help="who asked for it and takes on the duty to label")
    agree.add_argument("--purpose", required=True, help="what for")
    commands.add_parser("disagree", help="end that agreement").add_argument("--name", required=True)
    return parser


def _verify(told: argparse.Namespace, settings: Settings) -> int:
    seals, worst = Seals(Paths(settings.home.resolve()).label_key), 0
    for file in told.files:
        try:
            verdict = examine(file, seals)
        except (VisageError, OSError) as exc:
            print(f"{file}: {exc}", file=sys.stderr)
            worst = 2
            continue
        worst = max(worst, 0 if verdict.labelled else 1)
        print(json.dumps({"file": str(file), **verdict.as_dict()}, ensure_ascii=False) if told.json
              else f"{file}: {_in_words(verdict)}")
    return worst


def _in_words(verdict: Verdict) -> str:
    words = _WORDS[verdict.state]
    if verdict.label:
        words += f"; by {verdict.label.producer or 'nobody named'}, number {verdict.label.made_as or 'none'}"
        words += "; sealed by this installation" if verdict.ours else ""
    if verdict.credential:
        words += f"; C2PA {verdict.credential.state}, {verdict.credential.issuer}"
    return words


def _log(settings: Settings) -> Audit:
    engine = open_database(settings.database_url or Paths(settings.home.resolve()).database)
    upgrade(engine)
    return Audit(engine, settings.audit_days)


def _audit(told: argparse.Namespace, settings: Settings) -> int:
    log = _log(settings)
    if told.out:
        with told.out.open("w", encoding="utf-8") as out:
            out.writelines(log.lines())
    else:
        sys.stdout.writelines(log.lines())
    broken = log.broken_at()
    if broken:
        print(f"The log was tampered with at entry {broken}.", file=sys.stderr)
    return 1 if broken else 0


def _agree(told: argparse.Namespace, settings: Settings) -> int:
    entry = _log(settings).note("unlabelled.agreed", told.name, purpose=told.purpose)
    print(f"Written down as entry {entry.number}; it holds for {settings.audit_days:g} days.")
    return 0


def _disagree(told: argparse.Namespace, settings: Settings) -> int:
    _log(settings).note("unlabelled.ended", told.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
