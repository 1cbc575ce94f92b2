"""Confounders as numbers: embedded text, hashed user, local time of day, and further columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import FloatArray
from analysis.causal.components import principal_components
from prereg.errors import RatifyError

TIME: Final = "time of day"
UNKNOWN: Final = "unknown"
# A level of a column that fewer units have is joined with the other such levels.
RAREST: Final = 20
HOURS: Final = 24


@dataclass(frozen=True)
class Covariates:
    """Confounders, one column each.

    Attributes
    ----------
    values : array of shape (n, p)
        Not standardised, without missing values and without constant columns.
    names : tuple of str, length p
    groups : mapping of str to tuple of int
        For each confounder, in the order of the plan, its columns: for balance tables.
    notes : tuple of str
        What was kept, joined and dropped, one sentence each.
    """

    values: FloatArray = field(repr=False)
    names: tuple[str, ...]
    groups: Mapping[str, tuple[int, ...]] = field(repr=False)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.values)


@dataclass
class _Part:
    """The columns of one confounder."""

    name: str
    columns: dict[str, FloatArray]
    notes: list[str] = field(default_factory=list)


def covariates(
    frame: pd.DataFrame,
    embeddings: pd.DataFrame | None,
    *,
    components: float,
    columns: Sequence[str],
    user: str,
    user_buckets: int = 16,
    time_bins: int = 4,
    text: str = "prompt",
    hour: str = "local_hour",
    unit: str = "item_id",
    rarest: int = RAREST,
    file: Path | str = "frame",
) -> Covariates:
    """Return the confounders of the units of a frame.

    Parameters
    ----------
    frame : DataFrame
        One row per unit.
    embeddings : DataFrame or None
        `item_id` and one numeric column per component, in any order of rows; units that the frame
        does not have are ignored. None to leave the text out.
    components : float
        Below 1, the share of the embedding's variance to keep; from 1, the number of components.
    columns : sequence of str
        Further columns: numbers as they are, words as indicators.
    user : str
        The column of users.
    user_buckets : int
        Into how many groups users are hashed; 0 to leave users out.
    time_bins : int
        Into how many bins of equal length the local day is cut; 0 to leave time out.
    text : str
        What the embedded column is called.
    hour : str
        The column of local hours, 0 to 23; empty where unknown.
    unit : str
        The column of ids, in both tables.
    rarest : int
        A level of words that fewer units have is joined with the other such levels.
    file : Path or str
        Of the frame, for messages.

    Returns
    -------
    Covariates

    Raises
    ------
    RatifyError
        When a column is missing, a unit has no embedding or more than one, a value is not a finite
        number, an hour is not one of a day, or nothing varies.

    Notes
    -----
    Indicators leave out the level that most units have, with which the others are compared: a full
    set would add up to the constant of every regression. A user's bucket is SHA-256 of the id,
    modulo the number of buckets, so it is the same on every machine.
    """
    _require(
        frame, unit, *columns, *([user] if user_buckets else []), *([hour] if time_bins else [])
    )
    parts = [] if embeddings is None else [_text(frame, embeddings, components, text, unit)]
    parts += [_column(frame, name, rarest, unit, file) for name in columns]
    if user_buckets:
        parts.append(_users(frame[user], user, user_buckets))
    if time_bins:
        parts.append(_time(frame[hour], hour, time_bins))
    return _joined(parts, without_text=embeddings is None, text=text)


def _joined(parts: Sequence[_Part], *, without_text: bool, text: str) -> Covariates:
    """Put the confounders side by side, without the columns that do not vary."""
    names: list[str] = []
    values: list[FloatArray] = []
    groups: dict[str, tuple[int, ...]] = {}
    notes: list[str] = []
    if without_text:
        notes.append(f"the column {text} is not embedded, so nothing adjusts for it")
    for part in parts:
        varying = {name: one for name, one in part.columns.items() if np.ptp(one) > 0}
        groups[part.name] = tuple(range(len(names), len(names) + len(varying)))
        names += varying
        values += varying.values()
        notes += part.notes
        constant = [name for name in part.columns if name not in varying]
        if constant or not part.columns:
            what = ", ".join(constant) if varying else part.name
            notes.append(f"dropped, because it is the same for all units: {what}")
    if not values:
        raise RatifyError(
            "no confounder varies between units",
            column="causal.confounders",
            allowed="at least one that differs",
        )
    return Covariates(np.column_stack(values), tuple(names), groups, tuple(notes))


def _text(
    frame: pd.DataFrame, embeddings: pd.DataFrame, components: float, text: str, unit: str
) -> _Part:
    _require(embeddings, unit)
    found = principal_components(_aligned(frame, embeddings, unit), components)
    scores = found.scores
    named = {f"{text} component {at + 1}": scores[:, at] for at in range(scores.shape[1])}
    if not named:
        return _Part(text, named)
    several = "s" if len(named) > 1 else ""
    keep = "keep" if several else "keeps"
    notes = [
        f"{text}: {len(named):,} component{several} of {found.dims:,} {keep} "
        f"{found.share:.1%} of the variance of the embedding"
    ]
    if components >= 1 and components > len(named):
        notes.append(f"{text}: {components:,.0f} components were asked for, and no more vary")
    return _Part(text, named, notes)


def _aligned(frame: pd.DataFrame, embeddings: pd.DataFrame, unit: str) -> NDArray[np.float32]:
    """Return the embedding of each unit of the frame, as one array of shape (n, d)."""
    ids = pd.Index(embeddings[unit].astype(str))
    if ids.has_duplicates:
        raise RatifyError(
            "a unit has more than one embedding",
            file="embeddings",
            column=unit,
            value=str(ids[ids.duplicated()][0]),
            allowed="one row per unit",
        )
    wanted = pd.Index(frame[unit].astype(str))
    places = ids.get_indexer(wanted)
    if (places < 0).any():
        raise RatifyError(
            "a unit has no embedding",
            file="embeddings",
            column=unit,
            value=str(wanted[places < 0][0]),
            allowed="an embedding of every unit of the frame: run `ratify embed`",
        )
    vectors = embeddings.drop(columns=unit).to_numpy(dtype=np.float32)[places]
    wrong = ~np.isfinite(vectors)
    if wrong.any():
        row, at = (int(each[0]) for each in np.nonzero(wrong))
        raise RatifyError(
            "an embedding has a value that is not a finite number",
            file="embeddings",
            row=f"unit {wanted[row]}",
            column=str(embeddings.columns.drop(unit)[at]),
            value=float(vectors[row, at]),
            allowed="finite numbers",
        )
    return vectors


def _column(frame: pd.DataFrame, name: str, rarest: int, unit: str, file: Path | str) -> _Part:
    """Return a further column: as it is if all its cells are numbers, otherwise as indicators."""
    cells = frame[name]
    if pd.api.types.is_bool_dtype(cells):
        return _levels(cells.astype(str), name, rarest)
    words, numbers = _read(cells)
    is_word = words.notna().to_numpy() & np.isnan(numbers)
    if is_word.any() or words.isna().all():
        return _levels(words.fillna(UNKNOWN), name, rarest)
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise RatifyError(
            f"{wrong.sum():,} of {len(numbers):,} units have no finite number here",
            file=file,
            row=f"unit {frame[unit].iloc[row]}",
            column=name,
            value=None if pd.isna(words.iloc[row]) else str(words.iloc[row]),
            allowed="a number for every unit; words only, to make a level of the missing ones; or "
            "a frame without these units",
        )
    return _Part(name, {name: numbers})


def _read(cells: pd.Series) -> tuple[pd.Series, FloatArray]:
    """Return cells as text, missing where empty, and as numbers, NaN where they are none."""
    words = cells.astype("string").str.strip()
    words = words.mask(words == "")
    numbers = pd.to_numeric(words, errors="coerce")
    return words, numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _levels(words: pd.Series, name: str, rarest: int) -> _Part:
    """Return the indicators of a column of words."""
    counts = words.value_counts()
    rare = set(counts.index[counts < rarest])
    notes = []
    if len(rare) > 1:
        joined = f"other ({len(rare):,} rare)"
        words = words.where(~words.isin(rare), joined)
        notes.append(
            f"{name}: {len(rare):,} values that fewer than {rarest} units have are one level"
        )
    return _Part(name, _indicators(words.to_numpy(dtype=object), name), notes)


def _users(users: pd.Series, name: str, buckets: int) -> _Part:
    words = users.astype("string").fillna("").to_numpy(dtype=object)
    bucket = {each: _bucket(each, buckets) for each in set(words)}
    levels = np.array([f"bucket {bucket[each] + 1}" for each in words], dtype=object)
    return _Part(name, _indicators(levels, name, [f"bucket {at + 1}" for at in range(buckets)]))


def _bucket(user: str, buckets: int) -> int:
    """Return a user's bucket, from 0; Python's own hash differs between processes."""
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:8]) % buckets


def _time(hours: pd.Series, name: str, bins: int) -> _Part:
    words, numbers = _read(hours)
    wrong = words.notna().to_numpy() & ~((numbers >= 0) & (numbers < HOURS))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise RatifyError(
            "is not an hour of the day",
            file="frame",
            row=f"record {row + 1:,}",
            column=name,
            value=str(words.iloc[row]),
            allowed="0 to 23, or empty where the local hour is not known",
        )
    edges = [HOURS * at / bins for at in range(bins + 1)]
    labels = [f"{low:g} to {high:g} h" for low, high in pairwise(edges)]
    known = np.nan_to_num(numbers * bins / HOURS).astype(np.int64)
    levels = np.array(labels, dtype=object)[known]
    levels[np.isnan(numbers)] = UNKNOWN
    missing = int(np.isnan(numbers).sum())
    notes = [f"{TIME}: {missing:,} of {len(levels):,} units have no local hour"] if missing else []
    return _Part(TIME, _indicators(levels, TIME, [*labels, UNKNOWN]), notes)


def _indicators(
    levels: NDArray[np.object_], name: str, order: Iterable[str] | None = None
) -> dict[str, FloatArray]:
    """Return an indicator of each level but the most frequent one."""
    found, counts = np.unique(levels.astype(str), return_counts=True)
    most = found[np.argmax(counts)]
    kept = [level for level in (found if order is None else order) if level in set(found)]
    return {
        f"{name}: {level}": (levels == level).astype(np.float64) for level in kept if level != most
    }


def _require(table: pd.DataFrame, *names: str) -> None:
    for name in names:
        if name not in table.columns:
            raise RatifyError(
                "there is no such column",
                file="frame",
                column=name,
                allowed=", ".join(map(str, table.columns[:20])),
            )
