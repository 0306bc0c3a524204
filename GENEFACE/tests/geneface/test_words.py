"""Every error that a pipeline can tell has its Chinese text, and every stage its words in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "GeneFace-main" / "scripts"
WORDS = {language: json.loads((ROOT / "static/i18n" / f"{language}.json").read_text(encoding="utf-8"))
         for language in ("zh", "en")}
SHELL = "\n".join(file.read_text(encoding="utf-8") for file in sorted(SCRIPTS.glob("*.sh")))
PYTHON = "\n".join(file.read_text(encoding="utf-8") for file in sorted(SCRIPTS.glob("*.py")))
CODES = {*re.findall(r"\bfail ([a-z_]+) [0-9]", SHELL), *re.findall(r"fail ([a-z_]+) \"\$", SHELL),
         *re.findall(r"--or ([a-z_]+)", SHELL), *re.findall(r"Unfit\(\"([a-z_]+)\"", PYTHON),
         *re.findall(r"\"geneface\.([a-z_]+)\"", PYTHON), "gpu_memory", "offline"}
STAGES = {name for plan in re.findall(r"\bplan ((?:[^\n]*\\\n)*[^\n]*)", SHELL)
          for name in re.findall(r"\b([a-z_]+):", plan)}


def test_the_lists_are_read_from_the_scripts() -> None:
    assert {"step_failed", "video_no_face", "weight_missing", "gpu"} <= CODES
    assert {"landmarks", "head", "torso", "render", "join"} <= STAGES


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_error_has_its_chinese_text(code: str) -> None:
    told = WORDS["zh"]["errors"].get(f"geneface.{code}")
    assert told, f"geneface.{code} has no Chinese text"
    assert re.search(r"[\u4e00-\u9fff]", told["message"] + told["hint"])


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_a_stage_has_words(stage: str) -> None:
    for words in WORDS.values():
        assert words.get(f"stage.{stage}"), f"stage.{stage}"
