"""The verb *talk live*: sessions of live conversations, as many as the machine may hold."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal

import numpy as np
import structlog
from pydantic import BaseModel, ConfigDict

from backend.services import Services
from visage.dialogue.answering import Answer, Item
from visage.dialogue.ears import Ears
from visage.dialogue.history import Exchange
from visage.dialogue.live import LiveTalk
from visage.dialogue.showing import SOUND_RATE
from visage.dialogue.turn import Manner
from visage.dialogue.turns import Choice, Parts, Turns
from visage.dialogue.turnstile import Turnstile
from visage.engines import open_live
from visage.engines.contract import LiveFace
from visage.engines.idle import ensure_idle_loop
from visage.errors import Conflict, NotFound, UnknownDriver, VisageError
from visage.heaps import settle
from visage.media.fmp4 import FragmentWriter
from visage.media.labels.boxes import label_header
from visage.storage.catalog import Avatar
from visage.storage.records import Caption, Conversation
from visage.storage.talks import TalkFile
from visage.tts.chain import SPEAKER
from visage.tts.contract import SpeechRequest
from visage.tts.http import VoiceServer
from visage.types import SPEECH_RATE
from visage.vad import open_vad
from visage.vad.contract import Vad

_VOICE_SECONDS = 20.0
"""A sentence that takes longer to be spoken comes too late for a conversation."""
_log = structlog.get_logger()


class Hello(BaseModel):
    """What a browser asks for when it comes."""

    model_config = ConfigDict(extra="forbid")

    avatar: str
    conversation: str = ""
    voice: str = ""
    llm: str = ""
    language: Literal["zh", "en"] = "en"
    microphone: bool = False


class LiveHouse:
    """All live conversations of this process."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.turnstile = Turnstile(os.cpu_count() or 1)
        self.voice = VoiceServer(services.voice_url, _VOICE_SECONDS)
        self._lock = threading.Lock()
        self._sessions = 0
        self._settled = False
        self._talks: dict[str, LiveTalk] = {}

    @property
    def sessions(self) -> int:
        """How many there are now."""
        return self._sessions

    def open(self, hello: Hello, owner: str, send: Callable[[Item], None],
             drop: Callable[[int], None]) -> LiveSession:
        """A session, ready; to be used as a context.  Raises what `web/live.py` tells as ``refused``."""
        limit = self.services.settings.live_sessions
        with self._lock:
            if self._sessions >= limit:
                raise Conflict("{count} live conversations are going on, which is all that this machine may hold.",
                               code="live.full", hint="Wait until one ends, or talk turn by turn.", count=limit)
            self._sessions += 1
        try:
            return LiveSession(self, hello, owner, send, drop)
        except BaseException:
            self.left()
            raise

    def settle(self) -> None:
        """Everything that conversations need was loaded by the first one, which calls this; later calls do nothing."""
        with self._lock:
            if not self._settled:
                self._settled = True
                settle()

    def past(self, conversation: Conversation) -> list[Exchange]:
        """What was said in a conversation: by the one who talks in it, or did until just now, else as it was stored."""
        with self._lock:
            talk = self._talks.get(conversation.id)
        if talk:
            return talk.past()
        return [Exchange(turn.question, turn.answer, turn.heard)
                for turn in self.services.conversations.turns(conversation.id, 50)]

    def begins(self, conversation: Conversation, talk: LiveTalk) -> None:
        """This talk speaks for the conversation, until `left`."""
        with self._lock:
            self._talks[conversation.id] = talk

    def left(self, talk: LiveTalk | None = None) -> None:
        """One session fewer; everything of its talk is stored."""
        with self._lock:
            self._sessions -= 1
            self._talks = {name: kept for name, kept in self._talks.items() if kept is not talk}


class LiveSession:
    """One browser's live conversation with one avatar."""

    def __init__(self, house: LiveHouse, hello: Hello, owner: str, send: Callable[[Item], None],
                 drop: Callable[[int], None]) -> None:
        self._house, self._send = house, send
        self._files: dict[int, TalkFile] = {}
        self._header = b""
        self._lossy = False
        services = self._services = house.services
        avatar = self._avatar = services.catalog.get(hello.avatar)
        self._conversation = _conversation(services, hello, owner)
        responder = services.responder(hello.llm)
        with ExitStack() as undo:
            face = _face(services, avatar)
            undo.callback(face.close)
            vad = open_vad(services.settings)
            parts = Parts(face, Ears(vad, services.recognizer), house.voice, lambda: _muxer(face),
                          house.turnstile, self._keep, self._film)
            self._choice = Choice(responder, Manner(hello.voice), avatar.prompt)
            self._talk = LiveTalk(Turns(parts, self._choice, send, drop, house.past(self._conversation)))
            self._keeper = undo.enter_context(ThreadPoolExecutor(1, "live-keeper"))
            self._warm(face, hello.voice)
            house.settle()
            self._ready(face, vad)
            house.begins(self._conversation, self._talk)
            self._leave = undo.pop_all()

    def __enter__(self) -> LiveSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        try:
            self._talk.close()
            self._leave.close()
        finally:
            self._house.left(self._talk)

    def sound(self, data: bytes) -> None:
        """Further sound of the microphone."""
        self._talk.sound(data)

    def message(self, told: Mapping[str, Any]) -> None:
        """An event of the browser.  Raises errors of the tree."""
        if told.get("type") == "choose":
            self._choose(told)
        else:
            self._talk.message(told)

    def _choose(self, told: Mapping[str, Any]) -> None:
        """From the next turn on; all of it or, when something is unknown, nothing."""
        choice = self._choice
        responder, manner = choice.responder, choice.manner
        if isinstance(told.get("llm"), str):
            responder = self._services.responder(told["llm"])
        if isinstance(told.get("voice"), str):
            manner = Manner(_known(self._services, told["voice"]), manner.speed, manner.pitch)
        with contextlib.suppress(NotFound):  # who was deleted talks on as before
            choice.persona = self._services.catalog.get(self._avatar.id).prompt
        choice.responder, choice.manner = responder, manner

    def _warm(self, face: LiveFace, voice: str) -> None:
        """What is slow the first time is done before the user waits for it."""
        quiet = np.zeros(SPEECH_RATE // 5, np.float32)
        list(face.speak(quiet, (), 0))
        utterance = self._services.recognizer.listen()
        utterance.feed(quiet)
        utterance.finish()

        def speak() -> None:
            # whatever is wrong with the voice is told by the turn that needs it
            with contextlib.suppress(VisageError):
                self._house.voice.speak(SpeechRequest("a", voice))

        threading.Thread(target=speak, name="live-warm", daemon=True).start()

    def _ready(self, face: LiveFace, vad: Vad) -> None:
        file = ensure_idle_loop(face, self._services.catalog.folder(self._avatar.id) / "idle.mp4")
        muxer = _muxer(face)
        # said by every stream of this conversation: what is still being made cannot be bound to its content
        self._header = label_header(muxer.header, self._services.labeller.label().dumps())
        vosk = self._services.settings.vosk_model is not None
        self._send({
            "type": "ready", "session": uuid.uuid4().hex, "conversation": self._conversation.id,
            "avatar": self._avatar.id, "cycle": face.cycle, "width": face.width, "height": face.height,
            "idle": f"/api/avatars/{self._avatar.id}/idle.mp4?v={file.stat().st_mtime_ns:x}", "mime": muxer.mime,
            "voice": self._choice.manner.voice, "llm": self._choice.responder.name,
            "recogniser": "vosk" if vosk else "sphinx", "languages": ["any"] if vosk else ["en"], "vad": vad.name,
            "notes": [vad.note] if vad.note else []})
        self._send(bytes(5) + self._header)

    def _film(self, answer: Answer, data: bytes) -> None:
        self._keeper.submit(self._append, answer.number, data)

    def _append(self, turn: int, data: bytes) -> None:
        if turn not in self._files:
            self._files[turn] = self._services.talks.begin(self._conversation.id)
            self._files[turn].append(self._header)
        self._files[turn].append(data)

    def _keep(self, answer: Answer, share: float, question: np.ndarray | None) -> None:
        """Store a turn that is over; in order, by a thread of its own, since cutting a video takes a moment."""
        until = None if share >= 1 else answer.playback.position()
        stages = answer.stages()
        self._keeper.submit(self._store, answer, share, until, stages, question)

    def _store(self, answer: Answer, share: float, until: float | None, stages: list[dict[str, Any]],
               question: np.ndarray | None) -> None:
        # told before it is logged: on a full disk the log fails too
        try:
            file = self._files.pop(answer.number, None) or self._services.talks.begin(self._conversation.id)
            if question is not None:
                file.ask(question)
            captions = [Caption(caption.text, caption.start, caption.seconds) for caption in answer.captions]
            kept = file.finish(answer.question, answer.text, until=until, heard=share, frame=answer.frame,
                               captions=captions, stages=stages, notes=answer.notes)
            url = f"/api/conversations/{kept.conversation}/turns/{kept.id}/answer.mp4" if kept.seconds else None
            self._send({"type": "kept", "turn": answer.number, "url": url})
            for note in kept.notes[len(answer.notes):]:
                self._not_kept(note)
        except NotFound:
            _log.info("a turn of a conversation that was deleted meanwhile is not kept")
        except VisageError as error:
            self._not_kept(error.message)
            _log.warning("a live turn could not be stored", error=repr(error))
        except Exception as error:
            self._not_kept(type(error).__name__)
            _log.exception("a live turn could not be stored", error=repr(error))

    def _not_kept(self, reason: str) -> None:
        """Told once: the talk goes on, and the next turn would say the same."""
        if not self._lossy:
            self._lossy = True
            told = VisageError("Not all of this conversation could be kept: {reason}", code="live.not_kept",
                               hint="Free some space on the disk; the talk goes on meanwhile.", reason=reason)
            self._send({"type": "error", "turn": None, **told.as_dict()})


def _conversation(services: Services, hello: Hello, owner: str) -> Conversation:
    if hello.conversation:
        return services.conversations.get(hello.conversation, owner)
    return services.conversations.add(hello.avatar, owner)


def _known(services: Services, voice: str) -> str:
    """The voice, "" for the default one.  Raises `UnknownDriver`."""
    if voice and not voice.startswith(SPEAKER) and voice not in (known.id for known in services.voice.voices()):
        raise UnknownDriver("There is no voice {voice!r}.", code="tts.unknown_voice",
                            hint="GET /voices lists them all.", voice=voice[:80])
    return voice


def _face(services: Services, avatar: Avatar) -> LiveFace:
    return open_live(avatar.engine, services.settings, services.paths, services.catalog.folder(avatar.id))


def _muxer(face: LiveFace) -> FragmentWriter:
    return FragmentWriter(face.width, face.height, SOUND_RATE)


