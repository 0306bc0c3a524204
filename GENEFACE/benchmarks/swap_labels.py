"""``label_survives``: one file made on every path by which something leaves the product, and its label read back.

``scripts/bench swap_labels [--json]`` starts a product of its own with the built-in avatar.  The paths are those of the
table in docs/trust.md.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import requests
import skimage.data
from PIL import Image
from simple_websocket import Client

from benchmarks.product import ROOT, Product, running
from visage.media.labels import read_label
from visage.storage.paths import Paths
from visage.trust.seals import Seals
from visage.trust.verifying import examine

AVATAR, TEXT = "astronaut", "Good morning."
FORMATS = ("wav", "mp3", "flac", "opus", "aac")
"""Speech files that can carry the field."""
_PATIENCE = 300.0
_PROOF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


class Exports:
    """One browser that takes something out of a product in every way there is."""

    def __init__(self, product: Product, voice_url: str, folder: Path) -> None:
        self._product, self._voice, self._folder = product, voice_url, folder
        self._browser = requests.Session()
        self._browser.get(product.url + "/", timeout=30)
        self._seals = Seals(Paths(product.home).label_key)

    def all(self) -> Iterator[tuple[str, bool]]:
        """Each path with whether its file says, believably, that a machine made it."""
        for work in (self._clips, self._conversation, self._live, self._sounds, self._swaps):
            yield from work()

    def _clips(self) -> Iterator[tuple[str, bool]]:
        job = self._job("generate", avatar=AVATAR, text=TEXT)
        yield "clip", self._fetched("clip.mp4", job["url"])
        yield "download", self._fetched("download.mp4", f"/api/clips/{job['clip']}/download")
        yield "avatar at rest", self._fetched("idle.mp4", f"/api/avatars/{AVATAR}/idle.mp4")
        form = {"model_name": "lite", "model_param": AVATAR, "target_text": TEXT}
        told = self._browser.post(f"{self._product.url}/video_generation", data=form, timeout=_PATIENCE).json()
        yield "older clients' clip", self._fetched("older.mp4", told["video_path"])

    def _conversation(self) -> Iterator[tuple[str, bool]]:
        talk = self._post("/api/conversations", avatar=AVATAR)["id"]
        told = self._job("chat", conversation=talk, avatar=AVATAR, text="What is two and two?", llm="offline")
        yield "chat turn", self._fetched("turn.mp4", told["url"])
        for subtitles in ("none", "soft", "burnt"):
            film = self._job("film", conversation=talk, subtitles=subtitles)
            yield f"film ({subtitles})", self._fetched(f"film-{subtitles}.mp4", film["url"])

    def _live(self) -> Iterator[tuple[str, bool]]:
        stream, kept = self._talked()
        file = self._folder / "live.mp4"
        file.write_bytes(stream)
        # a stream is labelled before its content is there, so its label is not bound to it
        yield "live stream", read_label(file) is not None
        yield "kept answer", self._fetched("answer.mp4", kept)

    def _talked(self) -> tuple[bytes, str]:
        """A live answer as it was sent, and where it is kept."""
        cookie = "; ".join(f"{one.name}={one.value}" for one in self._browser.cookies)
        socket = Client(f"{self._product.url.replace('http', 'ws', 1)}/live", headers={"Cookie": cookie})
        stream, kept, until = b"", "", time.monotonic() + _PATIENCE
        try:
            socket.send(json.dumps({"type": "hello", "avatar": AVATAR, "conversation": "", "voice": "",
                                    "llm": "offline", "language": "en", "microphone": False}))
            while not kept and time.monotonic() < until:
                data = socket.receive(timeout=1)
                if isinstance(data, bytes):
                    number = struct.unpack(">BI", data[:5])[1]
                    stream += data[5:]
                    if number:
                        socket.send(json.dumps({"type": "played", "turn": number, "at": 1000.0}))
                elif data is not None:
                    told = json.loads(data)
                    if told["type"] == "ready":
                        socket.send(json.dumps({"type": "say", "text": "What is two and two?"}))
                    elif told["type"] == "end":
                        socket.send(json.dumps({"type": "done", "turn": told["turn"]}))
                    elif told["type"] == "kept":
                        kept = told["url"] or ""
        finally:
            socket.close()
        return stream, kept

    def _sounds(self) -> Iterator[tuple[str, bool]]:
        for form in FORMATS:
            answer = requests.post(f"{self._voice}/v1/audio/speech", json={"input": TEXT, "response_format": form},
                                   timeout=60)
            yield f"speech ({form})", self._judged(f"speech.{form}", answer.content)
        bare = requests.post(f"{self._voice}/v1/audio/speech", json={"input": TEXT, "response_format": "pcm"},
                             timeout=60)
        yield "speech (pcm, header)", json.loads(bare.headers["X-AIGC"])["Label"] == "1"
        written = requests.post(f"{self._voice}/tts", json={"text": TEXT, "out_path": "label.wav"}, timeout=60).json()
        yield "voice server's file", self._judged("tts.wav", Path(written["wav_path"]).read_bytes())
        preview = self._post("/api/voices/preview", text=TEXT)
        yield "voice test", self._fetched("preview.wav", preview["url"])
        older = self._post("/api/tts", text=TEXT, out_name="tts.wav")
        yield "older clients' sound", self._fetched("older.wav", older["audio_url"])

    def _swaps(self) -> Iterator[tuple[str, bool]]:
        """A real face onto a picture and onto a clip, and a clip that gets it while it is made."""
        face = skimage.data.astronaut()[0:320, 100:400]
        photo, target = (self._uploaded(picture) for picture in (face, face[:, ::-1]))
        told = self._browser.get(f"{self._product.url}/api/consents", timeout=30).json()
        consent = self._post("/api/consents", person="Eileen", scope="swap", photos=[photo["id"]], consent=True,
                             sentence=told["sentences"]["swap"]["en"])["id"]
        self._browser.post(f"{self._product.url}/api/consents/{consent}/proof", data=_PROOF, timeout=30)
        whose = {"photos": [photo["id"]], "consent": consent}
        made = self._job("swap", target={"upload": target["id"]}, **whose)
        yield "picture with another face", self._fetched("swapped.png", made["url"])
        clip = self._job("generate", avatar=AVATAR, text=TEXT, appearance={**whose, "restorer": "embedded"})
        yield "clip with another face", self._fetched("faced.mp4", clip["url"])
        again = self._job("swap", target={"clip": clip["clip"]}, restorer="embedded")
        yield "restored clip", self._fetched("restored.mp4", again["url"])
        sent = {name: self._browser.get(self._product.url + one["url"], timeout=30).content
                for name, one in (("source", photo), ("target", target))}
        answer = self._browser.post(f"{self._product.url}/swap", files=sent, data={"consent": consent}, timeout=120)
        yield "POST /swap", answer.ok and self._judged("answer.png", base64.b64decode(answer.json()["image"]))

    def _uploaded(self, picture: np.ndarray) -> dict[str, Any]:
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(picture)).save(file, "PNG")
        return self._browser.post(f"{self._product.url}/api/uploads?kind=image&name=face.png", data=file.getvalue(),
                                  timeout=60).json()

    def _job(self, kind: str, **body: Any) -> dict[str, Any]:
        job = self._product.ended(self._post(f"/api/jobs/{kind}", **body)["id"], _PATIENCE)
        if job["state"] != "succeeded":
            raise RuntimeError(f"{kind}: {job['error']}")
        return job["result"]

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._browser.post(self._product.url + path, json=body, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def _fetched(self, name: str, path: str) -> bool:
        answer = self._browser.get(self._product.url + path, timeout=120)
        return answer.ok and self._judged(name, answer.content)

    def _judged(self, name: str, content: bytes) -> bool:
        file = self._folder / name
        file.write_bytes(content)
        verdict = examine(file, self._seals)
        return verdict.state == "intact" and verdict.ours


def label_survives(product: Product, voice_url: str,
                   tell: Callable[[str, bool], None] = lambda name, found: None) -> dict[str, bool]:
    """Export path → whether the file that comes out there is labelled, sealed and intact."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, good in Exports(product, voice_url, Path(folder)).all():
            found[name] = good
            tell(name, good)
    return found


def main() -> None:
    """Print each path, then one JSON object when asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(lambda name, good: print(f"{'yes' if good else 'NO':4}{name}"))
    if asked.json:
        print(json.dumps({"label_survives": all(found.values()), "paths": found}))
    sys.exit(0 if found and all(found.values()) else 1)


def survives() -> bool:
    """Whether the label is there on every export path of a product started for it."""
    found = measured()
    return bool(found) and all(found.values())


def measured(tell: Callable[[str, bool], None] = lambda name, found: None) -> dict[str, bool]:
    """`label_survives` of a product of its own with the built-in avatar."""
    with tempfile.TemporaryDirectory() as home:
        made = "from backend.services import open_services as o; from backend.model_trainer import " \
               "ensure_built_in as e; e(o())"
        with running(Path(home)) as product:
            subprocess.run([sys.executable, "-c", made], cwd=ROOT, check=True, timeout=300, capture_output=True,
                           env={**_environment(), "VISAGE_HOME": home})
            voice = str(product.get("/api/health")["voice"]["url"])
            return label_survives(product, voice, tell)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("VISAGE_")}


if __name__ == "__main__":
    main()
