"""The wild cluster bootstrap: tests and intervals that are valid with few clusters.

With few clusters the sandwich error is too small and its t statistic has heavier tails than
Student's t. The bootstrap simulates the distribution of that statistic: it fits the model under the
null hypothesis, multiplies each cluster's residuals by a random weight, and computes the statistic
for each draw. The interval contains the values that are not rejected.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.linalg import null_space
from scipy.special import expit

from analysis.arrays import FloatArray, IntArray
from analysis.regression.contrasts import contrast_weights
from analysis.regression.result import Regression
from analysis.tables import columns
from prereg.errors import RatifyError

Weights = Literal["auto", "rademacher", "webb"]

# With G clusters Rademacher's signs give 2^(G-1) different statistics: too few below this number.
# From this number on, with all signs tried, they held the size better than Webb's six points.
WEBB_BELOW = 8
# |t*| at least |t|: a draw that flips no sign gives t itself, apart from rounding.
_TIE = 1 - 1e-9
# Below this, products of information are no longer numbers that can be divided by.
_LEAST_INFORMATION = 1e-250
_WEBB: FloatArray = np.sqrt(np.array([0.5, 1.0, 1.5]))
_MOST_CELLS = 200_000_000


@dataclass(frozen=True, kw_only=True)
class WildBootstrap:
    """A coefficient or contrast with the bootstrap's p value and interval.

    Attributes
    ----------
    text : str
        The coefficient or contrast.
    estimate, low, high : float
        In the units of the coefficients. An end is NaN if no value on that side is rejected.
    p_value : float
        Two-sided, for the hypothesis that the contrast equals `null`.
    null, level : float
    resamples : int
        Draws used; all 2^clusters if every combination of signs was tried.
    enumerated : bool
        Whether every possible draw was tried, so that the result is not random.
    weights : {'rademacher', 'webb'}
    n, clusters : int
    method, unit, note : str
    """

    text: str
    estimate: float
    low: float
    high: float
    p_value: float
    null: float
    level: float
    resamples: int
    enumerated: bool
    weights: str
    n: int
    clusters: int
    method: str
    unit: str
    note: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row with every field."""
        return pd.DataFrame([asdict(self)])


def wild_cluster_bootstrap(
    regression: Regression,
    text: str,
    *,
    rng: np.random.Generator,
    null: float = 0.0,
    resamples: int = 9999,
    weights: Weights = "auto",
    level: float = 0.95,
) -> WildBootstrap:
    """Test a coefficient or contrast by the restricted wild cluster bootstrap.

    Parameters
    ----------
    regression : Regression
        From `clustered_ols` or `clustered_logit`.
    text : str
        A coefficient or contrast, as in `contrasts.contrast_weights`.
    rng : Generator
    null : float
        Value of the contrast under the hypothesis tested.
    resamples : int
        Draws; at least 99. If signs have no more combinations than this, all are tried instead.
    weights : {'auto', 'rademacher', 'webb'}
        Signs (Rademacher), or Webb's six points, which 'auto' uses with fewer than 8 clusters.
    level : float
        Coverage of the interval.

    Returns
    -------
    WildBootstrap
        OLS: residuals restricted by the null hypothesis (WCR). Logit: scores at the restricted fit,
        and the model linearised there. Every statistic is studentised with its own clustered error.
        The interval inverts the test, so it may be asymmetric around the estimate.

    Raises
    ------
    RatifyError
        If the regression has no clusters, on an unreadable contrast, and on too few resamples.

    Notes
    -----
    Each group compared must have several clusters: if only two or three clusters have the
    treatment, the test rejects too rarely. With Rademacher's signs and 5 clusters or fewer no p
    value can be below .05, and the interval has no ends. In simulation with 8 clusters, each
    treated or not as a whole, the test at 5% rejected a true hypothesis in 6 to 7 of 100 data sets
    and the 95% interval covered the truth in 93; with 12 or more in 5 to 6 and in 94 to 95.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Review of Economics and Statistics 90, 414-427. Kline and
    Santos (2012), Econometric Theory 28, 1-41. Webb (2014), Queen's Economics Department Working
    Paper 1315. Roodman, MacKinnon, Nielsen and Webb (2019), Stata Journal 19, 4-60.
    """
    columns.proportion("level", level)
    columns.one_of("weights", weights, ["auto", "rademacher", "webb"])
    if regression.groups is None or regression.n_clusters is None:
        raise RatifyError(
            "the wild cluster bootstrap needs clusters",
            value=regression.method,
            allowed="a regression with clustered errors",
        )
    if resamples < 99:
        raise RatifyError("too few resamples", value=resamples, allowed="99 or more")
    contrast = contrast_weights(regression, text)
    clusters = regression.n_clusters
    kind = weights if weights != "auto" else "webb" if clusters < WEBB_BELOW else "rademacher"
    draws, enumerated = _draws(clusters, resamples, kind, rng)
    exceeding = (_logit_test if regression.is_logit else _ols_test)(regression, contrast, draws)
    extra = 0 if enumerated else 1

    def p_value(value: float) -> float:
        return (exceeding(value) + extra) / (len(draws) + extra)

    estimate = float(contrast @ regression.params.to_numpy())
    step = math.sqrt(float(contrast @ regression.cov_params.to_numpy() @ contrast))
    low, high = (_end(p_value, estimate, sign * step, 1 - level) for sign in (-1, 1))
    name = {"rademacher": "Rademacher", "webb": "Webb"}[kind]
    how = "score wild" if regression.is_logit else "restricted wild"
    many = f"all {len(draws)} draws" if enumerated else f"{len(draws)} draws"
    return WildBootstrap(
        text=text,
        estimate=estimate,
        low=low,
        high=high,
        p_value=p_value(null),
        null=null,
        level=level,
        resamples=len(draws),
        enumerated=enumerated,
        weights=kind,
        n=regression.n,
        clusters=clusters,
        method=f"{regression.name}, {how} cluster bootstrap by "
        f"{regression.cluster} ({name} weights, {many}), interval by inverting the test",
        unit="log-odds" if regression.is_logit else "outcome units",
        note=_note(low, high),
    )


def _note(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return "The interval has no end on one or both sides: too few clusters to reject any value."
    return ""


def _draws(
    clusters: int, resamples: int, kind: str, rng: np.random.Generator
) -> tuple[FloatArray, bool]:
    """Return one row of cluster weights per draw, and whether these are all possible draws."""
    if kind == "rademacher" and clusters < 60 and 2**clusters <= resamples:
        return np.array(list(product((1.0, -1.0), repeat=clusters))), True
    if resamples * clusters > _MOST_CELLS:
        raise RatifyError(
            "too many clusters and resamples for the wild bootstrap",
            value=resamples,
            allowed=f"at most {_MOST_CELLS // clusters} resamples with {clusters} clusters",
        )
    shape = (resamples, clusters)
    signs = np.where(rng.integers(2, size=shape) == 0, -1.0, 1.0)
    if kind == "rademacher":
        return signs, False
    return signs * _WEBB[rng.integers(3, size=shape)], False


def _sums(groups: IntArray, clusters: int, values: FloatArray) -> FloatArray:
    """Return the sum over the rows of each cluster."""
    total = np.zeros((clusters, *values.shape[1:]))
    np.add.at(total, groups, values)
    return total


def _bread(X: FloatArray) -> FloatArray:
    """Return (X'X)^-1, by QR: X'X itself would square how badly X is conditioned."""
    upper = np.linalg.qr(X, mode="r")
    size = np.abs(np.diag(upper))
    if size.min() <= 1e-10 * np.sqrt((X**2).sum(axis=0)).max():
        raise np.linalg.LinAlgError("terms nearly determine each other")
    inverse = np.linalg.inv(upper)
    return np.asarray(inverse @ inverse.T, dtype=np.float64)


def _products(X: FloatArray, groups: IntArray, clusters: int, vectors: FloatArray) -> FloatArray:
    """Return X_g' X_g v for each cluster g: shape (n_clusters, n_terms)."""
    return _sums(groups, clusters, X * (X @ vectors)[:, None])


def _ols_test(
    regression: Regression, contrast: FloatArray, draws: FloatArray
) -> Callable[[float], float]:
    """Return a function that counts, for a null value, the draws at least as far from 0 as t.

    Everything is linear in the distance between estimate and null value, so the same draws serve
    for every value.
    """
    model = regression.result.model
    X, y = np.asarray(model.exog, dtype=float), np.asarray(model.endog, dtype=float)
    groups, clusters = np.asarray(regression.groups), draws.shape[1]
    beta: FloatArray = np.asarray(regression.params, dtype=np.float64)
    bread = _bread(X)
    toward = bread @ contrast
    shift = toward / float(contrast @ toward)
    # scores of each cluster: unrestricted residuals, and what a unit of distance adds to them
    free = _sums(groups, clusters, X * (y - X @ beta)[:, None])
    added = _products(X, groups, clusters, shift)
    lever = _products(X, groups, clusters, toward)

    def pieces(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
        along = scores @ toward
        moved = draws @ (scores @ bread)
        return draws @ along, draws * along - moved @ lever.T

    (top0, part0), (top1, part1) = pieces(free), pieces(added)
    square = (part0**2).sum(axis=1), 2 * (part0 * part1).sum(axis=1), (part1**2).sum(axis=1)
    own = math.sqrt(float(((free @ toward) ** 2).sum()))
    estimate = float(contrast @ beta)

    def exceeding(value: float) -> float:
        away = estimate - value
        spread = square[0] + away * square[1] + away**2 * square[2]
        return _exceeding(top0 + away * top1, spread, away, own**2)

    return exceeding


def _logit_test(
    regression: Regression, contrast: FloatArray, draws: FloatArray
) -> Callable[[float], float]:
    """Return the same for a logit: scores and information at the fit with the null imposed."""
    model = regression.result.model
    X, y = np.asarray(model.exog, dtype=float), np.asarray(model.endog, dtype=float)
    groups, clusters = np.asarray(regression.groups), draws.shape[1]
    beta: FloatArray = np.asarray(regression.params, dtype=np.float64)
    with_none = np.vstack([draws, np.ones(clusters)])  # the last row flips no sign

    def exceeding(value: float) -> float:
        try:
            chance = expit(X @ _restricted_logit(X, y, beta, contrast, value))
            root = X * np.sqrt(chance * (1 - chance))[:, None]
            bread = _bread(root)
        except np.linalg.LinAlgError:
            # so far out that every probability is 0 or 1: no information, so not rejected
            return float(len(draws))
        toward = bread @ contrast
        scores = _sums(groups, clusters, X * (y - chance)[:, None])
        along = scores @ toward
        part = (
            with_none * along
            - (with_none @ (scores @ bread)) @ _products(root, groups, clusters, toward).T
        )
        top, spread = with_none @ along, (part**2).sum(axis=1)
        return _exceeding(top[:-1], spread[:-1], float(top[-1]), float(spread[-1]))

    return exceeding


def _exceeding(top: FloatArray, spread: FloatArray, own_top: float, own_spread: float) -> float:
    """Return how many studentised statistics are at least as far from 0 as the observed one.

    Compares top^2 / spread, multiplied out: a draw without spread counts as infinitely far.
    """
    return float(np.count_nonzero(top**2 * own_spread >= own_top**2 * spread * _TIE))


def _restricted_logit(
    X: FloatArray, y: FloatArray, beta: FloatArray, contrast: FloatArray, value: float
) -> FloatArray:
    """Return the logit's coefficients with the contrast fixed at a value, by Newton's method.

    Raises
    ------
    LinAlgError
        If every probability is 0 or 1 on the way.
    """
    free = null_space(contrast[None, :])
    fixed = contrast * (value / float(contrast @ contrast))
    inside, at = X @ free, free.T @ beta

    def loss(point: FloatArray) -> float:
        linear = X @ fixed + inside @ point
        return float(np.logaddexp(0, linear).sum() - y @ linear)

    now = loss(at)
    for _ in range(100):
        chance = expit(X @ fixed + inside @ at)
        slope = inside.T @ (y - chance)
        curve = inside.T @ (inside * (chance * (1 - chance))[:, None])
        if at.size and not _LEAST_INFORMATION < np.abs(curve).max() < math.inf:
            raise np.linalg.LinAlgError("no information at this value")
        step: Any = np.linalg.lstsq(curve, slope, rcond=None)[0]
        while (then := loss(at + step)) > now + 1e-12 * abs(now) and np.abs(step).max() > 1e-12:
            step = step / 2
        at, now = at + step, then
        if at.size == 0 or np.abs(step).max() < 1e-10:
            break
    return fixed + free @ at


def _end(p_value: Callable[[float], float], estimate: float, step: float, alpha: float) -> float:
    """Return where the test begins to reject, in steps from the estimate; NaN if nowhere."""
    if step == 0:
        return math.nan
    inside, width = 0.0, 1.0
    while p_value(estimate + width * step) > alpha:
        inside, width = width, 1.3 * width
        if width > 1000:
            return math.nan
    outside = width
    while outside - inside > 1e-5 * outside:
        middle = (inside + outside) / 2
        if p_value(estimate + middle * step) > alpha:
            inside = middle
        else:
            outside = middle
    return estimate + outside * step
