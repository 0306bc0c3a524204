"""Evaluations: ask for one, list them, read their reports, compare several."""

from __future__ import annotations

from typing import Any

from flask import Response, send_file
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from backend import evaluator, measuring
from backend.forms import EvaluateForm
from visage.errors import InvalidRequest
from visage.storage.evaluations import REPORTS, Evaluation
from web import jobs
from web.visitor import owner, services

bp = APIBlueprint("evaluations", __name__, abp_tags=[Tag(name="evaluations")])
_MOST = 20
_ALONE = ("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
          "sandbox allow-scripts allow-modals allow-popups")
"""What a report may do: nothing but show itself."""


class EvaluationPath(BaseModel):
    """Part of the address."""

    evaluation_id: str


class ReportPath(EvaluationPath):
    """Part of the address."""

    ending: str = Field(description="html, csv or json")


class EvaluationQuery(BaseModel):
    """Filters of the list."""

    avatar: str = ""
    clip: str = ""
    limit: int = Field(50, ge=1, le=500)


class CompareQuery(BaseModel):
    """What is set side by side."""

    ids: str = Field(description="ids of evaluations, separated by commas")


def shown(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as docs/http-api.md has it."""
    address = f"/api/evaluations/{evaluation.id}"
    return {"id": evaluation.id, "job": evaluation.job, "title": evaluation.title, "pred": evaluation.pred,
            "truth": evaluation.truth or None, "region": evaluation.region, "avatar": evaluation.avatar or None,
            "clip": evaluation.clip or None, "figures": measuring.in_chinese_too(evaluation.figures),
            "facts": dict(evaluation.facts),
            "created": evaluation.created.isoformat(timespec="seconds"),
            "reports": {ending: f"{address}/report.{ending}" for ending in REPORTS}}


@bp.post("/api/jobs/evaluate")
def evaluate(body: EvaluateForm) -> tuple[dict[str, Any], int]:
    """Measure a clip, a pair or an avatar."""
    return jobs.shown(evaluator.submit(services(), body, owner())), 202


@bp.get("/api/evaluations")
def evaluations(query: EvaluationQuery) -> dict[str, Any]:
    """Finished evaluations, newest first."""
    found = services().evaluations.list(query.avatar or None, query.clip or None, query.limit)
    return {"evaluations": [shown(one) for one in found]}


@bp.get("/api/evaluations/compare")
def compare(query: CompareQuery) -> Response:
    """One page that sets several side by side."""
    ids = list(dict.fromkeys(part.strip() for part in query.ids.split(",") if part.strip()))
    if not 2 <= len(ids) <= _MOST:
        raise InvalidRequest("{count} evaluations cannot be compared: choose 2 to {most}.", code="evaluation.compare",
                             hint="Separate their ids by commas.", count=len(ids), most=_MOST)
    return _alone(Response(measuring.compared([services().evaluations.get(one) for one in ids],
                                              services().evaluations), mimetype="text/html"))


@bp.get("/api/evaluations/<evaluation_id>")
def one(path: EvaluationPath) -> dict[str, Any]:
    """One evaluation."""
    return shown(services().evaluations.get(path.evaluation_id))


@bp.delete("/api/evaluations/<evaluation_id>")
def forget(path: EvaluationPath) -> tuple[str, int]:
    """Delete it and its reports."""
    services().evaluations.delete(path.evaluation_id)
    return "", 204


@bp.get("/api/evaluations/<evaluation_id>/report.<ending>")
def report(path: ReportPath) -> Response:
    """A report: a page that needs nothing else, a table, or everything that was found."""
    file = services().evaluations.report(path.evaluation_id, path.ending)
    title = services().evaluations.get(path.evaluation_id).title
    answer = send_file(file, mimetype=REPORTS[path.ending], conditional=True, max_age=0,
                       as_attachment=path.ending == "csv", download_name=f"{title}.{path.ending}")
    return _alone(answer) if path.ending == "html" else answer


def _alone(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = _ALONE
    return answer
