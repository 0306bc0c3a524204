"""Reports into files that are whole or not there, and results out of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from eval_metrics.report.compared import comparison_html
from eval_metrics.report.comparing import comparison_csv
from eval_metrics.report.plain import as_csv, as_json, series_csv
from eval_metrics.report.single import as_html
from visage.errors import DiskFull, InvalidRequest, NotFound, from_os_error

_LARGEST = 200_000_000
"""Bytes of a result file above which it is none."""


def write_reports(
    result: Mapping[str, Any], out_json: Path | None = None, out_csv: Path | None = None, out_html: Path | None = None
) -> list[Path]:
    """Write what is named and return the files; beside ``x.csv`` goes ``x.series.csv`` with the values over time.

    Raises `InvalidRequest` for a place that cannot be written, `DiskFull`.
    """
    texts: dict[Path, str] = {}
    if out_json:
        texts[Path(out_json)] = as_json(result) + "\n"
    if out_csv:
        texts[Path(out_csv)] = _marked(as_csv(result))
        texts[Path(out_csv).with_suffix(".series.csv")] = _marked(series_csv(result))
    if out_html:
        texts[Path(out_html)] = as_html(result)
    return [_write(path, text) for path, text in texts.items()]


def write_comparison(
    comparison: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]] = (),
    out_csv: Path | None = None,
    out_html: Path | None = None,
) -> list[Path]:
    """Write what is named and return the files.  Raises `InvalidRequest` for a place that cannot be written."""
    texts: dict[Path, str] = {}
    if out_csv:
        texts[Path(out_csv)] = _marked(comparison_csv(comparison))
    if out_html:
        texts[Path(out_html)] = comparison_html(comparison, results)
    return [_write(path, text) for path, text in texts.items()]


def read_result(path: Path) -> dict[str, Any]:
    """A result that was written as JSON.  Raises `NotFound`, and `InvalidRequest` for a file that holds none."""
    path = Path(path)
    if not path.is_file():
        raise NotFound(
            "There is no file {name}.",
            code="evaluation.result_missing",
            name=path.name,
            hint="Name the JSON file that an evaluation wrote with --out_json.",
        )
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        held = json.loads(path.read_text(encoding="utf-8-sig"))
        whole = isinstance(held["details"], dict) and all(
            isinstance(detail, dict) for detail in held["details"].values()
        )
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        whole = False
    if not whole:
        raise InvalidRequest(
            "{name} holds no result of an evaluation.",
            code="evaluation.result_unreadable",
            name=path.name,
            hint="Name the JSON file that an evaluation wrote with --out_json.",
        )
    return held


def _marked(text: str) -> str:
    """With the mark by which spreadsheets know UTF-8."""
    return "\ufeff" + text


def _write(path: Path, text: str) -> Path:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError as exc:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        failed = from_os_error(exc)
        if isinstance(failed, DiskFull):
            raise failed from exc
        raise InvalidRequest(
            "{name} cannot be written: {reason}.",
            code="evaluation.not_writable",
            name=path.name,
            reason=exc.strerror or str(exc),
            hint="Name another place, or give yourself the right to write there.",
        ) from exc
    return path
