"""Measuring a pair of videos, and the reports of what was found."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from backend.forms import EvaluateForm
from backend.services import Services
from visage.errors import OutputInvalid
from visage.storage.evaluations import Evaluation, Evaluations
from visage.types import Report

KEYS = ("niqe", "psnr", "ssim", "fid", "lse_c", "lse_d")
"""The figures that every report begins with."""
_SAID = ("title", "unit", "reason", "remedy", "note")
_KEPT = ("title", "value", "unit", "better", "error", "frames", "reason", "remedy", "note")


def measure(services: Services, pred: Path, truth: Path | None, region: str, form: EvaluateForm, report: Report
            ) -> dict[str, Any]:
    """What is found of a pair, its worst frames included (docs/evaluation.md).  Raises what makes it impossible."""
    from eval_metrics.contract import Options
    from eval_metrics.evaluation import EvaluationRequest, evaluate
    from eval_metrics.report import worst_frames

    options = Options(models=services.paths.models, online=services.settings.online)
    result = evaluate(EvaluationRequest(pred=pred, truth=truth, region=region, stride=form.stride,
                                        max_frames=form.max_frames or None, options=options), report)
    return {**result, "worst": worst_frames(result, pred, truth)}


def write_reports(result: Mapping[str, Any], folder: Path) -> None:
    """Write ``report.json``, ``report.csv`` and ``report.html`` of a result into a fresh folder."""
    from eval_metrics.report import write_reports as write

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write(result, folder / "report.json", folder / "report.csv", folder / "report.html")


def compared(chosen: Sequence[Evaluation], kept: Evaluations) -> str:
    """One HTML page that sets several evaluations beside each other."""
    from eval_metrics.report import compare, comparison_html

    results = [json.loads(kept.report(one.id, "json").read_text(encoding="utf-8")) for one in chosen]
    several = len({one.region for one in chosen}) > 1
    names = [" · ".join([one.title, *([one.region] if several else []), f"{one.created:%Y-%m-%d %H:%M}"])
             for one in chosen]
    return comparison_html(compare(results, names), results)


def checked(folder: Path) -> dict[str, Any]:
    """The result as it was written, once all three reports can be read and something was measured.

    Raises `OutputInvalid` otherwise.
    """
    try:
        told = json.loads((folder / "report.json").read_text(encoding="utf-8"), parse_constant=_no_number)
        html = (folder / "report.html").read_text(encoding="utf-8").strip().lower()
        with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = sum(1 for _ in csv.reader(file))
        whole = html.startswith("<!doctype html") and html.endswith("</html>") and lines > len(KEYS)
        whole = whole and list(told)[:len(KEYS)] == list(KEYS) and set(KEYS) <= told["details"].keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as exc:
        raise _not_whole(folder) from exc
    if not whole:
        raise _not_whole(folder)
    if all(one["value"] is None and not one.get("note") for one in told["details"].values()):
        reasons = [one.get("reason", "") for one in told["details"].values() if one.get("reason")]
        raise OutputInvalid("Nothing could be measured: {reason}", code="evaluate.nothing_measured",
                            hint="Use a video of a speaking face.", reason=reasons[0] if reasons else "-")
    return told


def summary(told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures of a result without curves: what lists and cards show."""
    return {key: {name: one[name] for name in _KEPT if one.get(name) not in ("", None) or name == "value"}
            for key, one in told["details"].items()}


def in_chinese_too(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures with ``zh``: what is said of each, in Chinese where that is known."""
    from eval_metrics.report.markup import translated

    def chinese(figure: Mapping[str, Any]) -> dict[str, str]:
        said = {name: translated(figure[name]) for name in _SAID if figure.get(name)}
        return {name: text for name, text in said.items() if text}

    return {key: {**figure, "zh": chinese(figure)} for key, figure in figures.items()}


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _not_whole(folder: Path) -> OutputInvalid:
    return OutputInvalid("The reports of the evaluation are not whole.", code="evaluate.report_invalid",
                         hint="Look at the log, then try again.", folder=folder.name)
