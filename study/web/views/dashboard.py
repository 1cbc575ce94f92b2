"""The researcher's pages: the state of the collection, its controls, the tables, the report."""

from __future__ import annotations

from pathlib import Path

from flask import abort, request

from prereg.kinds.registry import kind_of
from prereg.lock import utc_now
from study.export.files import archive, codebook, one_table
from study.export.progress import progress
from study.export.raters import SORTS, raters
from study.export.tidy import tidy_tables
from study.export.writing import FORMATS
from study.language import language_name
from study.visits import recruitment
from study.visits.recruitment import Released
from study.web.context import room
from study.web.safety import POLICY
from study.web.views.managing import Managing, mode_asked_for, report_file
from study.web.views.signing_in import Page, page, pages

__all__ = ["pages"]

# Nobody reads a longer table of sequences on a page; the downloads have all of them.
MOST_SEQUENCES = 1000
# How many raters that stand out are named on the first page; the table of raters has all.
NAMED = 5
# The page may fetch itself, to show new counts without losing the reader's place.
DASHBOARD_POLICY = f"{POLICY}; connect-src 'self'"


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
        has_report=report_file(here.study).exists(),
        **said,
    )


@pages.get("/raters")
def rater_table() -> Page:
    """Show every rater of one kind of data: times, sides, repeated answers, checks."""
    here = room()
    mode, sort = mode_asked_for(here.mode), request.args.get("sort", "flags")
    if sort not in SORTS:
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


def _release(path: Path) -> Released:
    here = room()
    return recruitment.release_from_file(here.store, here.study, here.mode, path)


Managing(
    room=room,
    overview=_overview,
    release=_release,
    archive=lambda ending: archive(room().store, room().study, ending),
    one_table=lambda name, ending: one_table(room().store, room().study, name, ending),
    codebook=lambda: codebook(room().study),
    policy=DASHBOARD_POLICY,
).add_to(pages)
