"""Reads the tidy tables and checks them; every complaint names file, row and column."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from analysis import columns
from prereg.errors import RatifyError
from prereg.items import refuse_damaged_ids
from prereg.tabular import read_table

JUDGMENT_COLUMNS = (
    "judgment_id", "plan_hash", "mode", "session_id", "rater_id", "rater_kind", "scenario",
    "left_id", "right_id", "choice", "position", "is_attention_check", "shown_at", "answered_at",
    "response_ms", "hidden_ms",
)  # fmt: skip
PARTICIPANT_COLUMNS = (
    "session_id", "rater_id", "condition", "sequence_id", "consented_at", "finished_at", "status",
)  # fmt: skip
RATING_COLUMNS = (
    "rater_id", "rater_kind", "item_id", "dimension", "value", "scale_min", "scale_max",
    "plan_hash",
)  # fmt: skip
RATER_KINDS = ("human", "llm", "baseline")
MODES = ("live", "pilot", "bot")


def read_judgments(path: Path, *, complete: bool = True) -> pd.DataFrame:
    """Read a table of forced choices.

    Parameters
    ----------
    path : Path
        CSV or Parquet.
    complete : bool
        Ask for every column of the contract; else only for the pair and the choice.

    Returns
    -------
    DataFrame
        Ids as text, `position`, `response_ms` and `hidden_ms` as numbers (NaN where empty),
        `is_attention_check` as bool; further columns as text.

    Raises
    ------
    RatifyError
        At the first row that is not a judgment.
    """
    wanted = JUDGMENT_COLUMNS if complete else ("left_id", "right_id", "choice")
    frame = _read(path, wanted, ids=("left_id", "right_id"))
    with naming(path):
        columns.require_filled(frame, "left_id", "right_id")
        columns.left_chosen(frame)
        same = frame["left_id"] == frame["right_id"]
        columns.refuse(
            frame, "right_id", same, "an item is compared with itself", allowed="two items"
        )
        if complete:
            _check_judgments(frame)
    return frame


def _check_judgments(frame: pd.DataFrame) -> None:
    columns.require_filled(frame, "judgment_id", "session_id", "rater_id", "scenario")
    _allow(frame, "rater_kind", RATER_KINDS)
    _allow(frame, "mode", MODES)
    _allow(frame, "is_attention_check", ("true", "false"))
    columns.refuse(
        frame, "judgment_id", frame["judgment_id"].duplicated(), "stands in an earlier row too",
        allowed="one row each",
    )  # fmt: skip
    frame["is_attention_check"] = frame["is_attention_check"] == "true"
    for column in ("position", "response_ms", "hidden_ms"):
        frame[column] = columns.numbers(frame, column)


def read_ratings(path: Path) -> pd.DataFrame:
    """Read a table of scores.

    Returns
    -------
    DataFrame
        `value`, `scale_min`, `scale_max` as numbers, all else as text.

    Raises
    ------
    RatifyError
        At a value outside its own scale, or one rater scoring one item twice on a dimension.
    """
    frame = _read(path, RATING_COLUMNS, ids=("item_id",))
    with naming(path):
        columns.require_filled(frame, "rater_id", "item_id", "dimension")
        _allow(frame, "rater_kind", RATER_KINDS)
        for column in ("value", "scale_min", "scale_max"):
            frame[column] = columns.numbers(frame, column)
        outside = (frame["value"] < frame["scale_min"]) | (frame["value"] > frame["scale_max"])
        columns.refuse(
            frame, "value", outside, "is outside the scale", allowed="scale_min to scale_max"
        )
        twice = frame.duplicated(["rater_id", "item_id", "dimension"])
        columns.refuse(
            frame, "item_id", twice, "this rater has scored this item on this dimension already",
            allowed="one row each",
        )  # fmt: skip
    return frame


def read_participants(path: Path) -> pd.DataFrame:
    """Read a table of people's visits, all columns as text.

    Raises
    ------
    RatifyError
        At an empty or repeated session id.
    """
    frame = _read(path, PARTICIPANT_COLUMNS, ids=(), may_be_empty=True)
    with naming(path):
        columns.require_filled(frame, "session_id", "rater_id", "sequence_id")
        twice = frame["session_id"].duplicated()
        columns.refuse(frame, "session_id", twice, "stands in an earlier row", allowed="one row")
    return frame


def _read(
    path: Path, wanted: tuple[str, ...], *, ids: tuple[str, ...], may_be_empty: bool = False
) -> pd.DataFrame:
    try:
        table = read_table(path)
    except RatifyError as error:
        if may_be_empty and error.problem == "holds a header but no rows":
            return pd.DataFrame(columns=list(wanted), dtype=str)
        raise
    table.require(*wanted)
    for column in ids:
        refuse_damaged_ids(table, column)
    return pd.DataFrame(table.rows, columns=list(table.columns), dtype=str)


def _allow(frame: pd.DataFrame, column: str, allowed: tuple[str, ...]) -> None:
    bad = ~frame[column].isin(allowed)
    columns.refuse(frame, column, bad, "is not known here", allowed=", ".join(allowed))


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the file's name to complaints raised on a table that has lost it."""
    try:
        yield
    except RatifyError as error:
        if error.file is not None:
            raise
        raise RatifyError(
            error.problem, file=path, row=error.row, column=error.column, value=error.value,
            allowed=error.allowed,
        ) from error  # fmt: skip
