"""The Flask application of a chat: its factory, with its own pages in the house that all share."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask

from study.chat import claims
from study.chat.screens import Screens
from study.chat.study import ChatStudy
from study.store.database import Store
from study.visits.links import signing_key
from study.web.app import bare_app, dress, refuse_unlocked
from study.web.chat import (
    arriving,
    coaching,
    dashboard,
    filming,
    leaving,
    minding,
    surveying,
    talking,
)
from study.web.chat.context import Answers, ChatReception, ChatRoom
from study.web.chat.films import serve_films
from study.web.chat.pages import pages
from study.web.limits import Limits
from study.web.safety import CHAT_POLICY

# They add their pages to the blueprint `chat`.
_PARTS = (coaching, filming, minding, surveying, talking)


def create_chat_app(
    study: ChatStudy,
    store: Store,
    *,
    mode: str,
    setup_token: str | None = None,
    own_host: str | None = None,
    clock: Callable[[], float] = time.time,
    answering: Answers | None = None,
) -> Flask:
    """Build the application that serves one chat in one mode.

    Parameters
    ----------
    study : ChatStudy
    store : Store
        Its places for this mode are opened here.
    mode : {'live', 'pilot', 'bot'}
        Written into every row; live needs a lock.
    setup_token : str, optional
        With this token a researcher may set the dashboard's password, while there is none.
    own_host : str, optional
        The address that the server listens on; links may name it.
    clock : callable
        Returns the time, in seconds since 1970.
    answering : Answers, optional
        What answers in this process; it must be started by the caller, and is woken by the pages.
        Without it, somebody else answers what is owed in this store.

    Raises
    ------
    RatifyError
        When the mode is live and the study is not locked, or a setting of the environment is wrong.
    """
    refuse_unlocked(study, mode)
    app = bare_app(study.folder)
    claims.open_places(store, study, mode)
    secret = str(app.config["SECRET_KEY"])
    here = ChatRoom(
        study=study,
        store=store,
        mode=mode,
        setup_token=setup_token,
        limits=Limits(
            places=study.plan.design.supporters, store=store, secret=secret, study=study.root_hash
        ),
        links_key=signing_key(study.folder),
        clock=clock,
        answering=answering,
        screens=Screens(study),
    )
    app.extensions["ratify"] = ChatReception(here)
    dress(
        app,
        store,
        folder=study.folder,
        language=study.plan.language,
        pages=[arriving.pages, leaving.pages, pages, dashboard.pages],
        images=lambda: here.images,
        own_host=own_host,
        policy=CHAT_POLICY,
    )
    serve_films(app, study.films)
    return app
