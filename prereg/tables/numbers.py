"""Reads cells as numbers: what can be read in one way only is read, and everything else refused.

A column decides for its cells. Percent signs are left out if every cell has one, and flags (TRUE,
no) are 1 and 0 if every cell is one. A point of a scale with its label ('5 - Strongly agree',
'5: agree', '5 (agree)') is its number; labels are often on the two ends only. Digits of any
script, the typographic minus and thousands between spaces or apostrophes have one meaning. A comma
does not: '3,5' may be 3.5, and '1,234' may be 1.234 or 1234.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

NUMBER = "a number or an empty cell"
_NOT = "is not a number"
# So many words of a column are named in an error, and so many characters of each.
_MOST_WORDS = 5
_WORD = 40
FLAGS: Mapping[str, float] = {
    **dict.fromkeys(("true", "yes", "t", "y"), 1.0),
    **dict.fromkeys(("false", "no", "f", "n"), 0.0),
}
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# A number, a mark and a label that begins with a letter; or a label in parentheses.
_POINT = re.compile(
    r"(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"(?:\s*[-:=)/\u2013\u2014]\s*[^\W\d_]\D*|\.\s+[^\W\d_]\D*|\s*\([^\W\d_][^\d()]*\))"
)
# What a spreadsheet makes of '5-6'.
_DAY = re.compile(r"\d{1,2}-[A-Za-z]{3}")
_LABEL_FIRST = re.compile(r"[^\W\d_][^\d()]*\((?P<number>[+-]?\d+(?:\.\d+)?)\)")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?P<mark>[ '\u2019])\d{3})(?:(?P=mark)\d{3})*(?:\.\d+)?")
_COMMA_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[. '\u2019]\d{3})+)?,\d+(?:[eE][+-]?\d+)?")
_EITHER = re.compile(r"[+-]?\d{1,3},\d{3}")
_DOT_GROUPED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")
# One point and no comma: a decimal point, or a group of thousands if it is a clean one.
_ONE_POINT = re.compile(r"[+-]?\d+\.\d+")
_CLEAN_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}%?")
_UNIT = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*[^\W\d_]\D*")
_MINUS = str.maketrans(
    {
        "\u2212": "-",
        "\u2010": "-",
        "\u2011": "-",
        "\uff0d": "-",
        "\uff0b": "+",
        "\uff0e": ".",
        "\u066b": ".",
        "\uff05": "%",
        "\u066a": "%",
        "\uff0c": ",",
    }
)
Fault = tuple[str, str]  # what is wrong, what is allowed


@dataclass(frozen=True)
class Numbers:
    """The different cells of a column as numbers.

    Attributes
    ----------
    known : dict of str to float
        The cells that are numbers.
    faults : dict of str to tuple
        Each other cell, with what is wrong and what is allowed. Empty cells are in neither.
    kinds : dict of str to str
        For the cells that are not plain numbers, what they are; see `notes`.
    """

    known: dict[str, float] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def fault(self, cell: str) -> Fault:
        """Return what is wrong with a cell and what is allowed, naming others with the same fault.

        Where a cell is a word, the message says how such words are read as missing values.
        """
        problem, allowed = self.faults.get(cell, (_NOT, NUMBER))
        if problem != _NOT:
            return problem, allowed
        words = [other for other, fault in self.faults.items() if fault[0] == _NOT]
        others = [other for other in words if other != cell]
        if others:
            named = ", ".join(repr(other[:_WORD]) for other in others[: _MOST_WORDS - 1])
            more = len(others) - (_MOST_WORDS - 1)
            named += f" and {more} more" if more > 0 else ""
            verb = "are" if len(others) > 1 else "is"
            problem += f", and neither {verb} {named} in other rows"
        missing = [word for word in (cell, *others)[:_MOST_WORDS] if _may_mean_missing(word)]
        if missing:
            them = "these words mean" if len(missing) > 1 else "this word means"
            allowed += (
                f'; if {them} a missing value: --missing "+{",".join(missing)}" '
                f"(in a plan: data: {{missing: [+, {', '.join(missing)}]}})"
            )
        return problem, allowed

    def notes(self, file: str, column: str, cells: Sequence[str]) -> list[str]:
        """Return a sentence for every kind of cell that was not a plain number."""
        said = []
        for kind in dict.fromkeys(self.kinds[cell] for cell in self.kinds if cell in self.known):
            first = next(cell for cell in self.kinds if self.kinds[cell] == kind)
            some = sum(self.kinds.get(cell) == kind for cell in cells)
            noun = "cell" if some == 1 else "cells"
            said.append(
                f"{file}: {some:,} {noun} of column {column}, such as {first!r}: {_READ_AS[kind]}"
            )
        return said


_READ_AS = {
    "labelled": "the number before the label was read",
    "percent": "percent signs were left out",
    "flag": "read as 1 for yes and 0 for no",
    "grouped": "read as a number with thousands apart",
    "digits": "digits of another script were read as numbers",
}


def plain(cell: str) -> float | None:
    """Return a cell as a finite number if it is one as programs write it, otherwise None."""
    if not _PLAIN.fullmatch(cell):
        return None
    value = float(cell)
    return value if math.isfinite(value) else None


NO_THOUSANDS = (
    "has a point that is not between thousands, but --decimal , says that points are",
    "decimal commas in the whole column, or decimal points without --decimal ,",
)


def numbers_of(cells: Iterable[str]) -> Numbers:
    """Return the different cells of a column as numbers.

    Parameters
    ----------
    cells : iterable of str
        Cleaned cells; empty ones are passed over.
    """
    found = Numbers()
    different = [cell for cell in dict.fromkeys(cell.strip() for cell in cells) if cell]
    for cell in different:
        kind, value = _read(cell)
        if value is None:
            found.faults[cell] = _fault(cell)
        else:
            found.known[cell] = value
            if kind != "plain":
                found.kinds[cell] = kind
    _only_together(found, different)
    return found


def _only_together(found: Numbers, different: list[str]) -> None:
    """Refuse percent signs and flags, and units, that only some cells of a column have."""
    for kind, problem, allowed in (
        ("percent", "has a percent sign, and other cells have none", "all cells with or without"),
        ("flag", "is not a number, as other cells are", NUMBER),
    ):
        some = [cell for cell in different if found.kinds.get(cell) == kind]
        if some and len(some) < len(different):
            for cell in some:
                del found.known[cell]
                found.faults[cell] = (problem, allowed)


def _read(cell: str) -> tuple[str, float | None]:
    value = plain(cell)
    if value is not None:
        return ("plain" if cell.isascii() else "digits"), value
    if cell.casefold() in FLAGS:
        return "flag", FLAGS[cell.casefold()]
    text = cell.translate(_MINUS)
    value = plain(text)
    if value is not None:
        return "digits", value
    if text.endswith("%"):
        return "percent", plain(text[:-1].strip())
    if _GROUPED.fullmatch(text) or _COMMA_GROUPED.fullmatch(text):
        return "grouped", plain(re.sub(r"[ ',\u2019]", "", text))
    point = _POINT.fullmatch(cell) or _LABEL_FIRST.fullmatch(cell)
    if point and not _DAY.fullmatch(cell):
        return "labelled", plain(point["number"])
    return "none", None


def label_of(cell: str) -> str:
    """Return the label of a point of a scale ('disagree' of '2 - Disagree'), empty without one."""
    point = _POINT.fullmatch(cell) or _LABEL_FIRST.fullmatch(cell)
    if not point or _DAY.fullmatch(cell):
        return ""
    begin, end = point.span("number")
    words = re.sub(r"^[\s.:=()/\u2013\u2014-]+|[\s()]+$", "", f"{cell[:begin]} {cell[end:]}")
    return " ".join(words.casefold().split())


def _fault(cell: str) -> Fault:
    text = cell.translate(_MINUS)
    if _EITHER.fullmatch(text):
        return (
            "may be a number with a decimal comma or with thousands apart",
            f"{text.replace(',', '')} or {text.replace(',', '.')}; if it is a decimal comma: "
            '--decimal , (in a plan: data: {decimal: ","})',
        )
    if _DECIMAL_COMMA.fullmatch(text):
        return (
            "looks like a number with a decimal comma",
            'a decimal point, or --decimal , (in a plan: data: {decimal: ","})',
        )
    return _NOT, NUMBER


def _may_mean_missing(word: str) -> bool:
    """Say whether a word could be given to --missing as it is."""
    return len(word) <= _WORD and word[0].isalnum() and not set(word) & set('",:+[]{}#$`!\\')


def suspicious(cell: str) -> bool:
    """Say whether a cell is more like a number than like a category: '3,5', '5 - agree', '25 km'.

    A range ('18-24'), a bound ('65+', '<18') and a word are categories.
    """
    return bool(_fault(cell)[0] != _NOT or _UNIT.fullmatch(cell) or _POINT.fullmatch(cell))


@dataclass
class Mended:
    """A column with decimal points.

    Attributes
    ----------
    cells : sequence of str
        The same object if nothing was changed.
    commas, groups : int
        How many cells had a decimal comma, and how many only points between thousands.
    contradiction : str or None
        A cell whose point cannot be between thousands; then no other single point is, either.
    """

    cells: Sequence[str]
    commas: int = 0
    groups: int = 0
    contradiction: str | None = None


def with_decimal_point(cells: Sequence[str]) -> Mended:
    """Return a column with decimal commas as one with decimal points.

    A column is changed only where most of its filled cells are numbers in that spelling, so that
    a list such as 'left, right' or the id '1,2' of one row stays. Points are between thousands
    only if nothing in the column says that they are decimal points.
    """
    better: dict[str, str] = {}
    filled = numeric = 0
    pointed: dict[str, None] = {}
    for cell in cells:
        if not cell:
            continue
        filled += 1
        text = cell.translate(_MINUS)
        number = text.removesuffix("%").rstrip()
        if _DECIMAL_COMMA.fullmatch(number) or _DOT_GROUPED.fullmatch(number):
            numeric += 1
            whole, comma, part = text.partition(",")
            better[cell] = re.sub(r"[. '\u2019]", "", whole) + comma.replace(",", ".") + part
        elif _read(cell)[1] is not None:
            numeric += 1
        else:
            continue
        if _ONE_POINT.fullmatch(number):
            pointed[cell] = None
    if 2 * numeric <= filled:
        return Mended(cells)
    point = next((c for c in pointed if not _CLEAN_GROUP.fullmatch(c.translate(_MINUS))), None)
    if point is not None:
        better = {cell: text for cell, text in better.items() if cell not in pointed}
    if not better:
        return Mended(cells, contradiction=point)
    groups = sum(cell in better and "," not in cell.translate(_MINUS) for cell in cells)
    changed = sum(cell in better for cell in cells)
    mended = [better.get(cell, cell) for cell in cells]
    return Mended(mended, changed - groups, groups, contradiction=point)
