"""``python -m eval_metrics.compare a.json b.json …``: which of several clips is better, and how sure that is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval_metrics.report import as_json, compare
from eval_metrics.report.comparing import LEVEL, ROUNDS
from eval_metrics.report.numbers import figure
from eval_metrics.report.writing import read_result, write_comparison
from visage.errors import VisageError

_FAILED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table (or JSON), write what is asked for; 0 when done, 2 with a message when not."""
    asked = _parser().parse_args(argv)
    try:
        results = [read_result(file) for file in asked.results]
        comparison = compare(
            results, _names(asked.results, results, asked.names), asked.rounds, asked.level, asked.seed
        )
        written = write_comparison(comparison, results, asked.out_csv, asked.out_html)
    except VisageError as exc:
        print(f"{exc.message} {exc.hint}".strip(), file=sys.stderr)
        return _FAILED
    print(as_json(comparison) if asked.json else in_text(comparison))
    for file in written:
        print(f"wrote {file}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval_metrics.compare",
        description=("Compare evaluated clips: results written by eval_metrics.evaluate --out_json."),
    )
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULT.json", help="two or more results")
    parser.add_argument("--names", help="names of the clips, separated by commas; else their files' names")
    parser.add_argument("--out_html", type=Path, metavar="FILE", help="a page to look at, in one file")
    parser.add_argument("--out_csv", type=Path, metavar="FILE", help="a row for each figure and pair of clips")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--level", type=_level, default=LEVEL, help="of the intervals (default: %(default)s)")
    parser.add_argument("--rounds", type=_rounds, default=ROUNDS, help="of the bootstrap (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="start of chance (default: %(default)s)")
    return parser


def _level(text: str) -> float:
    level = float(text)
    if not 0.5 <= level < 1:
        raise argparse.ArgumentTypeError("a level lies between 0.5 and 1, e.g. 0.95")
    return level


def _rounds(text: str) -> int:
    rounds = int(text)
    if not 100 <= rounds <= 100_000:
        raise argparse.ArgumentTypeError("between 100 and 100000 rounds")
    return rounds


def _names(files: Sequence[Path], results: Sequence[Mapping[str, Any]], given: str | None) -> list[str]:
    """Names as given, else of the clips, else of the result files where clips share a name."""
    if given:
        names = [name.strip() for name in given.split(",")]
        return names + [file.stem for file in files[len(names) :]]
    clips = [Path(str(result.get("pred") or file.stem)).name for file, result in zip(files, results, strict=True)]
    return clips if len(set(clips)) == len(clips) else [file.stem for file in files]


def in_text(comparison: Mapping[str, Any]) -> str:
    """The table for a terminal: a line a figure, the best marked, then the differences from the first clip."""
    names = [clip["name"] for clip in comparison["clips"]]
    lines = [f"note: {warning}" for warning in comparison["warnings"]]
    for row in comparison["rows"]:
        shown = [
            f"{name} {figure(held['value'], held['error'])}{'*' if row['best'] == n else ''}"
            for n, (name, held) in enumerate(zip(names, row["values"], strict=True))
        ]
        lines.append(f"{row['title']}{f' ({unit})' if (unit := row['unit']) else ''}: " + "  ".join(shown))
        if row["note"]:
            lines.append(f"    {row['note']}")
        lines += [_pair_line(pair, names) for pair in row["pairs"]]
    lines.append(f"* better than every other clip by its {comparison['settings']['level']:.0%} interval")
    return "\n".join(lines)


def _pair_line(pair: Mapping[str, Any], names: Sequence[str]) -> str:
    who = f"    {names[pair['first']]} minus {names[pair['second']]}: "
    if pair["low"] is None:
        return who + (f"{pair['difference']:+.4g}, " if pair["difference"] is not None else "") + pair["note"]
    chance = f", better with {pair['first_better']:.1%}" if pair["first_better"] is not None else ""
    return who + f"{pair['difference']:+.4g} [{pair['low']:+.4g}, {pair['high']:+.4g}]{chance}"


if __name__ == "__main__":
    sys.exit(main())
