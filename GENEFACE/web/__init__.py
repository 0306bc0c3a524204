"""HTTP in, HTTP out: knows forms and status codes, not faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from backend.services import Services

_ROOT = Path(__file__).resolve().parents[1]


def create_app(services: Services | None = None) -> Flask:
    """The web app.  ``services`` are those of this process unless given; nothing is opened before the first request."""
    from flask_openapi3 import Info, OpenAPI

    from backend.services import open_services
    from visage import __version__
    from web import (
        chat,
        consents,
        errors,
        evaluation,
        health,
        jobs,
        keeping,
        live,
        pages,
        swap,
        template_api,
        training,
        uploads,
        videos,
        visitor,
        voices,
    )

    app = OpenAPI("visage", info=Info(title="Visage", version=__version__), template_folder=str(_ROOT / "templates"),
                  static_folder=str(_ROOT / "static"), validation_error_callback=errors.wrong_field)
    app.extensions["visage"] = services or open_services()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    visitor.register(app)
    errors.register(app)
    for module in (health, uploads, training, jobs, videos, voices, chat, keeping, evaluation, consents,
                   swap):
        app.register_api(module.bp)
    for module in (template_api, pages):
        app.register_blueprint(module.bp)
    live.register(app)
    return app
