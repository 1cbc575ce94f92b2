"""Applies a reading to the cells of a file: cleans them, empties missing values, mends decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prereg.tables.cleaning import about_cleaned, about_look_alikes, cleaned, counted, unified
from prereg.tables.dialects import Cells
from prereg.tables.numbers import with_decimal_point
from prereg.tables.reading import Reading

# At most so many different words are shown in a note.
_MOST_WORDS = 4


@dataclass
class Applied:
    """The columns of a table after reading.

    Attributes
    ----------
    columns : list of sequence of str
        Their cells, in the order of the header.
    originals : dict of str to sequence of str
        For each column that was changed, its cells as the file has them.
    notes : list of str
        What was changed, one sentence per kind.
    changed : bool
        Whether any cell differs from those of the file, its line ends included.
    contradictions : dict of str to str
        For a column that cannot be read with decimal commas, its first cell that says so.
    """

    columns: list[Sequence[str]]
    originals: dict[str, Sequence[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    changed: bool = False
    contradictions: dict[str, str] = field(default_factory=dict)


@dataclass
class _Counts:
    """How many cells of each column were changed, by the kind of change."""

    cleaned: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    commas: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    contradictions: dict[str, str] = field(default_factory=dict)
    words: dict[str, None] = field(default_factory=dict)

    def notes(self, file: str) -> list[str]:
        """Return one sentence for each kind of change."""
        said = about_cleaned(file, self.cleaned)
        if self.missing:
            one = sum(self.missing.values()) == 1
            verb = "is a missing-value word" if one else "are missing-value words"
            shown = ", ".join(f"'{word}'" for word in list(self.words)[:_MOST_WORDS])
            more = ", ..." if len(self.words) > _MOST_WORDS else ""
            said.append(f"{file}: {counted(self.missing)} {verb} ({shown}{more})")
        for changed, spelt in (
            (self.commas, "decimal commas were read as decimal points"),
            (self.groups, "points were read as marks between thousands (1.234 is 1234)"),
        ):
            if changed:
                said.append(f"{file}: {counted(changed)}: {spelt}")
        return said


def apply(reading: Reading, names: Sequence[str], cells: Cells, file: str) -> Applied:
    """Return the columns of a file as the reading says.

    Parameters
    ----------
    reading : Reading
    names : sequence of str
        Our names of the columns.
    cells : Cells
        The file; at least one record.
    file : str
        Its name in notes.
    """
    columns: list[Sequence[str]] = list(zip(*cells.records, strict=True))
    found = Applied(columns)
    counts = _Counts()
    labels: dict[str, set[str]] = {}
    for place, name in enumerate(names):
        written = _unified(columns[place])
        now = written
        if name not in reading.verbatim and name not in cells.nested:
            whole = cells.columns[place] in cells.floats
            now = _read(written, name, reading, counts, clean=cells.clean, whole=whole)
            labels[name] = set(now)
        found.changed = found.changed or now is not columns[place]
        columns[place] = now
        if now is not written:
            found.originals[name] = written
    found.contradictions = counts.contradictions
    found.notes = [*counts.notes(file), *about_look_alikes(file, labels)]
    return found


def _read(
    written: Sequence[str],
    name: str,
    reading: Reading,
    counts: _Counts,
    *,
    clean: bool,
    whole: bool,
) -> Sequence[str]:
    """Return one column cleaned, with its missing values empty and its decimals mended."""
    now, count = (written, 0) if clean else cleaned(written)
    if count:
        counts.cleaned[name] = count
    if whole and (name not in reading.exact or name.endswith("_id")):
        now = [cell.removesuffix(".0") for cell in now]
    if name in reading.exact:
        return now
    now, count = _without_words(now, reading.missing, counts.words)
    if count:
        counts.missing[name] = count
    if reading.decimal == "," and not name.endswith("_id"):
        mended = with_decimal_point(now)
        now = mended.cells
        if mended.commas:
            counts.commas[name] = mended.commas
        if mended.groups:
            counts.groups[name] = mended.groups
        if mended.contradiction:
            counts.contradictions[name] = mended.contradiction
    return now


def _unified(column: Sequence[str]) -> Sequence[str]:
    if "\r" not in "".join(column):
        return column
    return [unified(cell) for cell in column]


def _without_words(
    column: Sequence[str], missing: Sequence[str], words: dict[str, None]
) -> tuple[Sequence[str], int]:
    """Return a column with an empty cell for each missing-value word, and how many there are."""
    absent = set(missing).intersection(column) - {""}
    if not absent:
        return column, 0
    words.update(dict.fromkeys(sorted(absent)))
    count = sum(cell in absent for cell in column)
    return ["" if cell in absent else cell for cell in column], count
