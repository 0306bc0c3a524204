"""What our two pipelines use of upstream's tree, read from the scripts themselves; and what a tree offers."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

SCRIPTS = Path(__file__).resolve().parents[2] / "GeneFace-main" / "scripts"
PIPELINES = ("train_pipeline.sh", "infer_pipeline.sh")
_PROGRAM = re.compile(r"^[\w./]*\w\.py$")
_STEP_OPTIONS = {"--total", "--bars", "--from", "--to", "--message", "--in", "--or"}
"""Options of python_step itself (steps.sh); each has a value."""


@dataclass
class Call:
    """One run of a program of upstream's, as a pipeline spells it."""

    script: str
    """Path below upstream's root."""
    flags: set[str]
    """Long options it is given."""
    config: str = ""
    """The configuration it is given, as spelled."""
    settings: dict[str, str] = field(default_factory=dict)
    """Keys of ``--hparams`` and their values as spelled."""


def calls(*names: str) -> list[Call]:
    """Every ``python_step`` of these pipelines, or of both; fails where one is spelled so that it cannot be read."""
    found = []
    for name in names or PIPELINES:
        text = (SCRIPTS / name).read_text()
        here = [_call(words) for words in _commands(text)]
        written = sum(len(re.findall(r"\bpython_step\b", line.partition("# ")[0])) for line in text.splitlines())
        assert len(here) == written, f"{name}: {written} calls of python_step, {len(here)} of them understood"
        found += here
    return found


def seen(log: str) -> list[Call]:
    """The runs of upstream's programs that a pipeline's log tells of."""
    lines = [shlex.split(line)[2:] for line in log.splitlines() if line.startswith("$ python ")]
    return [_call(words) for words in lines if not words[0].startswith("/")]


def shape(call: Call) -> tuple[str, frozenset[str], frozenset[str]]:
    """What a call is, whatever the person and the numbers."""
    return call.script, frozenset(call.flags), frozenset(call.settings)


def _commands(text: str) -> Iterator[list[str]]:
    """The words of every command ``python_step``; arithmetic becomes a number, a variable of settings its value."""
    joined = re.sub(r"\$\(\((?:[^()]|\([^()]*\))*\)\)", "0", text.replace("\\\n", " "))
    held = dict(re.findall(r"\b(\w+)=(\w+=\S+)", joined))
    for line in joined.splitlines():
        command = re.search(r"(?:^|[{;&|]\s*)python_step (.*)", line.strip())
        if command and not line.lstrip().startswith("#"):
            spelled = re.sub(r"\$(\w+),", lambda name: held.get(name.group(1), name.group(0)[:-1]) + ",",
                             command.group(1))
            yield shlex.split(spelled.rstrip("}").rstrip("; "), comments=True)


def _call(words: list[str]) -> Call:
    folder, rest = "", list(words)
    while rest[0] in _STEP_OPTIONS:
        if rest[0] == "--in":
            folder = rest[1] + "/"
        rest = rest[2:]
    assert _PROGRAM.match(rest[0]), f"not a program: {words}"
    call = Call(folder + rest[0], set())
    for word in rest[1:]:
        flag, _, value = word.partition("=")
        assert flag.startswith("--"), f"{call.script}: {word} is no option with its value behind ="
        call.flags.add(flag)
        if flag == "--config":
            call.config = value
        elif flag == "--hparams":
            call.settings = dict(setting.split("=", 1) for setting in value.split(","))
    return call


def options_of(script: Path, root: Path) -> set[str]:
    """Long options that a program declares, or the settings that it reads them through."""
    settings = root / "utils" / "commons" / "hparams.py"
    loaded = imported(root, script.relative_to(root).as_posix())
    if (root / "utils" / "stand_in.py").exists():
        # its inference programs compare the words that they are given with those that they know
        return {node.value for file in loaded for node in ast.walk(_parsed(file)) if isinstance(node, ast.Constant)
                and isinstance(node.value, str) and node.value.startswith("--")}
    return _declared(script) | (_declared(settings) if settings in loaded else set())


def _parsed(file: Path) -> ast.Module:
    with warnings.catch_warnings():
        # how upstream spells its regular expressions is its own affair
        warnings.simplefilter("ignore")
        return ast.parse(file.read_text(encoding="utf-8"))


def _declared(file: Path) -> set[str]:
    tree = _parsed(file)
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"]
    return {word.value for node in asked for word in node.args
             if isinstance(word, ast.Constant) and str(word.value).startswith("--")}


def chain(root: Path, name: str) -> dict:
    """A configuration of a tree with all that it builds on."""
    own = yaml.safe_load((root / name).read_text(encoding="utf-8")) or {}
    found: dict = {}
    bases = own.get("base_config", [])
    for base in bases if isinstance(bases, list) else [bases]:
        path = (Path(name).parent / base).as_posix() if base.startswith(".") else base
        found.update(chain(root, path))
    return {**found, **own}


def imported(root: Path, script: str, seen: dict[Path, set[str]] | None = None) -> dict[Path, set[str]]:
    """Files of the tree that running ``script`` loads, each with the packages from elsewhere that it needs to load.

    Imports within functions or ``try`` may fail and are not counted.
    """
    seen = {} if seen is None else seen
    file = root / script
    if file in seen:
        return seen
    seen[file] = set()
    for module, level in _unconditional(_parsed(file)):
        base = file.parents[level - 1] if level else root
        inside = _inside(base, module) or (None if level else _inside(file.parent, module))
        if inside:
            imported(root, inside.relative_to(root).as_posix(), seen)
        elif not level and not (root / module.split(".")[0]).is_dir():
            seen[file].add(module.split(".")[0])
    return seen


def _unconditional(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = f"{node.module}." if node.module else ""
            yield from ((start + alias.name, node.level) for alias in node.names)


def _inside(base: Path, module: str) -> Path | None:
    """The file of the longest part of a module's name that is one."""
    parts = module.split(".")
    for count in range(len(parts), 0, -1):
        place = base.joinpath(*parts[:count])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.exists():
                return file
    return None


def copied() -> set[str]:
    """Folders of upstream's tree that a run gets (steps.sh)."""
    text = (SCRIPTS / "steps.sh").read_text()
    found = re.search(r"copy_code\(\) \{.*?for name in ([\w ]+); do", text, re.S)
    assert found, "steps.sh copies nothing"
    return set(found.group(1).split())


def number(name: str) -> int:
    """A constant of the training pipeline."""
    found = re.search(rf"^{name}=(\d+)$", (SCRIPTS / "train_pipeline.sh").read_text(), re.M)
    assert found, name
    return int(found.group(1))
