"""Set-up: what it decides, and what it says when a step fails (the whole way is walked in tests/test_scripts.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend import packages, setup
from visage.errors import DiskFull, NotInstalled, ServiceUnreachable, ToolFailed
from visage.storage.catalog import Avatar, Catalog

ROOT = Path(__file__).resolve().parents[2]


def cause(text: str) -> Exception:
    return packages._cause(["pip"], text, Path("setup.log"))


@pytest.mark.parametrize(("said", "kind", "word"), [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", DiskFull, "disk"),
    ("ERROR: No matching distribution found for torch==2.13.0+cpu", NotInstalled, "torch==2.13.0+cpu"),
    ("Retrying after connection broken by 'NewConnectionError(': [Errno -3] Temporary failure in name resolution')\n"
     "ERROR: No matching distribution found for flask", ServiceUnreachable, "server"),
    ("error: externally-managed-environment", NotInstalled, "operating system"),
    ("ERROR: Failed building wheel for x", ToolFailed, "Failed building wheel"),
])
def test_a_failure_of_pip_is_named(said: str, kind: type[Exception], word: str) -> None:
    found = cause(said)
    assert type(found) is kind
    assert word in str(found)
    assert found.hint  # type: ignore[attr-defined]


def test_pip_really_failing_keeps_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    log = tmp_path / "logs" / "setup.log"
    with pytest.raises(NotInstalled, match="no-such-package-of-ours"):
        packages.pip_install("no-such-package-of-ours", log=log)
    assert "pip install" in log.read_text()


def test_a_package_server_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ServiceUnreachable) as caught:
        packages.pip_install("no-such-package-of-ours", "-i", "http://127.0.0.1:9/simple", log=tmp_path / "log")
    assert "PIP_INDEX_URL" in caught.value.hint


@pytest.mark.skipif(bool(packages.nvidia_gpu()) or sys.platform != "linux", reason="only where no GPU is seen")
def test_without_a_gpu_only_a_cpu_build_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "VISAGE_TORCH_INDEX": tmp_path.as_uri(),
                        "PIP_FIND_LINKS": tmp_path.as_uri(), "PIP_TARGET": str(tmp_path / "into")}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotInstalled) as caught:
        packages.install_torch(tmp_path / "log")
    assert "VISAGE_TORCH_INDEX" in caught.value.hint
    asked = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("$")]
    assert len(asked) == 2
    assert all(f"torch=={packages.TORCH}+cpu" in line for line in asked)


def test_a_python_without_venv_is_told_the_package_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    with pytest.raises(NotInstalled) as caught:
        setup.make_environment(tmp_path / "venv")
    assert caught.value.hint == f"sudo apt-get install python3.{sys.version_info.minor}-venv"


def test_a_failed_installation_of_venv_is_told_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    with pytest.raises(NotInstalled):
        setup.make_environment(tmp_path / "venv")


def test_half_installed_packages_are_forgotten(tmp_path: Path) -> None:
    whole, half = tmp_path / "a-1.dist-info", tmp_path / "b-1.dist-info"
    for folder in (whole, half):
        folder.mkdir()
        (folder / "METADATA").write_text("")
    (whole / "INSTALLER").write_text("pip\n")
    assert packages.drop_half_installed(tmp_path) == ["b-1.dist-info"]
    assert whole.exists()
    assert not half.exists()


def test_a_package_that_does_not_start_is_named() -> None:
    with pytest.raises(ToolFailed, match="No module named 'absent_one'"):
        packages.verify_import("import absent_one", "absent_one")


def test_nothing_is_done_where_nothing_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  capfd: pytest.CaptureFixture[str]) -> None:
    avatar = Avatar("x", "X", "lite", "photo", "2026-01-01T00:00:00+00:00", 8, 8, built_in=True)
    (tmp_path / "var" / "avatars" / "x").mkdir(parents=True)
    Catalog(tmp_path / "var" / "avatars", tmp_path).save(avatar)
    monkeypatch.setenv("VISAGE_HOME", str(tmp_path))
    begin = time.monotonic()
    setup.ensure()
    assert time.monotonic() - begin < 3
    assert capfd.readouterr().out == ""


def test_a_failure_ends_the_start_without_a_traceback(monkeypatch: pytest.MonkeyPatch,
                                                      capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VISAGE_PORTT", "1")
    with pytest.raises(SystemExit):
        setup.ensure()
    said = capfd.readouterr().err
    assert "Did you mean VISAGE_PORT?" in said
    assert "Traceback" not in said


def test_set_up_starts_with_the_standard_library_alone() -> None:
    ran = subprocess.run([sys.executable, "-S", "-E", "-m", "backend.setup", "--help"], cwd=ROOT, capture_output=True,
                         text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_stamp_notices_a_changed_requirement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text('[project]\noptional-dependencies = { test = ["pytest"] }\n')
    assert not setup._stamped([])
    (tmp_path / setup.STAMP).write_text(json.dumps({"": setup._key()}))
    assert setup._stamped([])
    assert not setup._stamped(["test"])
    (tmp_path / "requirements.txt").write_text("flask")
    assert not setup._stamped([])
    (tmp_path / setup.STAMP).write_text("{ cut off")
    assert not setup._stamped([])


def test_every_group_of_packages_can_be_read() -> None:
    assert any(need.startswith("pytest") for need in setup._extra("test"))
    with pytest.raises(NotInstalled, match="nonsense"):
        setup._extra("nonsense")
