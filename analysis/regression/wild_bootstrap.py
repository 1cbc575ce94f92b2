"""The wild cluster bootstrap: tests and intervals that hold with few clusters.

With few clusters the sandwich error is too small and its t statistic has heavier tails than any
table says. The bootstrap draws that statistic's own distribution: it fits the model with the null
hypothesis imposed, turns the residuals of whole clusters around at random, and looks how far the
statistic strays when nothing is there to find. The interval holds the values that are not rejected.
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

# With G clusters Rademacher's signs give 2^(G-1) different statistics: too few below this. From
# there on, where all signs are tried, they held the size better than Webb's six points.
WEBB_BELOW = 8
# |t*| at least |t|: a draw that turns nothing around gives t itself, but for rounding.
_TIE = 1 - 1e-9
_WEBB: FloatArray = np.sqrt(np.array([0.5, 1.0, 1.5]))
_MOST_CELLS = 200_000_000


@dataclass(frozen=True, kw_only=True)
class WildBootstrap:
    """A coefficient or contrast with bootstrap p value and inverted interval.

    Attributes
    ----------
    text : str
        The coefficient or contrast.
    estimate, low, high : float
        In the units of the coefficients. An end is NaN where no value, however far, is rejected.
    p_value : float
        Two-sided, of the hypothesis that the contrast is `null`.
    null, level : float
    resamples : int
        Draws used; where every sign was tried, all 2^clusters of them.
    enumerated : bool
        Whether every draw was tried, so that nothing is left to chance.
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
        Draws; at least 99. Where signs alone have no more combinations, all are tried instead.
    weights : {'auto', 'rademacher', 'webb'}
        Signs (Rademacher), or Webb's six points, which 'auto' takes below 8 clusters.
    level : float
        Coverage of the interval.

    Returns
    -------
    WildBootstrap
        OLS: residuals restricted by the null hypothesis (WCR). Logit: scores at the restricted fit,
        and the model linear about it. Every statistic is studentised with its own clustered error.
        The interval inverts the test: it need not be symmetric about the estimate.

    Raises
    ------
    RatifyError
        Where the regression has no clusters, on an unreadable contrast, and too few resamples.

    Notes
    -----
    It needs several clusters on each side of what is compared: where two or three clusters alone
    have the treatment, it rejects too rarely. With Rademacher's signs and 5 clusters or fewer no p
    value can be below .05, and the interval has no ends.

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
        return "The interval has no end on one side or both: too few clusters to reject any value."
    return ""


def _draws(
    clusters: int, resamples: int, kind: str, rng: np.random.Generator
) -> tuple[FloatArray, bool]:
    """Return a row of cluster weights for each draw, and whether these are all there are."""
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
        raise np.linalg.LinAlgError("terms that nearly determine each other")
    inverse = np.linalg.inv(upper)
    return np.asarray(inverse @ inverse.T, dtype=np.float64)


def _products(X: FloatArray, groups: IntArray, clusters: int, vectors: FloatArray) -> FloatArray:
    """Return X_g' X_g v for each cluster g: shape (n_clusters, n_terms)."""
    return _sums(groups, clusters, X * (X @ vectors)[:, None])


def _ols_test(
    regression: Regression, contrast: FloatArray, draws: FloatArray
) -> Callable[[float], float]:
    """Return a function: how many draws stray at least as far as the statistic at a null value.

    Everything is linear in the distance between estimate and null value, so that a draw is made
    once and read at every value.
    """
    model = regression.result.model
    X, y = np.asarray(model.exog, dtype=float), np.asarray(model.endog, dtype=float)
    groups, clusters = np.asarray(regression.groups), draws.shape[1]
    beta: FloatArray = np.asarray(regression.params, dtype=np.float64)
    bread = _bread(X)
    toward = bread @ contrast
    shift = toward / float(contrast @ toward)
    # scores of each cluster: free residuals, and what a unit of distance adds to them
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
    with_none = np.vstack([draws, np.ones(clusters)])  # the last row turns nothing around

    def exceeding(value: float) -> float:
        chance = expit(X @ _restricted_logit(X, y, beta, contrast, value))
        root = X * np.sqrt(chance * (1 - chance))[:, None]
        try:
            bread = _bread(root)
        except np.linalg.LinAlgError:
            # so far out that every chance is 0 or 1: nothing is known there, nothing rejected
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
    """Return how many studentised statistics are at least as far from 0 as ours.

    Compared as top^2 / spread, multiplied out: a draw without spread strays infinitely far.
    """
    return float(np.count_nonzero(top**2 * own_spread >= own_top**2 * spread * _TIE))


def _restricted_logit(
    X: FloatArray, y: FloatArray, beta: FloatArray, contrast: FloatArray, value: float
) -> FloatArray:
    """Return the logit's coefficients where the contrast is held at a value, by Newton's method."""
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
        step: Any = np.linalg.lstsq(curve, slope, rcond=None)[0]
        while (then := loss(at + step)) > now + 1e-12 * abs(now) and np.abs(step).max() > 1e-12:
            step = step / 2
        at, now = at + step, then
        if at.size == 0 or np.abs(step).max() < 1e-10:
            break
    return fixed + free @ at


def _end(p_value: Callable[[float], float], estimate: float, step: float, alpha: float) -> float:
    """Return where, going from the estimate in steps, the test begins to reject; NaN if nowhere."""
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
