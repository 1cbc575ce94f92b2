"""Whether the control's measurements are what reliable change assumes of them.

The model assumes that the errors within people are normal, equally large in everybody, and
independent from one occasion to the next. Each assumption has a number here, with a jackknife
interval over people, which itself assumes none of them, and a test that the assumption is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from analysis.arrays import FloatArray
from analysis.change.scores import Scores
from analysis.change.variance_components import VarianceComponents
from analysis.results.numbers import number, percent

HOLDS, FAILS, UNKNOWN = "as assumed", "not as assumed", "cannot be told"
SKEW = "skewness of the errors"
TAILS = "excess kurtosis of the errors, if everybody varies alike"
UNEQUAL = "coefficient of variation of people's variances, if errors are normal"
NARROW = "error of the variance within people, relative to normal theory"
LAG = "autocorrelation of neighbouring occasions"
CHANGES = "spread of the control's changes, relative to the model"
# From here a caution is worth a sentence, if the interval excludes what is assumed.
_TOO_NARROW, _MISFLAGGED = 1.1, 0.03

Totals = Callable[[FloatArray], FloatArray]


def diagnosis(
    scores: Scores, parts: VarianceComponents, people: pd.DataFrame, *, level: float = 0.95
) -> pd.DataFrame:
    """Return what the control's measurements say of each assumption.

    Parameters
    ----------
    scores : Scores
    parts : VarianceComponents
        Of the control.
    people : DataFrame
        `condition`, `change`, `se` of the people compared.
    level : float

    Returns
    -------
    DataFrame
        One row per number: `assumption`, `name`, `estimate`, `low`, `high`, `expected` (its value
        if the assumption is true), `p_value` (of that value), `found` ('as assumed', 'not as
        assumed' if p is at most 1 - level, 'cannot be told'), `note`. Skewness and kurtosis are
        those of the errors, not of the residuals, whose values are smaller: each is the sum over
        people divided by its expectation at errors of cumulant 1. The autocorrelation is that of
        an autoregressive error of order 1: the variance of differences between occasions two
        apart, divided by that between neighbours, minus 1. One row per pair of occasions shows
        these variances; they are equal if errors are independent. All intervals: jackknife over
        people, t, on the log of what cannot be negative.

    Notes
    -----
    The tests of skewness, kurtosis, unequal variances and the error of the variance use their
    errors under normality, since with heavy tails an estimated error is larger than the number
    itself: squared, 6 / sum((n - 1)(n - 2) / n) for skewness (Fisher 1930), and that of a ratio of
    chi-square sums for the other three, which are one test. The others: jackknife t.

    With three measurements a person, heavy tails and unequal variances are one and the same number
    (the three residuals add to 0, so their fourth powers are half the square of their squares):
    two rows are two readings of it. What matters for the threshold's interval is the row on
    the error of the variance, which holds both.

    References
    ----------
    Fisher, R. A. (1930). Proceedings of the London Mathematical Society 30, 199-238.
    """
    order = [*scores.baseline, *scores.post]
    control = scores.people[scores.people["condition"] == scores.control]
    y = control[[f"at {name}" for name in order]].to_numpy(dtype=float)
    found = [
        *_shape(y, parts, level),
        *_lags(y, order, level),
        _changes(people[people["condition"] == scores.control], level),
    ]
    return pd.DataFrame([one.row(level) for one in found])


def cautions(table: pd.DataFrame, *, cut: float, bootstrap: bool) -> list[str]:
    """Return a sentence for each assumption whose failure matters.

    Parameters
    ----------
    table : DataFrame
        From `diagnosis`.
    cut : float
    bootstrap : bool
        Whether the threshold's interval is already the bootstrap's.
    """
    by_name = {str(row["name"]): row for row in table.to_dict("records")}
    said = []
    narrow, spread, lag = by_name[NARROW], by_name[CHANGES], by_name[LAG]
    if narrow["found"] == FAILS and narrow["estimate"] >= _TOO_NARROW:
        why = _why(by_name)
        remedy = (
            "; the bootstrap interval allows for this."
            if bootstrap
            else ": its normal-theory interval is too narrow (threshold_interval: bootstrap holds)."
        )
        said.append(
            f"The control's errors are not normal and equal in everybody ({why}). The variance "
            f"behind the threshold is {number(narrow['estimate'], 2)} times as uncertain as "
            f"normal theory says{remedy}"
        )
    if FAILS in (spread["found"], lag["found"]) and abs(spread["estimate"] - 1) >= _MISFLAGGED:
        flagged = 2 * float(norm.sf(cut / spread["estimate"]))
        also = (
            f" Errors of neighbouring occasions are correlated ({number(lag['estimate'], 2)})."
            if lag["found"] == FAILS
            else ""
        )
        said.append(
            f"The control's changes spread {number(spread['estimate'], 2)} times as far as the "
            f"model says: about {percent(flagged, 1)} of unchanged people are flagged instead of "
            f"{percent(2 * float(norm.sf(cut)), 1)}.{also}"
        )
    elif lag["found"] == FAILS:
        said.append(
            "Errors of neighbouring occasions are correlated "
            f"({number(lag['estimate'], 2)}); the model takes them as independent."
        )
    return said


def _why(by_name: dict[str, dict[Any, Any]]) -> str:
    skew, tails = by_name[SKEW], by_name[TAILS]
    said = [f"skewness {number(skew['estimate'], 2)}"] if skew["found"] == FAILS else []
    unequal = by_name[UNEQUAL]
    said.append(
        f"excess kurtosis {number(tails['estimate'], 2)}, or variances that differ between people "
        f"with a coefficient of variation of {number(unequal['estimate'], 2)}"
    )
    return "; ".join(said)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A number, its interval, and the p value of what is expected."""

    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan

    def moved(self, change: Callable[[float], float]) -> _Found:
        """Return it on another scale, with the same p value."""
        ends = (change(x) for x in (self.estimate, self.low, self.high))
        return _Found(
            **dict(zip(("estimate", "low", "high"), ends, strict=True)), p_value=self.p_value
        )


@dataclass(frozen=True)
class _Number:
    assumption: str
    name: str
    found: _Found
    expected: float = math.nan
    note: str = ""

    def row(self, level: float) -> dict[str, object]:
        p = self.found.p_value
        word = HOLDS if p > 1 - level else FAILS
        if math.isnan(p):
            word = "" if math.isnan(self.expected) else UNKNOWN
        return {
            "assumption": self.assumption,
            "name": self.name,
            "estimate": self.found.estimate,
            "low": self.found.low,
            "high": self.found.high,
            "expected": self.expected,
            "p_value": p,
            "found": word,
            "note": self.note,
        }


def _jackknife(
    parts: FloatArray,
    statistic: Totals,
    level: float,
    *,
    log: bool = False,
    expected: float = math.nan,
) -> _Found:
    """Return a statistic of sums over people, its jackknife interval, and p of what is expected.

    Parameters
    ----------
    parts : array of shape (people, sums)
    statistic : callable
        From an array of shape (..., sums) to one of shape (...).
    log : bool
        Compute the interval on the logarithm.
    expected : float
        On the scale of the interval.
    """
    parts = parts[np.abs(parts).sum(axis=1) > 0]
    whole = parts.sum(axis=0)
    with np.errstate(all="ignore"):
        value = float(statistic(whole))
        without = statistic(whole - parts)
        if log:
            without, centre = np.log(without), math.log(value) if value > 0 else math.nan
        else:
            centre = value
    n = len(parts)
    if n < 3 or not np.isfinite(without).all() or not math.isfinite(centre):
        return _Found(estimate=value)
    error = math.sqrt((n - 1) * float(without.var()))
    half = float(student.ppf((1 + level) / 2, n - 1)) * error
    low, high = centre - half, centre + half
    if log:
        low, high = math.exp(low), math.exp(high)
    t = abs(centre - expected) / error if error > 0 else math.nan
    p = 2 * float(student.sf(t, n - 1))
    return _Found(estimate=value, low=low, high=high, p_value=p)


def _by_normal(found: _Found, away: float, error: float) -> _Found:
    """Return a number with the p value that its distance has if errors are normal."""
    known = error > 0 and math.isfinite(away)
    return replace(found, p_value=2 * float(norm.sf(abs(away) / error)) if known else math.nan)


def _shape(y: FloatArray, parts: VarianceComponents, level: float) -> list[_Number]:
    """Return skewness, kurtosis, the spread of people's variances, and what follows for theirs."""
    if "occasion means" in parts.method:
        y = y - np.nanmean(y, axis=0)
    has = ~np.isnan(y)
    size = has.sum(axis=1).astype(float)
    y, has, size = y[size > 1], has[size > 1], size[size > 1]
    own = np.where(has, y - (np.where(has, y, 0).sum(axis=1) / size)[:, None], 0.0)
    squares, df = (own**2).sum(axis=1), size - 1
    third, fourth = df * (df - 1) / size, df * (df**3 + 1) / size**3
    sums = np.column_stack(
        [
            *(squares, df, (own**3).sum(axis=1), third, (own**4).sum(axis=1)),
            *(3 * df**2 / size, fourth, squares**2, df * (df + 2)),
        ]
    )
    skew = _jackknife(sums, _skewness, level)
    tails = _jackknife(sums, _kurtosis, level)
    unequal = _jackknife(sums, _unequal, level)
    narrow = _narrow(parts, level)
    # squared error of the log of sum(Q^2) / sum(Q)^2, where Q is chi-square with df
    b, e = float((df * (df + 2)).sum()), float(df.sum())
    one = df * (df + 2) * ((df + 4) * (df + 6) - df * (df + 2))
    error = math.sqrt(float((one / b**2 + 8 * df / e**2 - 16 * df * (df + 2) / (b * e)).sum()))
    away = math.log1p(unequal.estimate)
    roots = _by_normal(unequal, away, error).moved(_root)
    few = "" if (size > 2).any() else "Two measurements a person show no skewness."
    same = "With three measurements a person these two are one number." * bool((size == 3).all())
    whole = float(third.sum())
    skewed = _by_normal(skew, skew.estimate, math.sqrt(6 / whole) if whole else math.nan)
    normal, alike = "normal errors", "everybody varies alike"
    wider = "How much wider the threshold's interval must be than the chi-square interval."
    return [
        _Number(normal, SKEW, skewed, 0.0, few),
        _Number(normal, TAILS, _by_normal(tails, away, error), 0.0, same),
        _Number(alike, UNEQUAL, roots, 0.0, same),
        _Number(f"{normal}, {alike}", NARROW, _by_normal(narrow, away, error), 1.0, wider),
    ]


def _root(value: float) -> float:
    return value if math.isnan(value) else math.sqrt(max(value, 0.0))


def _skewness(s: FloatArray) -> FloatArray:
    return np.asarray(s[..., 2] / s[..., 3] / (s[..., 0] / s[..., 1]) ** 1.5)


def _kurtosis(s: FloatArray) -> FloatArray:
    square = (s[..., 0] / s[..., 1]) ** 2
    return np.asarray((s[..., 4] / square - s[..., 5]) / s[..., 6])


def _unequal(s: FloatArray) -> FloatArray:
    return np.asarray(s[..., 7] / s[..., 8] / (s[..., 0] / s[..., 1]) ** 2 - 1)


def _narrow(parts: VarianceComponents, level: float) -> _Found:
    """Return the error of the log variance over sqrt(2 / df), its value for normal errors."""
    own = parts.sums.log_influence()

    def ratio(s: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(s[..., 0] * parts.df / 2))

    return _jackknife((own**2)[:, None], ratio, level, log=True)


def _lags(y: FloatArray, order: list[str], level: float) -> list[_Number]:
    """Return the variance within people by pair of occasions, and the autocorrelation."""
    pairs = [(a, b) for a in range(len(order)) for b in range(a + 1, len(order))]
    sums: dict[int, list[FloatArray]] = {}
    rows: list[_Number] = []
    independent = "independent errors"
    for a, b in pairs:
        apart = y[:, b] - y[:, a]
        there = ~np.isnan(apart)
        drift = float(apart[there].mean()) if there.any() else 0.0
        half = np.where(there, (apart - drift) ** 2 / 2, 0.0)
        part = np.column_stack([half, there.astype(float)])
        sums.setdefault(b - a, []).append(part)
        name = f"variance within people, {order[a]} and {order[b]}"
        found = _jackknife(part, _mean_of_differences, level, log=True)
        rows.append(_Number(independent, name, replace(found, p_value=math.nan)))
    if len(order) < 3:
        note = "Two occasions show no autocorrelation; three do."
        return [_Number(independent, LAG, _Found(), 0.0, note), *rows]
    both = np.column_stack([sum(sums[1]), sum(sums[2])])
    found = _jackknife(both, _ratio_of_differences, level, log=True, expected=0.0)
    note = "A first occasion more or less variable than the others shows here too."
    return [_Number(independent, LAG, found.moved(lambda x: x - 1), 0.0, note), *rows]


def _mean_of_differences(s: FloatArray) -> FloatArray:
    return np.asarray(s[..., 0] / (s[..., 1] - 1))


def _ratio_of_differences(s: FloatArray) -> FloatArray:
    return np.asarray((s[..., 2] / s[..., 3]) / (s[..., 0] / s[..., 1]))


def _changes(control: pd.DataFrame, level: float) -> _Number:
    """Return the sd of the control's changes over the error that the model gives them."""
    change, se = (control[name].to_numpy(dtype=float) for name in ("change", "se"))
    mean = change.mean() if len(change) else 0.0
    parts = np.column_stack([(change - mean) ** 2, se**2, np.ones(len(change))])

    def ratio(s: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(s[..., 0] / s[..., 1] * s[..., 2] / (s[..., 2] - 1)))

    return _Number(
        "independent errors, equal on all occasions",
        CHANGES,
        _jackknife(parts, ratio, level, log=True, expected=0.0),
        1.0,
        "Above 1, more unchanged people are flagged than the cut says; below 1, fewer.",
    )
