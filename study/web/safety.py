"""Make the application safe: headers, cookies, hosts, proxies, and pages for errors."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, render_template, request
from flask.sessions import SecureCookieSessionInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PROXIES = "RATIFY_PROXIES"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The report contains its own style and drawings, and no script.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Every answer of the server has these, also one that no view has made.
_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
]
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(
    rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[(?P<ip>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?"
)
_EXPLAINED = {
    404: (
        lazy_gettext("There is no such page"),
        lazy_gettext("Please open the study from the page where you found it."),
    ),
    405: (
        lazy_gettext("There is no such page"),
        lazy_gettext("Please open the study from the page where you found it."),
    ),
    413: (
        lazy_gettext("That was too much"),
        lazy_gettext(
            "What your browser sent was larger than any answer can be. "
            "Please go back and try again."
        ),
    ),
}
log = logging.getLogger("ratify")


class SessionCookies(SecureCookieSessionInterface):
    """Session cookies that are sent only over TLS, if the rater came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Say whether to mark the cookie Secure; without TLS, the browser would drop it."""
        return request.is_secure


def make_safe(app: Flask) -> None:
    """Give an application its headers, its cookies, and its pages for errors.

    Raises
    ------
    RatifyError
        When RATIFY_PROXIES is not a number of proxies.
    """
    app.session_interface = SessionCookies()
    app.register_error_handler(HTTPException, _problem)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(SQLAlchemyError, _no_store)
    app.register_error_handler(Exception, _unforeseen)
    app.after_request(_headers)
    serve: WSGIApplication = _only_real_hosts(_with_headers(app.wsgi_app))
    proxies = trusted_proxies()
    if proxies:
        serve = ProxyFix(serve, x_for=proxies, x_proto=proxies, x_host=proxies)
    app.wsgi_app = serve  # type: ignore[assignment, method-assign]


def refuse_nameless_fields() -> None:
    """Refuse a form with a field whose name cannot be read; Flask-WTF would fail on it."""
    if request.method == "POST" and any(name is None for name in request.form):
        abort(400)


def trusted_proxies() -> int:
    """Return how many proxies in front of this server are trusted: RATIFY_PROXIES, or 0."""
    given = os.environ.get(PROXIES, "0")
    if not given.isdecimal() or int(given) > 5:
        raise RatifyError("is not a number of proxies", file=PROXIES, value=given, allowed="0 to 5")
    return int(given)


def _with_headers(serve: WSGIApplication) -> WSGIApplication:
    """Add the headers that never change, all at once and also to answers that no view made."""

    def answered(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start(status, headers + _ALWAYS, *error)

        return serve(environ, begin)

    return answered


def _only_real_hosts(serve: WSGIApplication) -> WSGIApplication:
    """Refuse a request with an impossible Host header before anything builds an address from it."""

    def checked(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if is_host(environ.get("HTTP_HOST", "localhost")):
            return serve(environ, start)
        body = b"The Host header is not a host.\n"
        start(
            "400 Bad Request", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return checked


def is_host(given: str) -> bool:
    """Say whether a text can be a Host header."""
    match = _HOST.fullmatch(given)
    if match is None or int(match["port"] or 0) > 65_535:
        return False
    try:
        return match["ip"] is None or bool(ipaddress.IPv6Address(match["ip"]))
    except ValueError:
        return False


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if not request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def problem(title: str, text: str, status: int) -> tuple[str, int]:
    """Return a page that says what is wrong and what to do."""
    return render_template("problem.html", title=title, text=text), status


def _problem(error: HTTPException) -> tuple[str, int] | HTTPException:
    code = error.code or 500
    if code < 400:
        return error
    if code in _EXPLAINED and error.description == type(error).description:
        title, text = _EXPLAINED[code]
        return problem(str(title), str(text), code)
    if request.path.startswith("/dashboard"):
        return problem(error.name, error.description or "", code)
    return problem(
        _("This did not work"),
        _(
            "Your browser sent something we do not understand. What you answered before is safe. "
            "Please open your link again."
        ),
        code,
    )


def _stale_form(_error: CSRFError) -> tuple[str, int]:
    return problem(
        _("Please open your link again"),
        _("This page was open for too long, or cookies are switched off. Nothing was lost."),
        400,
    )


def _no_store(error: SQLAlchemyError) -> tuple[str, int]:
    log.error("the store did not answer: %r", getattr(error, "orig", None) or error)
    return problem(
        _("Please try again in a moment"),
        _(
            "Your last answer could not be saved. What you answered before is safe. "
            "Go back, and send it again."
        ),
        503,
    )


def _unforeseen(error: Exception) -> tuple[str, int]:
    log.exception("a page failed", exc_info=error)
    return problem(
        _("Something went wrong here"),
        _(
            "It is not your fault, and what you answered before is safe. "
            "Please open your link again."
        ),
        500,
    )
