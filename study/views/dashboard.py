"""The researcher's pages: how the collection stands, and the report."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from prereg import files
from study.app import REPORT_POLICY, room
from study.progress import progress

pages = Blueprint("dashboard", __name__, url_prefix="/dashboard")


@pages.get("/", strict_slashes=False)
def overview() -> AnyResponse | str:
    """Show how many have consented, are active and are done, by kind of data."""
    if not _signed_in():
        return redirect(url_for("dashboard.sign_in"), 303)
    here = room()
    report = here.study.folder / "results" / "report.html"
    return render_template(
        "dashboard.html",
        study=here.study,
        plan=here.study.plan,
        mode=here.mode,
        progress=progress(here.store, here.study),
        has_report=report.exists(),
    )


@pages.get("/report")
def report() -> AnyResponse:
    """Show the report that `ratify report` wrote."""
    if not _signed_in():
        return redirect(url_for("dashboard.sign_in"), 303)
    path = room().study.folder / "results" / "report.html"
    if not path.exists():
        abort(404, "There is no report yet: run `ratify analyze` and `ratify report`.")
    response = Response(path.read_bytes(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    return response


@pages.get("/sign-in")
def sign_in() -> AnyResponse | str:
    """Ask for the key; the link that `ratify serve` prints carries it."""
    given = request.args.get("key")
    if given is not None and _matches(given):
        return _enter()
    return render_template("sign_in.html", wrong=given is not None, mode=room().mode)


@pages.post("/sign-in")
def check() -> AnyResponse | tuple[str, int]:
    """Check the key that was typed."""
    if _matches(request.form.get("key", "")):
        return _enter()
    return render_template("sign_in.html", wrong=True, mode=room().mode), 403


@pages.post("/sign-out")
def sign_out() -> AnyResponse:
    """Forget the researcher."""
    session.pop("researcher", None)
    return redirect(url_for("dashboard.sign_in"), 303)


def _enter() -> AnyResponse:
    session["researcher"] = _fingerprint()
    return redirect(url_for("dashboard.overview"), 303)


def _matches(given: str) -> bool:
    return hmac.compare_digest(given.encode(), room().dashboard_key.encode())


def _signed_in() -> bool:
    return bool(session.get("researcher") == _fingerprint())


def _fingerprint() -> str:
    """Return what a cookie holds of the key: another key signs everybody out."""
    return files.sha256(room().dashboard_key.encode())[:16]
