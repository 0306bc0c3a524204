"""Driver ``http``: the client of our own voice server, so that espeak-ng (GPL) stays in that server's process."""

from __future__ import annotations

import tempfile
from typing import Any

import requests

from visage.errors import ServiceError, ServiceTimeout, ServiceUnreachable, VisageError, revived
from visage.tts.contract import Speech, SpeechRequest, Voice
from visage.types import Phone

CONNECT_SECONDS = 3.0


class VoiceServer:
    """A `Synthesizer` over HTTP; safe to use from many threads."""

    def __init__(self, url: str, timeout: float = 600.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = (CONNECT_SECONDS, timeout)

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
                "language": request.language}
        answer = self._ask("POST", "/tts", json=body).json()
        name = answer["wav_path"].replace("\\", "/").rpartition("/")[2]
        samples, rate = self._fetch(name)
        phones = tuple(Phone(row["symbol"], row["start"], row["end"]) for row in answer["phones"])
        return Speech(samples, rate, answer["voice"], answer["text_used"], phones, tuple(answer["notes"]))

    def _fetch(self, name: str) -> tuple[Any, int]:
        import soundfile

        with tempfile.TemporaryFile(suffix=".wav") as file:
            with self._ask("GET", f"/sounds/{name}", stream=True) as response:
                for chunk in response.iter_content(1 << 20):
                    file.write(chunk)
            self._ask("DELETE", f"/sounds/{name}")
            file.seek(0)
            return soundfile.read(file, dtype="float32")

    def _ask(self, method: str, path: str, **rest: Any) -> requests.Response:
        try:
            response = requests.request(method, self._url + path, timeout=self._timeout, **rest)
        except requests.Timeout as exc:
            raise ServiceTimeout("The voice server at {url} did not answer in time.", code="tts.server_timeout",
                                 hint="Try a shorter text, or look at the voice server's log.", url=self._url) from exc
        except requests.RequestException as exc:
            raise ServiceUnreachable("The voice server at {url} does not answer.", code="tts.server_down",
                                     hint="Start it: python tts_server.py", url=self._url) from exc
        if response.ok:
            return response
        raise _refusal(response, self._url)


def _refusal(response: requests.Response, url: str) -> VisageError:
    """The server's own error again, as the same class of our tree."""
    try:
        told = response.json()
        return revived({**told, "message": told["error"]})
    except (ValueError, KeyError, TypeError):
        return ServiceError("{url} answered {status}, which is no answer of a voice server.", code="tts.server_strange",
                            hint="Look at what listens there.", url=url, status=response.status_code)
