"""Which clip is better: planted differences are found, equal clips stay equal, what is not alike is not compared."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eval_metrics.report import as_json, compare, comparison_csv, comparison_html
from tests.eval.report_results import detail, result, series
from visage.errors import InvalidRequest

ROOT = Path(__file__).resolve().parents[2]


def row(comparison: dict, key: str) -> dict:
    return next(each for each in comparison["rows"] if each["key"] == key)


def only(key: str, *details: dict) -> list[dict]:
    return [result(f"clip_{n}.mp4") | {"details": {key: each}} for n, each in enumerate(details)]


def test_the_better_of_three_is_marked_and_the_planted_difference_lies_in_its_interval() -> None:
    told = [result(f"clip_{n}.mp4", seed=10 * n, psnr=psnr) for n, psnr in enumerate((30.0, 34.0, 31.0))]
    comparison = compare(told)
    psnr = row(comparison, "psnr")
    assert psnr["best"] == 1
    first = next(pair for pair in psnr["pairs"] if (pair["first"], pair["second"]) == (0, 1))
    assert first["low"] <= -4 <= first["high"] < 0
    assert first["first_better"] < 0.01
    assert first["paired"] is True and first["frames"] == 250 and first["block"] > 1
    assert len(psnr["pairs"]) == 3
    assert row(comparison, "ssim")["best"] is None
    json.loads(as_json(comparison), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("better", "best"), [("higher", 1), ("lower", 0), ("nearer to 0", 0), ("nearer to 1", 1), ("", None)]
)
def test_the_direction_decides_which_is_best(better: str, best: int | None) -> None:
    low, high = (detail("X", series(250, mean, 0.05, seed), better=better) for mean, seed in ((0.2, 1), (0.9, 2)))
    found = row(compare(only("x", low, high)), "x")
    assert found["best"] == best
    assert found["pairs"][0]["first_better"] == pytest.approx({None: None, 0: 1.0, 1: 0.0}[best], abs=0.01)


def test_clips_measured_in_different_regions_have_no_winner() -> None:
    told = [result(f"clip_{n}.mp4", seed=10 * n, psnr=psnr) for n, psnr in enumerate((30.0, 34.0))]
    assert row(compare(told), "psnr")["best"] == 1
    apart = compare([told[0] | {"region": "mouth"}, told[1] | {"region": "face"}])
    assert row(apart, "psnr")["best"] is None
    assert row(apart, "psnr")["pairs"][0]["high"] < 0, "the difference is shown all the same"
    assert any("none is marked" in text for text in apart["warnings"])


def test_equal_clips_are_hardly_ever_called_better() -> None:
    wrong = sum(
        row(
            compare(
                only("x", *(detail("X", series(200, 5, 1, 1000 * n + m), better="higher") for m in range(2))),
                rounds=300,
            ),
            "x",
        )["best"]
        is not None
        for n in range(150)
    )
    assert wrong / 150 < 0.1


def test_one_clip_with_the_same_values_twice_is_not_better_than_itself() -> None:
    same = detail("X", series(100, 5, 1, 3), better="higher")
    found = row(compare(only("x", same, same)), "x")
    assert found["best"] is None
    assert found["pairs"][0]["difference"] == 0
    assert found["pairs"][0]["first_better"] == 0.5


def test_frames_are_paired_by_number_and_only_those_that_both_have() -> None:
    values = series(60, 5, 1, 3)
    first = detail("X", [*values[:50], *[None] * 10], better="higher")
    second = detail("X", [None if n % 2 else value and value - 1 for n, value in enumerate(values)], better="higher")
    sparse = detail("X", [value and value - 1 for value in values[::2]], better="higher", every=2)
    for other in (second, sparse):
        pair = row(compare(only("x", first, other)), "x")["pairs"][0]
        assert pair["frames"] == 25
        assert pair["difference"] == pytest.approx(1.0)
        assert pair["low"] == pytest.approx(1.0)
        assert pair["note"] == "The difference is that of the means over the frames in common."


def test_other_frame_rates_are_compared_without_pairs() -> None:
    told = [result("a.mp4"), result("b.mp4", psnr=40)]
    told[1]["pair"] = told[1]["pair"] | {"fps": 30.0}
    comparison = compare(told)
    assert row(comparison, "psnr")["pairs"][0]["paired"] is False
    assert row(comparison, "psnr")["best"] == 1
    assert comparison["warnings"] == ["The clips have different frame rates, so that frames are not paired."]


def test_what_is_not_alike_is_not_compared() -> None:
    ours, theirs = (
        detail("NIQE", series(100, mean, 0.1, 1), better="lower", weights={"name": name})
        for mean, name in ((5, "visage-1"), (9, "published"))
    )
    found = row(compare(only("niqe", ours, theirs)), "niqe")
    assert (found["best"], found["pairs"], found["note"]) == (
        None,
        [],
        "Not comparable: computed with different weights.",
    )


def test_a_figure_without_values_over_time_gets_a_difference_and_no_interval() -> None:
    found = row(compare(only("fid", *(detail("FID", value=value, better="lower") for value in (10.0, 90.0)))), "fid")
    pair = found["pairs"][0]
    assert (pair["difference"], pair["low"], pair["first_better"], found["best"]) == (-80.0, None, None, None)
    assert pair["note"] == "It has no values over time, so that no interval is known."
    absent = row(compare(only("fid", detail("FID", value=3.0), detail("FID", reason="No weights."))), "fid")
    assert absent["note"] == "Fewer than two clips have this figure."
    assert absent["values"][1]["reason"] == "No weights."
    few = row(compare(only("x", *(detail("X", series(9, n, 0.1, 1), better="lower") for n in range(2)))), "x")["pairs"][
        0
    ]
    assert few["low"] is None and few["note"].startswith("Fewer than 16 values")


def test_clips_of_one_name_are_told_apart_and_one_clip_is_no_comparison() -> None:
    comparison = compare([result(), result(region="face"), result(truth="other.mp4")])
    assert [clip["name"] for clip in comparison["clips"]] == ["generated.mp4", "generated.mp4 (2)", "generated.mp4 (3)"]
    assert len(comparison["warnings"]) == 2
    with pytest.raises(InvalidRequest) as failed:
        compare([result()])
    assert failed.value.code == "evaluation.compare_one"


def test_the_table_and_the_page_name_the_best_and_the_interval() -> None:
    told = [result(f"clip_{n}.mp4", seed=10 * n, psnr=30.0 + 4 * n) for n in range(3)]
    comparison = compare(told)
    table = list(csv.DictReader(io.StringIO(comparison_csv(comparison))))
    psnr = [each for each in table if each["key"] == "psnr"]
    assert len(psnr) == 3 and {each["best"] for each in psnr} == {"clip_2.mp4"}
    assert all(float(each["low"]) < float(each["difference"]) < float(each["high"]) for each in psnr)
    page = comparison_html(comparison, told)
    assert page.count('class="best"') == 1
    assert page.count("data-curve=") == 4
    assert page.count('class="interval good"') == 2


def test_the_command_line_compares_files(tmp_path: Path) -> None:
    for n in range(2):
        (tmp_path / f"r{n}.json").write_text(
            as_json(result("same.mp4", seed=10 * n, psnr=30 + 5 * n)), encoding="utf-8"
        )
    files = [str(tmp_path / f"r{n}.json") for n in range(2)]
    ran = run(*files, "--out_html", str(tmp_path / "c.html"), "--out_csv", str(tmp_path / "c.csv"), "--json")
    told = json.loads(ran.stdout)
    assert [clip["name"] for clip in told["clips"]] == ["r0", "r1"]
    assert row(told, "psnr")["best"] == 1
    assert (tmp_path / "c.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "c.csv").read_text(encoding="utf-8-sig").startswith("key,title")
    shown = run(*files, "--names", "before,after").stdout
    assert "PSNR (dB): before" in shown and "before minus after: -" in shown
    assert "*" in next(line for line in shown.splitlines() if line.startswith("PSNR")).split("after")[1]


def test_the_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    good = tmp_path / "a.json"
    good.write_text(as_json(result()), encoding="utf-8")
    missing = run(str(good), str(tmp_path / "b.json"), fails=True)
    assert missing.returncode == 2 and "There is no file b.json." in missing.stderr and not missing.stdout
    alone = run(str(good), fails=True)
    assert alone.returncode == 2 and "at least two" in alone.stderr


def run(*arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eval_metrics.compare", *arguments],
        cwd=ROOT,
        text=True,
        check=not fails,
        capture_output=True,
        timeout=120,
    )


def test_it_takes_ten_clips_in_seconds() -> None:
    told = [result(f"{n}.mp4", seed=n, count=500) for n in range(10)]
    comparison = compare(told)
    assert len(row(comparison, "psnr")["pairs"]) == 45
    assert np.isfinite([pair["low"] for pair in row(comparison, "psnr")["pairs"]]).all()
