"""Any server that speaks the OpenAI protocol: Ollama, vLLM, llama.cpp, Azure, OpenAI itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openai import DefaultHttpxClient, OpenAI, Timeout

from visage.config import Settings
from visage.errors import NotInstalled
from visage.llm.contract import Answer, Message
from visage.llm.line import Line, Pieces
from visage.llm.relay import (
    CONNECT_SECONDS,
    Service,
    on_internet,
    payload,
    relay,
    require_network,
    translate,
    trusted,
)

_HOME = "https://api.openai.com/v1"


class OpenAIResponder:
    """Answers with the model of an OpenAI-compatible server.

    Without ``openai_model`` the only model that the server lists is used.  Raises
    `NotInstalled` when neither an address nor a key is set.
    """

    title = "openai"

    def __init__(self, settings: Settings):
        key = settings.openai_api_key.get_secret_value()
        if not settings.openai_base_url and not (key and self.title == "openai"):
            raise NotInstalled("The language model {name} needs the address of its server.", code="llm.no_address",
                               hint="export VISAGE_OPENAI_BASE_URL=http://127.0.0.1:11434/v1  (Ollama; or any other)",
                               name=self.title)
        url = settings.openai_base_url or _HOME
        self._model = settings.openai_model
        self.name = f"{self.title} {self._model}".strip()
        require_network(settings.online, url, self.name)
        trusted()
        # The SDK insists on a key; servers that need none ignore it.
        self._key = key or "none"
        self._service = Service(self.name, url, settings.llm_timeout, "VISAGE_OPENAI_API_KEY",
                                "VISAGE_OPENAI_BASE_URL", "VISAGE_OPENAI_MODEL", key)

    def stream(self, messages: Sequence[Message]) -> Answer:
        """The answer in pieces; closing it ends the connection."""
        line = Line()
        return Pieces(self._pieces(messages, line), line)

    def _pieces(self, messages: Sequence[Message], line: Line) -> Iterator[str]:
        url, silence = self._service.address, self._service.timeout
        client = OpenAI(api_key=self._key, base_url=url, max_retries=0,
                        timeout=Timeout(silence, connect=min(CONNECT_SECONDS, silence)),
                        http_client=DefaultHttpxClient(trust_env=on_internet(url), verify=trusted(),
                                                       event_hooks=line.hooks))
        with client:
            self._choose_model(client)
            yield from relay(client, line, lambda: client.chat.completions.create(
                model=self._model, messages=payload(messages), stream=True), self._service)  # type: ignore[arg-type]

    def _choose_model(self, client: OpenAI) -> None:
        if self._model:
            return
        try:
            listed = [model.id for model in client.models.list().data or []]
        except Exception as exc:
            error = translate(exc, self._service)
            if error is None:
                raise
            raise error from exc
        if len(listed) != 1:
            raise NotInstalled("The server {address} offers {count} language models ({names}), and none was chosen.",
                               code="llm.no_model", hint="export VISAGE_OPENAI_MODEL={first}",
                               address=self._service.address, count=len(listed),
                               names=", ".join(listed[:8]), first=listed[0] if listed else "…")
        self._model = listed[0]
        self.name = f"{self.title} {self._model}"
        self._service = replace(self._service, name=self.name)


class AzureResponder(OpenAIResponder):
    """Azure's own address of the same protocol (``https://NAME.openai.azure.com/openai/v1``)."""

    title = "azure"
