"""Driver ``openai``: any server with the OpenAI protocol for pictures (``POST …/images/generations``)."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from pathlib import Path
from typing import Any

import requests

from visage.config import Settings
from visage.errors import (
    BadImage,
    NotInstalled,
    ServiceBusy,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
)
from visage.media.images import read_image
from visage.pictures.contract import MadePicture, PictureRequest

_CONNECT_SECONDS, _RECEIVE_SECONDS = 5.0, 300.0
_LARGEST = 64 << 20


class OpenAIPictures:
    """Follows `PictureMaker`; LocalAI, vLLM-omni, ComfyUI bridges and OpenAI itself speak this."""

    name = "openai"

    def __init__(self, settings: Settings):
        if not settings.pictures_base_url:
            raise NotInstalled("No server that draws pictures is configured.", code="pictures.openai_unset",
                               hint="Set VISAGE_PICTURES_BASE_URL, e.g. http://127.0.0.1:8080/v1.")
        self._url = settings.pictures_base_url.rstrip("/")
        self._key = settings.pictures_api_key.get_secret_value()
        self._model = settings.pictures_model

    def make(self, request: PictureRequest) -> MadePicture:
        """As `PictureMaker.make`; only pictures inside the answer are taken, no address in it is followed."""
        body: dict[str, Any] = {"prompt": request.prompt, "size": f"{request.width}x{request.height}", "n": 1,
                                "response_format": "b64_json", "seed": request.seed}
        if self._model:
            body["model"] = self._model
        try:
            told = json.loads(self._asked(body))["data"][0]["b64_json"]
            data = base64.b64decode(told, validate=True)
        except (ValueError, KeyError, IndexError, TypeError, binascii.Error) as exc:
            raise ServiceError("The server at {url} answered without a picture.", code="pictures.no_picture",
                               hint="Check that it supports response_format b64_json.", url=self._url) from exc
        return MadePicture(self._pixels(data), f"openai:{self._model or 'default'}", generated=True)

    def _pixels(self, data: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "answer"
            file.write_bytes(data)
            try:
                return read_image(file)
            except BadImage as exc:
                raise ServiceError("The server at {url} sent a picture that cannot be read.", url=self._url,
                                   code="pictures.unreadable", hint="Try again, or another model.") from exc

    def _asked(self, body: dict[str, Any]) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            with requests.post(f"{self._url}/images/generations", json=body, headers=headers, stream=True,
                               timeout=(_CONNECT_SECONDS, _RECEIVE_SECONDS)) as response:
                answer = _read_within(response, _LARGEST)
        except requests.Timeout as exc:
            raise ServiceTimeout("The server at {url} took too long to draw.", code="pictures.timeout",
                                 hint="Try a smaller picture, or give one with the request.", url=self._url) from exc
        except requests.RequestException as exc:
            raise ServiceUnreachable("The server that draws, {url}, cannot be reached.", code="pictures.unreachable",
                                     hint="Check VISAGE_PICTURES_BASE_URL.", url=self._url) from exc
        if response.ok:
            return answer
        kind = {401: ServiceRefused, 403: ServiceRefused, 429: ServiceBusy}.get(response.status_code, ServiceError)
        raise kind("The server that draws, {url}, answered {status}.", code="pictures.refused", url=self._url,
                   status=response.status_code, hint="Check VISAGE_PICTURES_API_KEY and the name of the model.")


def _read_within(response: requests.Response, limit: int) -> bytes:
    """The body.  Raises `requests.RequestException` beyond ``limit`` bytes."""
    body = bytearray()
    for piece in response.iter_content(1 << 16):
        body += piece
        if len(body) > limit:
            raise requests.exceptions.ContentDecodingError("the answer is too long")
    return bytes(body)
