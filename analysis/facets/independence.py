"""How many independent judges several judges amount to, from the errors that they share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.inference.resampling import jackknife_interval
from analysis.tables import columns
from prereg.errors import RatifyError

# With fewer common items than this nothing is said about shared errors.
FEWEST_ITEMS = 10
# The name of the row over all dimensions.
ALL = "all"
# An interval whose end has a larger logarithm than this says nothing.
_LARGEST = 50.0

Estimate = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The errors of several judges on one dimension, or over all.

    Attributes
    ----------
    dimension : str
        `all` for all dimensions together: their mean error covariance.
    judges : tuple of str
    n : int
        Items that all judges and at least two people rated.
    correlation : tuple of float
        Mean correlation of two judges' errors (mean covariance over mean variance), with its
        interval.
    effective : tuple of float
        How many independent judges of the same quality have a mean with the same error.
    panel, single : tuple of float
        How many people have a mean with the error of the judges' mean, and with that of one judge.
    error : float
        Standard deviation of one judge's error, without its bias, in points.
    covariance : array of shape (judges, judges)
        Covariance of their errors.
    pairs : dict of tuple to tuple
        Correlation of the errors of two judges, with its interval.
    """

    dimension: str
    judges: tuple[str, ...]
    n: int
    correlation: Estimate
    effective: Estimate
    panel: Estimate
    single: Estimate
    error: float
    covariance: FloatArray = field(repr=False)
    pairs: Mapping[tuple[str, str], Estimate] = field(repr=False)


def shared_errors(
    judged: Mapping[str, FloatArray],
    people: Mapping[str, FloatArray],
    *,
    judges: Sequence[str],
    level: float = 0.95,
) -> list[Shared]:
    """Return how far judges share their errors, over all dimensions and on each.

    Parameters
    ----------
    judged : mapping of str to array of shape (items, judges)
        By dimension; NaN where a judge did not rate an item.
    people : mapping of str to array of shape (items, people)
        The same items; NaN where a person did not rate an item.
    judges : sequence of str
        Their names, in the order of the columns.
    level : float
        Coverage of the intervals.

    Returns
    -------
    list of Shared
        Without the row over all if there is one dimension. Dimensions with fewer than ten common
        items, and those where judges or people never vary, are left out.

    Raises
    ------
    RatifyError
        With fewer than two judges, or if no two people rated an item.

    Notes
    -----
    An error is a judge's rating minus what people in general would say, both without their means.
    People in general are not seen, and the mean of a few people has an error of its own, which all
    judges seem to share. So products of errors are taken against two different people in turn,
    whose errors are independent (the mean over all such pairs of people): what people in general
    say remains, and single people's errors cancel. With k judges, mean variance v and mean
    covariance c of their errors, the mean of the judges has the error variance
    v (1 + (k - 1) r) / k, where r = c / v; it is that of k / (1 + (k - 1) r) independent judges
    (Kish 1965, as a design effect; Spearman and Brown's formula). This is the same as
    k tr(S) / (1'S1) of the covariance matrix S. People are independent by this definition, so k
    people amount to k.

    Intervals: bias-corrected jackknife over items, on the log scale for numbers of judges and
    people, through Fisher's z for correlations. By simulation with 50 items, 3 people and 3 or 5
    judges on five points they cover .94 to .98 (docs/validation.md).
    """
    columns.proportion("level", level)
    if len(judges) < 2:
        raise RatifyError("there is only one judge", allowed="two or more")
    if all((~np.isnan(one)).sum(axis=1).max(initial=0) < 2 for one in people.values()):
        raise RatifyError(
            "no item was rated by two people, and one person's own errors would seem to be shared "
            "by all judges",
            allowed="ratings by at least two people",
        )
    errors = {name: _errors(judged[name], people[name]) for name in judged}
    found = {name: one for name, one in errors.items() if one is not None}
    parts = {name: [one] for name, one in found.items()}
    every = {ALL: list(found.values()), **parts} if len(found) > 1 else parts
    return [_shared(name, some, tuple(judges), level) for name, some in every.items()]


def frame_of(found: Sequence[Shared]) -> pd.DataFrame:
    """Return one row per dimension: the numbers of `Shared`, each with its interval."""
    rows = []
    for one in found:
        row: dict[str, object] = {
            "dimension": one.dimension,
            "judges": len(one.judges),
            "n": one.n,
            "error_sd": one.error,
        }
        for name, estimate in (
            ("effective", one.effective),
            ("correlation", one.correlation),
            ("mean_in_people", one.panel),
            ("one_in_people", one.single),
        ):
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def pairs_frame(found: Sequence[Shared]) -> pd.DataFrame:
    """Return one row per dimension and pair of judges: the correlation of their errors."""
    return pd.DataFrame(
        [
            (one.dimension, *pair, *estimate, one.n)
            for one in found
            for pair, estimate in one.pairs.items()
        ],
        columns=["dimension", "judge_a", "judge_b", "correlation", "low", "high", "n"],
    )


@dataclass(frozen=True)
class _Errors:
    """Each item's part of the scatter of judges' errors and of people's; zero if it has none."""

    judges: FloatArray  # items, judges, judges
    people: FloatArray  # items
    entered: BoolArray  # items


def _errors(judged: FloatArray, people: FloatArray) -> _Errors | None:
    """Return the parts of a dimension's scatter; None if it cannot say anything."""
    count = (~np.isnan(people)).sum(axis=1)
    entered = ~np.isnan(judged).any(axis=1) & (count >= 2)
    if entered.sum() < FEWEST_ITEMS:
        return None
    own, others, n = judged[entered], people[entered], count[entered]
    own = own - own.mean(axis=0)
    whole = ~np.isnan(others).any()
    # a person's severity is no error about an item; where people rate different items it stays
    others = others - (others.mean(axis=0) if whole else np.nanmean(others))
    first, second = np.nansum(others, axis=1), np.nansum(others**2, axis=1)
    mean, two = first / n, (first**2 - second) / (n * (n - 1))
    crossed = own[:, :, None] + own[:, None, :]
    parts = own[:, :, None] * own[:, None, :] - crossed * mean[:, None, None]
    judges = np.zeros((judged.shape[0], judged.shape[1], judged.shape[1]))
    judges[entered] = parts + two[:, None, None]
    alone = np.zeros(judged.shape[0])
    alone[entered] = (second - first**2 / n) / (n - 1)
    if not alone.any() or not judges.any():
        return None
    return _Errors(judges, alone, entered)


def _shared(name: str, some: Sequence[_Errors], judges: tuple[str, ...], level: float) -> Shared:
    """Return the numbers of one dimension, or of several together."""
    k = len(judges)
    entered = np.logical_or.reduce([one.entered for one in some])
    covariance = np.mean([_left_out(one.judges, one.entered) for one in some], axis=0)
    alone = np.mean([_left_out(one.people, one.entered) for one in some], axis=0)
    keep = np.concatenate([[True], entered])
    covariance, alone = covariance[keep], alone[keep]
    variance = np.trace(covariance, axis1=1, axis2=2) / k
    mean = covariance.sum(axis=(1, 2)) / k**2
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = (k * mean / variance - 1) / (k - 1)
        sizes = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        each = covariance / (sizes[:, :, None] * sizes[:, None, :])
        return Shared(
            dimension=name,
            judges=judges,
            n=int(entered.sum()),
            correlation=_correlation(shared, level),
            effective=_ratio(variance, mean, level),
            panel=_ratio(alone, mean, level),
            single=_ratio(alone, variance, level),
            error=math.sqrt(max(0.0, float(variance[0]))),
            covariance=covariance[0],
            pairs={
                (judges[a], judges[b]): _correlation(each[:, a, b], level)
                for a in range(k)
                for b in range(a + 1, k)
            },
        )


def _left_out(parts: FloatArray, entered: BoolArray) -> FloatArray:
    """Return a covariance over all items, then without each item in turn.

    The parts are of deviations from the mean; without an item the mean moves, which takes
    n / (n - 1) times its part.
    """
    n = int(entered.sum())
    total = parts.sum(axis=0)
    without = (total - n / (n - 1) * parts) / (n - 2)
    without[~entered] = total / (n - 1)
    return np.concatenate([(total / (n - 1))[None], without])


def _ratio(above: FloatArray, below: FloatArray, level: float) -> Estimate:
    """Return a ratio of variances with the jackknife interval of its logarithm."""
    logs = np.log(above) - np.log(below)
    if not np.isfinite(logs[0]):
        return math.nan, math.nan, math.nan
    logs = np.where(np.isfinite(logs), logs, np.nan)
    low, high = jackknife_interval(float(logs[0]), logs[1:], level=level, corrected=True)
    value = math.exp(logs[0])
    if not high < _LARGEST:
        return value, math.nan, math.nan
    low, high = math.exp(low), math.exp(high)
    return (value, low, high) if low <= value <= high else (value, math.nan, math.nan)


def _correlation(values: FloatArray, level: float) -> Estimate:
    value = float(values[0])
    if not np.isfinite(value):
        return math.nan, math.nan, math.nan
    rest = np.where(np.isfinite(values[1:]), values[1:], np.nan)
    ends = jackknife_interval(value, rest, level=level, corrected=True, fisher=True)
    inside = ends[0] <= value <= ends[1]
    return (value, *ends) if inside else (value, math.nan, math.nan)
