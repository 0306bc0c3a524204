"""The documents say what is so: every setting, every link, every command."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr

from backend.services import open_services
from visage.config import Settings
from web import create_app

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*ROOT.parent.glob("README.md"), *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def meanings() -> dict[str, str]:
    """The docstring below each setting."""
    body = next(node for node in ast.parse((ROOT / "visage" / "config.py").read_text(encoding="utf-8")).body
                if isinstance(node, ast.ClassDef)).body
    return {field.target.id: text.value.value for field, text in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)}


def expected_row(name: str) -> str:
    field, alias = Settings.model_fields[name], Settings.model_fields[name].validation_alias
    variables = alias.choices if isinstance(alias, AliasChoices) else [f"VISAGE_{name.upper()}"]
    default = "`GENEFACE/`" if name == "home" else \
        "–" if isinstance(field.default, SecretStr) or field.default in ("", None) else f"`{field.default}`"
    names = ", ".join(f"`{variable}`" for variable in variables)
    return f"| {names} | {default} | {meanings()[name].replace('``', '`')} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_as_it_is(name: str) -> None:
    rows = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").splitlines()
    assert expected_row(name) in rows


def test_no_document_names_a_setting_that_is_not_there() -> None:
    known = {"VISAGE_" + name.upper() for name in Settings.model_fields}
    scripts = {"VISAGE_PYTHON", "VISAGE_TORCH_INDEX"}
    for file in DOCUMENTS:
        named = set(re.findall(r"VISAGE_[A-Z0-9_]*[A-Z0-9]", file.read_text(encoding="utf-8")))
        assert named <= known | scripts, file.name


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_leads_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)\)", file.read_text(encoding="utf-8")):
        if "://" not in target:
            there = file.parent / target
            named = [there, there.with_suffix(".md")]
            assert any(path.exists() for path in named), f"{file.name}: {target}"


def test_the_tree_of_the_architecture_is_the_one_on_disk() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = text[text.index("GENEFACE/\n"):text.index("## Three processes")]
    for line in tree.splitlines()[1:]:
        if line.startswith("    ├── ") or line.startswith("    └── "):
            for name in re.findall(r"[\w-]+/|\w+\.\w+", line.split("  ")[2] if "  " in line[8:] else line):
                made = name in {"var/", "model_cache/", "GeneFace-main/", "benchmarks/"}
                assert made or (ROOT / name).exists(), name


def test_the_readme_starts_with_two_commands_that_exist() -> None:
    readme = ROOT.parent / "README.md"
    if not readme.exists():
        pytest.skip("the product was copied without its README")
    commands = re.findall(r"^GENEFACE/(scripts/\w+)", readme.read_text(encoding="utf-8"), re.M)
    assert commands[:2] == ["scripts/run", "scripts/test"]
    assert all((ROOT / command).stat().st_mode & 0o111 for command in commands)


def test_every_route_of_the_api_is_documented() -> None:
    rules = {rule.rule for rule in create_app(open_services()).url_map.iter_rules()
             if rule.rule.startswith("/api/") and not rule.rule.endswith("/health")}
    told = re.sub(r"<\w+>", "<>", (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8"))
    assert len(rules) > 30
    for rule in sorted(rules):
        assert re.search(re.escape(re.sub(r"<\w+>", "<>", rule)) + r"(?![\w/])", told), rule
