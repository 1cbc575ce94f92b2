"""Reads the tidy tables and checks them; every error names file, row and column."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from analysis.tables import columns
from prereg.errors import RatifyError
from prereg.tables.contract import BEST_WORST, JUDGMENTS, PARTICIPANTS, RATINGS, WITHDRAWALS
from prereg.tables.reader import NoRowsError, read_table
from prereg.tables.reading import OWN, Reading, reading_of

_FLAG = ("true", "false")


def table_path(folder: Path, name: str) -> Path:
    """Return the path of an exported table: the CSV, or Parquet if there is only that."""
    parquet = folder / f"{name}.parquet"
    text = folder / f"{name}.csv"
    return parquet if parquet.exists() and not text.exists() else text


def read_judgments(
    path: Path, *, complete: bool = True, reading: Reading | None = None
) -> pd.DataFrame:
    """Read a table of choices between two items: left, right or tie.

    Parameters
    ----------
    path : Path
        CSV or Parquet.
    complete : bool
        Whether to require every column of the contract, or only the pair and the choice.
    reading : Reading, optional
        How its further columns are read.

    Returns
    -------
    DataFrame
        Ids as text, `position`, `response_ms` and `hidden_ms` as numbers (NaN if empty),
        `is_attention_check` as bool; `passed_check`, if present, and other columns as text.

    Raises
    ------
    RatifyError
        At the first row that is not a judgment.
    """
    wanted = JUDGMENTS.required if complete else ("left_id", "right_id", "choice")
    how = reading_of(JUDGMENTS.names, reading)
    frame = read_frame(path, wanted, ids=("left_id", "right_id"), reading=how)
    with naming(path):
        columns.require_filled(frame, "left_id", "right_id")
        columns.left_share(frame)
        same = frame["left_id"] == frame["right_id"]
        columns.refuse(
            frame, "right_id", same, "an item is compared with itself", allowed="two items"
        )
        if complete:
            _check_judgments(frame)
    return frame


def _check_judgments(frame: pd.DataFrame) -> None:
    columns.require_filled(frame, "judgment_id", "session_id", "rater_id", "scenario")
    columns.allow_words(frame, JUDGMENTS)
    frame["is_attention_check"] = columns.flag_words(frame, "is_attention_check")
    columns.allow(frame, "is_attention_check", _FLAG)
    columns.refuse(
        frame,
        "judgment_id",
        frame["judgment_id"].duplicated(),
        "occurs in an earlier row too",
        allowed="one row per judgment_id",
    )
    frame["is_attention_check"] = frame["is_attention_check"] == "true"
    _check_passed(frame)
    for column in JUDGMENTS.numeric:
        frame[column] = columns.numbers(frame, column)


def _check_passed(frame: pd.DataFrame) -> None:
    """Refuse a `passed_check` that is not a flag or is in a row that is not a check."""
    if "passed_check" not in frame:
        return
    frame["passed_check"] = columns.flag_words(frame, "passed_check")
    columns.allow(frame, "passed_check", (*_FLAG, ""))
    astray = ~columns.flags(frame, "is_attention_check") & (frame["passed_check"] != "")
    columns.refuse(
        frame, "passed_check", astray, "this row is not an attention check", allowed="an empty cell"
    )


def read_ratings(path: Path, *, reading: Reading | None = None) -> pd.DataFrame:
    """Read a table of scores.

    Returns
    -------
    DataFrame
        `value`, `scale_min`, `scale_max` as numbers, all else as text. A row without both ends of a
        scale has its value as text in `given_label`, a column that is only there for such rows, and
        NaN in `value`. Rows
        of people may have more columns than those of judges: `mode`, `is_attention_check`,
        `passed_check` and so on.

    Raises
    ------
    RatifyError
        At a value outside its scale, or if a rater scores an item twice on a dimension (in one
        mode, except for attention checks).
    """
    how = reading_of(RATINGS.names, reading)
    frame = read_frame(path, RATINGS.required, ids=("item_id",), reading=how)
    with naming(path):
        columns.require_filled(frame, "rater_id", "item_id", "dimension")
        columns.allow_words(frame, RATINGS)
        without = (frame["scale_min"] == "") & (frame["scale_max"] == "")
        if without.any():
            frame["given_label"] = frame["value"].where(without, "")
            frame["value"] = frame["value"].where(~without, "")
        for column in ("value", "scale_min", "scale_max"):
            frame[column] = columns.numbers(frame, column)
        half = frame["scale_min"].isna() != frame["scale_max"].isna()
        columns.refuse(
            frame, "scale_max", half, "is one end of a scale only", allowed="both ends, or none"
        )
        columns.refuse_outside(frame)
        if "is_attention_check" in frame:
            _check_passed(frame)
        columns.refuse(
            frame,
            "item_id",
            _scored_twice(frame),
            "this rater has already scored this item on this dimension",
            allowed="one row per rater, item and dimension",
        )
    return frame


def _scored_twice(ratings: pd.DataFrame) -> pd.Series[bool]:
    """Return where a score is repeated; a person may answer in several modes, a judge in one."""
    person = ratings["rater_kind"] == "human"
    scores = ratings[["rater_id", "item_id", "dimension"]].assign(person=person)
    if "mode" in ratings:
        scores["mode"] = ratings["mode"].where(person, "")
    if "is_attention_check" in ratings:
        return scores.duplicated() & ~columns.flags(ratings, "is_attention_check")
    return scores.duplicated()


def read_participants(path: Path, *, reading: Reading | None = None) -> pd.DataFrame:
    """Read a table of people's visits, all columns as text.

    Raises
    ------
    RatifyError
        At an empty or repeated session id, an unknown status, a finished visit without an end, and
        a slot or a number of attempts that is not a whole number.
    """
    how = reading_of(PARTICIPANTS.names, reading)
    frame = read_frame(path, PARTICIPANTS.required, may_be_empty=True, reading=how)
    with naming(path):
        columns.require_filled(frame, "session_id", "rater_id", "sequence_id")
        twice = frame["session_id"].duplicated()
        columns.refuse(frame, "session_id", twice, "occurs in an earlier row", allowed="one row")
        columns.allow_words(frame, PARTICIPANTS)
        endless = (frame["status"] == "finished") & (frame["finished_at"] == "")
        columns.refuse(
            frame,
            "finished_at",
            endless,
            "is empty, although this visit is finished",
            allowed="a time",
        )
        for column, least in (("slot", 1), ("comprehension_attempts", 0)):
            if column in frame:
                columns.whole_numbers(frame, column, least=least)
    return frame


def read_best_worst(path: Path, *, reading: Reading | None = None) -> pd.DataFrame:
    """Read a table of picks of most and least, one row per option of a trial.

    Returns
    -------
    DataFrame
        `position`, `option`, `response_ms` and `hidden_ms` as numbers, `is_attention_check` as
        bool, all else as text.

    Raises
    ------
    RatifyError
        At the first row that is not valid, and at a trial without exactly one row picked as
        `most` and one as `least`.
    """
    how = reading_of(BEST_WORST.names, reading)
    frame = read_frame(path, BEST_WORST.required, ids=("item_id",), reading=how)
    with naming(path):
        columns.require_filled(frame, "trial_id", "session_id", "rater_id", "scenario", "item_id")
        columns.allow_words(frame, BEST_WORST)
        frame["is_attention_check"] = columns.flag_words(frame, "is_attention_check")
        columns.allow(frame, "is_attention_check", _FLAG)
        frame["is_attention_check"] = frame["is_attention_check"] == "true"
        _check_passed(frame)
        for column in BEST_WORST.numeric:
            if column in frame:
                frame[column] = columns.numbers(frame, column)
        for pick in ("most", "least"):
            picks = (frame["picked"] == pick).groupby(frame["trial_id"]).transform("sum")
            columns.refuse(
                frame,
                "trial_id",
                picks != 1,
                f"this trial does not have exactly one row picked as {pick}",
                allowed="one row per pick",
            )
        twice = frame.duplicated(["trial_id", "item_id"])
        columns.refuse(
            frame, "item_id", twice, "occurs more than once in this trial", allowed="each item once"
        )
    return frame


def read_other(path: Path, reading: Reading) -> pd.DataFrame:
    """Read the researcher's own tidy table, all columns as text.

    Parameters
    ----------
    path : Path
    reading : Reading
        How its cells are read: the plan says it.

    Raises
    ------
    RatifyError
        If the file does not exist or is not a table.
    """
    return read_frame(path, reading=reading)


def read_withdrawals(path: Path) -> pd.DataFrame:
    """Read the table of people who withdrew, all columns as text; it may have no rows.

    Raises
    ------
    RatifyError
        At an unknown mode or a value that is not a date.
    """
    frame = read_frame(path, WITHDRAWALS.required, may_be_empty=True, reading=OWN)
    with naming(path):
        columns.allow_words(frame, WITHDRAWALS)
        columns.refuse(
            frame,
            "withdrawn_on",
            ~frame["withdrawn_on"].map(_is_date).astype(bool),
            "is not a date",
            allowed="a day such as 2026-11-21",
        )
    return frame


def _is_date(cell: str) -> bool:
    try:
        return date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def read_frame(
    path: Path,
    wanted: Sequence[str] = (),
    *,
    ids: Sequence[str] = (),
    may_be_empty: bool = False,
    reading: Reading,
) -> pd.DataFrame:
    """Read a table with the wanted columns and undamaged ids, all cells as text.

    Returns
    -------
    DataFrame
        Its attributes hold what was changed while reading (`notes_of`), and where its records are
        in the file, which errors name.

    Raises
    ------
    RatifyError
        If it is not such a table, or has no rows although it may not be empty.
    """
    try:
        table = read_table(path, reading)
    except NoRowsError:
        if may_be_empty:
            return pd.DataFrame(columns=list(wanted), dtype=str)
        raise
    table.require(*wanted)
    for column in ids:
        table.refuse_damaged_ids(column)
    frame = pd.DataFrame(table.rows, columns=list(table.columns), dtype=str)
    frame.attrs = {"notes": table.notes, "places": table.places, "unsaved": table.unsaved}
    return frame


def notes_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return what was changed while a table was read, one sentence per kind."""
    return tuple(frame.attrs.get("notes", ()))


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the file's name to errors about a table that do not name a file."""
    try:
        yield
    except RatifyError as error:
        if error.file is not None:
            raise
        raise RatifyError(
            error.problem,
            file=path,
            row=error.row,
            column=error.column,
            value=error.value,
            allowed=error.allowed,
        ) from error
