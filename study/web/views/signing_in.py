"""Guard the dashboard: the first password, signing in and signing out; for any kind of study."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from prereg.errors import RatifyError
from study.web import accounts
from study.web.context import room
from study.web.rooms import AnyRoom

Page = tuple[str, int]
# Where an application keeps what returns the room of its dashboard.
_ROOM = "ratify_dashboard"


def dashboard_pages(here: Callable[[], AnyRoom[Any]]) -> Blueprint:
    """Return the pages of a dashboard behind its guard; other modules add what is guarded.

    Parameters
    ----------
    here : callable
        Returns the room of the current application.
    """
    pages = Blueprint("dashboard", __name__, url_prefix="/dashboard")
    pages.record(lambda state: state.app.extensions.update({_ROOM: here}))
    pages.before_request(only_researchers)
    pages.get("/sign-in")(sign_in)
    pages.post("/sign-in")(check)
    pages.post("/sign-out")(sign_out)
    pages.get("/set-up")(set_up)
    pages.post("/set-up")(first_password)
    return pages


def _here() -> AnyRoom[Any]:
    found: Callable[[], AnyRoom[Any]] = current_app.extensions[_ROOM]
    return found()


# Pages that are open to everybody; every other page, present or future, needs a sign-in.
_OPEN = {f"dashboard.{name}" for name in ("sign_in", "check", "set_up", "first_password")}
_COOKIE = "researcher"
TOO_MANY = "Too many attempts. Wait a minute, then try again."


def only_researchers() -> Response | None:
    """Redirect a visitor who is not signed in to the page for signing in."""
    if request.endpoint in _OPEN or is_signed_in():
        return None
    return redirect(url_for("dashboard.sign_in"), 303)


def is_signed_in() -> bool:
    """Say whether this browser's cookie holds a valid token."""
    return accounts.is_signed_in(_here().store, session.get(_COOKIE))


def sign_in() -> Response | Page:
    """Ask for the password."""
    if not accounts.has_password(_here().store):
        return redirect(url_for("dashboard.set_up"), 303)
    if is_signed_in():
        return redirect(url_for("dashboard.overview"), 303)
    return page("sign_in.html")


def check() -> Response | Page:
    """Check the password that was typed."""
    here = _here()
    if not here.limits.login(request.remote_addr):
        return page("sign_in.html", 429, fault=TOO_MANY)
    if not accounts.check_password(here.store, request.form.get("password", "")):
        return page("sign_in.html", 403, fault="This is not the password.")
    return _enter()


def sign_out() -> Response:
    """Sign the researcher out, in this browser and in the store."""
    accounts.sign_out(_here().store, session.get(_COOKIE))
    session.clear()
    return redirect(url_for("dashboard.sign_in"), 303)


def set_up() -> Response | Page:
    """Ask for the first password; without the link from `ratify serve`, say how to set it."""
    if accounts.has_password(_here().store):
        return redirect(url_for("dashboard.sign_in"), 303)
    token = request.args.get("token", "")
    if not _is_setup_token(token):
        return page("set_up.html", 403 if token else 200, token=None)
    return page("set_up.html", token=token)


def first_password() -> Response | Page:
    """Keep the first password, and sign in the researcher who set it."""
    here = _here()
    token, given = request.form.get("token", ""), request.form.get("password", "")
    if not here.limits.login(request.remote_addr):
        return page("set_up.html", 429, token=token, fault=TOO_MANY)
    if not _is_setup_token(token):
        return page("set_up.html", 403, token=None)
    if given != request.form.get("again", ""):
        fault = "These two passwords differ. Type the same one twice."
        return page("set_up.html", 400, token=token, fault=fault)
    try:
        is_first = accounts.set_first_password(here.store, given)
    except RatifyError:
        size = "short" if len(given) < accounts.SHORTEST else "long"
        allowed = f"{accounts.SHORTEST} to {accounts.LONGEST} characters"
        fault = f"This password is too {size}. A password has {allowed}."
        return page("set_up.html", 400, token=token, fault=fault)
    return _enter() if is_first else redirect(url_for("dashboard.sign_in"), 303)


def page(template: str, status: int = 200, **values: Any) -> Page:
    """Return a page of the dashboard."""
    return render_template(template, mode=_here().mode, **values), status


def _enter() -> Response:
    """Sign the researcher in, with a cookie that has nothing in common with the one before."""
    store = _here().store
    before = session.get(_COOKIE)
    session.clear()
    accounts.sign_out(store, before)
    session[_COOKIE] = accounts.sign_in(store)
    return redirect(url_for("dashboard.overview"), 303)


def _is_setup_token(given: str) -> bool:
    expected = _here().setup_token
    return expected is not None and hmac.compare_digest(given.encode(), expected.encode())


# The other pages of the dashboard are added in study.web.views.dashboard.
pages = dashboard_pages(lambda: room())
