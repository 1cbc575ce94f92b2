"""Compares every promise with simulated truth and writes `docs/validation.md`: `make validate`.

Results are kept as they come, in .validation/ (not in git): a run that was stopped goes on where it
was. Finished rows are kept in docs/validation.csv. Both count as long as the name of the row is the
same, and the code that the row depends on (every module of ours that its area needs, and the
versions of the packages that compute).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from prereg.executor import executor_of
from prereg.files import write_text
from tests.validation.finished import TABLE, Finished, read, write
from tests.validation.on_workers import finish_on
from tests.validation.page import PAGE, Line, page
from tests.validation.progress import Progress, summary
from tests.validation.rows import checks, name_of
from tests.validation.store import Store
from tests.validation.work import Row, finish, rows_of


def main(words: Sequence[str] | None = None) -> int:
    """Try what is not known yet, in several processes, and write the page; return the exit code."""
    given = _options().parse_args(words)
    store = Store()
    wanted = [one for one in checks() if given.only in name_of(one)]
    if given.fresh:
        store.forget({name_of(one) for one in wanted})
    rows = rows_of(wanted, store, {} if given.fresh else read(wanted, TABLE))
    if given.page:
        for row in rows:
            print(summary(row) if row.left == 0 else f"{row.left:,} data sets left", row.name)
    else:
        progress = Progress(rows, store.pace(), given.processes)
        progress.kept()
        try:
            _finish(rows, store, given, progress)
        except KeyboardInterrupt:
            progress.end()
            print("stopped; what is finished is kept, and the next run goes on from there")
            return 130
        progress.end()
    return 0 if given.only else _write(rows)


def _finish(
    rows: Sequence[Row], store: Store, given: argparse.Namespace, progress: Progress
) -> None:
    """Try what is left, in processes or on the workers of a scheduler."""
    if given.scheduler is None:
        finish(rows, store, processes=given.processes, told=progress.told)
        return
    with executor_of(given.scheduler) as executor:
        finish_on(executor, rows, store, told=progress.told)


def _write(rows: Sequence[Row]) -> int:
    """Write the page and the table; a row that is not finished says so."""
    lines = [_line(row) for row in rows]
    write_text(PAGE, page(lines))
    done = [
        Finished(outcome=row.outcome(), runs=row.check.runs, code=row.code)
        if row.left == 0
        else row.before
        for row in rows
    ]
    write([one for one in done if one is not None], TABLE)
    unfinished = sum(row.left > 0 for row in rows)
    print(f"wrote {PAGE.name}" + f"; {unfinished} rows are not finished" * (unfinished > 0))
    return 0


def _line(row: Row) -> Line:
    """Return a row as the page shows it: what came out of this code, or else of earlier code."""
    if row.left and row.before is not None:
        return Line(
            check=row.check, outcome=row.before.outcome, tried=row.before.runs, earlier=True
        )
    tried = row.check.runs - row.left
    return Line(check=row.check, outcome=row.outcome() if tried else None, tried=tried)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.validation", description=__doc__, formatter_class=_Kept
    )
    parser.add_argument("--only", default="", help="text that the name of a row must contain")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="default: all cores"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of Dask, whose workers (started in a checkout like this one) try the data sets",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what is kept about these rows, and begin again"
    )
    parser.add_argument(
        "--page", action="store_true", help="only show, and write the page from, what is kept"
    )
    return parser


_Kept = argparse.RawDescriptionHelpFormatter

if __name__ == "__main__":
    sys.exit(main())
