"""How a table is read: which words mean a missing value, the decimal mark, and whose names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Decimal = Literal[".", ","]

# What programs write where nothing was measured: R (NA), pandas and NumPy (nan, NaN, <NA>, NaT),
# SQL (NULL, \N), Python and JSON (None, null), spreadsheets (#N/A and other errors), SAS and
# Stata (.), survey platforms (-99, -999), and people (-, n/a). A word is compared with the
# whole cell, with its case: `none` may be an answer, while `None` is what Python writes.
# -9, 99 and 0 are not here, because scales and ages hold them.
MISSING_WORDS: tuple[str, ...] = (
    *("NA", "N/A", "n/a", "na", "N.A.", "n.a.", "<NA>", "NaN", "nan", "-nan", "NaT"),
    *("null", "NULL", "Null", "None", "\\N", ".", "-", "--", "\u2013", "\u2014"),
    *("#N/A", "#NA", "#NULL!", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!"),
    *("-99", "-999", "-9999"),
)


ADDED = "+"


def missing_words(given: Sequence[str]) -> tuple[str, ...]:
    """Return the words that mean a missing value, as an option or a plan gives them.

    Parameters
    ----------
    given : sequence of str
        If the first is `+` or begins with it, the words are added to `MISSING_WORDS`; otherwise
        they are used instead of them.
    """
    words = list(given)
    if not words or not words[0].startswith(ADDED):
        return tuple(words)
    words[0] = words[0].removeprefix(ADDED).strip()
    return tuple(dict.fromkeys([*MISSING_WORDS, *filter(None, words)]))


@dataclass(frozen=True)
class Reading:
    """How the cells of a table are read.

    Attributes
    ----------
    missing : tuple of str
        Words that mean a missing value, compared with the whole cleaned cell. An empty cell is
        always missing.
    decimal : {'.', ','}
        The decimal mark of numbers.
    columns : mapping of str to str
        Our name of a column to the name that the file has for it.
    verbatim : tuple of str
        Columns of free text (our names), which are kept exactly as they are, except line ends.
    exact : tuple of str
        Columns (our names) in which only an empty cell is missing, because a missing-value word may
        be an id or a category there. They are cleaned.
    """

    missing: tuple[str, ...] = MISSING_WORDS
    decimal: Decimal = "."
    columns: Mapping[str, str] = field(default_factory=dict)
    verbatim: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()


# A table that Ratify wrote itself: missing is an empty cell, and never a word.
OWN = Reading(missing=())
# Free text of the tidy tables, which is kept as people and judges wrote it.
_FREE_TEXT = ("text", "prompt", "why", "reply")


def reading_of(columns: tuple[str, ...], further: Reading | None = None) -> Reading:
    """Return how a tidy table is read: only an empty cell is missing in a column of the contract.

    Parameters
    ----------
    columns : tuple of str
        The columns that the contract knows.
    further : Reading, optional
        How its further columns are read, which are the researcher's own; by default as
        `Reading()`.
    """
    own = further or Reading()
    return replace(own, exact=(*own.exact, *columns), verbatim=(*own.verbatim, *_FREE_TEXT))
