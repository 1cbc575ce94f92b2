"""The Flask application: its factory, its safety settings, and the registration of the views."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask
from flask_wtf import CSRFProtect

from prereg import files
from prereg.amendments.amendment import AMENDMENTS_FILE
from prereg.derived import DERIVED_FILE
from prereg.errors import RatifyError
from prereg.images import Image
from study.folder import DEMO_MARK, Study
from study.language import speak
from study.store.database import Store
from study.visits.links import signing_key
from study.web import safety
from study.web.assets import serve_assets, serve_images
from study.web.compression import compress
from study.web.context import Reception, Room, room
from study.web.health import add_health
from study.web.limits import Limits
from study.web.rooms import AnyStudy
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
    reopen: Callable[[], Study] | None = None,
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
    reopen : callable, optional
        Opens the study again when its plan has been amended; without it, the server goes on with
        the study as it is.

    Raises
    ------
    RatifyError
        When the mode is live and the study is not locked, or a setting of the environment is wrong.
    """
    refuse_unlocked(study, mode)
    app = bare_app(study.folder)
    key, secret = signing_key(study.folder), str(app.config["SECRET_KEY"])

    def made(given: Study | None, newest: Callable[[], Room]) -> Room:
        now = given or (study if reopen is None else reopen())
        each = now.plan.design.raters_per_sequence
        store.open_slots(now.root_hash, mode, list(now.sequences), each=each)
        return Room(
            store=store,
            mode=mode,
            setup_token=setup_token,
            limits=Limits(
                places=now.plan.design.raters, store=store, secret=secret, study=now.root_hash
            ),
            links_key=key,
            newest=newest,
            study=now,
        )

    app.extensions["ratify"] = Reception(made, study, _watched(study))
    parts = (rater, practising, surveying, leaving, dashboard)
    dress(
        app,
        store,
        folder=study.folder,
        language=study.plan.language,
        pages=[part.pages for part in parts],
        images=lambda: room().images,
        own_host=own_host,
    )
    return app


def _watched(study: Study) -> list[Path]:
    """Return the files that change under a running server: of a derived study, its items, too.

    The text of a conversation is erased from them when its participant withdraws.
    """
    watched = [study.folder / AMENDMENTS_FILE]
    if (study.folder / DERIVED_FILE).exists():
        watched.append(study.folder / study.plan.materials.items)
    return watched


def refuse_unlocked(study: AnyStudy, mode: str) -> None:
    """Raise `RatifyError` if the mode is live and the study is not locked."""
    if mode == "live" and study.lock is None:
        raise RatifyError(
            "live collection needs a locked plan",
            file=study.folder / "plan.yaml",
            allowed="run `ratify lock` first, or serve with --mode pilot",
        )


def bare_app(folder: Path) -> Flask:
    """Return an application with its key, its limits and its cookies, without a page."""
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # its redirect would go to any host in the Host header
    app.config.update(
        SECRET_KEY=secret_key(folder),
        MAX_CONTENT_LENGTH=REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=REQUEST_BYTES,
        MAX_FORM_PARTS=200,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        SESSION_REFRESH_EACH_REQUEST=False,  # a cookie of thirty days need not be renewed each time
        # two studies on one host must not share a cookie
        SESSION_COOKIE_NAME=f"ratify_{files.sha256(str(folder.resolve()).encode())[:8]}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # the token protects the forms, and our own policy keeps browsers from sending a referrer
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=None,  # a rater may come back the next day and continue
    )
    return app


def dress(
    app: Flask,
    store: Store,
    *,
    folder: Path,
    language: str,
    pages: Iterable[Blueprint],
    images: Callable[[], Mapping[str, Image]],
    own_host: str | None,
    policy: str = safety.POLICY,
) -> None:
    """Give an application, whose room is there, its pages, its language and its safety.

    Parameters
    ----------
    app : Flask
        From `bare_app`.
    store : Store
    folder : Path
    language : str
        Of the plan.
    pages : iterable of Blueprint
    images : callable
        Returns the images that the study shows, by their address.
    own_host : str, optional
        The address that the server listens on.
    policy : str
        What the pages may load.
    """
    app.before_request(safety.refuse_nameless_fields)
    csrf.init_app(app)
    speak(app, language)
    app.jinja_env.globals["is_demo"] = (folder / DEMO_MARK).exists()
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    for blueprint in pages:
        app.register_blueprint(blueprint)
    add_health(app, store)
    serve_assets(app)
    serve_images(app, images)
    app.after_request(compress)
    safety.make_safe(app, own_host, policy)


def secret_key(folder: Path) -> str:
    """Return the key that signs cookies: from the environment, or from a file in the study folder.

    The file outlives the server, so that a rater's cookie is still valid after a restart.
    """
    given = os.environ.get("RATIFY_SECRET_KEY")
    if given:
        return given
    return files.made_once(folder / SECRET_FILE, secrets.token_urlsafe(32))
