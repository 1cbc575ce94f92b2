"""Checks the columns of a tidy table; every error names its row and column.

The first record is row 2, as in a spreadsheet, unless the file it came from numbers otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prereg.errors import RatifyError
from prereg.tables import contract
from prereg.tables.absent_columns import no_column
from prereg.tables.contract import Contract
from prereg.tables.dialects import SAVED, UNSAVED_FORMULA
from prereg.tables.numbers import FLAGS, NUMBER, Numbers, numbers_of
from prereg.tables.places import Places
from prereg.tables.reader import ROUNDED_ID, WHOLE_ID

SIDES = tuple(contract.SIDES)
TIE = contract.TIE
_TRUE = frozenset({"1", "1.0"} | {word for word, value in FLAGS.items() if value})
_FALSE = frozenset({"0", "0.0"} | {word for word, value in FLAGS.items() if not value})


def require_columns(frame: pd.DataFrame, *columns: str) -> None:
    """Raise `RatifyError` unless the table has every named column."""
    for column in columns:
        if column not in frame.columns:
            raise no_column(column, [str(name) for name in frame.columns])


def require_rows(frame: pd.DataFrame, what: str) -> None:
    """Raise `RatifyError` if the table has no rows."""
    if len(frame) == 0:
        raise RatifyError(f"there are no {what}", allowed="at least one row")


def refuse(frame: pd.DataFrame, column: str, bad: Any, problem: str, *, allowed: str) -> None:
    """Raise `RatifyError` at the first row where the mask `bad` is true."""
    mask = np.asarray(bad, dtype=bool)
    if mask.any():
        at = int(mask.argmax())
        value = frame[column].iloc[at]
        shown = "a missing value" if pd.isna(value) else value
        raise RatifyError(
            problem, row=place_of(frame, at), column=column, value=shown, allowed=allowed
        )


def refuse_outside(frame: pd.DataFrame) -> None:
    """Raise `RatifyError` at the first `value` that is outside the scale of its own row."""
    outside = (frame["value"] < frame["scale_min"]) | (frame["value"] > frame["scale_max"])
    if outside.any():
        at = int(np.asarray(outside, dtype=bool).argmax())
        low, high = (frame[name].iloc[at] for name in ("scale_min", "scale_max"))
        refuse(frame, "value", outside, "is outside the scale", allowed=f"{low:g} to {high:g}")


def place_of(frame: pd.DataFrame, at: int) -> int | str:
    """Return where the record at an index of a table is in its file, as `RatifyError` takes it."""
    places = frame.attrs.get("places")
    return places.place(at) if isinstance(places, Places) else at + 2


def missing(values: pd.Series[Any]) -> NDArray[np.bool_]:
    """Return where a cell is missing or an empty string."""
    absent = values.isna().to_numpy(dtype=bool)
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
        absent = absent | values.eq("").fillna(False).to_numpy(dtype=bool)
    return absent


def require_filled(frame: pd.DataFrame, *columns: str) -> None:
    """Raise `RatifyError` at the first missing or empty cell of the named columns."""
    for column in columns:
        refuse_unsaved(frame, column)
        refuse(frame, column, missing(frame[column]), "is empty", allowed="any text")


def refuse_unsaved(frame: pd.DataFrame, column: str) -> None:
    """Raise `RatifyError` at the first formula of a column whose value its file does not hold."""
    for row in frame.attrs.get("unsaved", {}).get(column, ())[:1]:
        raise RatifyError(
            UNSAVED_FORMULA, row=place_of(frame, row - 2), column=column, allowed=SAVED
        )


def allow(frame: pd.DataFrame, column: str, words: Sequence[str]) -> None:
    """Raise `RatifyError` at the first cell that is not one of the words ('' allows empty)."""
    shown = ", ".join(word for word in words if word)
    refuse(frame, column, ~frame[column].isin(words), "is not known here", allowed=shown)


def allow_words(frame: pd.DataFrame, table: Contract) -> None:
    """Raise `RatifyError` at the first cell whose word the table's contract does not allow."""
    for column in table.columns:
        if column.words and column.name in frame:
            allow(frame, column.name, column.allowed)


def text_ids(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column of ids as text.

    Raises
    ------
    RatifyError
        At an empty id, and if ids are floats, because a 20-digit id read as a float is destroyed.
    """
    require_filled(frame, column)
    ids = frame[column]
    if pd.api.types.is_float_dtype(ids.dtype):
        raise RatifyError(
            ROUNDED_ID, row=2, column=column, value=float(ids.iloc[0]), allowed=WHOLE_ID
        )
    return ids if isinstance(ids.dtype, pd.StringDtype) else ids.astype(str)


def left_chosen(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return where the left side was chosen.

    Raises
    ------
    RatifyError
        At a choice that is neither 'left' nor 'right'; a tie is not a choice.
    """
    left, right = SIDES
    is_left = frame["choice"].eq(left).fillna(False).to_numpy(dtype=bool)
    is_right = frame["choice"].eq(right).fillna(False).to_numpy(dtype=bool)
    refuse(frame, "choice", ~(is_left | is_right), "is not a choice", allowed="left, right")
    return is_left


def left_share(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return how much of a choice went to the left side: 1, 0, or 1/2 at a tie.

    Raises
    ------
    RatifyError
        At a choice that is neither 'left', 'right' nor 'tie'.
    """
    left, right = SIDES
    shares = {left: 1.0, right: 0.0, TIE: 0.5}
    said = frame["choice"].astype(object).map(shares)
    share = np.asarray(said.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    unknown = np.isnan(share)
    refuse(frame, "choice", unknown, "is not a choice", allowed=", ".join(shares))
    return share


def is_tie(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return where neither side was chosen."""
    return frame["choice"].eq(TIE).fillna(False).to_numpy(dtype=bool)


def without_ties(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in which a side was chosen; the table itself if these are all."""
    if "choice" not in frame:
        return frame
    tied = is_tie(frame)
    return frame[~tied].reset_index(drop=True) if tied.any() else frame


def numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column of finite numbers, with missing cells as NaN.

    Raises
    ------
    RatifyError
        At a cell that is neither empty nor a finite number.
    """
    return _numbers(frame, column)[0]


def number_notes(frame: pd.DataFrame, column: str, file: str) -> list[str]:
    """Return a sentence for each kind of cell in a column of numbers that is no plain number."""
    found = _numbers(frame, column)[1]
    return found.notes(file, column, [str(cell).strip() for cell in frame[column]])


def _numbers(frame: pd.DataFrame, column: str) -> tuple[NDArray[np.float64], Numbers]:
    """Return a column as numbers, and how its cells that are no plain numbers were read."""
    refuse_unsaved(frame, column)
    cells = frame[column]
    absent = missing(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.to_numpy(float, na_value=np.nan)
        found = Numbers()
    else:
        text = cells.mask(absent, "").astype(str).str.strip()
        found = numbers_of(text.unique())
        values = text.map(found.known).to_numpy(float, na_value=np.nan)
        odd = [word for word in text.unique() if word in found.faults]
        if odd:
            at = text.isin(odd).to_numpy()
            problem, allowed = found.fault(text.iloc[int(at.argmax())])
            refuse(frame, column, at, problem, allowed=allowed)
    refuse(frame, column, ~np.isfinite(values) & ~absent, "is not a number", allowed=NUMBER)
    return values, found


def whole_numbers(frame: pd.DataFrame, column: str, *, least: int) -> NDArray[np.float64]:
    """Return a column of whole numbers, with missing cells as NaN.

    Raises
    ------
    RatifyError
        At a cell that is neither empty nor a whole number of at least `least`.
    """
    values = numbers(frame, column)
    bad = (values < least) | (values % 1 != 0)
    bad &= ~np.isnan(values)
    refuse(frame, column, bad, "is out of range", allowed=f"a whole number from {least}")
    return values


def flags(frame: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Return where a flag is true; a missing flag is false. CSV has true and false as text.

    Raises
    ------
    RatifyError
        At a cell that is neither empty nor a flag.
    """
    words = flag_words(frame, column)
    refuse(
        frame, column, ~words.isin(["true", "false", ""]), "is not a flag", allowed="true, false"
    )
    return words.eq("true").to_numpy(dtype=bool)


def flag_words(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    """Return a column with its flags as true and false: R writes TRUE, pandas True, people yes.

    A missing flag is empty, and anything else stays as it is.
    """
    words = frame[column].astype(object).where(~missing(frame[column]), "").map(str)
    plain = words.str.strip().str.casefold()
    return words.mask(plain.isin(_TRUE), "true").mask(plain.isin(_FALSE), "false")


def one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    """Raise `RatifyError` unless an argument is one of the allowed words."""
    if value not in allowed:
        raise RatifyError(f"unknown {name}", value=value, allowed=", ".join(allowed))


def proportion(name: str, value: float) -> None:
    """Raise `RatifyError` unless an argument is strictly between 0 and 1."""
    if not 0 < value < 1:
        raise RatifyError(f"{name} is out of range", value=value, allowed="0 < " + name + " < 1")
