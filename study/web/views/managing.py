"""What every dashboard does, whatever the kind of study: its controls, its tables, its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from flask import Blueprint, Response, abort, redirect, request, send_file, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from prereg.errors import RatifyError
from prereg.tables.contract import MODES
from study.export.writing import CODEBOOK
from study.visits import recruitment
from study.visits.recruitment import Released
from study.web.rooms import AnyRoom, AnyStudy
from study.web.safety import REPORT_POLICY
from study.web.uploads import UPLOAD_BYTES, from_upload
from study.web.views.signing_in import Page, is_signed_in

_MIMETYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}


@dataclass(frozen=True)
class Managing:
    """The pages that every dashboard has, with what a kind of study does for them.

    Attributes
    ----------
    room : callable
        Returns the room of the current application.
    overview : callable
        Shows the first page with a status, and with what it says: `released`, or a `fault`.
    release : callable
        Takes a platform's export; frees the places of those who left.
    archive : callable
        Takes a format; returns all tables as an open zip file.
    one_table : callable
        Takes a name and a format; returns this table as an open file.
    codebook : callable
        Returns the codebook of the tables.
    policy : str
        What the pages may load.
    """

    room: Callable[[], AnyRoom[Any]]
    overview: Callable[..., Page]
    release: Callable[[Path], Released]
    archive: Callable[[str], IO[bytes]]
    one_table: Callable[[str, str], IO[bytes]]
    codebook: Callable[[], str]
    policy: str

    def add_to(self, pages: Blueprint) -> None:
        """Add these pages to those of a dashboard."""
        pages.url_value_preprocessor(_allow_upload)
        pages.after_request(self._may_fetch_itself)
        pages.post("/pause")(self.pause)
        pages.post("/resume")(self.resume)
        pages.post("/release", endpoint="release")(self.release_uploaded)
        pages.get("/tables.zip")(self.tables)
        pages.get("/tables/<name>.<any(csv, parquet):ending>")(self.table)
        pages.get(f"/{CODEBOOK}")(self.tables_codebook)
        pages.get("/report")(self.report)

    def _may_fetch_itself(self, response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response

    def pause(self) -> AnyResponse:
        """Send newcomers away."""
        here = self.room()
        recruitment.pause(here.store, here.study, here.mode)
        return redirect(url_for("dashboard.overview"), 303)

    def resume(self) -> AnyResponse:
        """Let newcomers in again."""
        here = self.room()
        recruitment.resume(here.store, here.study, here.mode)
        return redirect(url_for("dashboard.overview"), 303)

    def release_uploaded(self) -> Page:
        """Free the places of those who left, according to the recruitment platform's export."""
        sent: FileStorage | None = request.files.get("export")
        if sent is None or not sent.filename:
            return self.overview(400, fault="Choose the file that the platform exported.")
        try:
            return self.overview(released=from_upload(sent, self.release))
        except RatifyError as error:
            return self.overview(400, fault=str(error))

    def tables(self) -> AnyResponse:
        """Send all tables and their codebook."""
        ending = request.args.get("format", "csv")
        try:
            stream = self.archive(ending)
        except RatifyError as error:
            abort(404, str(error))
        return _download(stream, f"{self.room().study.plan.id}-{ending}", "zip")

    def table(self, name: str, ending: str) -> AnyResponse:
        """Send one table."""
        try:
            stream = self.one_table(name, ending)
        except RatifyError as error:
            abort(404, str(error))
        return _download(stream, name, ending)

    def tables_codebook(self) -> AnyResponse:
        """Send the codebook of the tables."""
        response = Response(self.codebook(), mimetype="text/markdown")
        response.headers["Content-Disposition"] = f"attachment; filename={CODEBOOK}"
        return response

    def report(self) -> AnyResponse:
        """Show the report that `ratify report` wrote."""
        path = report_file(self.room().study)
        if not path.exists():
            abort(404, "There is no report yet: run `ratify analyze` and `ratify report`.")
        response = Response(path.read_bytes(), mimetype="text/html")
        response.headers["Content-Security-Policy"] = REPORT_POLICY
        return response


def mode_asked_for(served: str) -> str:
    """Return the kind of data that an address asks for; without a word, the one that is served."""
    mode = request.args.get("mode", served)
    if mode not in MODES:
        abort(404)
    return mode


def report_file(study: AnyStudy) -> Path:
    """Return where `ratify report` writes the report of a study."""
    return study.folder / "results" / "report.html"


def _allow_upload(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow only a researcher to send more than an answer; runs before the form is read."""
    if endpoint == "dashboard.release" and is_signed_in():
        request.max_content_length = UPLOAD_BYTES
        request.max_form_memory_size = UPLOAD_BYTES  # also limits the parts in which a file is read


def _download(stream: IO[bytes], name: str, ending: str) -> AnyResponse:
    return send_file(
        stream, mimetype=_MIMETYPES[ending], as_attachment=True, download_name=f"{name}.{ending}"
    )
