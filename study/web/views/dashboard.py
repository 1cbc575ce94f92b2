"""The researcher's pages: the state of the collection, its controls, the tables, the report."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

from flask import Response, abort, redirect, request, send_file, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response as AnyResponse

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.lock import utc_now
from prereg.tables.contract import MODES
from study.export.files import CODEBOOK, FORMATS, archive, codebook, one_table
from study.export.progress import progress
from study.export.raters import SORTS, raters
from study.export.tidy import tidy_tables
from study.language import language_name
from study.visits import recruitment
from study.visits.recruitment import Released
from study.web.context import room
from study.web.safety import POLICY, REPORT_POLICY
from study.web.views.signing_in import Page, is_signed_in, page, pages

__all__ = ["pages"]

# A recruitment platform's export is larger than any answer: about 300 bytes per rater.
UPLOAD_BYTES = 5_000_000
# Nobody reads a longer table of sequences on a page; the downloads have all of them.
MOST_SEQUENCES = 1000
# How many raters that stand out are named on the first page; the table of raters has all.
NAMED = 5
# The page may fetch itself, to show new counts without losing the reader's place.
DASHBOARD_POLICY = f"{POLICY}; connect-src 'self'"
_MIMETYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}


@pages.url_value_preprocessor
def allow_upload(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow only a researcher to send more than an answer; runs before the form is read."""
    if endpoint == "dashboard.release" and is_signed_in():
        request.max_content_length = UPLOAD_BYTES
        request.max_form_memory_size = UPLOAD_BYTES  # also limits the parts in which a file is read


@pages.get("/", strict_slashes=False)
def overview() -> Page:
    """Show the state of the collection, for each kind of data."""
    return _overview()


def _overview(status: int = 200, **said: Released | str) -> Page:
    here = room()
    stands = progress(here.store, here.study)
    served = next(m for m in stands.modes if m.mode == here.mode)
    striking = [row for row in raters(here.store, here.study, here.mode) if row.flags]
    return page(
        "dashboard.html",
        status,
        study=here.study,
        plan=here.study.plan,
        served=served,
        others=[m for m in stands.modes if m is not served],
        progress=stands,
        paused=recruitment.is_paused(here.store, here.study, here.mode),
        now=utc_now(),
        tables=list(tidy_tables(here.study)),
        formats=FORMATS,
        most_sequences=MOST_SEQUENCES,
        striking=striking,
        named=NAMED,
        spoken=language_name(here.study.plan.language),
        has_report=_report_file().exists(),
        **said,
    )


@pages.get("/raters")
def rater_table() -> Page:
    """Show every rater of one kind of data: times, sides, repeated answers, checks."""
    here = room()
    mode, sort = request.args.get("mode", here.mode), request.args.get("sort", "flags")
    if mode not in MODES or sort not in SORTS:
        abort(404)
    rows = sorted(raters(here.store, here.study, mode), key=SORTS[sort])
    plan = here.study.plan
    return page(
        "dashboard_raters.html",
        plan=plan,
        rows=rows,
        shown=mode,
        sort=sort,
        now=utc_now(),
        compares=kind_of(plan).compares,
        options=kind_of(plan).shown(plan),
    )


@pages.after_request
def _may_fetch_itself(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", DASHBOARD_POLICY)
    return response


@pages.post("/pause")
def pause() -> AnyResponse:
    """Send newcomers away."""
    here = room()
    recruitment.pause(here.store, here.study, here.mode)
    return redirect(url_for("dashboard.overview"), 303)


@pages.post("/resume")
def resume() -> AnyResponse:
    """Let newcomers in again."""
    here = room()
    recruitment.resume(here.store, here.study, here.mode)
    return redirect(url_for("dashboard.overview"), 303)


@pages.post("/release")
def release() -> Page:
    """Free the places of raters who left, according to the recruitment platform's export."""
    sent = request.files.get("export")
    if sent is None or not sent.filename:
        return _overview(400, fault="Choose the file that the platform exported.")
    try:
        return _overview(released=_release_from(sent))
    except RatifyError as error:
        return _overview(400, fault=str(error))


def _release_from(sent: FileStorage) -> Released:
    """Read an uploaded file in a private folder; error messages use the file's own name."""
    here = room()
    name = secure_filename(sent.filename or "")[-100:] or "export.csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        sent.save(path)
        try:
            return recruitment.release_from_file(here.store, here.study, here.mode, path)
        except RatifyError as error:
            raise RatifyError(
                error.problem,
                file=name,
                row=error.row,
                column=error.column,
                value=error.value,
                allowed=error.allowed,
            ) from error


@pages.get("/tables.zip")
def tables() -> AnyResponse:
    """Send all tables and their codebook."""
    here = room()
    ending = request.args.get("format", "csv")
    try:
        stream = archive(here.store, here.study, ending)
    except RatifyError as error:
        abort(404, str(error))
    return _download(stream, f"{here.study.plan.id}-{ending}", "zip")


@pages.get("/tables/<name>.<any(csv, parquet):ending>")
def table(name: str, ending: str) -> AnyResponse:
    """Send one table."""
    here = room()
    try:
        stream = one_table(here.store, here.study, name, ending)
    except RatifyError as error:
        abort(404, str(error))
    return _download(stream, name, ending)


@pages.get(f"/{CODEBOOK}")
def tables_codebook() -> AnyResponse:
    """Send the codebook of the tables."""
    response = Response(codebook(room().study), mimetype="text/markdown")
    response.headers["Content-Disposition"] = f"attachment; filename={CODEBOOK}"
    return response


def _download(stream: IO[bytes], name: str, ending: str) -> AnyResponse:
    return send_file(
        stream, mimetype=_MIMETYPES[ending], as_attachment=True, download_name=f"{name}.{ending}"
    )


@pages.get("/report")
def report() -> AnyResponse:
    """Show the report that `ratify report` wrote."""
    path = _report_file()
    if not path.exists():
        abort(404, "There is no report yet: run `ratify analyze` and `ratify report`.")
    response = Response(path.read_bytes(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    return response


def _report_file() -> Path:
    return room().study.folder / "results" / "report.html"
