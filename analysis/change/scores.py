"""Reads a table of measurements and averages each person's scores before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.tables import columns
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Measurements, and each person's mean before and after.

    Attributes
    ----------
    rows : DataFrame
        One row per measurement of the named occasions: `person_id`, `condition`, `occasion`,
        `value`.
    people : DataFrame
        One row per person: `person_id`, `condition`, `m` and `k` (measurements before and after),
        `baseline` and `post` (their means, NaN if none), and a column `at X` per occasion.
    conditions : tuple of str
        The control first.
    control : str
    baseline, post : tuple of str
        The occasions.
    left_out : int
        People of conditions that are not reported.
    """

    rows: pd.DataFrame = field(repr=False)
    people: pd.DataFrame = field(repr=False)
    conditions: tuple[str, ...]
    control: str
    baseline: tuple[str, ...]
    post: tuple[str, ...]
    left_out: int

    @property
    def control_rows(self) -> pd.DataFrame:
        """The control's measurements."""
        return self.rows[self.rows["condition"] == self.control].reset_index(drop=True)

    def flow(self) -> pd.DataFrame:
        """Return `people`, `compared`, `without_baseline`, `without_post` of each condition."""
        people = self.people
        table = pd.DataFrame(
            {
                "condition": people["condition"],
                "people": 1,
                "compared": (people["m"] > 0) & (people["k"] > 0),
                "without_baseline": people["m"] == 0,
                "without_post": people["k"] == 0,
            }
        )
        counted = table.groupby("condition", sort=False).sum().astype(int)
        return counted.reindex(list(self.conditions), fill_value=0).reset_index()


def read_scores(
    data: pd.DataFrame,
    *,
    value: str,
    person: str,
    occasion: str,
    condition: str,
    control: str,
    baseline: Sequence[object],
    post: Sequence[object] | None,
    conditions: Sequence[str] | None,
) -> Scores:
    """Check a table of measurements and average each person's scores before and after.

    Parameters are those of `analysis.change.reliable_change.reliable_change`.

    Raises
    ------
    RatifyError
        On an unknown column, condition or occasion, a person in two conditions, two measurements
        of one person on one occasion, a value that is not a number, and a control without people.
    """
    columns.require_rows(data, "measurements")
    columns.require_columns(data, person, occasion, condition, value)
    rows = pd.DataFrame(
        {
            "person_id": columns.text_ids(data, person).to_numpy(),
            "condition": columns.text_ids(data, condition).to_numpy(),
            "occasion": _occasions(data, occasion).to_numpy(),
            "value": columns.numbers(data, value),
        }
    )
    _refuse_two(rows, data, person=person, occasion=occasion, condition=condition)
    there = sorted(rows["occasion"].unique())
    before = _known(baseline, there, occasion)
    rest = [name for name in there if name not in before]
    after = _known(rest if post is None else post, there, occasion)
    both = sorted(set(before) & set(after))
    if both or not before or not after:
        raise RatifyError(
            "an occasion is either before or after, and there must be one of each",
            column=occasion,
            value=", ".join(both) or "none",
            allowed="different occasions before and after",
        )
    names = sorted(rows["condition"].unique())
    others = [n for n in (names if conditions is None else map(str, conditions)) if n != control]
    asked = tuple(dict.fromkeys([control, *others]))
    for name in asked:
        if name not in names:
            raise RatifyError(
                "no row has this condition", column=condition, value=name, allowed=", ".join(names)
            )
    everyone = rows["person_id"].nunique()
    rows = rows[rows["condition"].isin(asked)].sort_values(
        ["condition", "person_id"], key=lambda c: c.map(asked.index) if c.name == "condition" else c
    )
    left_out = everyone - rows["person_id"].nunique()
    return Scores(
        rows=rows[rows["occasion"].isin([*before, *after])].reset_index(drop=True),
        people=_people(rows, before, after),
        conditions=asked,
        control=control,
        baseline=before,
        post=after,
        left_out=left_out,
    )


def _occasions(data: pd.DataFrame, occasion: str) -> pd.Series[Any]:
    """Return occasions as text; whole numbers that were read as decimals lose their '.0'."""
    columns.require_filled(data, occasion)
    cells = data[occasion]
    if pd.api.types.is_float_dtype(cells.dtype):
        return cells.map("{:g}".format)
    return cells.astype(str)


def _known(asked: Sequence[object], there: list[str], occasion: str) -> tuple[str, ...]:
    """Return the named occasions without repeats; refuse an occasion that no row has."""
    names = tuple(dict.fromkeys(str(name) for name in asked))
    for name in names:
        if name not in there:
            raise RatifyError(
                "no row has this occasion", column=occasion, value=name, allowed=", ".join(there)
            )
    return names


def _refuse_two(
    rows: pd.DataFrame, data: pd.DataFrame, *, person: str, occasion: str, condition: str
) -> None:
    """Refuse a person in two conditions, and a person measured twice on one occasion."""
    first = rows.groupby("person_id")["condition"].transform("first")
    columns.refuse(
        data,
        condition,
        (rows["condition"] != first).to_numpy(),
        "is a second condition of the same person",
        allowed="one condition per person",
    )
    columns.refuse(
        data,
        occasion,
        rows.duplicated(["person_id", "occasion"]).to_numpy(),
        f"is a second measurement of the same {person.replace('_', ' ')} on one occasion",
        allowed="one row per person and occasion",
    )


def _people(rows: pd.DataFrame, before: tuple[str, ...], after: tuple[str, ...]) -> pd.DataFrame:
    """Return each person's means before and after and the numbers of measurements."""
    who, names = pd.factorize(rows["person_id"])
    when = pd.Index([*before, *after]).get_indexer(pd.Index(rows["occasion"]))
    wide = np.full((len(names), len(before) + len(after)), np.nan)
    asked = when >= 0
    wide[who[asked], when[asked]] = rows["value"].to_numpy()[asked]
    has = ~np.isnan(wide)
    m, k = has[:, : len(before)].sum(axis=1), has[:, len(before) :].sum(axis=1)
    filled = np.where(has, wide, 0.0)
    with np.errstate(invalid="ignore"):
        baseline = filled[:, : len(before)].sum(axis=1) / m
        post = filled[:, len(before) :].sum(axis=1) / k
    people = pd.DataFrame(
        {
            "person_id": names,
            "condition": rows["condition"].to_numpy()[~rows["person_id"].duplicated()],
            "m": m,
            "k": k,
            "baseline": baseline,
            "post": post,
        }
    )
    return people.join(pd.DataFrame(wide, columns=[f"at {name}" for name in (*before, *after)]))


def occasion_drift(scores: Scores, means: pd.Series[float]) -> pd.Series[float]:
    """Return how far the control's means moved over the occasions that each person has.

    Raises
    ------
    RatifyError
        Where nobody in the control was measured on one of the occasions.
    """
    for name in (*scores.baseline, *scores.post):
        if name not in means.index:
            raise RatifyError(
                "nobody in the control was measured on this occasion, so change cannot be measured "
                "from the control's mean",
                value=name,
                allowed=", ".join(str(n) for n in means.index),
            )
    after, before = (
        _mean_of_own(scores.people, names, means) for names in (scores.post, scores.baseline)
    )
    return after - before


def _mean_of_own(
    people: pd.DataFrame, names: tuple[str, ...], means: pd.Series[float]
) -> pd.Series[float]:
    """Return the mean of the means of the occasions that a person has; NaN if none."""
    has = people[[f"at {name}" for name in names]].notna().astype(float)
    total = has.to_numpy() @ means.reindex(list(names)).to_numpy(dtype=float)
    return pd.Series(total, index=people.index) / has.sum(axis=1).replace(0, np.nan)
