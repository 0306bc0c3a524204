"""Imports point down (docs/architecture.md): this reads every import statement and holds the walls."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("visage", "backend", "web", "eval_metrics")
CODE = [file for folder in PACKAGES for file in sorted((ROOT / folder).rglob("*.py"))]
CODE += [ROOT / name for name in ("app.py", "tts_server.py") if (ROOT / name).exists()]

LAYER = {
    "visage.types": 0, "visage.errors": 0, "visage.config": 0, "visage.heaps": 0,
    "visage.drivers": 1, "visage.media": 1, "visage.storage": 1, "visage.containers": 1, "visage.faces": 1,
    "visage.trust": 1,
    "visage.vad": 2, "visage.asr": 2, "visage.llm": 2, "visage.tts": 2, "visage.engines": 2, "visage.swap": 2,
    "visage.pictures": 2, "visage.jobs": 2,
    "visage.dialogue": 3, "eval_metrics": 3,
    "backend": 4, "web": 5, "app": 6, "tts_server": 6,
}
FREE_SIDEWAYS = {"visage.types", "visage.errors", "visage.config", "visage.media", "visage.drivers", "visage.storage"}
"""Neighbours that others of their own layer may use."""
BANNED = {"utils", "helpers", "common", "manager", "base", "misc"}


def unit(module: str) -> str | None:
    """The longest prefix of a module name that is a row of the table."""
    parts = module.split(".")
    return next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in LAYER), None)


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the layer"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("file", CODE, ids=name_of)
def test_imports_point_down(file: Path) -> None:
    here = unit(name_of(file))
    if here is None:
        return
    for module in imports(file):
        there = unit(module)
        if there is None or there == here:
            continue
        assert LAYER[there] < LAYER[here] or (LAYER[there] == LAYER[here] and there in FREE_SIDEWAYS), \
            f"{name_of(file)} (layer {LAYER[here]}) imports {module} (layer {LAYER[there]})"


@pytest.mark.parametrize("file", CODE, ids=name_of)
def test_files_and_functions_stay_small(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 300, f"{file.name} has more than 300 lines"
    assert not set(file.relative_to(ROOT).with_suffix("").parts) & BANNED, f"{file} has a name that says nothing"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            docstring = ast.get_docstring(node, clean=False)
            length -= docstring.count("\n") + 1 if docstring else 0
            assert length <= 40, f"{file.name}: {node.name} has {length} lines"


def test_dialogue_sees_contracts_only() -> None:
    for file in (ROOT / "visage" / "dialogue").rglob("*.py"):
        for module in imports(file):
            parts = module.split(".")
            if parts[:1] == ["visage"] and parts[1] in {"asr", "llm", "tts", "engines", "vad", "swap"}:
                assert "contract" in parts, f"{file.name} imports {module}"


def test_foundation_needs_only_the_standard_library() -> None:
    allowed = sys.stdlib_module_names | {"visage", "numpy", "pydantic", "pydantic_settings"}
    for name in ("types", "errors", "config", "drivers"):
        for module in imports(ROOT / "visage" / f"{name}.py"):
            assert module.split(".")[0] in allowed, f"visage/{name}.py imports {module}"
