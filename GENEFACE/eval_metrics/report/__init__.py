"""What a result becomes: JSON, CSV, and a page that needs no network; several results become a comparison."""

from __future__ import annotations

from eval_metrics.report.compared import comparison_html
from eval_metrics.report.comparing import compare, comparison_csv
from eval_metrics.report.plain import as_csv, as_json, series_csv
from eval_metrics.report.single import as_html
from eval_metrics.report.worst import worst_frames
from eval_metrics.report.writing import write_comparison, write_reports

__all__ = [
    "as_csv",
    "as_html",
    "as_json",
    "compare",
    "comparison_csv",
    "comparison_html",
    "series_csv",
    "worst_frames",
    "write_comparison",
    "write_reports",
]
