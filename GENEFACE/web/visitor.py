"""Who is asking: a random cookie for each browser, and a guard against requests from other sites."""

from __future__ import annotations

import hashlib
import re
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from backend.services import Services
from web.status import ForeignSite

COOKIE = "visage"
_YEAR = 365 * 86_400
_LONGEST_JSON, _LONGEST_PICTURES = 4 << 20, 96 << 20


def services() -> Services:
    """The services of this app."""
    return current_app.extensions["visage"]


def owner() -> str:
    """Id of the browser that asks; a client without cookies is known by its address and program."""
    return g.visitor


def register(app: Flask) -> None:
    """Name every visitor and refuse writes that another site caused."""
    app.before_request(_name_visitor)
    app.before_request(_refuse_foreign)
    app.before_request(_bound_json)
    app.after_request(_remember_visitor)


def _name_visitor() -> None:
    told = request.cookies.get(COOKIE, "")
    g.new_cookie = "" if re.fullmatch(r"[0-9a-f]{32}", told) else secrets.token_hex(16)
    program = f"{request.remote_addr} {request.headers.get('User-Agent', '')}"
    g.visitor = told if not g.new_cookie else hashlib.sha256(program.encode()).hexdigest()[:32]


def _refuse_foreign() -> None:
    # a WebSocket begins as a GET, and browsers let any page open one
    if request.method in ("GET", "HEAD", "OPTIONS") and "Upgrade" not in request.headers:
        return
    origin = request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if foreign or (origin and urlsplit(origin).netloc not in ("", request.host)):
        raise ForeignSite("This request came from another site.", hint="Use the product's own pages.")


def _bound_json() -> None:
    """JSON is read into memory as a whole: no more of it than the longest text needs, or two pictures."""
    if request.is_json:
        request.max_content_length = _LONGEST_PICTURES if request.path == "/swap" else _LONGEST_JSON


def _remember_visitor(response: Response) -> Response:
    """A page view starts the cookie, so that everything a browser sends afterwards belongs to it."""
    if g.get("new_cookie") and response.mimetype == "text/html":
        response.set_cookie(COOKIE, g.new_cookie, max_age=_YEAR, httponly=True, samesite="Lax")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
