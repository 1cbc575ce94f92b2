"""Reads who won each comparison of a table that has its own words for it, ties included.

Nothing is guessed: a word counts if it was declared, if it is left or right, if it is the id of one
of the row's items, or if it is the name of the column that holds one of them. A table in which two
of these readings are possible is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from prereg.errors import RatifyError
from prereg.tables.contract import SIDES, TIE

# Words for a tie that count where none is named: ours, and those of the chat arenas.
USUAL_TIES = (TIE, "tie (bothbad)", "both bad", "no difference")
IDS = "ids"
LEFT, RIGHT = SIDES


@dataclass(frozen=True)
class Words:
    """What the cells of the column of choices may say.

    Attributes
    ----------
    sides : tuple of str
        The words for the left and the right side; `('ids',)` if the cell holds the id of the item
        that won; empty if the table says it by itself.
    ties : tuple of str
        Words for a tie; if none is named, those of `USUAL_TIES` that are not a side's.
    """

    sides: tuple[str, ...] = ()
    ties: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse words that mean nothing or two things."""
        if self.sides and self.sides != (IDS,) and len(self.sides) != 2:
            raise RatifyError(
                "does not name two sides",
                column="--values",
                value=", ".join(self.sides),
                allowed="the word for the left and the word for the right side, such as A,B; or "
                f"'{IDS}' if the cell holds the id of the item that won",
            )
        plain = [_plain(word) for word in (*self.sides, *dict.fromkeys(self.ties))]
        for word in plain:
            if plain.count(word) > 1:
                raise RatifyError(
                    "this word means two things",
                    column="--values and --ties",
                    value=word,
                    allowed="one meaning for each word",
                )


def read_choices(
    frame: pd.DataFrame, words: Words, theirs: Mapping[str, str]
) -> tuple[list[str], str]:
    """Return left, right or tie for every row, and a note on how the words were read.

    Parameters
    ----------
    frame : DataFrame
        `left_id`, `right_id` and `choice`, all text.
    words : Words
    theirs : mapping
        Our name of a column to the table's own, where they differ.

    Raises
    ------
    RatifyError
        At the first cell that is no choice, with the words that are; and if the words can be read
        in two ways.
    """
    cells = frame["choice"].tolist()
    ids = {_plain(name) for side in ("left_id", "right_id") for name in frame[side].unique()}
    ties = {_plain(word) for word in words.ties or USUAL_TIES}
    ties -= {_plain(word) for word in words.sides} | (ids if not words.ties else set())
    tied = [_plain(cell) in ties for cell in cells]
    left, right = frame["left_id"].tolist(), frame["right_id"].tolist()
    names = theirs.get("left_id", "left_id"), theirs.get("right_id", "right_id")
    if words.sides == (IDS,):
        said, note = _by_ids(cells, left, right), ""
    elif words.sides:
        said, note = _by_words(cells, (words.sides[0], words.sides[1])), ""
    else:
        said, note = _by_itself(cells, tied, left, right, names)
    found = [TIE if tie else side for tie, side in zip(tied, said, strict=True)]
    for at, side in enumerate(found):
        if side is None:
            raise _no_choice(cells[at], at + 2, words, (left[at], right[at]))
    return [side for side in found if side], note


def _plain(word: str) -> str:
    """Return a word without case, and a number in one spelling: 1 and 1.0 are the same."""
    word = word.strip().casefold()
    with contextlib.suppress(ValueError):
        return f"{float(word):g}"
    return word


def _by_words(cells: Sequence[str], sides: tuple[str, str]) -> list[str | None]:
    meaning = {_plain(sides[0]): LEFT, _plain(sides[1]): RIGHT}
    return [meaning.get(_plain(cell)) for cell in cells]


def _by_ids(cells: Sequence[str], left: Sequence[str], right: Sequence[str]) -> list[str | None]:
    """Return the side of the item that a cell names; an id keeps its case."""
    rows = zip(cells, left, right, strict=True)
    return [LEFT if cell == a else RIGHT if cell == b else None for cell, a, b in rows]


def _by_itself(
    cells: Sequence[str],
    tied: Sequence[bool],
    left: Sequence[str],
    right: Sequence[str],
    names: tuple[str, str],
) -> tuple[list[str | None], str]:
    """Return the sides by the one reading that fits all cells, and say which if it is not ours."""
    readings = {
        "": _by_words(cells, (LEFT, RIGHT)),
        "the id of the item that won": _by_ids(cells, left, right),
        f"{names[0]} or {names[1]}, the name of a column": _by_words(cells, names),
    }

    def misses(said: Sequence[str | None]) -> int:
        return sum(side is None and not tie for side, tie in zip(said, tied, strict=True))

    fitting = {what: said for what, said in readings.items() if not misses(said)}
    distinct = {tuple(map(str, said)) for said in fitting.values()}
    if len(distinct) > 1 and not all(tied):
        raise RatifyError(
            "the choices can be read in two ways: as words for a side and as ids of items",
            allowed=f"--values {LEFT},{RIGHT} or --values {IDS}",
        )
    if not fitting:
        return min(readings.values(), key=misses), ""
    what, said = next(iter(fitting.items()))
    return said, f"a choice is {what}" if what else ""


def _no_choice(cell: str, row: int, words: Words, items: tuple[str, str]) -> RatifyError:
    """Return the error for a cell that is neither a side nor a tie."""
    if words.sides == (IDS,):
        allowed = f"'{items[0]}' or '{items[1]}', the ids of this row's items"
    else:
        allowed = " or ".join(repr(word) for word in words.sides or SIDES)
    if not words.sides:
        allowed += "; name other words with --values LEFT,RIGHT"
    ties = ", ".join(repr(word) for word in words.ties or USUAL_TIES)
    allowed += f"; a tie: {ties}" if ties else ""
    if cell:
        allowed += f"; if it is a tie, name it with --ties '{cell}'"
    return RatifyError(
        "is not a choice" if cell else "is empty",
        row=row,
        column="choice",
        value=cell,
        allowed=allowed,
    )
