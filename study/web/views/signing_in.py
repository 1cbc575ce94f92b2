"""Guard the dashboard: the first password, signing in and signing out."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from prereg.errors import RatifyError
from study.web import accounts
from study.web.context import room

# The other pages of the dashboard are added in study.web.views.dashboard.
pages = Blueprint("dashboard", __name__, url_prefix="/dashboard")
Page = tuple[str, int]

# Pages that are open to everybody; every other page, present or future, needs a sign-in.
_OPEN = {f"dashboard.{name}" for name in ("sign_in", "check", "set_up", "first_password")}
_COOKIE = "researcher"
TOO_MANY = "Too many attempts. Wait a minute, then try again."


@pages.before_request
def only_researchers() -> Response | None:
    """Redirect a visitor who is not signed in to the page for signing in."""
    if request.endpoint in _OPEN or is_signed_in():
        return None
    return redirect(url_for("dashboard.sign_in"), 303)


def is_signed_in() -> bool:
    """Say whether this browser's cookie holds a valid token."""
    return accounts.is_signed_in(room().store, session.get(_COOKIE))


@pages.get("/sign-in")
def sign_in() -> Response | Page:
    """Ask for the password."""
    if not accounts.has_password(room().store):
        return redirect(url_for("dashboard.set_up"), 303)
    if is_signed_in():
        return redirect(url_for("dashboard.overview"), 303)
    return page("sign_in.html")


@pages.post("/sign-in")
def check() -> Response | Page:
    """Check the password that was typed."""
    here = room()
    if not here.limits.login(request.remote_addr):
        return page("sign_in.html", 429, fault=TOO_MANY)
    if not accounts.check_password(here.store, request.form.get("password", "")):
        return page("sign_in.html", 403, fault="This is not the password.")
    return _enter()


@pages.post("/sign-out")
def sign_out() -> Response:
    """Sign the researcher out, in this browser and in the store."""
    accounts.sign_out(room().store, session.get(_COOKIE))
    session.clear()
    return redirect(url_for("dashboard.sign_in"), 303)


@pages.get("/set-up")
def set_up() -> Response | Page:
    """Ask for the first password; without the link from `ratify serve`, say how to set it."""
    if accounts.has_password(room().store):
        return redirect(url_for("dashboard.sign_in"), 303)
    token = request.args.get("token", "")
    if not _is_setup_token(token):
        return page("set_up.html", 403 if token else 200, token=None)
    return page("set_up.html", token=token)


@pages.post("/set-up")
def first_password() -> Response | Page:
    """Keep the first password, and sign in the researcher who set it."""
    here = room()
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
    return render_template(template, mode=room().mode, **values), status


def _enter() -> Response:
    """Sign the researcher in, with a cookie that has nothing in common with the one before."""
    store = room().store
    before = session.get(_COOKIE)
    session.clear()
    accounts.sign_out(store, before)
    session[_COOKIE] = accounts.sign_in(store)
    return redirect(url_for("dashboard.overview"), 303)


def _is_setup_token(given: str) -> bool:
    expected = room().setup_token
    return expected is not None and hmac.compare_digest(given.encode(), expected.encode())
