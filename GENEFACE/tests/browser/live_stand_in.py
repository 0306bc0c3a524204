"""The server's side of docs/live.md in small, for what the real one does not do on demand: refuse, fail, cut, hold.

It serves the real pages and a real avatar.  Loudness decides who speaks, every answer is the same, and its video is the
avatar's loop with a mark on the mouth, encoded while it is sent.
"""

from __future__ import annotations

import io
import json
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from flask import Flask
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FPS, RATE, AHEAD = 25, 48_000, 1.2
ANSWER = ("I am a stand-in.", "I say the same to everybody, for as long as it takes.")
LOUD, QUIET_SECONDS, INSIST_SECONDS = 500, 0.5, 0.25
MIME = 'video/mp4; codecs="avc1.42C01F,mp4a.40.2"'


class Movie:
    """Fragmented MP4 of some frames of a loop, with a tone, made step by step."""

    def __init__(self, loop: list[np.ndarray], start: int) -> None:
        self._loop, self._start, self._file, self._sent, self.frames = loop, start, io.BytesIO(), 0, 0
        self._out = av.open(self._file, "w", format="mp4",
                            options={"movflags": "empty_moov+default_base_moof+frag_keyframe"})
        height, width = loop[0].shape[:2]
        self._picture = self._out.add_stream("libx264", rate=FPS, options={
            "preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "level": "3.1", "g": "3"})
        self._picture.width, self._picture.height, self._picture.pix_fmt = width, height, "yuv420p"
        self._sound = self._out.add_stream("aac", rate=RATE, layout="mono")
        self._out.start_encoding()
        self.header = self._new()

    def _new(self) -> bytes:
        made = self._file.getvalue()[self._sent:]
        self._sent += len(made)
        return made

    def step(self, frames: int = 3) -> bytes:
        """The next frames and their sound."""
        for _ in range(frames):
            image = self._loop[(self._start + self.frames) % len(self._loop)].copy()
            height, width = image.shape[:2]
            opened = int(abs(np.sin(self.frames / 2)) * height / 16)
            image[height * 2 // 3: height * 2 // 3 + opened, width * 3 // 7: width * 4 // 7] = (96, 24, 24)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = self.frames, Fraction(1, FPS)
            self._out.mux(self._picture.encode(frame))
            at = np.arange(RATE // FPS) + self.frames * (RATE // FPS)
            tone = (0.05 * np.sin(at * 2 * np.pi * 220 / RATE)).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            sound.rate, sound.pts, sound.time_base = RATE, int(at[0]), Fraction(1, RATE)
            self._out.mux(self._sound.encode(sound))
            self.frames += 1
        return self._new()

    def close(self) -> bytes:
        """What was left."""
        self._out.mux(self._picture.encode(None))
        self._out.mux(self._sound.encode(None))
        self._out.close()
        return self._new()


def frames_of(clip: Path) -> list[np.ndarray]:
    """Every frame of a clip, uint8 RGB [height, width, 3]."""
    with av.open(str(clip)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


class Session:
    """One connection."""

    def __init__(self, stand_in: StandIn, socket: Server) -> None:
        self.stand_in, self.socket, self.turn, self.movie = stand_in, socket, 0, None
        self.idle, self.idle_at, self.loud, self.last_loud, self.speaking, self.samples = 0, 0.0, 0, None, False, 0
        self.held, self.length, self.sent_at, self.ended = False, 0.0, 0.0, False

    def tell(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def video(self, kind: int, data: bytes) -> None:
        if data:
            self.socket.send(struct.pack(">BI", kind, self.turn) + data)

    def run(self) -> None:
        hello = json.loads(self.socket.receive())
        self.stand_in.heard.append(hello)
        if self.stand_in.refusal:
            self.tell("refused", **self.stand_in.refusal)
            return
        loop, number = self.stand_in.loop(hello["avatar"]), len(self.stand_in.sessions)
        self.tell("ready", session=f"s{number}", conversation=hello["conversation"] or f"c{number}",
                  avatar=hello["avatar"], idle=f"/api/avatars/{hello['avatar']}/idle.mp4", cycle=len(loop),
                  width=loop[0].shape[1], height=loop[0].shape[0], mime=MIME, voice="", llm="", recogniser="stand-in",
                  languages=["en"], vad="loudness", notes=[])
        self.video(0, Movie(loop, 0).header)
        while True:
            told = self.socket.receive(timeout=0.02)
            if isinstance(told, bytes):
                self.hear(told)
            elif told:
                self.heed(json.loads(told), loop)
            self.speak()

    def heed(self, message: dict[str, Any], loop: list[np.ndarray]) -> None:
        self.stand_in.heard.append(message)
        if message["type"] == "idle":
            self.idle, self.idle_at = message["frame"], time.monotonic()
        elif message["type"] == "say":
            self.silence("typed")
            self.answer(message["text"], typed=True)
        elif message["type"] == "interrupt":
            self.silence("button")
        elif message["type"] == "done" and self.movie:
            self.over(1.0)

    def hear(self, sound: bytes) -> None:
        samples = np.frombuffer(sound, "<i2").astype(np.float32)
        self.samples += len(samples)
        self.stand_in.samples += len(samples)
        self.stand_in.sizes.add(len(sound))
        now = self.samples / 16_000
        if np.sqrt(np.mean(samples ** 2)) > LOUD:
            self.loud += len(samples)
            self.last_loud = now
            if self.loud >= 1000 and not self.speaking:
                self.speaking = True
                self.tell("user", speaking=True)
                if self.movie:
                    self.held = True
                    self.tell("hold", turn=self.turn)
            if self.held and self.loud > INSIST_SECONDS * 16_000:
                self.silence("voice")
            self.tell("partial", text="who are" if self.loud < 6000 else "who are you")
        elif self.last_loud is not None and now - self.last_loud > QUIET_SECONDS:
            self.last_loud = None
            if self.speaking:
                self.speaking = False
                self.tell("user", speaking=False)
                if self.held:
                    self.held = False
                    self.tell("resume", turn=self.turn)
                elif not self.movie:
                    self.answer("who are you?", typed=False)
            self.loud = 0

    def answer(self, question: str, typed: bool) -> None:
        self.turn += 1
        self.tell("heard", turn=self.turn, text=question, typed=typed, note="")
        if self.stand_in.failure:
            self.tell("error", turn=self.turn, **self.stand_in.failure)
            return
        self.tell("answer", turn=self.turn, text=" ".join(ANSWER))
        loop = self.stand_in.loop("")
        start = self.idle + round((time.monotonic() - self.idle_at) * FPS) + 4
        self.movie, self.length, self.sent_at = Movie(loop, start), 0.0, time.monotonic()
        self.ended = False
        self.stand_in.begun.append(start)
        self.tell("begin", turn=self.turn, frame=start)
        half = self.stand_in.seconds / 2
        for number, sentence in enumerate(ANSWER):
            self.tell("caption", turn=self.turn, text=sentence, start=number * half, seconds=half - 0.1)

    def speak(self) -> None:
        if not self.movie or self.ended or self.held or self.length > time.monotonic() - self.sent_at + AHEAD:
            return
        self.video(1, self.movie.step())
        self.length = self.movie.frames / FPS
        if self.length >= self.stand_in.seconds:
            self.video(1, self.movie.close())
            self.ended = True
            self.tell("end", turn=self.turn, seconds=self.length)

    def silence(self, reason: str) -> None:
        self.held = False
        if self.movie:
            self.tell("stop", turn=self.turn, reason=reason)
            self.over(0.4)

    def over(self, share: float) -> None:
        self.movie = None
        stages = [("turn_end", 0, 320), ("asr", 20, 60), ("llm", 60, 290), ("tts", 290, 330), ("render", 330, 380),
                  ("mux", 380, 395)]
        self.tell("turn", turn=self.turn, question="who are you?", answer=" ".join(ANSWER), heard=share, notes=[],
                  stages=[{"name": name, "start_ms": start, "end_ms": end} for name, start, end in stages])


class StandIn:
    """What sessions share and tests set."""

    def __init__(self, clip: Path) -> None:
        self._loop = frames_of(clip)
        self.refusal: dict[str, Any] | None = None
        self.failure: dict[str, Any] | None = None
        self.seconds = 4.0
        self.samples = 0
        self.heard: list[dict[str, Any]] = []
        self.begun: list[int] = []
        self.sizes: set[int] = set()
        self.sessions: list[Session] = []
        self.sockets: list[Server] = []
        self.url = ""

    def loop(self, _avatar: str) -> list[np.ndarray]:
        return self._loop

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a type that browsers have sent."""
        return [message for message in self.heard if message["type"] == kind]

    def cut(self) -> None:
        """Break every connection, as a network does."""
        for socket in self.sockets:
            with suppress(OSError):
                socket.sock.shutdown(SHUT_RDWR)
        self.sockets.clear()

    def serve(self, socket: Server) -> None:
        self.sockets.append(socket)
        try:
            self.sessions.append(Session(self, socket))
            self.sessions[-1].run()
        except (ConnectionClosed, OSError):
            pass


@contextmanager
def running(app: Flask, clip: Path) -> Iterator[StandIn]:
    """The app, with a stand-in at ``/live`` whose face is ``clip``."""
    stand_in, alone = StandIn(clip), Flask("stand_in")
    Sock(alone).route("/live")(stand_in.serve)

    def either(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        return (alone if environ["PATH_INFO"] == "/live" else app)(environ, start)

    server = make_server("127.0.0.1", 0, either, threaded=True)
    stand_in.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield stand_in
    stand_in.cut()
    server.shutdown()
    thread.join(10)
