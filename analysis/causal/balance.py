"""Balance: how far treated and control units differ in each covariate, before and after weighting.

Matching is a weighting too: 1 for a unit in a pair, 0 for any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.causal.units import CONTROL, TREATED
from prereg.errors import RatifyError

# The largest standardised mean difference that counts as balanced.
LIMIT = 0.1


@dataclass(frozen=True)
class Balance:
    """How far treated and control units differ in each covariate.

    Attributes
    ----------
    table : DataFrame
        One row per covariate, in the order of the covariates: `group` (the confounder that it
        belongs to), `covariate`, `before` and `after` (standardised mean differences, treated
        minus control), `variance_ratio_before` and `variance_ratio_after` (treated over control;
        NaN for a covariate with two values, whose variance says nothing more).
    limit : float
        The largest absolute difference that counts as balanced.
    effective : tuple of float
        Treated and control units of equal weight that the weighted ones are worth (Kish 1965).
    """

    table: pd.DataFrame = field(repr=False)
    limit: float
    effective: tuple[float, float]

    @property
    def largest(self) -> float:
        """The largest absolute difference after weighting."""
        return float(self.table["after"].abs().max())

    @property
    def holds(self) -> bool:
        """Whether every covariate is balanced after weighting."""
        return bool((self.table["after"].abs() < self.limit).all())

    def worst(self, count: int = 5) -> pd.DataFrame:
        """Return the covariates that differ most after weighting."""
        order = self.table["after"].abs().sort_values(ascending=False, kind="stable").index
        return self.table.loc[order[:count]].reset_index(drop=True)

    def by_group(self) -> pd.DataFrame:
        """Return one row per confounder: covariates, those beyond the limit, largest difference."""
        rows = []
        for name, part in self.table.groupby("group", sort=False):
            row: dict[str, object] = {"group": name, "covariates": len(part)}
            for when in ("before", "after"):
                size = part[when].abs()
                row[f"beyond_{when}"] = int((size >= self.limit).sum())
                row[f"largest_{when}"] = float(size.max())
            rows.append(row)
        return pd.DataFrame(rows)


def balance(
    covariates: FloatArray,
    names: Sequence[str],
    arms: FloatArray,
    weights: FloatArray,
    *,
    groups: Mapping[str, Sequence[int]] | None = None,
    limit: float = LIMIT,
) -> Balance:
    """Return how far treated and control units differ, before and after weighting.

    Parameters
    ----------
    covariates : array of shape (n, p)
    names : sequence of str, length p
    arms : array of shape (n,)
        1 for treated, 0 for control, NaN for a unit in neither arm, which does not count.
    weights : array of shape (n,)
        At least 0; only their ratios within an arm matter. `overlap_weights`, or the `weights` of
        a matching. Weights of units in neither arm are not looked at.
    groups : mapping of str to sequence of int, optional
        The columns of each confounder. By default each covariate is a confounder of its own.
    limit : float

    Raises
    ------
    RatifyError
        If a covariate is not finite, a weight is negative or not finite, or an arm has no weight.

    Notes
    -----
    The difference of weighted means over sqrt((s1^2 + s0^2) / 2), with the variances of the units
    before weighting both times, so that it does not change because a spread does (Austin 2009,
    Statistics in Medicine 28, 3083-3107; Stuart, Lee and Leacy 2013, Journal of Clinical
    Epidemiology 66, S84-S90). A covariate without spread in either arm has the difference 0 if
    both arms have the same value, and an infinite one otherwise.
    """
    kept = ~np.isnan(arms)
    x, arm, weight = covariates[kept], arms[kept], weights[kept]
    _refuse(x, names, arm, weight)
    treated, control = arm == TREATED, arm == CONTROL
    one = np.ones(len(arm))
    spread = np.sqrt((_variance(x, one, treated) + _variance(x, one, control)) / 2)
    table = {"group": _groups(names, groups), "covariate": list(names)}
    two_values = np.array([len(np.unique(column)) <= 2 for column in x.T], dtype=bool)
    numbers: dict[str, FloatArray] = {}
    for when, used in (("before", one), ("after", weight)):
        apart = _mean(x, used, treated) - _mean(x, used, control)
        # what remains of equal values is rounding
        apart[np.abs(apart) <= 1e-12 * (1 + np.abs(x).max(axis=0, initial=0.0))] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            numbers[when] = np.where(apart == 0, 0.0, apart / spread)
            ratio = _variance(x, used, treated) / _variance(x, used, control)
        numbers[f"variance_ratio_{when}"] = np.where(two_values, np.nan, ratio)
    order = ("before", "after", "variance_ratio_before", "variance_ratio_after")
    whole = pd.DataFrame(table | {name: numbers[name] for name in order})
    return Balance(whole, limit, (_kish(weight[treated]), _kish(weight[control])))


def overlap_weights(arms: FloatArray, propensity: FloatArray) -> FloatArray:
    """Return the chance of each unit to be in the other arm (Li, Morgan and Zaslavsky 2018).

    Parameters
    ----------
    arms : array of shape (n,)
        1 for treated, 0 for control, NaN for neither.
    propensity : array of shape (n,)
        The chance of being treated, 0 to 1.

    Returns
    -------
    array of shape (n,)
        0 for a unit in neither arm. Above 0 for any other, even with a propensity of 0 or 1: where
        arms do not overlap at all, balance can still be looked at.
    """
    chance = np.clip(propensity, 1e-9, 1 - 1e-9)
    return np.select([arms == TREATED, arms == CONTROL], [1 - chance, chance], default=0.0)


def _mean(x: FloatArray, weight: FloatArray, which: BoolArray) -> FloatArray:
    return np.asarray(np.average(x[which], axis=0, weights=weight[which]))


def _variance(x: FloatArray, weight: FloatArray, which: BoolArray) -> FloatArray:
    """Return the variance of each column; with equal weights the usual one, over n - 1."""
    share = weight[which] / weight[which].sum()
    error = x[which] - share @ x[which]
    left = 1 - float((share**2).sum())
    return np.asarray(share @ error**2 / left) if left > 1e-12 else np.zeros(x.shape[1])


def _kish(weight: FloatArray) -> float:
    return float(weight.sum()) ** 2 / float((weight**2).sum())


def _groups(names: Sequence[str], groups: Mapping[str, Sequence[int]] | None) -> list[str]:
    found = list(names)
    for group, columns in (groups or {}).items():
        for column in columns:
            found[column] = group
    return found


def _refuse(x: FloatArray, names: Sequence[str], arm: FloatArray, weight: FloatArray) -> None:
    bad = ~np.isfinite(x)
    if bad.any():
        column = int(np.flatnonzero(bad.any(axis=0))[0])
        raise RatifyError(
            "a covariate is missing or infinite",
            column=names[column],
            value=float(x[bad[:, column], column][0]),
            allowed="a finite number for every unit",
        )
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        raise RatifyError(
            "a weight is not a number of at least 0",
            column="weights",
            value=float(weight[wrong][0]),
            allowed="0 or more",
        )
    for value, word in ((TREATED, "treated"), (CONTROL, "control")):
        if not weight[arm == value].sum() > 0:
            raise RatifyError(
                f"no {word} unit has a weight above 0, so balance cannot be looked at",
                column="causal.treatment",
                value=int((arm == value).sum()),
                allowed="a weight above 0 in each arm",
            )
