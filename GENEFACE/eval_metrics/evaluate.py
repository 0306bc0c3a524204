"""``python -m eval_metrics.evaluate --gt_video A --pred_video B``: the figures of a clip as JSON on stdout."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval_metrics import GIVES, METRICS
from eval_metrics.contract import Options
from eval_metrics.evaluation import EvaluationRequest, evaluate
from eval_metrics.region import REGIONS
from eval_metrics.result import measured
from visage.errors import BadMedia, InvalidRequest, NotFound, VisageError
from visage.heaps import share_heaps
from visage.types import Progress

_MEASURED, _FAILED, _ARGUMENTS, _INPUT = 0, 1, 2, 4
_CODES = """exit codes:
  0  something was measured; what was not is null in the JSON, with its reason
  1  nothing could be measured, or something else failed
  2  wrong arguments, or a place that cannot be written (said before the work begins)
  4  a video that is missing or cannot be used
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; JSON alone on stdout, everything else on stderr; see ``--help``."""
    asked = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        request = _request(asked)
        for place in (asked.out_json, asked.out_csv, asked.out_html):
            _check_writable(place)
        with contextlib.redirect_stdout(sys.stderr):
            result = evaluate(request, _Told())
            text = _reported(result, request, asked)
    except VisageError as exc:
        print(f"{exc.message} {exc.hint}".strip(), file=sys.stderr)
        return _code(exc)
    print(text)
    return _MEASURED if measured(result) else _FAILED


def _code(exc: VisageError) -> int:
    if isinstance(exc, BadMedia | NotFound):
        return _INPUT
    return _ARGUMENTS if isinstance(exc, InvalidRequest) else _FAILED


def _reported(result: dict[str, Any], request: EvaluationRequest, asked: argparse.Namespace) -> str:
    """Write the files that are asked for; the JSON."""
    from eval_metrics.report import as_json, worst_frames, write_reports
    if asked.out_html:
        result["worst"] = worst_frames(result, request.pred, request.truth)
    for file in write_reports(result, asked.out_json, asked.out_csv, asked.out_html):
        print(f"wrote {file}", file=sys.stderr)
    return as_json({**result, "worst": []})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval_metrics.evaluate", epilog=_CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure how good a talking-face clip is, alone or against the recording that it should equal.")
    parser.add_argument("--pred_video", required=True, type=Path, metavar="FILE", help="the clip to be measured")
    parser.add_argument("--gt_video", type=Path, metavar="FILE",
                        help="ground truth; without it the metrics that need none are computed")
    for kind, what in (("json", "the result, as on stdout"), ("csv", "a row for each figure"),
                       ("html", "a page to look at, in one file")):
        parser.add_argument(f"--out_{kind}", type=Path, metavar="FILE", help=what)
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="measure every N-th frame (default: 1); "
                        "what changes from frame to frame is still measured on all")
    parser.add_argument("--max_frames", type=int, metavar="N", help="measure N frames at most")
    parser.add_argument("--region", choices=REGIONS, default="full",
                        help="the whole picture, or a square round the face or mouth (default: full)")
    parser.add_argument("--metrics", default="all", metavar="NAMES",
                        help=f"separated by commas: all, {', '.join(METRICS)}, or a figure's key (default: all)")
    parser.add_argument("--offset", type=_offset, default=None, metavar="auto|SECONDS",
                        help="how much later the clip is than the ground truth (default: auto; 0: as they are)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="start of chance (default: 0)")
    parser.add_argument("--weights", action="append", default=[], type=_weights, metavar="NAME=FILE",
                        help="weights of a model, e.g. syncnet=FILE; may be given several times")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="where downloaded weights are (default: "
                        "model_cache of the product)")
    parser.add_argument("--offline", action="store_true", help="download nothing")
    return parser


def _request(asked: argparse.Namespace) -> EvaluationRequest:
    options = Options(dict(asked.weights), asked.models, not asked.offline, asked.seed)
    return EvaluationRequest(asked.pred_video, asked.gt_video, chosen(asked.metrics), asked.region, asked.stride,
                             asked.max_frames, asked.offset, options)


def chosen(text: str) -> tuple[str, ...]:
    """Names of metrics from names, keys of figures and ``all``, separated by commas.  An unknown word stays as it is,
    for `open_metrics` to refuse."""
    of_key = {key: name for name, keys in GIVES.items() for key in keys}
    names: list[str] = []
    for word in filter(None, (part.strip().lower() for part in text.split(","))):
        names += METRICS if word == "all" else [word if word in METRICS else of_key.get(word, word)]
    if not names:
        raise InvalidRequest("No metric was named.", code="evaluation.no_metric", hint="Use --metrics all.")
    return tuple(dict.fromkeys(names))


def _offset(text: str) -> float | None:
    return None if text == "auto" else float(text)


def _weights(text: str) -> tuple[str, Path]:
    name, sign, file = text.partition("=")
    if not sign or not name or not file:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE")
    return name, Path(file)


def _check_writable(place: Path | None) -> None:
    """Raise `InvalidRequest` when a file cannot be put there, before anything is computed."""
    if place is None:
        return
    try:
        if place.is_dir():
            raise IsADirectoryError(21, "it is a folder", str(place))
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place.parent):
            pass
    except OSError as exc:
        raise InvalidRequest("{name} cannot be written: {reason}.", code="evaluation.not_writable", name=place.name,
                             reason=exc.strerror or str(exc),
                             hint="Name another place, or give yourself the right to write there.") from exc


class _Told:
    """Progress on stderr: a line at every tenth of the work."""

    def __init__(self) -> None:
        self._tenth = -1

    def __call__(self, step: Progress) -> None:
        """Say how far it is when another tenth is done."""
        tenth = int(10 * step.fraction + 1e-6)
        if tenth > self._tenth:
            self._tenth = tenth
            print(f"{step.stage} {10 * tenth} %", file=sys.stderr, flush=True)


if __name__ == "__main__":
    share_heaps()
    sys.exit(main())
