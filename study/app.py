"""The Flask application: its factory, its safety settings, and the registration of the views."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, render_template, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from markdown_it import MarkdownIt
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from prereg import files
from prereg.errors import RatifyError
from study.conversation import turns
from study.folder import DEMO_MARK, Study
from study.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SECRET_FILE = ".ratify-secret"  # noqa: S105
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The report carries its style and drawings inside itself, and no script at all.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")
csrf = CSRFProtect()
markdown = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True)
class Room:
    """What the views of one running server share: the study, its store, and the kind of data."""

    study: Study
    store: Store
    mode: str
    dashboard_key: str


def room() -> Room:
    """Return what the views of the current application share."""
    shared: Room = current_app.extensions["ratify"]
    return shared


def create_app(study: Study, store: Store, *, mode: str, dashboard_key: str) -> Flask:
    """Build the application that serves one study in one mode.

    Parameters
    ----------
    study : Study
    store : Store
        Its slots for this mode are opened here.
    mode : {'live', 'pilot', 'bot'}
        Written into every row; live needs a lock.
    dashboard_key : str
        What a researcher signs in with.

    Raises
    ------
    RatifyError
        When the mode is live and the study is not locked.
    """
    if mode == "live" and study.lock is None:
        raise RatifyError(
            "live collection needs a locked plan", file=study.folder / "plan.yaml",
            allowed="run `ratify lock` first, or serve with --mode pilot",
        )  # fmt: skip
    from study.views import dashboard, rater

    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key(study.folder),
        MAX_CONTENT_LENGTH=64 * 1024,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        # two studies on one host must not share a cookie
        SESSION_COOKIE_NAME=f"ratify_{files.sha256(str(study.folder.resolve()).encode())[:8]}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # the token is what protects; a referrer is what our own policy keeps browsers from sending
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=None,  # a rater may come back the next day and go on
    )
    store.open_slots(study.plan_hash, mode, list(study.sequences))
    app.extensions["ratify"] = Room(study, store, mode, dashboard_key)
    csrf.init_app(app)
    app.jinja_env.globals["is_demo"] = (study.folder / DEMO_MARK).exists()
    app.jinja_env.filters["turns"] = turns
    app.jinja_env.filters["markdown"] = lambda text: Markup(markdown.render(text))  # noqa: S704
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.register_blueprint(rater.pages)
    app.register_blueprint(dashboard.pages)
    app.register_error_handler(HTTPException, _problem)
    app.register_error_handler(CSRFError, _stale_form)
    app.after_request(_safe)
    app.wsgi_app = _only_real_hosts(app.wsgi_app)  # type: ignore[assignment, method-assign]
    return app


def _only_real_hosts(serve: WSGIApplication) -> WSGIApplication:
    """Answer a request whose Host header cannot be one before anything builds an address of it."""

    def checked(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if _HOST.fullmatch(environ.get("HTTP_HOST", "localhost")):
            return serve(environ, start)
        start("400 Bad Request", [("Content-Type", "text/plain")])
        return [b"The Host header is not a host.\n"]

    return checked


def secret_key(folder: Path) -> str:
    """Return the key that signs cookies: from the environment, else kept in the study folder.

    It outlives the server, so that a rater's cookie is good after a restart.
    """
    given = os.environ.get("RATIFY_SECRET_KEY")
    if given:
        return given
    path = folder / SECRET_FILE
    # several servers may start at once: the first to make the file decides for all
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(32) + "\n")
    for _ in range(50):
        key = path.read_text(encoding="utf-8").strip()
        if key:
            return key
        time.sleep(0.02)  # made by another server, not written yet
    raise RatifyError("holds no key", file=path, allowed="remove it, and a new one is made")


def _safe(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _problem(error: HTTPException) -> tuple[str, int]:
    return render_template("problem.html", title=error.name, text=error.description), (
        error.code or 500
    )


def _stale_form(_error: CSRFError) -> tuple[str, int]:
    text = "This page was open for too long, or cookies are switched off. Nothing was lost."
    return render_template("problem.html", title="Please open your link again", text=text), 400
