"""Language models by name: GLM through its own SDK, any server with the OpenAI protocol, or the built-in responder."""

from __future__ import annotations

from visage.config import Settings
from visage.drivers import load
from visage.llm.contract import Answer, Message, Responder

DRIVERS = {
    "zhipu": "visage.llm.zhipu:ZhipuResponder",
    "openai": "visage.llm.openai:OpenAIResponder",
    "azure": "visage.llm.openai:AzureResponder",
    "offline": "visage.llm.offline:OfflineResponder",
}

__all__ = ["DRIVERS", "Answer", "Message", "Responder", "open_responder"]


def open_responder(settings: Settings, choice: str = "") -> Responder:
    """The responder of that name (any case), or the best one configured when ``choice`` is empty.

    Empty means: GLM where its key is set, else the server of ``openai_base_url``,
    else the offline responder; the network is not asked.  Raises `UnknownDriver`,
    and `NotInstalled` when a named service lacks its key or address.
    """
    name = choice.strip().lower() or _configured(settings)
    return load("language model", DRIVERS, name)(settings)


def _configured(settings: Settings) -> str:
    if settings.zhipu_api_key.get_secret_value() and (settings.online or settings.zhipu_base_url):
        return "zhipu"
    return "openai" if settings.openai_base_url else "offline"
