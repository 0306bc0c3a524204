"""What an engine in a container lacks, asked of a Docker API on a real socket, and of none."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from visage.config import Settings
from visage.engines import Engine, RenderRequest, TrainRequest, open_engine
from visage.engines.container import engine as looked_up
from visage.errors import NotInstalled
from visage.storage.paths import Paths
from visage.types import silent

IMAGE = "geneface:latest"


class Daemon(BaseHTTPRequestHandler):
    """The few answers of Docker's API that are asked for."""

    image = False
    asked = 0

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def address_string(self) -> str:
        return "socket"

    def do_GET(self) -> None:
        type(self).asked += 1
        answers = {"/version": {"Version": "20.10.24", "ApiVersion": "1.41"}, "/info": {"Runtimes": {"runc": {}}}}
        if self.image:
            answers[f"/images/{IMAGE}/json"] = {"Id": "sha256:0123456789abcdef"}
        answer = next((told for path, told in answers.items() if self.path.endswith(path)), None)
        body = json.dumps(answer or {"message": f"No such image: {IMAGE}"}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    looked_up._look.cache_clear()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    yield
    looked_up._look.cache_clear()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[type[Daemon]]:
    answering = type("Answering", (Daemon,), {})
    with socketserver.ThreadingUnixStreamServer(f"{tmp_path}/docker.sock", answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield answering
        server.shutdown()
        thread.join(5)


def opened(home: Path) -> Engine:
    return open_engine("geneface", Settings(home=home), Paths(home))


def needs(home: Path) -> dict[str, bool]:
    info = opened(home).describe()
    assert all(need.ok or need.remedy for need in info.needs)
    return {need.name: need.ok for need in info.needs}


def test_without_docker_the_first_need_is_named_with_its_remedy(tmp_path: Path) -> None:
    found = needs(tmp_path)
    assert not found["docker"]
    assert not found[f"image {IMAGE}"]
    engine = opened(tmp_path)
    assert not engine.describe().installed
    with pytest.raises(NotInstalled, match="docker") as caught:
        engine.train(TrainRequest(tmp_path / "a.mp4", tmp_path / "avatar"), silent)
    assert "DOCKER_HOST" in caught.value.hint
    with pytest.raises(NotInstalled):
        engine.render(RenderRequest(tmp_path, tmp_path / "a.wav", tmp_path / "a.mp4"), silent)


def test_with_docker_the_image_is_looked_for(tmp_path: Path, daemon: type[Daemon]) -> None:
    found = needs(tmp_path)
    assert found["docker"]
    assert not found[f"image {IMAGE}"]
    looked_up._look.cache_clear()
    daemon.image = True
    found = needs(tmp_path)
    assert found[f"image {IMAGE}"]
    assert "GPU in containers" in found


def test_a_page_can_ask_often(tmp_path: Path, daemon: type[Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    for _ in range(5):
        needs(tmp_path)
    once = daemon.asked
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + looked_up.FRESH)
    needs(tmp_path)
    assert daemon.asked == 2 * once


def test_a_hanging_daemon_does_not_hang_the_page(tmp_path: Path, daemon: type[Daemon]) -> None:
    stop = threading.Event()
    daemon.do_GET = lambda self: stop.wait(20)  # type: ignore[method-assign]
    begun = time.monotonic()
    assert not needs(tmp_path)["docker"]
    assert time.monotonic() - begun < 4
    stop.set()


def test_a_path_that_is_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in (f"unix://{tmp_path}", "tcp://127.0.0.1:9", "nonsense", "ssh://nobody@127.0.0.1:9"):
        monkeypatch.setenv("DOCKER_HOST", host)
        looked_up._look.cache_clear()
        assert not needs(tmp_path)["docker"]
