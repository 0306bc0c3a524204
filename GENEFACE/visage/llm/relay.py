"""What the drivers that speak HTTP share: a chat-completions stream becomes text, foreign failures become ours."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from visage.errors import (
    NotInstalled,
    ServiceBusy,
    ServiceError,
    ServiceRefused,
    ServiceTimeout,
    ServiceUnreachable,
    VisageError,
)
from visage.llm.contract import Message
from visage.llm.line import Line

CONNECT_SECONDS = 10.0
"""Longest wait for a connection, apart from the wait for the first word."""
_PAUSE = 0.5
_FOREIGN = {"zhipuai", "openai", "httpx", "httpx2", "httpcore", "httpcore2"}


@dataclass(frozen=True, slots=True)
class Service:
    """Whom a driver talks to; fills the error messages."""

    name: str
    """Name and model, e.g. ``"zhipu glm-4-flashx"``."""
    address: str
    """Base URL, or the host when the SDK knows the URL."""
    timeout: float
    """Seconds it may stay silent."""
    key_variable: str
    """Environment variable that holds the key."""
    url_variable: str
    """Environment variable that holds the base URL."""
    model_variable: str
    """Environment variable that holds the model."""
    secret: str = field(default="", repr=False)
    """The key, so that it can be kept out of messages."""


def relay(client: Any, line: Line, create: Callable[[], Any], service: Service) -> Iterator[str]:
    """The texts of one answer of ``create()``, an SDK's chat stream over ``line``; closes all three in every case.

    A request that is turned away with 429 or 5xx is made once more.  Raises the
    `ServiceError` family.
    """
    stream = None
    try:
        stream = _opened(create, line, service)
        yield from _texts(stream, service)
    finally:
        if stream is not None:
            stream.response.close()
        client.close()
        line.cut()


@cache
def trusted() -> ssl.SSLContext:
    """Whom TLS trusts, read once: 20 ms of work that no question waits for when a driver asks for it as it opens."""
    return httpx.create_ssl_context()


def payload(messages: Sequence[Message]) -> list[dict[str, str]]:
    """A conversation in the form of the protocol."""
    return [{"role": message.role, "content": message.text} for message in messages]


def on_internet(url: str) -> bool:
    """Whether an address lies outside this machine and its local network (judged by its text alone)."""
    host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".lan", ".internal", ".localhost"))


def require_network(online: bool, address: str, name: str) -> None:
    """Raises `NotInstalled` when the settings forbid the internet and that address is on it."""
    if not online and on_internet(address):
        raise NotInstalled("The language model {name} is on the internet, which this installation may not use.",
                           code="llm.internet_forbidden", name=name,
                           hint="export VISAGE_ONLINE=true, or choose another.")


def translate(exc: Exception, service: Service, started: bool = False) -> VisageError | None:
    """Our error for an SDK's; None for what is no failure of the service.

    Judged by class names along the chain of causes: the SDKs' own classes differ, and the
    HTTP library below them (httpx, httpx2) leaks through in some versions and not in others.
    """
    names = {kind.__name__ for error in _chain(exc) for kind in type(error).__mro__}
    status = getattr(exc, "status_code", None)
    if isinstance(exc, ValueError | KeyError | AttributeError | TypeError) or "APIResponseValidationError" in names:
        return malformed(service)
    if type(exc).__module__.split(".")[0] not in _FOREIGN:
        return None
    if isinstance(status, int):
        return _from_status(status, _reason(exc, service), service)
    if "ConnectTimeout" not in names and names & {"APITimeoutError", "TimeoutException"}:
        return ServiceTimeout("The language model {llm} said nothing for {seconds} seconds.", code="llm.timeout",
                              hint="Try again, or allow more time: export VISAGE_LLM_TIMEOUT={more}",
                              llm=service.name, seconds=f"{service.timeout:g}", more=f"{2 * service.timeout:g}")
    if names & {"APIConnectionError", "TransportError"}:
        return cut(service) if started else ServiceUnreachable(
            "The language model {llm} at {address} cannot be reached.", code="llm.unreachable",
            hint="Is it running, and is the address right? export {variable}=http://…",
            llm=service.name, address=service.address, variable=service.url_variable)
    return _failed(_reason(exc, service), service)


def malformed(service: Service) -> ServiceError:
    """The error for an answer that is not the protocol."""
    return ServiceError("The answer of {llm} at {address} is not in the chat-completions protocol.",
                        code="llm.malformed", hint="Check the address, it usually ends in /v1: export {variable}=http://…",
                        llm=service.name, address=service.address, variable=service.url_variable)


def cut(service: Service) -> ServiceError:
    """The error for an answer that stops in the middle."""
    return ServiceError("The language model {llm} broke off in the middle of its answer.", code="llm.cut",
                        hint="Ask again.", llm=service.name)


def _opened(create: Callable[[], Any], line: Line, service: Service) -> Any:
    for last in (False, True):
        try:
            return create()
        except Exception as exc:
            error = translate(exc, service)
            if error is None:
                raise
            if last or not (isinstance(error, ServiceBusy) or error.params.get("status", 0) >= 500):
                raise error from exc
        if line.wait(_PAUSE):
            raise error
    raise AssertionError("the second attempt returns or raises")


def _texts(stream: Any, service: Service) -> Iterator[str]:
    chunks, seen, finish = iter(stream), False, ""
    while True:
        try:
            chunk = next(chunks, None)
        except Exception as exc:
            error = translate(exc, service, started=seen)
            if error is None:
                raise
            raise error from exc
        if chunk is None:
            break
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            seen = True
            finish = getattr(choice, "finish_reason", None) or finish
            delta = getattr(choice, "delta", None)
            if delta is None and not finish:
                raise malformed(service)
            text = getattr(delta, "content", None)
            if isinstance(text, str) and text:
                yield text
    if not seen:
        raise malformed(service)
    if finish in {"sensitive", "content_filter"}:
        raise ServiceError("The language model {llm} refused this topic.", code="llm.filtered",
                           hint="Ask in other words.", llm=service.name)
    # Without a reason for its end the stream was closed by something in between: what came is half an answer.
    if finish in {"", "network_error"}:
        raise cut(service)


def _from_status(status: int, reason: str, service: Service) -> ServiceError:
    if status in (401, 403):
        return ServiceRefused("The language model {llm} refused the key (HTTP {status}).", code="llm.refused",
                              hint="Set a valid key: export {variable}=…",
                              llm=service.name, status=status, variable=service.key_variable)
    if status == 429:
        return ServiceBusy("The language model {llm} takes no more requests now: {reason}", code="llm.busy",
                           hint="Wait a minute, or check the balance of the account.",
                           llm=service.name, reason=reason or "HTTP 429")
    if status in (408, 504):
        return ServiceTimeout("The language model {llm} took too long (HTTP {status}).", code="llm.slow",
                              hint="Try again.", llm=service.name, status=status)
    if status == 404:
        return ServiceError("The language model {llm} is not to be found at {address}: {reason}", code="llm.missing",
                            hint="Check the names: export {url}=…/v1; export {model}=…",
                            llm=service.name, address=service.address, reason=reason or "HTTP 404",
                            url=service.url_variable, model=service.model_variable)
    return _failed(reason or f"HTTP {status}", service, status)


def _failed(reason: str, service: Service, status: int = 0) -> ServiceError:
    return ServiceError("The language model {llm} failed: {reason}", code="llm.failed",
                        hint="Try again; if it stays so, look at the service's own log or status page.",
                        llm=service.name, reason=reason or "it gave no reason", status=status)


def _reason(exc: Exception, service: Service) -> str:
    body = getattr(exc, "body", None) or getattr(exc, "json_data", None)
    if body is None:
        try:
            body = exc.response.json()  # type: ignore[attr-defined]
        except (AttributeError, ValueError, RuntimeError):
            return ""
    if isinstance(body, dict):
        error = body.get("error", body)
        body = error.get("message", "") if isinstance(error, dict) else error
    text = " ".join(str(body).split())[:200]
    return text.replace(service.secret, "***") if service.secret else text


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
