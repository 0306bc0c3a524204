"""Collects every error the source can raise: its code, message template and hint template."""

from __future__ import annotations

import ast
import string
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("visage", "backend", "web", "eval_metrics")


@dataclass(frozen=True)
class Words:
    """One place that makes an error."""

    code: str
    message: str | None
    """None where the text is not a literal."""
    hint: str | None
    where: str


def placeholders(template: str) -> set[str]:
    """Names in ``{braces}``."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def collect(root: Path = ROOT) -> list[Words]:
    """Every call with a literal ``code="…"`` and every raise of a class that has its own, in all source files."""
    files = [file for folder in FOLDERS for file in sorted((root / folder).rglob("*.py"))]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    own = dict(pair for tree in trees.values() for pair in _own_codes(tree))
    found = []
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (words := _words(node, own, f"{file.relative_to(root)}:{node.lineno}")):
                found.append(words)
    return found


def _own_codes(tree: ast.AST) -> list[tuple[str, str]]:
    """``code = "…"`` of every class."""
    return [(node.name, line.value.value) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
            for line in node.body if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
            and getattr(line.targets[0], "id", "") == "code" and isinstance(line.value.value, str)]


def _words(call: ast.Call, own: dict[str, str], where: str) -> Words | None:
    given = {word.arg: word.value for word in call.keywords if word.arg}
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    code = _literal(given.get("code")) or (own.get(called) if "code" not in given else None)
    if not code or not (call.args or "message" in given):
        return None
    first = given.get("message") or call.args[0]
    if "code" not in given and _literal(first) is None:
        return None
    return Words(code, _literal(first), _literal(given.get("hint")) if "hint" in given else "", where)


def _literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
