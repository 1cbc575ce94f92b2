"""Make the application safe: headers, cookies, hosts, proxies, and pages for errors."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, abort, render_template, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.csrf import CSRFError
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PROXIES = "RATIFY_PROXIES"
HOSTS = "RATIFY_HOSTS"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What browsers may keep; these say for how long.
KEPT = frozenset(("static", "image", "film"))
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A conversation comes and goes in place, and a film is one of the study's own files.
CHAT_POLICY = f"{POLICY}; connect-src 'self'; media-src 'self'"
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
Problem = tuple[str, int, dict[str, str]]
# The parts of the pages whose forms a rater fills in.
ANSWERED = frozenset({"rater", "practising", "surveying", "leaving", "chat"})
# When a rater or a browser may try again if the store did not answer.
RETRY_SECONDS = 5
log = logging.getLogger("ratify")


class SessionCookies(SecureCookieSessionInterface):
    """Session cookies that are sent only over TLS, if the rater came over TLS.

    A cookie from the future is a cookie: if the server's clock is set back, nobody is logged out.
    """

    _signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs the application's cookies; to make it takes longer than to sign."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a cookie that was signed here and is not too old."""
        signer = self.get_signing_serializer(app)
        given = request.cookies.get(self.get_cookie_name(app))
        if signer is None or not given:
            return None if signer is None else self.session_class()
        try:
            data, signed_at = signer.loads(given, return_timestamp=True)
        except BadSignature:
            return self.session_class()
        if datetime.now(UTC) - signed_at > app.permanent_session_lifetime:
            return self.session_class()
        return self.session_class(data)

    def get_cookie_secure(self, app: Flask) -> bool:
        """Say whether to mark the cookie Secure; without TLS, the browser would drop it."""
        return request.is_secure


def make_safe(app: Flask, own_host: str | None = None, policy: str = POLICY) -> None:
    """Give an application its headers, its cookies, and its pages for errors.

    Parameters
    ----------
    app : Flask
    own_host : str, optional
        The address that the server listens on.
    policy : str
        What the pages may load, unless a page has a policy of its own.

    Raises
    ------
    RatifyError
        When RATIFY_PROXIES is not a number of proxies, or RATIFY_HOSTS holds no host.
    """
    app.session_interface = SessionCookies()
    app.register_error_handler(HTTPException, _problem)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(SQLAlchemyError, _no_store)
    app.register_error_handler(Exception, _unforeseen)
    app.after_request(partial(_headers, policy))
    hosts = allowed_hosts()
    named = hosts or LOOPBACK | ({own_host} if own_host else set())
    app.jinja_env.globals["complete"] = partial(_complete, frozenset(named))
    serve: WSGIApplication = _only_real_hosts(_with_headers(app.wsgi_app), hosts)
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


def allowed_hosts() -> frozenset[str]:
    """Return the hosts at which the study is served: RATIFY_HOSTS, or none if it is not set.

    Raises
    ------
    RatifyError
        When it holds a text that is not a host.
    """
    given = os.environ.get(HOSTS, "").replace(",", " ").split()
    for host in given:
        if not is_host(host):
            raise RatifyError(
                "is not a host", file=HOSTS, value=host, allowed="names such as study.example.org"
            )
    return frozenset(map(_name, given))


def _name(host: str) -> str:
    """Return a host without its port, as browsers compare it."""
    match = _HOST.fullmatch(host)
    port = match["port"] if match else None
    return host.removesuffix(f":{port}" if port else "").removesuffix(".").lower().strip("[]")


def _complete(named: frozenset[str], address: str) -> str:
    """Return an address of this study with its host, if the host is one that we know.

    Whoever sends a request chooses its Host header, so an unknown host must not reach a link.
    """
    return request.host_url.rstrip("/") + address if _name(request.host) in named else address


def _only_real_hosts(serve: WSGIApplication, hosts: frozenset[str]) -> WSGIApplication:
    """Refuse a request whose Host header is impossible, or is not one at which we are served."""

    @lru_cache(maxsize=64)
    def fits(host: str, address: str) -> bool:
        if not is_host(host):
            return False
        # a monitor on this machine need not know the name
        near = LOOPBACK if address == "/health" else frozenset()
        return not hosts or _name(host) in hosts | near

    def checked(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        address = "/health" if environ.get("PATH_INFO") == "/health" else ""
        if fits(environ.get("HTTP_HOST", "localhost"), address):
            return serve(environ, start)
        body = b"The Host header is not a host of this study.\n"
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


def _headers(policy: str, response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", policy)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint not in KEPT or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response


def problem(title: str, text: str, status: int, *, retry: int | None = None) -> Problem:
    """Return a page that says what is wrong and what to do, and in how many seconds."""
    headers = {} if retry is None else {"Retry-After": str(retry)}
    return render_template("problem.html", title=title, text=text), status, headers


def _problem(error: HTTPException) -> Problem | HTTPException:
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


def _stale_form(_error: CSRFError) -> Problem:
    return problem(
        _("Please open your link again"),
        _("This page was open for too long, or cookies are switched off. Nothing was lost."),
        400,
    )


def _no_store(error: SQLAlchemyError) -> Problem:
    """Say that nothing was saved, and keep what a rater sent, so that one press sends it again."""
    log.error("the store did not answer: %r", getattr(error, "orig", None) or error)
    title = _("Please try again in a moment")
    headers = {"Retry-After": str(RETRY_SECONDS)}
    if request.method == "POST" and request.blueprint in ANSWERED:
        text = _("This could not be saved just now. What you answered before is safe.")
        fields = [(name, value) for name, value in request.form.items(multi=True)]
        shown = render_template("problem.html", title=title, text=text, again=fields)
        return shown, 503, headers
    text = _(
        "Your last answer could not be saved. What you answered before is safe. "
        "Go back, and send it again."
    )
    if request.method == "GET":
        text = _("This page could not be opened just now. What you answered before is safe.")
    return render_template("problem.html", title=title, text=text), 503, headers


def _unforeseen(error: Exception) -> Problem:
    log.exception("a page failed", exc_info=error)
    return problem(
        _("Something went wrong here"),
        _(
            "It is not your fault, and what you answered before is safe. "
            "Please open your link again."
        ),
        500,
    )
