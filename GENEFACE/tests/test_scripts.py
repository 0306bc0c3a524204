"""The scripts themselves, run on a copy of the product whose packages are toys from a local folder.

The copy lies in a folder with a space and Chinese letters, sees no package
server and starts from the bare interpreter: what a fresh clone goes through,
without its gigabytes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
Ran = subprocess.CompletedProcess[str]
SCRIPTS = ["run", "test", "check", "bench", "weights"]

SUPERVISOR = 'import os\nprint("started on", os.environ.get("VISAGE_HOST"), os.environ.get("VISAGE_PORT"))\n'
SERVICES = "def open_services(settings):\n    return settings\n"
TRAINER = """import json
from visage.storage.paths import Paths

def ensure_built_in(settings):
    folder = Paths(settings.home).avatars / "toy"
    folder.mkdir(parents=True)
    facts = dict(id="toy", name="Toy", engine="lite", kind="photo", created="", width=8, height=8, built_in=True)
    (folder / "manifest.json").write_text(json.dumps(facts))
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> None:
    """A wheel made by hand, so that the tests need no package server."""
    info = f"{name}-{version}.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    rows = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": rows}.items():
            archive.writestr(path, text)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product, small enough to be set up in seconds; its root folder."""
    root = tmp_path_factory.mktemp("clone") / "a b 中" / "GENEFACE"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "scripts", root / "scripts")
    shutil.copytree(ROOT / "visage", root / "visage", ignore=ignored)
    (root / "backend").mkdir()
    for name in ("__init__", "setup", "packages", "terminal"):
        shutil.copy(ROOT / "backend" / f"{name}.py", root / "backend")
    for name, text in {"supervisor": SUPERVISOR, "services": SERVICES, "model_trainer": TRAINER}.items():
        (root / "backend" / f"{name}.py").write_text(text)
    (root / "requirements.txt").write_text("toy>=1\n")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\noptional-dependencies = { test = ["toytest"] }\n')
    wheels = root.parent / "wheels"
    wheels.mkdir()
    wheel(wheels, "toy", "1.0", {"toy.py": ""})
    wheel(wheels, "toytest", "1.0", {"toytest.py": ""})
    wheel(wheels, "torch", "2.13.0+cpu", {"torch.py": "def zeros(n): return [0] * n\n"})
    wheel(wheels, "silero_vad", "6.2.3", {"silero_vad/__init__.py": "", "silero_vad/data/silero_vad.onnx": ""})
    # the last one lends the packages of the tests' own Python, as if requirements.txt had brought them
    wheel(wheels, "mediapipe", "0.10.21", {"mediapipe.py": "class solutions: face_mesh = 1\n",
                                           "lend.pth": sysconfig.get_paths()["purelib"] + "\n"})
    return root


def environment(root: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(root.parent), "PATH": "/usr/bin:/bin", "VISAGE_PYTHON": sys.executable, "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": (root.parent / "wheels").as_uri(), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1",
            "LANG": "C.UTF-8", **more}


def start(root: Path, script: str, *arguments: str, **more: str) -> Ran:
    return subprocess.run(["bash", str(root / "scripts" / script), *arguments], env=environment(root, **more), cwd="/",
                          capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def first_start(product: Path) -> Ran:
    return start(product, "run", "--host", "127.0.0.9", "--port", "5999")


@pytest.mark.slow
def test_the_first_start_sets_everything_up_and_says_so(product: Path, first_start: Ran) -> None:
    assert first_start.returncode == 0, first_start.stderr + first_start.stdout
    assert "[1/4]" in first_start.stdout
    assert "MB" in first_start.stdout, "the expected size is not told"
    assert first_start.stdout.endswith("started on 127.0.0.9 5999\n")
    assert (product / "var" / "avatars" / "toy" / "manifest.json").exists()
    assert json.loads((product / ".venv" / "visage.json").read_text())
    assert "Successfully installed toy" in (product / ".setup" / "setup.log").read_text()


@pytest.mark.slow
def test_the_second_start_is_quick_and_asks_no_server(product: Path, first_start: Ran) -> None:
    log = (product / ".setup" / "setup.log").stat().st_size
    begin = os.times()
    again = start(product, "run", "--setup-only", PIP_FIND_LINKS="/nowhere")
    spent = os.times().children_user - begin.children_user  # a busy machine does not make it longer
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert spent < 1.5
    assert (product / ".setup" / "setup.log").stat().st_size == log, "pip was called"


@pytest.mark.slow
def test_an_extra_is_added_once(product: Path, first_start: Ran) -> None:
    added = start(product, "run", "--setup-only", "--with", "test")
    assert "packages for test" in added.stdout, added.stderr
    assert start(product, "run", "--setup-only", "--with", "test").stdout == ""
    unknown = start(product, "run", "--setup-only", "--with", "nonsense")
    assert unknown.returncode == 1
    assert "There are: test." in unknown.stderr


@pytest.mark.slow
def test_two_at_once_wait_for_each_other(product: Path, first_start: Ran) -> None:
    (product / ".venv" / "visage.json").unlink()
    argv = ["bash", str(product / "scripts" / "run"), "--setup-only"]
    both = [subprocess.Popen(argv, env=environment(product), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate()[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert sum("[1/4]" in text for text in said) == 1, said


@pytest.mark.slow
def test_a_failing_step_tells_its_cause_and_cure(product: Path, first_start: Ran) -> None:
    needs = product / "requirements.txt"
    needs.write_text("toy>=1\nnot-there-at-all\n")
    failed = start(product, "run", "--setup-only")
    needs.write_text("toy>=1\n")
    assert failed.returncode == 1
    assert "not-there-at-all" in failed.stderr
    assert "PIP_INDEX_URL" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.slow
def test_it_goes_on_after_an_interruption(product: Path, first_start: Ran) -> None:
    packages = next((product / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "toy-1.0.dist-info" / "INSTALLER").unlink()
    (packages / "toy.py").unlink()
    (product / ".venv" / "visage.json").unlink()
    again = start(product, "run", "--setup-only")
    assert again.returncode == 0, again.stderr
    assert (packages / "toy.py").exists()


@pytest.fixture
def shims(tmp_path: Path) -> Path:
    """A folder with only scripts/run and a set-up that tells which Python it got; ``bin`` beside it goes on PATH."""
    root = tmp_path / "GENEFACE"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "run", root / "scripts")
    (root / "backend").mkdir()
    (root / "backend" / "setup.py").write_text("import os\nprint('picked', os.environ['SHIM'])\n")
    (tmp_path / "bin").mkdir()
    for name, body in {"python3.11": "exit 127", "python3.12": f"SHIM=python3.12 exec {sys.executable} \"$@\""}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return root


def test_a_python_that_only_pretends_is_passed_over(shims: Path) -> None:
    path = f"{shims.parent / 'bin'}:/usr/bin:/bin"
    picked = start(shims, "run", "--setup-only", PATH=path, VISAGE_PYTHON="")
    assert picked.stdout == "picked python3.12\n", picked.stderr


def test_a_named_python_that_does_not_fit_is_refused(shims: Path) -> None:
    refused = start(shims, "run", VISAGE_PYTHON="/bin/false")
    assert refused.returncode == 1
    assert "/bin/false is not a Python 3.10, 3.11 or 3.12" in refused.stderr


def test_options(product: Path) -> None:
    told = start(product, "run", "--help")
    assert told.returncode == 0
    assert "--setup-only" in told.stdout
    assert start(product, "run", "--nonsense").returncode == 2
    listed = start(product, "bench")
    assert listed.returncode == 2
    assert "usage" in listed.stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_one_screen(name: str) -> None:
    file = ROOT / "scripts" / name
    assert file.stat().st_mode & 0o111
    assert len(file.read_text().splitlines()) <= 60


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    files = [str(ROOT / "scripts" / name) for name in SCRIPTS]
    if (ROOT.parent / ".ci" / "run").exists():
        files.append(str(ROOT.parent / ".ci" / "run"))
    found = subprocess.run(["shellcheck", *files], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
