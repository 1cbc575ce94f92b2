"""The Flask application: its factory, its safety settings, and the registration of the views."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect

from prereg import files
from prereg.errors import RatifyError
from study.folder import DEMO_MARK, Study
from study.language import speak
from study.store.database import Store
from study.tasks.registry import task_of
from study.visits.links import signing_key
from study.web import safety
from study.web.assets import serve_assets, serve_images
from study.web.compression import compress
from study.web.context import Room
from study.web.health import add_health
from study.web.limits import Limits
from study.web.naming import naming
from study.web.texts import Texts
from study.web.views import dashboard, leaving, practising, rater, surveying

SECRET_FILE = ".ratify-secret"  # noqa: S105
REQUEST_BYTES = 64 * 1024
csrf = CSRFProtect()


def create_app(
    study: Study,
    store: Store,
    *,
    mode: str,
    setup_token: str | None = None,
    own_host: str | None = None,
) -> Flask:
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
    own_host : str, optional
        The address that the server listens on; links may name it.

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
    app = Flask(__name__, static_folder=None)
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
    limits = Limits(
        places=study.plan.design.raters, store=store, secret=str(app.config["SECRET_KEY"])
    )
    key, texts = signing_key(study.folder), Texts(study.plan.display, study.images)
    app.extensions["ratify"] = Room(
        study, store, mode, task_of(study.plan), setup_token, limits, key, texts
    )
    app.before_request(safety.refuse_nameless_fields)
    csrf.init_app(app)
    speak(app, study.plan.language)
    app.jinja_env.globals["is_demo"] = (study.folder / DEMO_MARK).exists()
    app.jinja_env.filters["markdown"] = texts.page
    app.jinja_env.globals["named"] = naming(study.plan.display)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    parts = (rater, practising, surveying, leaving, dashboard)
    for blueprint in (part.pages for part in parts):
        app.register_blueprint(blueprint)
    add_health(app, store)
    serve_assets(app)
    serve_images(app, study.images)
    app.after_request(compress)
    safety.make_safe(app, own_host)
    return app


def secret_key(folder: Path) -> str:
    """Return the key that signs cookies: from the environment, or from a file in the study folder.

    The file outlives the server, so that a rater's cookie is still valid after a restart.
    """
    given = os.environ.get("RATIFY_SECRET_KEY")
    if given:
        return given
    return files.made_once(folder / SECRET_FILE, secrets.token_urlsafe(32))
