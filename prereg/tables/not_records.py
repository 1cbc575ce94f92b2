"""Finds rows of a table that are not records: what survey platforms and spreadsheets add.

Qualtrics writes the questions and its own ids below the header: these rows are left out. Rows that
a researcher made while previewing the survey say so, and are left out too. Answers of people who
did not finish stay, because the researcher decides about them, and are counted in a note. A row of
means or totals below a table is refused: it is not known whether the table is whole without it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from prereg.errors import RatifyError
from prereg.tables.dialects import Cells
from prereg.tables.numbers import plain

# What Qualtrics calls previews, by the column that says so.
_PREVIEWS = {"Status": "Survey Preview", "DistributionChannel": "preview"}
_FINISHED = "Finished"
_NOT_FINISHED = {"false", "0"}
# A column of Qualtrics beside `Finished`, without which that word may mean anything.
_OF_QUALTRICS = {"ResponseId", "Progress", "RecordedDate", "DistributionChannel"}
_SUMMARY = {
    *("mean", "average", "median", "total", "grand total", "sum"),
    *("sd", "std", "stdev", "std dev", "standard deviation"),
}
# What stands among such rows, and may be the name of a person or an item elsewhere.
_BESIDE_A_SUMMARY = {"min", "max", "minimum", "maximum", "n", "count"}


def without_other_rows(cells: Cells, path: Path) -> list[str]:
    """Leave out the rows that are not records, in place, and return a note for each kind.

    Raises
    ------
    RatifyError
        At a row of means or totals below the table.
    """
    notes = _without_question_rows(cells)
    names = [column.strip() for column in cells.columns]
    notes += _without_previews(cells, names)
    notes += _unfinished(cells, names)
    _refuse_summary(cells, path)
    return [f"{path.name}: {note}" for note in notes]


def _keep(cells: Cells, kept: Sequence[int]) -> None:
    cells.places = cells.places.only(kept)
    cells.records = [cells.records[at] for at in kept]
    if cells.unsaved:
        now = {at: number for number, at in enumerate(kept)}
        cells.unsaved = {
            place: there
            for place, records in cells.unsaved.items()
            if (there := [now[at] for at in records if at in now])
        }


def _without_question_rows(cells: Cells) -> list[str]:
    """Leave out what Qualtrics writes below the header: the questions, and its ids as JSON."""
    for at, record in enumerate(cells.records[:2]):
        filled = [cell.replace(" ", "") for cell in record if cell.strip()]
        if filled and all(cell.startswith('{"ImportId":') for cell in filled):
            numbers = cells.places.numbers[: at + 1]
            _keep(cells, range(at + 1, len(cells.records)))
            if at:
                return [f"header rows {numbers[0]} and {numbers[1]} of Qualtrics were left out"]
            return [f"header row {numbers[0]} of Qualtrics was left out"]
    return []


def _without_previews(cells: Cells, names: list[str]) -> list[str]:
    """Leave out rows that the platform says are previews of the survey."""
    said: dict[int, str] = {}
    for column, word in _PREVIEWS.items():
        if column in names:
            place = names.index(column)
            for at, record in enumerate(cells.records):
                if record[place].strip() == word:
                    said.setdefault(at, f"{column} is {word}")
    if not said:
        return []
    where = cells.places.words(next(iter(sorted(said))))
    _keep(cells, [at for at in range(len(cells.records)) if at not in said])
    reasons = " or ".join(dict.fromkeys(said.values()))
    one = len(said) == 1
    return [
        f"{len(said):,} {'row' if one else 'rows'} of previews of the survey "
        f"{'was' if one else 'were'} left out ({reasons}; the first is {where})"
    ]


def _unfinished(cells: Cells, names: list[str]) -> list[str]:
    """Return a note on answers of people who did not finish; their rows stay."""
    if _FINISHED not in names or not _OF_QUALTRICS.intersection(names):
        return []
    place = names.index(_FINISHED)
    there = [at for at, r in enumerate(cells.records) if r[place].strip().lower() in _NOT_FINISHED]
    if not there:
        return []
    one = len(there) == 1
    return [
        f"{len(there):,} {'row is' if one else 'rows are'} of people who did not finish "
        f"({_FINISHED} is {cells.records[there[0]][place].strip()}; the first is "
        f"{cells.places.words(there[0])}): {'it is' if one else 'they are'} kept"
    ]


def _refuse_summary(cells: Cells, path: Path) -> None:
    """Raise `RatifyError` at the first of the rows of means or totals at the end of a table."""
    first, found = len(cells.records), False
    while first > 1 and (word := _word_of_summary(cells.records[first - 1])):
        first -= 1
        found = found or word in _SUMMARY
    if not found:
        return
    record = cells.records[first]
    place = next(place for place, cell in enumerate(record) if cell.strip())
    raise RatifyError(
        "looks like a row of means or totals below the table, and not like a record",
        file=path,
        row=cells.places.place(first),
        column=cells.columns[place].strip() or None,
        value=record[place].strip(),
        allowed="the table without such rows; if it is a record, move it further up",
    )


def _word_of_summary(record: Sequence[str]) -> str:
    """Return the word of a row that has one such word and then only numbers; else nothing."""
    filled = [cell.strip() for cell in record if cell.strip()]
    if len(filled) < 2:
        return ""
    word = re.sub(r"[\s.:_]+", " ", filled[0].casefold()).strip()
    if word not in _SUMMARY | _BESIDE_A_SUMMARY:
        return ""
    numbers = (cell.replace(",", ".").removesuffix("%").strip() for cell in filled[1:])
    return word if all(plain(number) is not None for number in numbers) else ""
