"""A small server that speaks the protocols of cloning servers: well, or in the way ``mode`` tells."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

RATE = 24_000


def tone(seconds: float = 0.5) -> bytes:
    """int16 samples of a sound at `RATE`."""
    time_ = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * 200 * time_) * 8000).astype("<i2").tobytes()


def wav(samples: bytes) -> bytes:
    """A WAV file of them."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(samples)
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """CosyVoice's FastAPI server, GPT-SoVITS's ``api_v2.py`` and ``/v1/audio/speech`` in one."""

    mode = "speak"
    asked: dict
    clip: bytes

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers.get("Content-Type", "")
        fields = self._form(body, kind) if "multipart" in kind else json.loads(body)
        type(self).asked = {"path": self.path, "key": self.headers.get("Authorization", ""), **fields}
        if self.mode == "slow":
            time.sleep(3)
        lacking = self._lacking(fields)
        if self.mode in ("broken", "busy", "key") or lacking:
            status = {"broken": 500, "busy": 429, "key": 401}.get(self.mode, 400)
            return self._send(status, "application/json", json.dumps({"message": lacking or "out of memory"}).encode())
        if self.mode == "html":
            return self._send(200, "text/html", b"<html>Gradio</html>")
        if self.mode == "text":
            return self._send(200, "audio/wav", b"this is no sound")
        samples = {"silent": bytes(len(tone())), "empty": b""}.get(self.mode, tone())
        if "inference" in self.path:
            return self._send(200, "", samples)
        return self._send(200, "audio/wav", wav(samples))

    def _form(self, body: bytes, kind: str) -> dict[str, str]:
        fields = {}
        for part in body.split(b"--" + kind.partition("boundary=")[2].encode())[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            name = re.search(rb'name="(\w+)"', head)[1].decode()
            if b"filename" in head:
                type(self).clip = value[:-2]
            fields[name] = "" if b"filename" in head else value[:-2].decode()
        return fields

    def _lacking(self, fields: dict) -> str:
        """What each real server insists on."""
        if self.path == "/tts":
            type(self).clip = Path(fields["ref_audio_path"]).read_bytes()
        if self.path == "/v1/audio/speech":
            type(self).clip = base64.b64decode(fields["ref_audio"].partition("base64,")[2])
        needed = {"/inference_zero_shot": ("tts_text", "prompt_text", "prompt_wav"),
                  "/inference_cross_lingual": ("tts_text", "prompt_wav"),
                  "/tts": ("text", "text_lang", "ref_audio_path", "prompt_lang"),
                  "/v1/audio/speech": ("input", "ref_audio")}.get(self.path)
        if needed is None:
            return "no such path"
        return next((f"{name} is required" for name in needed if name not in fields), "")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # the client gave up waiting
            self.close_connection = True


@contextmanager
def cloning_server(mode: str = "speak") -> Iterator[tuple[type[Handler], str]]:
    """The server, and its address."""
    answering = type("Answering", (Handler,), {"mode": mode})
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield answering, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)
