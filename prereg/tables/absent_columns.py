"""Words the error for a column that a table lacks: what is there, and how to name one's own.

Two mistakes have words of their own: the column is another sheet of the workbook, and the table has
one row per respondent with a column for each text and question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.chosen_sheet import file_and_sheet

# So many columns are listed in a message.
MOST_COLUMNS = 10
# How the columns of one row per respondent look: 'T01_warm' and 'T01_help', or 'warm_T01'.
_NAMES = (
    re.compile(r"(?P<text>.*\d.*?)[_.\- ](?P<question>[^_.\- ]+)"),
    re.compile(r"(?P<question>[^_.\- ]+)[_.\- ](?P<text>.*\d.*)"),
)
_FEWEST_TEXTS = 4
_FEWEST_QUESTIONS = 2
_WHERE = "docs/audit.md, One row per respondent"


def shown(columns: Sequence[str]) -> str:
    """Return the names of at most ten columns, and how many more there are."""
    names = [name or "(unnamed)" for name in columns]
    more = len(names) - MOST_COLUMNS
    return ", ".join(names[:MOST_COLUMNS]) + (f" and {more} more" if more > 0 else "")


def the_columns(columns: Sequence[str]) -> str:
    """Return a clause that says which columns a table has."""
    if not columns:
        return "there are no columns"
    return f"the column{'s are' if len(columns) > 1 else ' is'} {shown(columns)}"


def per_respondent(columns: Sequence[str]) -> str:
    """Return why a table with one row per respondent is not read; empty for any other layout.

    Such a table has a column for each text and question, `T01_warm`, `T01_help`, `T02_warm` and
    so on: every text has the same questions.
    """
    for pattern in _NAMES:
        parts = [part for name in columns if (part := pattern.fullmatch(name))]
        asked: dict[str, set[str]] = {}
        for part in parts:
            asked.setdefault(part["text"], set()).add(part["question"])
        sets = [frozenset(questions) for questions in asked.values()]
        usual = max(sets, key=sets.count, default=frozenset[str]())
        if len(usual) >= _FEWEST_QUESTIONS and sets.count(usual) >= _FEWEST_TEXTS:
            names = [part.group() for part in parts if asked[part["text"]] == usual]
            return (
                f"columns such as {', '.join(names[:3])} look like one row per respondent with a "
                "column for each text and question, which is not read: reshape the table to one "
                f"row per rating ({_WHERE})"
            )
    return ""


def same_sheet(name: str, sheets: Sequence[str]) -> str | None:
    """Return the sheet that has a name, whatever its case and the spaces around it."""
    return next((one for one in sheets if _plain(one) == _plain(name)), None)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def another_sheet(path: Path, name: str, sheet: str, found: str) -> RatifyError:
    """Return the error for a column or a dimension that is another sheet of the workbook.

    Parameters
    ----------
    path : Path
        The table that was read.
    name : str
        What is wanted.
    sheet, found : str
        The sheet that was read, and the one with this name.
    """
    file = file_and_sheet(path)[0]
    return RatifyError(
        f"'{name}' is another sheet of this workbook, and only sheet '{sheet}' was read",
        file=path,
        allowed=f"the sheet named behind the file: '{file.name}#{found}'",
    )


def no_column(
    column: str,
    columns: Sequence[str],
    *,
    path: Path | None = None,
    sheet: str = "",
    sheets: Sequence[str] = (),
    named_by: Mapping[str, str] | None = None,
) -> RatifyError:
    """Return the error for a column that a table lacks.

    Parameters
    ----------
    column : str
        The column that is lacking.
    columns : sequence of str
        Those that are there.
    path : Path, optional
        The file of the table.
    sheet, sheets : str, sequence of str
        The sheet of a workbook that was read, and its other sheets.
    named_by : mapping of str to str, optional
        For a column, how to say what the file calls it, such as `--id COLUMN`.
    """
    found = same_sheet(column, sheets)
    if found is not None and path is not None:
        return another_sheet(path, column, sheet, found)
    problem = f"there is no column '{column}': {the_columns(columns)}"
    if sheets:
        file = file_and_sheet(path)[0].name if path else "FILE"
        problem += f"; only sheet '{sheet}' was read, and '{file}#SHEET' reads another"
    if why := per_respondent(columns):
        return RatifyError(f"{problem}; {why}", file=path)
    how = (named_by or {}).get(column)
    allowed = f"the name of your column, given by {how}" if how else None
    return RatifyError(problem, file=path, allowed=allowed)
