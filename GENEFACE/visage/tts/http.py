"""Driver ``http``: the client of our own voice server, so that espeak-ng (GPL) stays in that server's process."""

from __future__ import annotations

import io
import json
import os
import threading
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import requests

from visage.errors import ServiceError, ServiceTimeout, ServiceUnreachable, VisageError, revived
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.types import Phone

CONNECT_SECONDS = 3.0
_IN_MEMORY = 1 << 23


class VoiceServer:
    """A `Synthesizer` over HTTP; safe to use from many threads."""

    def __init__(self, url: str, timeout: float = 600.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = (CONNECT_SECONDS, timeout)
        self._own = threading.local()

    @property
    def url(self) -> str:
        """Address of the server, without a slash at its end."""
        return self._url

    def health(self) -> dict[str, Any]:
        """The answer of ``/health``.  Raises `ServiceUnreachable` when the server is down."""
        return self._ask("GET", "/health").json()

    def voices(self) -> list[Voice]:
        """What the server can speak.  Raises `ServiceUnreachable` when it is down."""
        return [Voice(**row) for row in self._ask("GET", "/voices").json()["voices"]]

    def defaults(self) -> dict[str, str]:
        """Default voice by language, ``{"zh": …, "en": …}``."""
        return self._ask("GET", "/voices").json()["default"]

    def speak(self, request: SpeechRequest) -> Speech:
        """Say it.  Raises what the server's driver raised, or a `ServiceError` when the server is down or too slow."""
        body = {"text": request.text, "voice": request.voice, "speed": request.speed, "pitch": request.pitch,
                "language": request.language, "inline": True}
        with self._ask("POST", "/tts", json=body, stream=True) as response, SpooledTemporaryFile(_IN_MEMORY) as file:
            told = _received(response, file, self._url)
            samples, rate = _sound(file)
        phones = tuple(Phone(row["symbol"], row["start"], row["end"]) for row in told["phones"])
        return Speech(samples, rate, told["voice"], told["text_used"], phones, tuple(told["notes"]))

    def _session(self) -> requests.Session:
        """This thread's own, whose connection stays open; a forked process has none of its parent's."""
        if getattr(self._own, "process", None) != os.getpid():
            self._own.process, self._own.session = os.getpid(), requests.Session()
        return self._own.session

    def _ask(self, method: str, path: str, **rest: Any) -> requests.Response:
        try:
            response = self._session().request(method, self._url + path, timeout=self._timeout, **rest)
        except requests.Timeout as exc:
            raise ServiceTimeout("The voice server at {url} did not answer in time.", code="tts.server_timeout",
                                 hint="Try a shorter text, or look at the voice server's log.", url=self._url) from exc
        except requests.RequestException as exc:
            raise ServiceUnreachable("The voice server at {url} does not answer.", code="tts.server_down",
                                     hint="Start it: python tts_server.py", url=self._url) from exc
        if response.ok:
            return response
        raise _refusal(response, self._url)


def _received(response: requests.Response, file: IO[bytes], url: str) -> dict[str, Any]:
    """What is told of a speech; ``file`` is left where its sound begins."""
    try:
        for chunk in response.iter_content(1 << 18):
            file.write(chunk)
        file.seek(0)
        return json.loads(file.read(int(response.headers["X-Told-Bytes"])))
    except requests.RequestException as exc:
        raise ServiceUnreachable("The voice server at {url} broke off.", code="tts.server_cut",
                                 hint="Try again; if it stays so, look at the voice server's log.", url=url) from exc
    except (KeyError, ValueError) as exc:
        raise _strange(response, url) from exc


def _sound(file: IO[bytes]) -> tuple[Any, int]:
    import soundfile

    return soundfile.read(io.BytesIO(file.read()), dtype="float32")


def _refusal(response: requests.Response, url: str) -> VisageError:
    """The server's own error again, as the same class of our tree."""
    try:
        told = response.json()
        return revived({**told, "message": told["error"]})
    except (ValueError, KeyError, TypeError):
        return _strange(response, url)


def _strange(response: requests.Response, url: str) -> ServiceError:
    return ServiceError("{url} answered {status}, which is no answer of a voice server.", code="tts.server_strange",
                        hint="Look at what listens there.", url=url, status=response.status_code)
