"""The finished rows as a table, docs/validation.csv, from which another clone can go on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prereg.files import write_text
from tests.support.paths import ROOT
from tests.validation.check import Check
from tests.validation.outcome import PAIRED, Outcome
from tests.validation.rows import name_of

TABLE = ROOT / "docs" / "validation.csv"
COLUMNS = (
    *("area", "function", "what", "design", "kind", "promised"),
    *("data_sets", "without_result", "share", "error", "code"),
)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A row whose data sets were all tried.

    Attributes
    ----------
    outcome : Outcome
    runs : int
        How many data sets it had.
    code : str
        Hash of the code that computed it; see `rows.code_of`.
    """

    outcome: Outcome
    runs: int
    code: str


def read(checks: Iterable[Check], path: Path = TABLE) -> dict[str, Finished]:
    """Return what the table knows about these checks, by their names.

    A row of a check that promises another share now is left out.
    """
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        lines = {_name(line): line for line in csv.DictReader(file)}
    known = ((check, lines.get(name_of(check))) for check in checks)
    return {
        name_of(check): _finished(check, line)
        for check, line in known
        if line is not None and (check.kind in PAIRED or float(line["promised"]) == check.promised)
    }


def write(rows: Iterable[Finished], path: Path = TABLE) -> None:
    """Write the table, every number in full."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        one, check = row.outcome, row.outcome.check
        table.writerow(
            [
                *(check.area, check.function, check.what, check.design),
                *(check.kind, one.promised, row.runs, one.without),
                *(one.share, one.error, row.code),
            ]
        )
    write_text(path, text.getvalue())


def _name(line: Mapping[str, str]) -> str:
    return f"{line['area']}: {line['function']}: {line['what']}: {line['design']}"


def _finished(check: Check, line: Mapping[str, str]) -> Finished:
    runs, without = int(line["data_sets"]), int(line["without_result"])
    return Finished(
        outcome=Outcome(
            check=check,
            share=float(line["share"]),
            error=float(line["error"]),
            tried=runs - without,
            without=without,
            simulated=float(line["promised"]) if check.kind in PAIRED else None,
        ),
        runs=runs,
        code=line["code"],
    )
