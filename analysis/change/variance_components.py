"""Variance between and within people: the random-intercept model behind reliable change."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2
from scipy.stats import f as f_distribution

from analysis.arrays import FloatArray
from analysis.change.within_people import WithinPeople, bootstrap_interval
from analysis.tables import columns
from prereg.errors import RatifyError

Interval = tuple[float, float]
INTERVALS = ("normal", "bootstrap")
NOWHERE: Interval = (math.nan, math.nan)


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """Variance between people, variance within people, and the reliability of a measurement.

    Attributes
    ----------
    between, within : float
        Variance of people's true values, and of one person's measurements, in squared points.
    reliability : float
        Of one measurement: between / (between + within).
    between_interval, within_interval, reliability_interval : tuple of float
        At `level`; NaN where missing.
    ratio_interval : tuple of float
        Of between / within.
    level : float
    n, people : int
        Numbers of measurements and of people.
    df : int
        Degrees of freedom of the variance within people.
    means : Series
        Mean of each occasion if the model has these, otherwise of all (index `all`).
    method, interval_method : str
        Of the estimates, and of `within_interval`.
    notes : tuple of str
        Cautions about the numbers.
    sums : WithinPeople
        What each person adds to the variance within people.
    """

    between: float
    within: float
    reliability: float
    between_interval: Interval
    within_interval: Interval
    reliability_interval: Interval
    ratio_interval: Interval
    level: float
    n: int
    people: int
    df: int
    means: pd.Series[float] = field(repr=False)
    method: str
    interval_method: str
    notes: tuple[str, ...]
    sums: WithinPeople = field(repr=False, compare=False)

    def mean_reliability(self, k: int) -> tuple[float, float, float]:
        """Return the reliability of the mean of k measurements and its interval.

        Spearman (1910) and Brown (1910), British Journal of Psychology 3.

        Raises
        ------
        RatifyError
            Where k is not a whole number of at least 1.
        """
        if k < 1 or k != int(k):
            raise RatifyError("is out of range", column="k", value=k, allowed="1 or more")
        one, low, high = (
            k * r / (1 + (k - 1) * r) for r in (self.reliability, *self.reliability_interval)
        )
        return one, low, high

    def to_frame(self, k: int = 1) -> pd.DataFrame:
        """Return one row per number: `name`, `estimate`, `estimate_low`, `estimate_high`, `unit`.

        `k` above 1 adds the reliability of the mean of k measurements.
        """
        rows: list[tuple[Any, ...]] = [
            ("variance between people", self.between, *self.between_interval, "squared points"),
            ("variance within people", self.within, *self.within_interval, "squared points"),
            ("reliability", self.reliability, *self.reliability_interval, "proportion"),
        ]
        if k > 1:
            rows.append(
                (f"reliability of the mean of {k}", *self.mean_reliability(k), "proportion")
            )
        names = ["name", "estimate", "estimate_low", "estimate_high", "unit"]
        table = pd.DataFrame(rows, columns=names)
        return table.assign(n=self.n, clusters=self.people, method=self.method)


def variance_components(
    data: pd.DataFrame,
    *,
    value: str,
    person: str = "person_id",
    occasion: str = "round",
    occasion_means: bool = False,
    interval: str = "normal",
    rng: np.random.Generator | None = None,
    resamples: int = 1999,
    level: float = 0.95,
) -> VarianceComponents:
    """Fit the random-intercept model by restricted maximum likelihood (REML).

    A measurement is a mean plus a deviation of the person plus an error of the moment, both
    normal. People may have any number of measurements, also unequal ones.

    Parameters
    ----------
    data : DataFrame
        One row per measurement; rows without a value are left out.
    value, person, occasion : str
        Names of its columns.
    occasion_means : bool
        Whether each occasion has its own mean (fixed effects); by default there is one mean.
    interval : {'normal', 'bootstrap'}
        Of `within`: the chi-square interval, or the bootstrap over people, which needs `rng`.
    rng : Generator, optional
    resamples : int
        Of the bootstrap.
    level : float
        Coverage of the intervals.

    Returns
    -------
    VarianceComponents
        `within`: the chi-square interval of the sum of squares within people, exact for normal
        measurements, or `within_people.bootstrap_interval`, for any. The ratio between / within,
        and with it the reliability: the exact interval of Harville and Fenech, which in the
        balanced case is that of the intraclass correlation. `between`: the interval of Williams,
        generalised through the same ratio; it covers at least its level. Both of these assume
        normal measurements in either case. `notes` says if `between` is zero. With only one
        person, what depends on the variance between people is NaN.

    Raises
    ------
    RatifyError
        If nobody was measured twice, or nobody's measurements differ: then the variance within
        people cannot be estimated.

    References
    ----------
    Patterson, H. D., & Thompson, R. (1971). Biometrika 58, 545-554.
    Harville, D. A., & Fenech, A. P. (1985). Biometrics 41, 137-152.
    Williams, J. S. (1962). Biometrika 49, 278-281.
    """
    columns.proportion("level", level)
    columns.one_of("interval", interval, INTERVALS)
    columns.require_columns(data, person, value, *([occasion] if occasion_means else []))
    y = columns.numbers(data, value)
    rows = data[~np.isnan(y)].reset_index(drop=True)
    columns.require_rows(rows, f"measurements in column '{value}'")
    measured = (
        columns.numbers(rows, value),
        columns.text_ids(rows, person),
        columns.text_ids(rows, occasion) if occasion_means else None,
    )
    model, sums = _Model.of(*measured), WithinPeople.of(*measured)
    _refuse_unknowable(model, value)
    ratio = model.reml_ratio() if model.df_between > 0 else math.nan
    notes = _notes(model, ratio)
    fitted = model.total(ratio)[0] / (model.df + model.df_between) if ratio == ratio else math.nan
    within = fitted if math.isfinite(fitted) else model.inside / model.df
    interval_method = f"chi-square interval with {model.df} degrees of freedom"
    within_interval = (
        model.inside / float(chi2.ppf((1 + level) / 2, model.df)),
        model.inside / float(chi2.ppf((1 - level) / 2, model.df)),
    )
    if interval == "bootstrap":
        if rng is None:
            raise RatifyError(
                "the bootstrap needs random numbers", column="rng", allowed="a Generator"
            )
        within_interval = bootstrap_interval(sums, rng=rng, resamples=resamples, level=level)
        interval_method = f"bootstrap over {sums.people} people, {resamples:,} resamples"
    ratio_interval = model.ratio_interval(level)
    return VarianceComponents(
        between=ratio * within,
        within=within,
        reliability=ratio / (1 + ratio),
        between_interval=_between_interval(model, ratio_interval, level),
        within_interval=within_interval,
        reliability_interval=(_share(ratio_interval[0]), _share(ratio_interval[1])),
        ratio_interval=ratio_interval,
        level=level,
        n=len(model.y),
        people=len(model.sizes),
        df=model.df,
        means=model.fitted_means(ratio if math.isfinite(ratio) else 0.0),
        method="random intercept, REML" + (", occasion means" if occasion_means else ""),
        notes=notes,
        interval_method=interval_method,
        sums=sums,
    )


def _share(ratio: float) -> float:
    return 1.0 if math.isinf(ratio) else ratio / (1 + ratio)


def _refuse_unknowable(model: _Model, value: str) -> None:
    """Refuse data from which the variance within people cannot be estimated."""
    if model.df < 1:
        raise RatifyError(
            "nobody was measured often enough to estimate the variance within people",
            column=value,
            allowed="people measured at least twice",
        )
    if model.inside <= 1e-12 * float(np.square(model.y).sum()):
        raise RatifyError(
            "nobody's measurements differ beyond the means: the variance within people is zero",
            column=value,
            allowed="measurements that vary within people",
        )


def _notes(model: _Model, ratio: float) -> tuple[str, ...]:
    said = []
    if not math.isfinite(ratio):
        said.append("The variance between people cannot be estimated from one person.")
    elif ratio == 0:
        said.append(
            "The variance between people is estimated at zero: people differ no more than one "
            "person's measurements do, and the reliability is zero."
        )
    if model.df < 30:
        said.append(
            f"The variance within people has only {model.df} degrees of freedom; the interval of "
            "the threshold shows how uncertain it is."
        )
    return tuple(said)


def _between_interval(model: _Model, ratio: Interval, level: float) -> Interval:
    """Return Williams's interval of the variance between people, from that of the ratio."""
    if model.df_between < 1:
        return NOWHERE
    ends = []
    for at, tail in zip(ratio, ((1 + level) / 2, (1 - level) / 2), strict=True):
        f = float(f_distribution.ppf(tail, model.df_between, model.df))
        q = float(chi2.ppf(tail, model.df_between))
        # where an end of the ratio's interval is zero, so is this end
        ends.append(at * model.df_between * f * (model.inside / model.df) / q)
    return ends[0], ends[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Model:
    """The sums that the likelihood of a random intercept needs, one row per person.

    Attributes
    ----------
    y, X : arrays
        Measurements minus their mean (`origin`), and the design of the means (n x p).
    sizes, sums, Xsums : arrays
        By person: measurements, their sum, and the sums of the columns of X.
    inside : float
        Sum of squares within people, around the means of the occasions if the model has these.
    df, df_between : int
        Degrees of freedom within and between people.
    """

    y: FloatArray
    X: FloatArray
    names: tuple[str, ...]
    origin: float
    sizes: FloatArray
    sums: FloatArray
    Xsums: FloatArray
    inside: float
    df: int
    df_between: int

    @classmethod
    def of(cls, y: FloatArray, person: pd.Series[Any], occasion: pd.Series[Any] | None) -> _Model:
        """Return the sums of a table's columns."""
        codes, _ = pd.factorize(person)
        names: tuple[str, ...] = ("all",)
        X = np.ones((len(y), 1))
        if occasion is not None:
            which, found = pd.factorize(occasion)
            names = tuple(str(name) for name in found)
            X = np.eye(len(names))[which]
        origin = float(y.mean())
        y = y - origin
        sizes = np.bincount(codes).astype(float)
        sums = np.bincount(codes, y).astype(float)
        Xsums = np.column_stack([np.bincount(codes, column) for column in X.T]).astype(float)
        own_y = y - (sums / sizes)[codes]
        own_X = X - (Xsums / sizes[:, None])[codes]
        fit, _, rank, _ = np.linalg.lstsq(own_X, own_y, rcond=1e-10)
        inside = float(np.square(own_y - own_X @ fit).sum())
        df = len(y) - len(sizes) - int(rank)
        return cls(
            y=y,
            X=X,
            names=names,
            origin=origin,
            sizes=sizes,
            sums=sums,
            Xsums=Xsums,
            inside=inside,
            df=df,
            df_between=len(y) - X.shape[1] - df,
        )

    def total(self, ratio: float) -> tuple[float, FloatArray, FloatArray]:
        """Return the generalised sum of squares, the means and their information, at a ratio.

        Measurements of one person share the covariance `ratio`, in units of the variance within.
        """
        weight = ratio / (1 + ratio * self.sizes)
        information = self.X.T @ self.X - (self.Xsums * weight[:, None]).T @ self.Xsums
        score = self.X.T @ self.y - self.Xsums.T @ (weight * self.sums)
        means = np.linalg.solve(information, score).astype(float)
        whole = float(self.y @ self.y - weight @ np.square(self.sums) - score @ means)
        return whole, means, information

    def reml_ratio(self) -> float:
        """Return the REML estimate of the ratio between / within, never below zero."""
        n, p = self.X.shape

        def loss(share: float) -> float:
            ratio = share / (1 - share)
            whole, _, information = self.total(ratio)
            spread = float(np.log1p(ratio * self.sizes).sum())
            size = float(np.linalg.slogdet(information)[1])
            return float((n - p) * math.log(whole) + spread + size)

        # with unequal numbers the likelihood may have two maxima: search a grid first
        grid = np.linspace(0, 1, 22)[:-1]
        best = int(np.argmin([loss(share) for share in grid]))
        low, high = grid[max(best - 1, 0)], grid[best + 1] if best + 1 < len(grid) else 1 - 1e-9
        found = minimize_scalar(
            loss, bounds=(low, high), method="bounded", options={"xatol": 1e-11}
        )
        if best == 0 and loss(0.0) <= float(found.fun):
            return 0.0
        return float(found.x / (1 - found.x))

    def ratio_interval(self, level: float) -> Interval:
        """Return the exact interval of the ratio: the values that an F test does not reject."""
        if self.df_between < 1:
            return NOWHERE

        def statistic(ratio: float) -> float:
            outside = self.total(ratio)[0] - self.inside
            return (outside / self.df_between) / (self.inside / self.df)

        tails = ((1 + level) / 2, (1 - level) / 2)
        limits = [float(f_distribution.ppf(tail, self.df_between, self.df)) for tail in tails]
        return _where(statistic, limits[0]), _where(statistic, limits[1])

    def fitted_means(self, ratio: float) -> pd.Series[float]:
        """Return the mean of each occasion, or of all, on the scale of the measurements."""
        return pd.Series(self.total(ratio)[1] + self.origin, index=list(self.names))


def _where(statistic: Callable[[float], float], limit: float) -> float:
    """Return the ratio at which a falling statistic reaches a limit; zero if it starts below."""
    if statistic(0.0) <= limit:
        return 0.0
    high = 1.0
    while statistic(high) > limit:
        high *= 4
        if high > 1e12:
            return math.inf
    return float(brentq(lambda ratio: statistic(ratio) - limit, 0.0, high, xtol=1e-12, rtol=1e-12))
