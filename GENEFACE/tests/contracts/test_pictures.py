"""Every picture maker answers words with a picture, or says why not; the server is a real one over HTTP."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from visage.config import read_settings
from visage.errors import NotInstalled, ServiceBusy, ServiceError, ServiceRefused, ServiceUnreachable
from visage.pictures import DRIVERS, PictureMaker, PictureRequest, open_pictures

KEY = "a key"


def png(colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Draws one colour in the wanted size, or misbehaves as the prompt says."""

    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        if self.headers.get("Authorization") != f"Bearer {KEY}" or self.path != "/v1/images/generations":
            return self.send(401, b"{}")
        width, height = map(int, body["size"].split("x"))
        answers = {"busy": (429, b"{}"), "html": (200, b"<html>"), "no picture": (200, b'{"data": []}'),
                   "not base64": (200, b'{"data": [{"b64_json": "?"}]}'),
                   "broken": (200, self.picture(b"\x89PNG broken"))}
        return self.send(*answers.get(body["prompt"], (200, self.picture(png((0, 200, 0), (width, height))))))

    @staticmethod
    def picture(data: bytes) -> bytes:
        return json.dumps({"data": [{"b64_json": base64.b64encode(data).decode()}]}).encode()

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}/v1"
        served.shutdown()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "woman office.png").write_bytes(png((200, 0, 0)))
    (folder / "man_beach.png").write_bytes(png((0, 0, 200)))
    (folder / "b.png").write_bytes(png((9, 9, 9)))
    (folder / "b.txt").write_text("海边的老人", encoding="utf-8")
    return folder


def maker(tmp_path: Path, name: str, **given: Any) -> PictureMaker:
    return open_pictures(read_settings(home=tmp_path, pictures=name, **given))


@pytest.mark.parametrize("name", sorted(DRIVERS))
def test_words_become_a_picture(name: str, tmp_path: Path, library: Path, server: str) -> None:
    one = maker(tmp_path, name, pictures_folder=library, pictures_base_url=server, pictures_api_key=KEY)
    made = one.make(PictureRequest("a woman in an office", 320, 256))
    assert made.pixels.dtype == np.uint8 and made.pixels.ndim == 3 and made.pixels.shape[2] == 3
    assert made.generated == (name != "library") and (made.generated or made.note)
    assert made.maker.startswith(name)


@pytest.mark.parametrize(("prompt", "colour"), [
    ("a WOMAN in an office", (200, 0, 0)), ("man at the beach", (0, 0, 200)), ("海边", (9, 9, 9))])
def test_the_library_goes_by_words(prompt: str, colour: tuple[int, int, int], tmp_path: Path, library: Path) -> None:
    made = maker(tmp_path, "library", pictures_folder=library).make(PictureRequest(prompt))
    assert tuple(made.pixels[0, 0]) == colour


def test_an_empty_library_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled) as caught:
        maker(tmp_path, "").make(PictureRequest("anybody"))
    assert "VISAGE_PICTURES_BASE_URL" in caught.value.hint


def test_the_server_is_asked_for_size_and_seed(tmp_path: Path, server: str) -> None:
    one = maker(tmp_path, "", pictures_base_url=server, pictures_api_key=KEY, pictures_model="sdxl")
    assert one.make(PictureRequest("a man", 320, 256, seed=7)).pixels.shape == (256, 320, 3)
    assert {"prompt": "a man", "size": "320x256", "seed": 7, "model": "sdxl"}.items() <= Handler.asked[-1].items()


@pytest.mark.parametrize(("prompt", "kind"), [
    ("busy", ServiceBusy), ("html", ServiceError), ("no picture", ServiceError), ("not base64", ServiceError),
    ("broken", ServiceError)])
def test_a_server_that_fails_is_named(prompt: str, kind: type[ServiceError], tmp_path: Path, server: str) -> None:
    one = maker(tmp_path, "openai", pictures_base_url=server, pictures_api_key=KEY)
    with pytest.raises(kind) as caught:
        one.make(PictureRequest(prompt))
    assert server in caught.value.message


def test_a_wrong_key_and_a_server_that_is_not_there(tmp_path: Path, server: str) -> None:
    with pytest.raises(ServiceRefused):
        maker(tmp_path, "openai", pictures_base_url=server, pictures_api_key="no").make(PictureRequest("x"))
    with pytest.raises(ServiceUnreachable):
        maker(tmp_path, "openai", pictures_base_url="http://127.0.0.1:9/v1").make(PictureRequest("x"))
    with pytest.raises(NotInstalled):
        maker(tmp_path, "openai")
