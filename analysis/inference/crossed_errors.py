"""Estimates with errors clustered one way or two ways, for rows that share raters and items.

Several people score one response and one person scores several responses; a trial shares its rater
with some trials and either of its items with others. Errors clustered only by rater treat the items
as the only ones of interest; errors clustered only by item treat the raters so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.inference.cluster_scores import (
    Whitened,
    cluster_scores,
    members_of,
    pairs_of,
    plain_scores,
)
from prereg.errors import RatifyError

SINGLE = "rests on a single {}: no interval"
# Overlaps of clusterings: what they add twice and is taken off, by sign.
_Signed = tuple[tuple[int, FloatArray], ...]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A linear combination of coefficients.

    Attributes
    ----------
    estimate : float
        In outcome units.
    se, df, low, high, p_value : float
        Clustered error, degrees of freedom of its t, interval, two-sided test of 0; NaN if one
        cluster alone decides the estimate (`note` says which kind of cluster).
    note : str
    """

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p_value: float
    note: str = ""


def no_estimate(note: str) -> Estimate:
    """Return an estimate with only missing numbers, and a note that says why."""
    nan = math.nan
    return Estimate(estimate=nan, se=nan, df=nan, low=nan, high=nan, p_value=nan, note=note)


@dataclass(frozen=True)
class Uncertainty:
    """The contribution of each cluster to the errors of several linear combinations.

    Attributes
    ----------
    scores : mapping
        By name of the clustering: array of shape (n_clusters, n_combinations).
    twice : mapping
        By name of a clustering whose rows belong to two of its clusters (and `both` for rows that
        share a cluster of each kind): the overlaps to add or take off, each with its sign.
    df : mapping
        By name of the clustering, shape (n_combinations,).
    alone : mapping
        By name of the clustering: whether one of its clusters alone decides the combination.
    """

    scores: Mapping[str, FloatArray]
    twice: Mapping[str, _Signed]
    df: Mapping[str, FloatArray]
    alone: Mapping[str, BoolArray]

    def minus(self, other: Uncertainty) -> Uncertainty:
        """Return the uncertainty of the difference of two estimates from the same rows."""
        return Uncertainty(
            {name: own - other.scores[name] for name, own in self.scores.items()},
            {
                name: tuple(
                    (sign, own - theirs)
                    for (sign, own), (_, theirs) in zip(parts, other.twice[name], strict=True)
                )
                for name, parts in self.twice.items()
            },
            {name: np.minimum(own, other.df[name]) for name, own in self.df.items()},
            {name: own | other.alone[name] for name, own in self.alone.items()},
        )

    def of(self, at: int, estimate: float, level: float) -> Estimate:
        """Return one combination with its error, interval and test."""
        note = "; ".join(SINGLE.format(name) for name, alone in self.alone.items() if alone[at])
        ways = {name: self._way(name, at) for name in self.scores}
        variance = max([sum(ways.values()) + self._overlap("both", at), *ways.values()])
        if note or not variance > 0:
            none = no_estimate(note or "nothing varies: no interval")
            return replace(none, estimate=estimate)
        spread = sum(value**2 / float(self.df[name][at]) for name, value in ways.items())
        df = max(1.0, variance**2 / spread)
        se = math.sqrt(variance)
        half = float(student.ppf((1 + level) / 2, df)) * se
        return Estimate(
            estimate=estimate,
            se=se,
            df=df,
            low=estimate - half,
            high=estimate + half,
            p_value=2 * float(student.sf(abs(estimate) / se, df)),
        )

    def covariance(self) -> FloatArray:
        """Return the covariance of all combinations: shape (n_combinations, n_combinations).

        Without the overlaps, and so a little too large, if it would not be a covariance with them.
        """
        ways = sum(each.T @ each for each in self.scores.values())
        overlaps = [signed for parts in self.twice.values() for signed in parts]
        whole = ways + sum(sign * each.T @ each for sign, each in overlaps)
        least = float(np.linalg.eigvalsh(whole).min(initial=0.0))
        return np.asarray(ways if least < 0 else whole, dtype=np.float64)

    def _way(self, name: str, at: int) -> float:
        """Return the variance by one clustering alone."""
        whole = float((self.scores[name][:, at] ** 2).sum())
        net = whole + self._overlap(name, at)
        return net if net > 0 else whole  # never negative, then a little too large

    def _overlap(self, name: str, at: int) -> float:
        return sum(
            sign * float((each[:, at] ** 2).sum()) for sign, each in self.twice.get(name, ())
        )


@dataclass(frozen=True, kw_only=True)
class CrossedFit:
    """Estimates from rows that belong to one or two kinds of clusters.

    Attributes
    ----------
    params : array of shape (n_terms,)
    n : int
    clusters : mapping
        Number of clusters of each kind.
    """

    params: FloatArray
    n: int
    clusters: Mapping[str, int]
    _fit: Whitened = field(repr=False)
    _codes: Mapping[str, IntArray] = field(repr=False)

    def uncertainty(self, combinations: FloatArray) -> Uncertainty:
        """Return what the errors of linear combinations are computed from.

        Parameters
        ----------
        combinations : array of shape (n_combinations, n_terms)
        """
        b = self._fit.half @ np.atleast_2d(combinations).T
        scores: dict[str, FloatArray] = {}
        df: dict[str, FloatArray] = {}
        alone: dict[str, BoolArray] = {}
        for name, codes in self._codes.items():
            members = members_of(codes)
            scores[name], df[name], alone[name] = cluster_scores(self._fit, members, b)
        return Uncertainty(scores, self._twice(b), df, alone)

    def estimates(self, combinations: FloatArray, *, level: float = 0.95) -> list[Estimate]:
        """Return linear combinations of the coefficients with errors, intervals and tests."""
        rows = np.atleast_2d(combinations)
        unsure = self.uncertainty(rows)
        return [unsure.of(at, float(row @ self.params), level) for at, row in enumerate(rows)]

    def _twice(self, b: FloatArray) -> dict[str, _Signed]:
        """Return what a sum over clusterings counts more than once, by inclusion and exclusion."""

        def shared(sign: int, *codes: IntArray) -> tuple[int, FloatArray]:
            return sign, plain_scores(self._fit, members_of(*codes), b)

        found: dict[str, _Signed] = {
            # rows that share both their items are in the clusters of either
            name: (shared(-1, pairs_of(codes)),)
            for name, codes in self._codes.items()
            if codes.ndim == 2
        }
        if len(self._codes) == 2:
            one, two = sorted(self._codes.values(), key=lambda codes: codes.ndim)
            both = [shared(-1, one, two)]
            if two.ndim == 2:
                both.append(shared(+1, one, pairs_of(two)))
            found["both"] = tuple(both)
        return found


def crossed_ols(y: FloatArray, X: FloatArray, clusters: Mapping[str, IntArray]) -> CrossedFit:
    """Fit least squares to rows that belong to one or two kinds of clusters.

    Parameters
    ----------
    y : array of shape (n,)
    X : array of shape (n, n_terms)
        Of full column rank.
    clusters : mapping
        One or two names ('rater', 'item') with the code of each row's cluster, from 0 without gaps.
        One of them may have the shape (n, 2): a row then belongs to two clusters of this kind, as
        a trial belongs to both its items, and rows depend on each other that share either.

    Returns
    -------
    CrossedFit

    Raises
    ------
    RatifyError
        If the terms are linear combinations of each other.

    Notes
    -----
    Two ways (Cameron, Gelbach and Miller 2011, Journal of Business and Economic Statistics 29,
    238-249): variance by the first + variance by the second - variance by their intersection, and
    never below either of the first two. With two items a row, the variance by item is dyadic
    (Aronow, Samii and Assenova 2015, Political Analysis 23, 564-577): the sum over items, less what
    rows with the same two items count twice. Each part is bias-reduced (CR2) and has
    Satterthwaite's degrees of freedom under equal and independent errors (Bell and McCaffrey 2002,
    Survey Methodology 28, 169-181; Imbens and Kolesár 2016, Review of Economics and Statistics 98,
    701-712); so has the sum. If all clusters have equal size and each is in one group only, this
    compares means by Student's t on the means of clusters.
    """
    whitened, half = _whitened(X)
    params = half.T @ (whitened.T @ y)
    residuals = y - X @ params
    # residuals of the size of rounding errors are not variation
    residuals[np.abs(residuals) < 1e-11 * max(float(np.abs(y).max()), 1e-300)] = 0.0
    return _crossed(params, Whitened(whitened, half, residuals), clusters)


def crossed_logit(
    y: FloatArray, X: FloatArray, params: FloatArray, clusters: Mapping[str, IntArray]
) -> CrossedFit:
    """Return a fitted logit with errors clustered one or two ways.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1, or shares.
    X : array of shape (n, n_terms)
    params : array of shape (n_terms,)
        Maximum likelihood estimates.
    clusters : mapping
        As in `crossed_ols`.

    Returns
    -------
    CrossedFit

    Raises
    ------
    RatifyError
        As `crossed_ols`.

    Notes
    -----
    As `crossed_ols`, on rows weighted by the information p (1 - p) of each (Pustejovsky and Tipton
    2018, Journal of Business and Economic Statistics 36, 672-683).
    """
    chance = expit(X @ params)
    weight = np.sqrt(np.maximum(chance * (1 - chance), 1e-12))
    whitened, half = _whitened(X * weight[:, None])
    residuals = np.asarray((y - chance) / weight, dtype=np.float64)
    return _crossed(params, Whitened(whitened, half, residuals), clusters)


def crossed_mean(influence: FloatArray, clusters: Mapping[str, IntArray]) -> Estimate:
    """Return the error and degrees of freedom of a number that is a mean of influences.

    Parameters
    ----------
    influence : array of shape (n,)
        Of every row on the number, with mean 0; for a mean, its difference from the mean.
    clusters : mapping
        As in `crossed_ols`.

    Returns
    -------
    Estimate
        Its `estimate` is 0.
    """
    return crossed_ols(influence, np.ones((len(influence), 1)), clusters).estimates(np.eye(1))[0]


def _crossed(params: FloatArray, fit: Whitened, clusters: Mapping[str, IntArray]) -> CrossedFit:
    return CrossedFit(
        params=params,
        n=len(fit.residuals),
        clusters={name: int(codes.max()) + 1 for name, codes in clusters.items()},
        _fit=fit,
        _codes=clusters,
    )


def _whitened(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Z = X (X'X)^(-1/2), and the matrix that turns weights of terms into those of Z."""
    # scale every column: words come in hundreds, emoji in ones
    size = np.sqrt((X**2).sum(axis=0))
    scaled = X / np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    if values.min() <= 1e-12 * max(values.max(), 1e-300):
        raise RatifyError(
            "terms are linear combinations of others", allowed="terms that vary independently"
        )
    root = (vectors / np.sqrt(values)) @ vectors.T
    return scaled @ root, np.asarray(root / size, dtype=np.float64)
