"""Chooses whose judgments a ranking is made of: people, judges and modes are never mixed unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.results.words import counted
from prereg.errors import RatifyError
from prereg.tables.contract import MODES, RATER_KINDS

_PLURAL = {"human": "people", "llm": "LLM judges", "baseline": "baselines"}
# More names than this are counted, not listed.
_SPELLED_OUT = 8


@dataclass(frozen=True)
class Whose:
    """The judgments to rank by.

    Attributes
    ----------
    kept : bool array
        One truth value for each row.
    notes : tuple of str
        What was chosen, and what was left out.
    """

    kept: BoolArray = field(repr=False)
    notes: tuple[str, ...]


def choose_raters(frame: pd.DataFrame, wanted: Sequence[str], mode: str | None) -> Whose:
    """Choose the rows of some raters, and of one mode.

    Parameters
    ----------
    frame : DataFrame
        Judgments as text, perhaps with `rater_id`, `rater_kind` and `mode`. A column `rater_kind`
        or `mode` without any of the words of a study's tables is about something else.
    wanted : sequence of str
        Kinds (human, llm, baseline) or ids of raters; `kind:NAME` and `id:NAME` tell them apart.
        Empty: people if there are any, otherwise everybody.
    mode : {'live', 'pilot', 'bot'}, optional
        Of people's judgments; by default the only mode, or live if there are several.

    Raises
    ------
    RatifyError
        If there is no such rater or mode, or a name is both a kind and a rater.
    """
    kinds = _words(frame, "rater_kind", tuple(RATER_KINDS))
    kept, notes = _of_raters(frame, kinds, wanted)
    modes = _words(frame, "mode", tuple(MODES))
    if modes is None:
        if mode is not None:
            raise RatifyError(
                f"there is no column 'mode' that says what is {mode}", allowed="a study's own table"
            )
        return Whose(kept, tuple(notes))
    person = np.ones(len(frame), dtype=bool) if kinds is None else (kinds == "human").to_numpy()
    there = sorted(set(modes[kept & person]))
    if not there:
        return Whose(kept, tuple(notes))
    chosen = mode or (there[0] if len(there) == 1 else "live")
    if chosen not in there:
        raise RatifyError(
            f"has no {chosen} judgments by these raters, and modes are never mixed",
            column="mode",
            value=" and ".join(there),
            allowed=f"--mode {' or '.join(there)}",
        )
    other = kept & person & (modes != chosen).to_numpy()
    if other.any():
        counts = modes[other].value_counts().sort_index()
        left = ", ".join(f"{n:,} of mode {name}" for name, n in counts.items())
        notes.append(f"ranked by {chosen} judgments; left out: {left} (--mode)")
    return Whose(kept & ~other, tuple(notes))


def _words(frame: pd.DataFrame, column: str, known: tuple[str, ...]) -> pd.Series[str] | None:
    """Return a column of a study's own words; None if the table has none of them."""
    if column not in frame or not frame[column].isin(known).any():
        return None
    for at, word in enumerate(frame[column]):
        if word not in known:
            raise RatifyError(
                "is not known here", row=at + 2, column=column, value=word, allowed=", ".join(known)
            )
    return frame[column]


def _of_raters(
    frame: pd.DataFrame, kinds: pd.Series[str] | None, wanted: Sequence[str]
) -> tuple[BoolArray, list[str]]:
    """Return the rows of the wanted raters, and notes on who they are."""
    if not wanted:
        wanted = ["kind:human"] if kinds is not None and (kinds == "human").any() else []
    kept = np.ones(len(frame), dtype=bool)
    if wanted:
        kept = np.zeros(len(frame), dtype=bool)
        for name in wanted:
            kept |= _rows_of(frame, kinds, name)
    if kinds is None:
        return kept, _left_out(len(frame), kept)
    notes = []
    here = {kind: int((kinds[kept] == kind).sum()) for kind in RATER_KINDS}
    gone = {kind: int((kinds[~kept] == kind).sum()) for kind in RATER_KINDS}
    if sum(map(bool, here.values())) > 1:
        notes.append(f"these ranks mix judgments by {_counted(here)}")
    if any(gone.values()):
        notes.append(
            f"ranked by judgments of {_counted(here)}; left out: {_counted(gone)} (--raters)"
        )
    judges = (
        sorted(set(frame.loc[kept & (kinds != "human"), "rater_id"])) if "rater_id" in frame else []
    )
    if len(judges) > 1:
        names = ", ".join(judges[:_SPELLED_OUT]) + (", ..." if len(judges) > _SPELLED_OUT else "")
        notes.append(f"these ranks mix the judges {names}: rank one alone with --raters NAME")
    return kept, notes


def _counted(numbers: dict[str, int]) -> str:
    return ", ".join(f"{_PLURAL[kind]} ({n:,})" for kind, n in numbers.items() if n)


def _left_out(n: int, kept: BoolArray) -> list[str]:
    left = n - int(kept.sum())
    return [f"left out: {counted(left, 'judgment')} by other raters (--raters)"] if left else []


def _rows_of(frame: pd.DataFrame, kinds: pd.Series[str] | None, name: str) -> BoolArray:
    """Return the rows of one kind, or of one rater."""
    sort, colon, rest = name.partition(":")
    sort = sort if colon and sort in ("kind", "id") else ""
    plain = rest if sort else name
    none = np.zeros(len(frame), dtype=bool)
    of_kind = none if kinds is None else (kinds == plain).to_numpy()
    by_id = (frame["rater_id"] == plain).to_numpy() if "rater_id" in frame else none
    if not sort and of_kind.any() and (by_id & ~of_kind).any():
        raise RatifyError(
            "is both a kind of rater and the id of a rater",
            column="--raters",
            value=name,
            allowed=f"kind:{name} or id:{name}",
        )
    found = of_kind if sort == "kind" else by_id if sort == "id" else of_kind | by_id
    if not found.any():
        there = sorted(set(kinds)) if kinds is not None else []
        ids = sorted(set(frame["rater_id"])) if "rater_id" in frame else []
        more = ", ..." if len(ids) > _SPELLED_OUT else ""
        shown = ", ".join([*there, *ids[:_SPELLED_OUT]]) + more
        raise RatifyError(
            "there are no judgments by these raters",
            column="--raters",
            value=name,
            allowed=shown or "a table with a column of raters (--rater)",
        )
    return np.asarray(found, dtype=bool)
