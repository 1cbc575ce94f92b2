"""The Flask application: its factory, its safety settings, and the registration of the views."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, jsonify
from flask_wtf import CSRFProtect
from markdown_it import MarkdownIt
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from prereg import files
from prereg.errors import RatifyError
from study.folder import DEMO_MARK, Study
from study.language import speak
from study.store.database import Store
from study.tasks.registry import task_of
from study.web import safety
from study.web.context import Room, room
from study.web.limits import Limits
from study.web.turns import turns
from study.web.views import dashboard, leaving, practising, rater, surveying

SECRET_FILE = ".ratify-secret"  # noqa: S105
REQUEST_BYTES = 64 * 1024
csrf = CSRFProtect()
markdown = MarkdownIt("commonmark", {"html": False})


def create_app(study: Study, store: Store, *, mode: str, setup_token: str | None = None) -> Flask:
    """Build the application that serves one study in one mode.

    Parameters
    ----------
    study : Study
    store : Store
        Its slots for this mode are opened here.
    mode : {'live', 'pilot', 'bot'}
        Written into every row; live needs a lock.
    setup_token : str, optional
        With this token a researcher may set the dashboard's password, while there is none.

    Raises
    ------
    RatifyError
        When the mode is live and the study is not locked, or a setting of the environment is wrong.
    """
    if mode == "live" and study.lock is None:
        raise RatifyError(
            "live collection needs a locked plan",
            file=study.folder / "plan.yaml",
            allowed="run `ratify lock` first, or serve with --mode pilot",
        )
    app = Flask(__name__)
    app.url_map.merge_slashes = False  # its redirect would go to any host in the Host header
    app.config.update(
        SECRET_KEY=secret_key(study.folder),
        MAX_CONTENT_LENGTH=REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=REQUEST_BYTES,
        MAX_FORM_PARTS=200,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        SESSION_REFRESH_EACH_REQUEST=False,  # a cookie of thirty days need not be renewed each time
        # two studies on one host must not share a cookie
        SESSION_COOKIE_NAME=f"ratify_{files.sha256(str(study.folder.resolve()).encode())[:8]}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # the token protects the forms, and our own policy keeps browsers from sending a referrer
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=None,  # a rater may come back the next day and continue
    )
    store.open_slots(
        study.plan_hash, mode, list(study.sequences), each=study.plan.design.raters_per_sequence
    )
    app.extensions["ratify"] = Room(study, store, mode, task_of(study.plan), setup_token, Limits())
    app.before_request(safety.refuse_nameless_fields)
    csrf.init_app(app)
    speak(app, study.plan.language)
    app.jinja_env.globals["is_demo"] = (study.folder / DEMO_MARK).exists()
    app.jinja_env.filters["turns"] = turns
    app.jinja_env.filters["markdown"] = _as_html
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    parts = (rater, practising, surveying, leaving, dashboard)
    for blueprint in (part.pages for part in parts):
        app.register_blueprint(blueprint)
    app.add_url_rule("/health", view_func=health)
    safety.make_safe(app)
    return app


@lru_cache(maxsize=16)  # a study has two such texts, which every rater reads
def _as_html(text: str) -> Markup:
    return Markup(markdown.render(text))  # noqa: S704 - HTML in the text is switched off


def health() -> tuple[Response, int]:
    """Say whether the server and its store answer; for a load balancer or a monitor."""
    here = room()
    try:
        with here.store.reading() as connection:
            connection.execute(select(1))
    except SQLAlchemyError:
        return jsonify(status="the store does not answer"), 503
    return jsonify(status="ok", mode=here.mode, plan_hash=here.study.plan_hash), 200


def secret_key(folder: Path) -> str:
    """Return the key that signs cookies: from the environment, or from a file in the study folder.

    The file outlives the server, so that a rater's cookie is still valid after a restart.
    """
    given = os.environ.get("RATIFY_SECRET_KEY")
    if given:
        return given
    path = folder / SECRET_FILE
    # several servers may start at once: all use the key of the first to make the file
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(32) + "\n")
    for _ in range(50):
        key = path.read_text(encoding="utf-8").strip()
        if key:
            return key
        time.sleep(0.02)  # another server has made the file, but not written the key yet
    raise RatifyError(
        "does not contain a key", file=path, allowed="remove it, and Ratify makes a new one"
    )
