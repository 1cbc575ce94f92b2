"""Do what `ratify serve` does: serve one study in one mode, from one process or several."""

from __future__ import annotations

import contextlib
import secrets
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from prereg.chat.design import ChatDesign
from prereg.errors import RatifyError
from prereg.simulated import is_simulated
from study.chat.study import ChatStudy
from study.folder import Study
from study.opening import open_study
from study.serving import server
from study.serving.background import add_background
from study.store.database import Store, mark_store, open_store
from study.store.engines import SERVING_SECONDS
from study.store.sqlite_file import served_by_one
from study.web.accounts import has_password
from study.web.app import create_app
from study.web.limits import CONSENTS, consents_per_hour
from study.web.safety import HOSTS, allowed_hosts, trusted_proxies


@dataclass(frozen=True)
class Serving:
    """How a study is served.

    Attributes
    ----------
    mode : {'live', 'pilot', 'bot'}
    host : str
    port : int
        0 means any port. If a port is taken, the next free one is used, except in live mode or
        behind a proxy.
    workers : int
        Processes; more than one needs PostgreSQL and gunicorn.
    """

    mode: str
    host: str
    port: int
    workers: int = 1


def serve_study(
    study: Study | ChatStudy,
    serving: Serving,
    *,
    url: str | None,
    ready: Callable[[str, str | None], None],
    say: Callable[[str], None],
) -> None:
    """Serve a study until told to stop.

    Parameters
    ----------
    study : Study or ChatStudy
    serving : Serving
    url : str or None
        The database; None is SQLite in the study folder.
    ready : callable
        Called with the address, and with the token of the link that sets the dashboard's first
        password (None if it has a password), just before requests are accepted.
    say : callable
        Takes a line for the person who started the server.

    Raises
    ------
    RatifyError
        When the study, the address or the database cannot be served.
    """
    server.refuse_workers(url, serving.workers)
    if serving.mode == "live" and is_simulated(study.folder):
        raise RatifyError(
            "is a simulation, in which people's answers would be lost",
            file=study.folder,
            allowed=f"the study itself: `ratify serve {shlex.quote(str(study.folder.parent))}`",
        )
    with contextlib.ExitStack() as stack:
        store = open_store(study.folder, url, patience=SERVING_SECONDS)
        stack.callback(store.close)
        if store.path is not None:
            stack.enter_context(served_by_one(store.path))
        _take_over(study, serving, store)
        store.refuse_damage()
        mark_store(study.folder, store)
        store.keep_erasing()
        token = None if has_password(store) else secrets.token_urlsafe(12)
        app = _make(study, serving, store, token)  # errors in the study show before the fork
        # a port other than the one they named helps only people who are trying things out
        trying = serving.mode != "live" and not trusted_proxies()
        listener = server.listen(serving.host, serving.port, tries=20 if trying else 1)
        host = f"[{serving.host}]" if ":" in serving.host else serving.host

        def started(port: int) -> None:
            if serving.port and port != serving.port:
                say(f"port {serving.port} is taken, so Ratify uses port {port}")
            ready(f"http://{host}:{port}", token)
            for line in hints(study, serving):
                say(line)

        with server.marked_as_served(study.folder):
            if serving.workers == 1:
                server.serve(app, listener, ready=started)
                return
            store.close()  # no connection may cross the fork

            def make() -> Flask:
                return _make(
                    study, serving, open_store(study.folder, url, patience=SERVING_SECONDS), token
                )

            server.serve_with_workers(make, listener, workers=serving.workers, ready=started)


def places_of(study: Study | ChatStudy) -> int:
    """Return how many people a study takes."""
    design = study.plan.design
    return design.supporters if isinstance(design, ChatDesign) else design.raters


def hints(study: Study | ChatStudy, serving: Serving) -> list[str]:
    """Return what the person who starts a live server should know about who may take part."""
    recruitment = study.plan.recruitment
    if serving.mode != "live":
        return []
    said = []
    if trusted_proxies() and not allowed_hosts():
        said.append(
            f"set {HOSTS} to the name of the study, so that other names are refused and the "
            "private links on the pages are complete"
        )
    if recruitment.links == "signed":
        return said
    if recruitment.platform == "generic" and study.lock and not study.lock.ids_required:
        said.append(
            "warning: this study was locked by Ratify 0.4.0 or before, so raters whose link has no "
            "id are let in, and one script could take every place"
        )
    places = places_of(study)
    most = consents_per_hour(places)
    if most < places:
        said.append(
            f"one network address may take {most} of the {places} places in an hour; for a class "
            f"or a laboratory behind one address, set {CONSENTS}"
        )
    return said


def _take_over(study: Study | ChatStudy, serving: Serving, store: Store) -> None:
    """Free what a server of before had put off, and what it had begun if no other can serve it."""
    if isinstance(study, ChatStudy):
        from study.chat.owing import reset_claims

        reset_claims(store, study, serving.mode, alone=store.path is not None)


def _make(study: Study | ChatStudy, serving: Serving, store: Store, token: str | None) -> Flask:
    if isinstance(study, ChatStudy):
        return _make_chat(study, serving, store, token)
    return create_app(
        study,
        store,
        mode=serving.mode,
        setup_token=token,
        own_host=serving.host,
        reopen=lambda: open_study(study.folder, must_be_locked=True),
    )


def _make_chat(study: ChatStudy, serving: Serving, store: Store, token: str | None) -> Flask:
    """Return the application of a chat, with what answers in the background of its process."""
    from study.chat.answering import Answering
    from study.web.chat.app import create_chat_app

    answering = Answering(study, store, serving.mode)
    app = create_chat_app(
        study,
        store,
        mode=serving.mode,
        setup_token=token,
        own_host=serving.host,
        answering=answering,
    )
    add_background(app, answering)
    return app
