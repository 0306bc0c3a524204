"""The doctor, on this very machine and on machines made worse."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from backend import doctor, machine, surroundings
from backend.machine import Host
from visage.config import Settings
from visage.storage.paths import Paths
from visage.types import Requirement

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def host(home: Path, language: str = "en", **given: object) -> Host:
    ports = {"port": free_port(), "voice_port": free_port()}
    return Host(Settings(**{"home": home, **ports, **given}), Paths(home), language)  # type: ignore[arg-type]


@contextmanager
def server(answer: bytes, delay: float = 0.0) -> Iterator[int]:
    """Something that answers every GET on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield one.server_port
        one.shutdown()
        thread.join()


def test_this_machine_can_do_the_main_job_and_is_examined_quickly(tmp_path: Path) -> None:
    one = host(tmp_path)
    begin = time.monotonic()
    found = doctor.examine(one.settings, one.paths)
    assert time.monotonic() - begin < 3
    assert doctor.well(found), [each for each in found if each.essential and not each.ok]
    names = [each.name for each in found]
    assert len(names) == len(set(names)) >= 18
    assert set(names) <= set(doctor._TITLES)
    assert not any(tmp_path.iterdir()), "an examination wrote something"


def test_whatever_is_missing_comes_with_a_remedy(tmp_path: Path) -> None:
    for language in ("en", "zh"):
        one = host(tmp_path, language)
        for each in doctor.examine(one.settings, one.paths, language):
            assert each.detail
            assert bool(each.remedy) != each.ok, each


def test_a_port_is_free_ours_or_somebody_elses(tmp_path: Path) -> None:
    assert surroundings.web_port(host(tmp_path)).ok
    with server(b'{"exists": false, "url": ""}') as port:
        assert "already running" in surroundings.web_port(host(tmp_path, port=port)).detail
    with server(b"<html>") as port:
        taken = surroundings.web_port(host(tmp_path, port=port))
    assert not taken.ok
    assert f"--port {port + 10}" in taken.remedy


def test_the_voice_server_is_asked(tmp_path: Path) -> None:
    assert not surroundings.voice_server(host(tmp_path)).ok
    with server(b'{"ok": true, "engine": "espeak"}') as port:
        assert surroundings.voice_server(host(tmp_path, voice_port=port)).ok
        assert surroundings.voice_port(host(tmp_path, voice_port=port)).ok


def test_a_server_that_hangs_delays_nobody(tmp_path: Path) -> None:
    with server(b"{}", delay=4) as port:
        one = host(tmp_path, voice_url=f"http://127.0.0.1:{port}")
        begin = time.monotonic()
        found = {each.name: each for each in doctor.examine(one.settings, one.paths)}
        assert time.monotonic() - begin < 3
        assert not found["voice_server"].ok


def test_keys_print_as_stars(tmp_path: Path) -> None:
    shown = surroundings.language_model(host(tmp_path, zhipu_api_key="very-secret"))
    assert shown.ok
    assert "very-secret" not in shown.detail
    assert "*" in shown.detail


def test_models_are_found_in_their_folders(tmp_path: Path) -> None:
    assert not surroundings.listening(host(tmp_path, vosk_model=tmp_path)).ok
    (tmp_path / "am").mkdir()
    assert surroundings.listening(host(tmp_path, vosk_model=tmp_path)).ok
    (tmp_path / "zh.onnx").touch()
    assert "none" in surroundings.piper(host(tmp_path, piper_voices=tmp_path)).detail
    (tmp_path / "zh.onnx.json").touch()
    assert "none" not in surroundings.piper(host(tmp_path, piper_voices=tmp_path)).detail


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert not machine.database(host(tmp_path)).ok
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    one = host(tmp_path)
    one.paths.var.mkdir()
    one.paths.database.write_text("this is a text, not a database" * 50)
    found = machine.database(one)
    assert not found.ok
    assert "not a database" in found.detail
    one.paths.database.unlink()
    assert machine.database(host(tmp_path, database_url=f"sqlite:///{tmp_path / 'other.db'}")).ok


def test_no_docker_daemon_is_told_and_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'none.sock'}")
    found = surroundings.geneface(host(tmp_path))
    assert found[0].name == "docker"
    assert not any(each.ok for each in found)


def test_a_check_that_breaks_is_a_line_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Host) -> Requirement:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(surroundings, "CHECKS", (broken,))
    one = host(tmp_path)
    last = doctor.examine(one.settings, one.paths)[-1]
    assert (last.name, last.ok, last.detail) == ("broken", False, "ZeroDivisionError: oh")


def test_a_table_is_aligned_whatever_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Requirement("disk", True, "A"), Requirement("database", False, "B", "do it", essential=True)]
    for locale in ("en_US.UTF-8", "zh_CN.UTF-8"):
        monkeypatch.setenv("LC_ALL", locale)
        lines = doctor.table(rows).splitlines()
        cells = [doctor.columns(line[:line.index(mark)]) for line, mark in zip(lines, "AB→", strict=True)]
        assert len(set(cells)) == 1, lines


def test_the_command(tmp_path: Path) -> None:
    variables = {**os.environ, "VISAGE_HOME": str(tmp_path), "VISAGE_PORT": str(free_port()), "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "backend.doctor"]
    ran = subprocess.run([*argv, "--json"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    said = json.loads(ran.stdout)
    assert ran.returncode == (0 if said["ok"] else 1), ran.stderr
    assert {"name", "ok", "detail", "remedy", "essential"} == set(said["requirements"][0])
    plain = subprocess.run(argv, cwd=ROOT, env=variables, capture_output=True, text=True, check=False).stdout
    assert "MediaPipe" in plain
    assert "\033" not in plain
    wrong = subprocess.run([*argv, "--json"], cwd=ROOT, env={**variables, "VISAGE_PROT": "1"}, capture_output=True,
                           text=True, check=False)
    assert wrong.returncode == 2
    assert json.loads(wrong.stderr)["code"] == "setting.unknown"
