"""GLM models of Zhipu, through their own SDK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx
from zhipuai import ZhipuAI

from visage.config import Settings
from visage.errors import NotInstalled
from visage.llm.contract import Answer, Message
from visage.llm.line import Line, Pieces
from visage.llm.relay import CONNECT_SECONDS, Service, on_internet, payload, relay, require_network, trusted

_HOME = "open.bigmodel.cn"


class ZhipuResponder:
    """Answers with a GLM model.  Raises `NotInstalled` when no key is set."""

    def __init__(self, settings: Settings):
        self._key = settings.zhipu_api_key.get_secret_value()
        if not self._key:
            raise NotInstalled("The language model zhipu needs a key.", code="llm.no_key",
                               hint="export ZHIPU_API_KEY=…  (from https://open.bigmodel.cn)")
        self._model = settings.zhipu_model
        self._url = settings.zhipu_base_url
        self.name = f"zhipu {self._model}"
        require_network(settings.online, self._url or _HOME, self.name)
        trusted()
        self._service = Service(self.name, self._url or _HOME, settings.llm_timeout, "ZHIPU_API_KEY",
                                "VISAGE_ZHIPU_BASE_URL", "ZHIPU_MODEL", self._key)

    def stream(self, messages: Sequence[Message]) -> Answer:
        """The answer in pieces; closing it ends the connection."""
        line = Line()
        return Pieces(self._pieces(messages, line), line)

    def _pieces(self, messages: Sequence[Message], line: Line) -> Iterator[str]:
        silence = self._service.timeout
        client = ZhipuAI(
            api_key=self._key, base_url=self._url or None, max_retries=0,
            timeout=httpx.Timeout(silence, connect=min(CONNECT_SECONDS, silence)),
            # A proxy named in the environment is for the internet, never for a server next door.
            http_client=httpx.Client(trust_env=on_internet(self._url or _HOME), verify=trusted(),
                                     event_hooks=line.hooks))
        yield from relay(client, line, lambda: client.chat.completions.create(
            model=self._model, messages=payload(messages), stream=True), self._service)
