"""Turns columns of ids (text, categories or whole numbers) into integer codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import BoolArray, IntArray
from analysis.tables import columns
from prereg.errors import RatifyError

# Whole numbers in a range of at most this width are coded by a table, not by hashing.
_TABLE = 4_000_000


def item_codes(judgments: pd.DataFrame) -> tuple[IntArray, IntArray, pd.Index]:
    """Return codes of `left_id` and `right_id` into the sorted distinct ids, and these ids.

    Raises
    ------
    RatifyError
        On an empty id, and if ids are decimal numbers.
    """
    left, right = judgments["left_id"], judgments["right_id"]
    if _is_categorical(left) and left.dtype == right.dtype:
        # Ids turned into decimal numbers are refused as categories too.
        if pd.api.types.is_float_dtype(left.cat.categories.dtype):
            columns.text_ids(judgments.astype({"left_id": float}), "left_id")
        codes, ids = _codes_of_categories(judgments, "left_id", "right_id")
    elif _is_whole(left) and _is_whole(right):
        codes, numbers = dense_codes(np.concatenate([left.to_numpy(), right.to_numpy()]))
        ids = pd.Index(numbers.astype(str))
    else:
        both = [columns.text_ids(judgments, column) for column in ("left_id", "right_id")]
        codes, ids = _distinct(pd.concat(both, ignore_index=True))
    codes, ids = _in_order(codes, ids)
    return codes[: len(judgments)], codes[len(judgments) :], ids


def scenario_codes(judgments: pd.DataFrame, by: str | None) -> tuple[IntArray | None, pd.Index]:
    """Return codes of the column that separates items; None if there is one scenario."""
    one = None, pd.Index([""])
    if by is None or (by == "scenario" and by not in judgments.columns):
        return one
    columns.require_columns(judgments, by)
    absent = columns.missing(judgments[by])
    if absent.all():
        return one
    columns.refuse(judgments, by, absent, "is empty", allowed="a name in every row, or in none")
    if _is_categorical(judgments[by]):
        return _in_order(*_codes_of_categories(judgments, by))
    return _in_order(*_distinct(judgments[by].astype(str)))


def cluster_codes(judgments: pd.DataFrame, cluster: str | None) -> tuple[IntArray, int]:
    """Return the code of the cluster of every judgment, and how many clusters there are."""
    if cluster is None:
        return np.arange(len(judgments), dtype=np.int64), len(judgments)
    columns.require_columns(judgments, cluster)
    if _is_whole(judgments[cluster]):
        codes, distinct = dense_codes(judgments[cluster].to_numpy())
        return codes, len(distinct)
    if _is_categorical(judgments[cluster]):
        codes, ids = _codes_of_categories(judgments, cluster)
    else:
        columns.require_filled(judgments, cluster)
        codes, ids = _distinct(judgments[cluster])
    return codes, len(ids)


def dense_codes(numbers: NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Return codes into the sorted distinct whole numbers, and these numbers."""
    if not len(numbers):
        return numbers.astype(np.int64), numbers.astype(np.int64)
    least, most = int(numbers.min()), int(numbers.max())
    if most - least >= _TABLE:
        distinct, codes = np.unique(numbers, return_inverse=True)
        return codes.astype(np.int64, copy=False), distinct
    present = np.zeros(most - least + 1, dtype=bool)
    shifted = np.subtract(numbers, least, dtype=np.int64) if least else numbers
    present[shifted] = True
    if present.all():
        return shifted.astype(np.int64, copy=False), np.arange(least, most + 1)
    return (np.cumsum(present) - 1)[shifted], np.flatnonzero(present) + least


def coded_judgments(
    left: object, right: object, left_won: object, n_items: int
) -> tuple[IntArray, IntArray, BoolArray]:
    """Return the codes of judgments, checked except for self-comparisons.

    Raises
    ------
    RatifyError
        On no judgments, arrays of unequal length or wrong type, and codes out of range.
    """
    left = code_array(left, "left", None, n_items)
    right = code_array(right, "right", len(left), n_items)
    if not len(left):
        raise RatifyError("there are no judgments", allowed="at least one")
    won = np.asarray(left_won)
    if won.dtype != np.bool_ or won.shape != left.shape:
        raise RatifyError(
            "left_won does not have one truth value for each judgment",
            value=f"{won.dtype} of shape {won.shape}",
            allowed=f"bool of shape ({len(left)},)",
        )
    return left, right, won


def code_array(values: object, name: str, size: int | None, upper: int | None) -> IntArray:
    """Return a checked array of integer codes.

    Raises
    ------
    RatifyError
        If it is not a 1-d array of `size` whole numbers from 0 to `upper` - 1.
    """
    codes = np.asarray(values)
    if codes.ndim != 1 or not np.issubdtype(codes.dtype, np.integer):
        raise RatifyError(
            f"{name} is not a 1-d array of integer codes",
            value=f"{codes.dtype}, {codes.ndim} axes",
            allowed="one whole number for each judgment",
        )
    if size is not None and len(codes) != size:
        raise RatifyError(f"{name} has the wrong length", value=len(codes), allowed=str(size))
    codes = codes.astype(np.int64, copy=False)
    limit = np.iinfo(np.int64).max if upper is None else upper
    # Read as unsigned, a negative number is larger than any code: one pass finds both errors.
    if len(codes) and int(codes.view(np.uint64).max()) >= limit:
        bad = codes[(codes < 0) | (codes >= limit)][0]
        allowed = "0 or more" if upper is None else f"0 to {upper - 1}"
        raise RatifyError(f"{name} has a code out of range", value=int(bad), allowed=allowed)
    return codes


def _is_categorical(values: pd.Series[Any]) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype)


def _is_whole(values: pd.Series[Any]) -> bool:
    """Return whether a column is of numpy integers, which cannot be missing."""
    return isinstance(values.dtype, np.dtype) and np.issubdtype(values.dtype, np.integer)


def _codes_of_categories(judgments: pd.DataFrame, *names: str) -> tuple[IntArray, pd.Index]:
    """Return codes of categorical columns that share their categories, and these as text.

    Categories that no row uses are left out; categories with the same text become one.
    """
    ids = judgments[names[0]].cat.categories
    text = pd.Index(ids.astype(str))
    for name in names:
        series = judgments[name]
        empty = series.isna().to_numpy() | series.isin(ids[text == ""]).to_numpy()
        columns.refuse(judgments, name, empty, "is empty", allowed="any text")
    raw = np.concatenate([judgments[name].cat.codes.to_numpy() for name in names])
    codes, used = dense_codes(raw)
    merged, distinct = _distinct(pd.Series(text[used]))
    if len(distinct) == len(used):
        return codes, text[used]
    return merged[codes], distinct


def _distinct(values: pd.Series[Any]) -> tuple[IntArray, pd.Index]:
    codes, distinct = pd.factorize(values)
    return codes.astype(np.int64, copy=False), pd.Index(distinct)


def _in_order(codes: IntArray, names: pd.Index) -> tuple[IntArray, pd.Index]:
    """Return the codes and the names after sorting the names."""
    order = names.argsort()
    if (np.diff(order) > 0).all():
        return codes, names
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[codes], names[order]
