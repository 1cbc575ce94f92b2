"""Least squares with errors clustered one way or two ways, for rows that share raters and items.

Several people score one response and one person scores several responses. Errors clustered only by
rater treat the responses as the only ones of interest; errors clustered only by response treat the
raters so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import t as student

from analysis.arrays import BoolArray, FloatArray, IntArray
from prereg.errors import RatifyError

# With an eigenvalue of leverage this near to 1, one cluster alone decides the estimate.
_ALONE = 1e-9
# Scores, diagonal and factor of Satterthwaite's matrix, and which combinations one cluster decides.
_Parts = tuple[FloatArray, FloatArray, FloatArray, BoolArray]
SINGLE = "rests on a single {}: no interval"


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
        By name of the clustering (and `both` for their intersection, where there are two): array
        of shape (n_clusters, n_combinations).
    df : mapping
        By name of the clustering, shape (n_combinations,).
    alone : mapping
        By name of the clustering: whether one of its clusters alone decides the combination.
    """

    scores: Mapping[str, FloatArray]
    df: Mapping[str, FloatArray]
    alone: Mapping[str, BoolArray]

    def minus(self, other: Uncertainty) -> Uncertainty:
        """Return the uncertainty of the difference of two estimates from the same rows."""
        return Uncertainty(
            {name: own - other.scores[name] for name, own in self.scores.items()},
            {name: np.minimum(own, other.df[name]) for name, own in self.df.items()},
            {name: own | other.alone[name] for name, own in self.alone.items()},
        )

    def of(self, at: int, estimate: float, level: float) -> Estimate:
        """Return one combination with its error, interval and test."""
        note = "; ".join(SINGLE.format(name) for name, alone in self.alone.items() if alone[at])
        sums = {name: float((each[:, at] ** 2).sum()) for name, each in self.scores.items()}
        ways = {name: value for name, value in sums.items() if name != "both"}
        variance = max([sum(ways.values()) - sums.get("both", 0.0), *ways.values()])
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


@dataclass(frozen=True, kw_only=True)
class CrossedFit:
    """Least squares with rows that belong to one or two kinds of clusters.

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
    _whitened: FloatArray = field(repr=False)
    _half: FloatArray = field(repr=False)
    _residuals: FloatArray = field(repr=False)
    _codes: Mapping[str, IntArray] = field(repr=False)

    def uncertainty(self, combinations: FloatArray) -> Uncertainty:
        """Return what the errors of linear combinations are computed from.

        Parameters
        ----------
        combinations : array of shape (n_combinations, n_terms)
        """
        b = self._half @ np.atleast_2d(combinations).T
        scores: dict[str, FloatArray] = {}
        df: dict[str, FloatArray] = {}
        alone: dict[str, BoolArray] = {}
        for name, codes in self._codes.items():
            scores[name], df[name], alone[name] = self._clustered(codes, b)
        if len(self._codes) == 2:
            one, two = self._codes.values()
            both = np.unique(one * (int(two.max()) + 1) + two, return_inverse=True)[1]
            scores["both"] = self._parts(both.astype(np.int64), b, df=False)[0]
        return Uncertainty(scores, df, alone)

    def estimates(self, combinations: FloatArray, *, level: float = 0.95) -> list[Estimate]:
        """Return linear combinations of the coefficients with errors, intervals and tests."""
        rows = np.atleast_2d(combinations)
        unsure = self.uncertainty(rows)
        return [unsure.of(at, float(row @ self.params), level) for at, row in enumerate(rows)]

    def _clustered(
        self, codes: IntArray, b: FloatArray
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return scores (bias-reduced), Satterthwaite's df, and whether one cluster decides.

        In coordinates where X'X is the identity, a cluster's leverage has the eigenvalues of
        T = Z_g' Z_g, and (I - H_gg)^(-1/2) becomes (I - T)^(-1/2).
        """
        scores, own, cross, alone = self._parts(codes, b)
        return scores, _satterthwaite(own, cross), alone

    def _parts(self, codes: IntArray, b: FloatArray, *, df: bool = True) -> _Parts:
        """Return each cluster's contributions; without `df`, not those to Satterthwaite's df."""
        sizes = np.bincount(codes)
        ones = sizes[codes] == 1
        parts = []
        if ones.any():
            parts.append(self._single_rows(np.flatnonzero(ones), b, df=df))
        if not ones.all():
            parts.append(self._groups(codes, np.flatnonzero(sizes > 1), b, df=df))
        scores, own, cross, alone = zip(*parts, strict=True)
        return (
            np.concatenate(scores),
            np.concatenate(own),
            np.concatenate(cross),
            np.logical_or.reduce(alone),
        )

    def _groups(self, codes: IntArray, groups: IntArray, b: FloatArray, *, df: bool) -> _Parts:
        """Return the contributions of clusters of several rows."""
        z, e = self._whitened, self._residuals
        sizes = np.bincount(codes)
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(sizes)
        rows = [order[ends[g] - sizes[g] : ends[g]] for g in groups]
        values, vectors = np.linalg.eigh(np.stack([z[mine].T @ z[mine] for mine in rows]))
        moments = np.stack([z[mine].T @ e[mine] for mine in rows])
        factor, single = _bias_factor(values)
        turned = np.swapaxes(vectors, 1, 2)
        along = turned @ b
        length = np.sqrt((b**2).sum(axis=0))
        alone = ((np.abs(along) > 1e-7 * length) & single[:, :, None]).any(axis=(0, 1))
        weighted = factor * (turned @ moments[:, :, None])[:, :, 0]
        return (
            np.einsum("gk,gkc->gc", weighted, along),
            np.einsum("gk,gkc->gc", values * factor**2, along**2),
            vectors @ ((values * factor)[:, :, None] * along) if df else along[:, :0],
            alone,
        )

    def _single_rows(self, rows: IntArray, b: FloatArray, *, df: bool) -> _Parts:
        """Return the contributions of clusters of one row (HC2)."""
        z = self._whitened[rows]
        factor, single = _bias_factor((z**2).sum(axis=1))
        along = z @ b
        length = np.sqrt((b**2).sum(axis=0))
        return (
            (factor * self._residuals[rows])[:, None] * along,
            factor[:, None] ** 2 * along**2,
            (z if df else z[:, :0])[:, :, None] * (factor[:, None] * along)[:, None, :],
            (np.abs(along[single]) > 1e-7 * length).any(axis=0),
        )


def _bias_factor(leverage: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return (1 - leverage)^(-1/2), 0 where one cluster alone decides, and where that happens."""
    single = leverage > 1 - _ALONE
    return np.where(single, 0.0, 1 / np.sqrt(1 - np.where(single, 0.0, leverage))), single


def crossed_ols(y: FloatArray, X: FloatArray, clusters: Mapping[str, IntArray]) -> CrossedFit:
    """Fit least squares to rows that belong to one or two kinds of clusters.

    Parameters
    ----------
    y : array of shape (n,)
    X : array of shape (n, n_terms)
        Of full column rank.
    clusters : mapping
        One or two names ('rater', 'item') with the code of each row's cluster, from 0 without gaps.

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
    never below either of the first two. Each part is bias-reduced (CR2) and has Satterthwaite's
    degrees of freedom under equal and independent errors (Bell and McCaffrey 2002, Survey
    Methodology 28, 169-181; Imbens and Kolesár 2016, Review of Economics and Statistics 98,
    701-712); so has the sum. If all clusters have equal size and each is in one group only, this
    compares means by Student's t on the means of clusters.
    """
    # scale every column: words come in hundreds, emoji in ones
    size = np.sqrt((X**2).sum(axis=0))
    scaled = X / np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    if values.min() <= 1e-12 * max(values.max(), 1e-300):
        raise RatifyError(
            "terms are linear combinations of others", allowed="terms that vary independently"
        )
    root = (vectors / np.sqrt(values)) @ vectors.T
    half = np.asarray(root / size, dtype=np.float64)
    whitened = scaled @ root
    params = half.T @ (whitened.T @ y)
    residuals = y - X @ params
    # residuals of the size of rounding errors are not variation
    residuals[np.abs(residuals) < 1e-11 * max(float(np.abs(y).max()), 1e-300)] = 0.0
    return CrossedFit(
        params=params,
        n=len(y),
        _whitened=whitened,
        _half=half,
        _residuals=residuals,
        clusters={name: int(codes.max()) + 1 for name, codes in clusters.items()},
        _codes=clusters,
    )


def _satterthwaite(own: FloatArray, cross: FloatArray) -> FloatArray:
    """Return tr(B)^2 / tr(B B) of B = diag(own) - cross' cross, for each combination."""
    squares = (cross**2).sum(axis=1)
    trace = (own - squares).sum(axis=0)
    gram = np.einsum("gac,gbc->cab", cross, cross, optimize=True)
    whole = (own**2).sum(axis=0) - 2 * (own * squares).sum(axis=0) + (gram**2).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(whole > 1e-300, trace**2 / whole, 1.0)
    return np.asarray(np.maximum(df, 1.0), dtype=np.float64)
