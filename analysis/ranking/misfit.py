"""Finds raters who disagree with everyone: compares their choices with a ranking without them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.arrays import BoolArray, FloatArray, IntArray, sum_by
from analysis.inference.families import CORRECTIONS, SHOWN, adjust
from analysis.ranking.bradley_terry import bradley_terry
from analysis.ranking.consistency import Choices, surprise
from analysis.ranking.draws import Group, connected
from analysis.tables import columns

_STEPS = 60


@dataclass(frozen=True, kw_only=True)
class RaterMisfit:
    """How each rater's choices fit the ranking by all others.

    Attributes
    ----------
    frame : DataFrame
        One row per rater, worst first: `rater_id`; `n` (judgments); `agreement` (share that went
        to the item the others rank higher), `expected` (the share expected of a typical rater);
        `residual` (standardised for a typical rater; below 0 is less agreement than expected); `p`
        (one-sided, for an honest rater, who may be more or less consistent than a typical one);
        `p_adjusted`; `flagged`; `note`.
    alpha : float
    correction : str
    slope : float
        How well log-odds fitted on the others predict a rater's choices: 1 is fully; below 1
        if scores are noisy or raters' tastes differ. Expectations use it.
    spread : float
        Standard deviation of raters' consistency (each one's own slope) divided by its mean; NaN
        without data.
    n_judgments, n_raters, n_flagged : int
    method, unit : str
    """

    frame: pd.DataFrame = field(repr=False)
    alpha: float
    correction: str
    slope: float
    spread: float
    n_judgments: int
    n_raters: int
    n_flagged: int
    method: str
    unit: str = "standard deviations"

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


def rater_misfit(
    judgments: pd.DataFrame,
    *,
    rater: str = "rater_id",
    ridge: float = 0.02,
    by: str | None = "scenario",
    alpha: float = 0.05,
    correction: str = "holm",
) -> RaterMisfit:
    """Test whether each rater agrees less with the others than the others agree among themselves.

    Parameters
    ----------
    judgments : DataFrame
        As for `bradley_terry`, with the column `rater`.
    rater : str
    ridge, by
        As in `bradley_terry`.
    alpha : float
        With 'holm' or 'bonferroni', the probability that any honest rater is flagged;
        with the other corrections, the expected share of such raters among the flagged; with
        'none', the share of such raters that is flagged.
    correction : {'none', 'bonferroni', 'holm', 'benjamini_hochberg', 'benjamini_yekutieli'}
        Over all raters.

    Returns
    -------
    RaterMisfit

    Raises
    ------
    RatifyError
        As `bradley_terry`, and on bad settings.

    Notes
    -----
    The log-odds of a rater's judgments come from scores without that rater (one Newton step from
    the full fit). They are multiplied by the rater's consistency, because scores from few judgments
    are spread too far, and because honest raters are not equally consistent. The statistic is the
    sum of log-odds x (choice - expectation): a wrong choice in a clear pair counts more than one in
    a close pair. Its lower tail is averaged over the consistencies of honest raters, whose
    distribution is estimated from all other raters (see `analysis.ranking.consistency.surprise`):
    it asks whether the choices are too bad for an inconsistent but honest rater.

    In simulations of honest raters whose log consistency has sd .5, p was at most .05 for .046 to
    .049 of them, and Holm at .05 flagged somebody in .062 of studies of 50 raters x 30, .050 of 150
    x 10 and .036 of 150 x 30. A test against one common consistency flagged somebody in .44, .11
    and .69. If all raters are equally consistent, the test allows for inconsistency that is not
    there: .040 to .044 of raters and .014 to .028 of studies (.038 if tastes differ). If many
    raters are nearly careless (consistency gamma with shape 4, 50 raters), .09 of studies.

    So few judgments say little about one rater. With Holm, a rater who always chooses the wrong
    side was found in .93 of studies of 50 raters x 30 of unequal consistency (.98 if the others are
    alike) and in .26 to .32 of 150 x 10. A rater who tosses a coin is hard to tell from an honest
    but inconsistent one: .14 with 30 judgments (.25 if the others are alike), .24 with 60, .39 with
    100 and .04 with 10, though without correction p was at most .05 in .62, .91, .96 and .49. Many
    careless raters lower the slope, and so the expectation for everyone: fewer raters are then
    flagged, not more.

    References
    ----------
    Lugannani, R. and Rice, S. (1980). Advances in Applied Probability 12, 475-490.
    Barndorff-Nielsen, O. E. (1991). Biometrika 78, 557-563 (r*).
    """
    columns.proportion("alpha", alpha)
    columns.one_of("correction", correction, list(CORRECTIONS))
    columns.require_columns(judgments, rater)
    ranking = bradley_terry(judgments, cluster=rater, ridge=ridge, by=by, errors=False)
    groups, n_raters = connected(judgments, ranking, cluster=rater, ridge=ridge, by=by)
    odds = np.full(len(judgments), np.nan)
    for group in groups:
        odds[group.judgment] = without_own(group)
    left_won = columns.left_chosen(judgments)
    codes, names = pd.factorize(judgments[rater])
    slope = _slope(odds, left_won)
    counted = np.isfinite(odds)
    fits, spread = _by_rater(codes[counted], odds[counted], left_won[counted], slope, n_raters)
    frame = pd.DataFrame({"rater_id": names, "n": np.bincount(codes, minlength=n_raters), **fits})
    frame["note"] = _notes(frame, slope)
    frame = _adjusted(frame, correction, alpha)
    frame = frame.sort_values(["p", "residual", "rater_id"], ignore_index=True)
    return RaterMisfit(
        frame=frame,
        alpha=alpha,
        correction=correction,
        slope=slope,
        spread=spread,
        n_judgments=len(judgments),
        n_raters=n_raters,
        n_flagged=int(frame["flagged"].sum()),
        method=f"choices against Bradley-Terry without the rater (ridge {ridge:g}, slope "
        f"{slope:.2f}, raters' own consistency varies by {spread:.0%}), saddle point, one-sided; "
        f"{SHOWN[correction]} over raters",
    )


def without_own(group: Group) -> FloatArray:
    """Return the log-odds of every judgment from scores without its cluster, one Newton step.

    NaN where nobody else judged one of the items. If very few others did, the step may be far too
    long: results are clipped to the largest log-odds of the full fit.
    """
    odds = group.odds
    weight = expit(odds) * expit(-odds)
    excess = np.where(group.left_won, expit(-odds), -expit(odds))
    out = np.empty(len(odds))
    m = len(group.rows)
    for _, votes in group.batches():
        k = votes.shape[1]
        if k <= m:
            between = group.between(votes)
            left = np.eye(k) - weight[votes][:, :, None] * between
            # without a cluster that alone connects items, there are no scores
            own = np.linalg.solve(left + 1e-10 * np.eye(k), excess[votes][:, :, None])
            out[votes] = odds[votes] - (between @ own)[:, :, 0]
            continue
        for mine in votes:
            left = np.eye(m) - group.inverse @ group.curvature(mine, weight)
            step = np.linalg.solve(
                left + 1e-10 * np.eye(m), group.inverse @ group.pull(mine, excess[mine])
            )
            out[mine] = odds[mine] - (step[group.left[mine]] - step[group.right[mine]])
    largest = float(np.abs(odds).max())
    return np.where(_alone(group), np.nan, np.clip(out, -largest, largest))


def _alone(group: Group) -> BoolArray:
    """Return the judgments with an item that no other cluster judged."""
    m = len(group.rows)
    item = np.concatenate([group.left, group.right])
    cluster = np.concatenate([group.cluster, group.cluster])
    _, code, own = np.unique(cluster * m + item, return_inverse=True, return_counts=True)
    only = own[code] == np.bincount(item, minlength=m)[item]
    left, right = np.split(only, 2)
    return np.asarray(left | right)


def _slope(odds: FloatArray, left_won: np.ndarray) -> float:
    """Return the slope of choices on the log-odds by logistic regression; NaN without data."""
    known = np.isfinite(odds) & (odds != 0)
    x, y = odds[known], left_won[known].astype(float)
    agrees = x * (y - 0.5) > 0
    if not len(x) or agrees.all() or not agrees.any():
        # all choices agree with the scores (1) or none does (0): there is no finite slope
        return math.nan if not len(x) else float(agrees.all())
    slope = 0.0
    for _ in range(_STEPS):
        p = expit(slope * x)
        step = float(x @ (y - p)) / float((x * x) @ (p * (1 - p)))
        slope += float(np.clip(step, -1, 1))
        if abs(step) < 1e-10:
            break
    return slope


def _by_rater(
    codes: IntArray, odds: FloatArray, left_won: np.ndarray, slope: float, n_raters: int
) -> tuple[dict[str, FloatArray], float]:
    """Return the columns of the table, one entry per rater, and the spread of consistency."""

    def total(values: FloatArray) -> FloatArray:
        return sum_by(codes, values, n_raters)

    size = np.abs(odds)
    agrees = np.where(odds == 0, 0.5, (odds > 0) == left_won)
    expected = expit(slope * size)
    counts = total(np.ones(len(odds)))
    variance = total(size**2 * expected * (1 - expected))
    statistic = total(size * agrees)
    usable = variance > 0
    out = {name: np.full(n_raters, np.nan) for name in ("agreement", "expected", "residual", "p")}
    np.divide(total(agrees.astype(float)), counts, out=out["agreement"], where=counts > 0)
    np.divide(total(expected), counts, out=out["expected"], where=counts > 0)
    if not slope > 0:
        return out, math.nan
    above = statistic - total(size * expected)
    np.divide(above, np.sqrt(variance), out=out["residual"], where=usable)
    told = size > 0  # equal scores say nothing about who chose
    agreed = agrees[told] > 0.5
    found = surprise(Choices(codes[told], size[told], agreed, n_raters), slope)
    out["p"][usable] = found.p[usable]
    return out, found.spread


def _notes(frame: pd.DataFrame, slope: float) -> list[str]:
    if not slope > 0:
        return ["raters do not agree with each other, so there is no order to disagree with"] * len(
            frame
        )
    return [
        "no judgment can be compared with the others' ranking" if lost else ""
        for lost in frame["p"].isna()
    ]


def _adjusted(frame: pd.DataFrame, correction: str, alpha: float) -> pd.DataFrame:
    adjusted = adjust(frame["p"].to_numpy(dtype=np.float64), correction)
    flagged = np.isfinite(adjusted) & (adjusted <= alpha)
    frame = frame.assign(p_adjusted=adjusted, flagged=flagged)
    note = frame.pop("note")
    return frame.assign(note=note)
