"""Reports as files: JSON that every parser reads, CSV that no spreadsheet runs, pages that hold whatever they show."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from eval_metrics.report import as_csv, as_html, as_json, compare, comparison_html, series_csv, write_reports
from eval_metrics.report.curves import Line, chart, thinned
from eval_metrics.report.markup import translated, words
from eval_metrics.report.numbers import figure, plain, size, spread
from eval_metrics.report.writing import read_result
from tests.eval.report_results import SIX, detail, result
from visage.errors import InvalidRequest, NotFound

EVIL = "<script>alert(\"x\")</script> & '{name}'"
CODE = Path(__file__).resolve().parents[2] / "eval_metrics"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class Tree(HTMLParser):
    """Elements, attributes and visible text of a page; complains about tags that do not match."""

    empty = ("meta", "img", "br", "path", "circle", "rect", "line", "stop")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.empty:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


def test_json_has_neither_nan_nor_infinity_and_keeps_chinese() -> None:
    told = result(pred="张三.mp4")
    told["details"]["psnr"]["series"][3] = float("nan")
    told["details"]["psnr"]["value"] = float("inf")
    told["pair"]["matrix"] = np.array([[1.5, np.nan]], np.float32)
    text = as_json(told)
    read = json.loads(text, parse_constant=pytest.fail)
    assert read["details"]["psnr"]["series"][3] is None
    assert read["details"]["psnr"]["value"] is None
    assert read["pair"]["matrix"] == [[1.5, None]]
    assert "张三.mp4" in text
    assert list(read)[:6] == list(SIX)


def test_csv_has_a_row_a_figure_the_six_first() -> None:
    told = result()
    table = rows(as_csv(told))
    assert [row["key"] for row in table][:6] == list(SIX)
    assert len(table) == len(told["details"])
    psnr = next(row for row in table if row["key"] == "psnr")
    assert float(psnr["value"]) == pytest.approx(told["psnr"])
    assert json.loads(psnr["parameters"]) == {"peak": 255}
    fid = next(row for row in table if row["key"] == "fid")
    assert (fid["value"], fid["remedy"]) == ("", "scripts/weights inception")


def test_values_over_time_stand_at_their_frames() -> None:
    told = result(count=20)
    told["details"]["niqe"] |= {"every": 5, "series": [4.0, float("nan"), 6.0, 7.0]}
    table = rows(series_csv(told))
    assert [row["frame"] for row in table] == [str(n) for n in range(20)]
    assert float(table[7]["time_s"]) == pytest.approx(0.28)
    assert [row["niqe"] for row in table if row["niqe"]] == ["4", "6", "7"]
    assert (table[0]["niqe"], table[5]["niqe"], table[10]["niqe"]) == ("4", "", "6")
    assert float(table[19]["psnr"]) == pytest.approx(told["details"]["psnr"]["series"][19])


@pytest.mark.parametrize("begin", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula_but_numbers_stay_numbers(begin: str) -> None:
    told = result()
    told["details"]["psnr"] |= {"title": begin, "value": -3.5, "note": begin}
    row = next(row for row in rows(as_csv(told)) if row["key"] == "psnr")
    assert row["title"] == "'" + begin
    assert row["note"] == "'" + begin
    assert row["value"] == "-3.5"


def test_names_from_files_are_text_and_never_markup() -> None:
    told = result(pred=EVIL, truth=EVIL, warnings=[EVIL], region=EVIL)
    for each in told["details"].values():
        each |= {"title": EVIL, "unit": EVIL, "note": EVIL, "reason": EVIL, "remedy": EVIL, "parameters": {EVIL: EVIL}}
    told["worst"] = [{"key": "psnr", "index": EVIL, "time": 1.0, "value": 3.0, "pred": "javascript:alert(1)"}]
    told["pair"]["made up"] = EVIL
    for text in (as_html(told), comparison_html(compare([told, told], [EVIL, EVIL]), [told, told])):
        tree = Tree(text)
        assert sum(tag == "script" for tag, _ in tree.seen) == 1
        assert not any(name.startswith("on") for _, attributes in tree.seen for name in attributes)
        assert 'alert("x")' in tree.text
        assert not any("javascript:" in (value or "") for _, attributes in tree.seen for value in attributes.values())


def test_a_page_asks_for_nothing_and_lets_only_its_own_code_run() -> None:
    text = as_html(result())
    tree = Tree(text)
    for tag, attributes in tree.seen:
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
        assert "style" not in attributes
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org)", text)
    policy = next(each["content"] for tag, each in tree.seen if each.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_what_is_null_says_why_and_how_to_mend_it_in_both_languages() -> None:
    told = result()
    told["details"]["lpips"] = detail("LPIPS", reason="The clip has no sound.", remedy="Use a clip with sound.")
    tree = Tree(as_html(told))
    for said in (
        "There are no Inception weights on this machine.",
        "scripts/weights inception",
        "The clip has no sound.",
        "视频没有声音。",
        "Use a clip with sound.",
        "请使用有声音的视频。",
    ):
        assert said in tree.text


def test_an_infinite_psnr_is_shown_as_such_and_not_as_missing() -> None:
    told = result()
    told["details"]["psnr"] |= {
        "value": None,
        "error": None,
        "series": [None] * 250,
        "note": "infinite: every frame equals the ground truth's, pixel by pixel",
    }
    tree = Tree(as_html(told))
    assert tree.text.count("∞") == 2
    absent = {each.get("data-key") for tag, each in tree.seen if tag == "li"}
    assert "fid" in absent and "psnr" not in absent


@pytest.mark.parametrize(
    "broken",
    [
        {"pair": {}},
        {"pair": {"fps": None, "offset": "late", "resampled": 3}},
        {"worst": None, "warnings": None},
        {"details": {}},
        {"pred": None, "product": None, "seconds": None},
        {"worst": [{}]},
    ],
    ids="-".join,
)
def test_a_result_with_gaps_still_gives_a_page(broken: dict) -> None:
    told = result() | broken
    assert Tree(as_html(told)).text
    assert as_csv(told)
    assert series_csv(told)


def test_every_word_is_there_in_both_languages_with_the_same_places() -> None:
    english, chinese = words()["en"], words()["zh"]
    assert english.keys() == chinese.keys()
    for key in english:
        assert set(re.findall(r"{(\w+)}", english[key])) == set(re.findall(r"{(\w+)}", chinese[key])), key
    for english_text, chinese_text in words()["sentences"].items():
        assert set(re.findall(r"{(\w+)}", chinese_text)) <= set(re.findall(r"{(\w+)}", english_text)), english_text


def spoken() -> Iterator[str]:
    """Every sentence and title that code of a metric can put into a result; whatever is filled in stands as X."""
    for file in sorted(CODE.rglob("*.py")):
        if "report" in file.relative_to(CODE).parts or file.name in ("compare.py", "evaluate.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                held = [key.value for key in node.keywords if key.arg in ("reason", "remedy", "note", "title")]
                if any(key.arg == "code" for key in node.keywords):
                    held += [*node.args[:1], *(key.value for key in node.keywords if key.arg == "hint")]
                yield from filter(None, map(written, held))


def written(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"{[^}]*}", "X", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    return ""


@pytest.mark.parametrize("text", sorted(set(spoken())))
def test_whatever_a_metric_says_is_there_in_chinese(text: str) -> None:
    fails_the_whole_run = {
        "Stride and number of frames must be at least 1.",
        "There is no region X; there are: X.",
        "Choose one of these.",
        "Leave them out to measure every frame.",
        "Stopped.",
    }
    names_or_commands = re.fullmatch(r"[A-Z-]+|--[\w ]+|X(: X)?", text)
    assert names_or_commands or text in fails_the_whole_run or translated(text) is not None


def test_sentences_with_values_in_them_are_translated_with_those() -> None:
    assert translated("FID needs two frames and more; there are 1.") == "FID 至少需要两帧；现有 1 帧。"
    assert (
        translated(
            "Parameter set visage-1: compare only with figures of this set. "
            "For figures as papers give them: GENEFACE/scripts/weights fetch niqe."
        )
        == "参数集 visage-1：只能与同一参数集的数值比较。要得到论文所用的数值：GENEFACE/scripts/weights fetch niqe。"
    )
    assert translated("Nobody ever said this.") is None


@pytest.mark.parametrize(
    ("value", "error", "text", "spread_text"),
    [
        (31.23456, 0.2134, "31.23", "±\u00a00.21"),
        (0.93214, 0.00123, "0.9321", "±\u00a00.0012"),
        (5.0, None, "5", ""),
        (1234.5678, 120.0, "1235", "±\u00a0120"),
        (-0.5, None, "−0.5", ""),
        (None, None, "–", ""),
        (3.5e-15, None, "0", ""),
        (2.48, None, "2.48", ""),
        (1e-6, None, "1e−06", ""),
    ],
)
def test_digits_follow_from_the_error(value: float | None, error: float | None, text: str, spread_text: str) -> None:
    assert figure(value, error) == text
    assert spread(error) == spread_text


def test_data_are_written_short() -> None:
    assert plain([512, 384]) == "512, 384"
    assert size(512, 384) == "512\u00a0×\u00a0384"
    assert plain(list(range(61))) == "0, 1, 2, 3 … (61)"
    assert plain({"a": True, "b": -1.25}) == "a ✓, b −1.25"


def test_a_long_curve_is_thinned_but_keeps_its_worst_moment_and_its_gaps() -> None:
    values: list[float | None] = [float(np.sin(n / 50)) for n in range(15_000)]
    values[7003] = -9.0
    values[9000:9100] = [None] * 100
    line = Line("x", [n / 25 for n in range(15_000)], values)
    kept = thinned(line)
    assert len(kept) <= 1300
    assert (7003 / 25, -9.0) in kept
    assert None in [value for _, value in kept]
    assert len(chart([line])) < 80_000


def test_files_are_written_whole_and_read_again(tmp_path: Path) -> None:
    told = result()
    files = write_reports(told, tmp_path / "a" / "r.json", tmp_path / "a" / "r.csv", tmp_path / "a" / "r.html")
    assert sorted(file.name for file in files) == ["r.csv", "r.html", "r.json", "r.series.csv"]
    assert sorted(file.name for file in (tmp_path / "a").iterdir()) == ["r.csv", "r.html", "r.json", "r.series.csv"]
    assert read_result(tmp_path / "a" / "r.json")["psnr"] == pytest.approx(told["psnr"])
    assert (tmp_path / "a" / "r.csv").read_bytes().startswith(b"\xef\xbb\xbfkey,title")


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    with pytest.raises(InvalidRequest) as failed:
        write_reports(result(), out_html=tmp_path / "r.html")
    assert failed.value.code == "evaluation.not_writable"
    assert "r.html" in failed.value.message
    assert [file.name for file in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "{}", '{"details": {"psnr": 3}}', '{"details": []}', "not JSON", "[" * 5000]
)
def test_what_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest) as failed:
        read_result(tmp_path / "x.json")
    assert failed.value.code == "evaluation.result_unreadable"
    with pytest.raises(NotFound):
        read_result(tmp_path / "y.json")
