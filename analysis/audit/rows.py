"""Selects the rows of an audit's long tables that count: people of one mode, no attention checks.

Live raters, pilots and simulated raters are never mixed, and a check's rating says nothing about
an item. In a table without these columns, and in wide files, all rows count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.audit.files import Source
from prereg.errors import RatifyError
from prereg.tables.contract import MODES

FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True)
class Chosen:
    """The rows that count.

    Attributes
    ----------
    sources : tuple of Source
        With only the rows that count.
    mode : str or None
        The mode of people's ratings; None if no table says.
    notes : list of str
        What was left out, and who failed a check but was not.
    """

    sources: tuple[Source, ...]
    mode: str | None
    notes: list[str]


def rows_that_count(sources: Sequence[Source], mode: str | None = None) -> Chosen:
    """Leave out people's ratings of other modes, and attention checks.

    Parameters
    ----------
    sources : sequence of Source
    mode : {'live', 'pilot', 'bot'}, optional
        The mode of people's ratings; by default the only mode in the tables, or live if there are
        several.

    Returns
    -------
    Chosen

    Raises
    ------
    RatifyError
        If a mode or a flag is unknown, there are several modes but none is live, or nothing of a
        file is left.
    """
    modes = [_modes(source) for source in sources]
    chosen = _one_mode(sources, modes, mode)
    kept, notes = [], []
    for source, of_row in zip(sources, modes, strict=True):
        others = {row: its_mode for row, its_mode in of_row.items() if its_mode != chosen}
        checks = _checks(source) - set(others)
        rows = tuple(row for row in source.rows if row not in others and row not in checks)
        if not rows:
            raise _nothing_left(source, chosen, set(of_row.values()))
        kept.append(replace(source, rows=rows))
        notes += _notes(source, list(others.values()), chosen, checks)
    return Chosen(tuple(kept), chosen, notes)


def _modes(source: Source) -> dict[int, str]:
    """Return the mode of every row of a long table of people; empty if it has no modes.

    A column `mode` without any of the allowed words is about something else.
    """
    if source.kind != "human" or not source.long or "mode" not in source.table.columns:
        return {}
    found = {row: source.table.rows[row - 2]["mode"].strip() for row in source.rows}
    if not set(found.values()) & set(MODES):
        return {}
    for row, mode in found.items():
        if mode not in MODES:
            raise source.table.error(row, "mode", "is not a kind of data", allowed=", ".join(MODES))
    return found


def _one_mode(
    sources: Sequence[Source], modes: Sequence[dict[int, str]], wanted: str | None
) -> str | None:
    """Return the mode to take, None if no table has modes and none is asked for."""
    there = sorted({mode for of_row in modes for mode in of_row.values()})
    if not there and wanted is None:
        return None
    chosen = wanted or (there[0] if len(there) == 1 else "live")
    if chosen not in there:
        saying = (source for source, of_row in zip(sources, modes, strict=True) if of_row)
        raise RatifyError(
            f"has no {chosen} ratings by people, and modes are never mixed",
            file=next(saying, sources[0]).path,
            column="mode",
            value=" and ".join(there),
            allowed=f"ratings of one mode only: {' or '.join(there or MODES)}",
        )
    return chosen


def _checks(source: Source) -> set[int]:
    """Return the rows of attention checks."""
    if not source.long or "is_attention_check" not in source.table.columns:
        return set()
    return {row for row in source.rows if _flag(source, row, "is_attention_check")}


def _flag(source: Source, row: int, column: str) -> bool:
    word = source.table.rows[row - 2][column].strip().lower()
    if word not in FLAGS:
        raise source.table.error(row, column, "is not a flag", allowed="true, false")
    return FLAGS[word]


def _nothing_left(source: Source, mode: str | None, there: set[str]) -> RatifyError:
    """Return the error for a file in which no row counts."""
    if mode is not None and there and mode not in there:
        return RatifyError(
            f"has no {mode} ratings by people, but the other tables have some",
            file=source.path,
            column="mode",
            value=" and ".join(sorted(there)),
            allowed="tables of one mode",
        )
    return RatifyError(
        "has only attention checks",
        file=source.path,
        column="is_attention_check",
        allowed="ratings of items",
    )


def _notes(source: Source, others: Sequence[str], mode: str | None, checks: set[int]) -> list[str]:
    """Return notes on what was left out of a file, and on who failed a check but was not."""
    name = source.path.name
    notes = [
        f"Left out of {name}: {others.count(other):,} {other} ratings, since {mode} ratings are "
        "audited and modes are never mixed."
        for other in dict.fromkeys(sorted(others))
    ]
    if checks:
        notes.append(f"Left out of {name}: {len(checks):,} ratings of attention checks.")
    failed = _failed(source, checks)
    if failed:
        who = "1 rater" if failed == 1 else f"{failed:,} raters"
        notes.append(
            f"{who} of {name} failed at least one attention check and "
            f"{'is' if failed == 1 else 'are'} among those audited: an audit excludes nobody."
        )
    return notes


def _failed(source: Source, checks: set[int]) -> int:
    """Return how many raters failed a check."""
    if "passed_check" not in source.table.columns:
        return 0
    failed = set()
    for row in checks:
        record = source.table.rows[row - 2]
        if record["passed_check"].strip() and not _flag(source, row, "passed_check"):
            failed.add(record["rater_id"].strip())
    return len(failed)
