"""The words of the pages: complete in both languages, and every error of the source has its Chinese text."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import pytest

from tests.web.error_words import ROOT, Words, collect, placeholders
from visage.errors import InvalidRequest
from web.words import texts

ZH, EN = texts("zh"), texts("en")
PAGES = [*sorted((ROOT / "templates").glob("*.html")), *sorted((ROOT / "static" / "js").glob("*.js"))]
KEY = re.compile(r'"([a-z_]+\.[a-z_]+)"')
DYNAMIC = re.compile(r"\bt(?:Or)?\(`([a-z_]+)\.\$")


def by_code() -> dict[str, list[Words]]:
    found = defaultdict(list)
    for words in collect():
        found[words.code].append(words)
    return found


ERRORS = by_code()


def plain(words: dict) -> dict[str, str]:
    return {key: text for key, text in words.items() if isinstance(text, str)}


def test_both_languages_have_the_same_keys() -> None:
    assert plain(ZH).keys() == plain(EN).keys()
    assert all(plain(ZH).values())
    assert all(plain(EN).values())


def test_placeholders_are_the_same_in_both_languages() -> None:
    for key, text in plain(EN).items():
        assert placeholders(text) == placeholders(ZH[key]), key


def test_chinese_is_chinese() -> None:
    """Half-width punctuation between Chinese characters is a slip."""
    for key, text in plain(ZH).items():
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]", text), key


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_word_that_a_page_names_exists(file) -> None:
    known = plain(EN).keys() | EN["errors"].keys()
    text = file.read_text(encoding="utf-8")
    sections = {key.split(".")[0] for key in known}
    for key in KEY.findall(text):
        if key.split(".")[0] in sections:
            assert key in known, f"{file.name} names {key}"
    for section in DYNAMIC.findall(text):
        assert section in sections, f"{file.name} names {section}.*"


def test_no_word_is_left_over() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in PAGES)
    dynamic = {"needs", "stage", "language", "gender", "engine", "engine_summary", "fact", "bar", "home", "job", "llm",
               "timing", "talk", "health", "train", "create", "stage_evaluate", "stage_film", "live_state", "live_hint",
               "live_stage", "keep", "verdict", "quality", "quality_summary", "swap", "stage_swap", "verify"}
    for key in plain(EN):
        assert f'"{key}"' in text or key.split(".")[0] in dynamic or key.endswith(".tab"), f"nobody shows {key}"


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_has_its_chinese_text(code: str) -> None:
    told = ZH["errors"].get(code)
    assert told, f"{code} ({ERRORS[code][0].where}) has no Chinese text in static/i18n/zh.json"
    messages = [words.message for words in ERRORS[code] if words.message is not None]
    hints = [words.hint for words in ERRORS[code]]
    if messages:
        assert placeholders(told["message"]) == set.intersection(*map(placeholders, messages)), told["message"]
    if all(hint for hint in hints):
        assert "hint" in told, f"{code} has no Chinese hint"
        assert placeholders(told["hint"]) <= set.intersection(*map(placeholders, hints)), told["hint"]


@pytest.mark.parametrize("code", sorted(EN["errors"].keys() & ERRORS.keys()))
def test_english_texts_are_those_of_the_source(code: str) -> None:
    told = EN["errors"][code]
    assert {told["message"]} == {words.message for words in ERRORS[code]}
    if "hint" in told:
        assert {told["hint"]} == {words.hint for words in ERRORS[code]}


def test_page_errors_are_in_both_languages() -> None:
    own = {code for code in ZH["errors"] if code.startswith("page.")}
    assert own == {code for code in EN["errors"] if code.startswith("page.")}
    named = {key for file in PAGES for key in re.findall(r'"(page\.[a-z_]+)"', file.read_text(encoding="utf-8"))}
    assert named == own


def test_an_error_fills_its_chinese_template() -> None:
    error = InvalidRequest("There is no setting {name}.", code="setting.unknown", name="VISAGE_PROT")
    assert "VISAGE_PROT" in ZH["errors"][error.code]["message"].format_map(error.params)


def test_files_are_plain_json_in_utf8() -> None:
    for name in ("zh", "en"):
        raw = (ROOT / "static" / "i18n" / f"{name}.json").read_bytes()
        assert json.loads(raw.decode("utf-8"))["errors"]
