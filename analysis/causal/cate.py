"""Effects that differ between units: the DR-learner, what goes with them, and whether they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import f as fisher
from scipy.stats import t as student

from analysis.arrays import FloatArray, sum_by
from analysis.causal.arms import Arms
from analysis.causal.average import scores
from analysis.causal.clustered import user_sums
from analysis.causal.nuisances import Predictions
from prereg.errors import RatifyError

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
AVERAGE = "(average)"
Population = Literal["overlap", "all"]


@dataclass(frozen=True)
class Effects:
    """The effect that a learner predicts for each unit, by models that did not see its user.

    Attributes
    ----------
    learner : str
    effect : array of shape (n,)
        In points, for the units of both arms.
    clipped : int
        Units whose chance was moved away from 0 or 1.
    """

    learner: str
    effect: FloatArray = field(repr=False)
    clipped: int = 0

    def line(self) -> dict[str, Any]:
        """Return the distribution as cells of a table; `sd` is of predictions, not of effects."""
        cuts = np.quantile(self.effect, QUANTILES)
        return {
            "learner": self.learner,
            "n": len(self.effect),
            "mean": float(self.effect.mean()),
            "sd": float(self.effect.std(ddof=1)),
            **{f"p{100 * at:.0f}": float(cut) for at, cut in zip(QUANTILES, cuts, strict=True)},
            "share_positive": float((self.effect > 0).mean()),
            "clipped": self.clipped,
            "unit": "points",
        }


@dataclass(frozen=True)
class Heterogeneity:
    """Whether units with a larger predicted effect have a larger effect.

    Attributes
    ----------
    slope, se, low, high, df : float
        Points of effect per point of predicted effect: about 1 where predictions hold, 0 where
        they say nothing. NaN where all predictions are alike.
    p_value : float
        One-sided, of the hypothesis that the predictions say nothing.
    level : float
    """

    slope: float
    se: float
    low: float
    high: float
    df: float
    p_value: float
    level: float


@dataclass(frozen=True)
class Projection:
    """The best linear projection of the effects on named covariates.

    Attributes
    ----------
    table : DataFrame
        `term, estimate, se, df, low, high, p`: points of effect per unit of each covariate.
        '(average)' is the effect at the covariates' means.
    p_value : float
        Joint, of the hypothesis that no named covariate goes with the effect.
    population : {'overlap', 'all'}
    level : float
    """

    table: pd.DataFrame
    p_value: float
    population: str
    level: float


def dr_learner(arms: Arms, expected: Predictions) -> Effects:
    """Return the effects that a DR-learner predicts (Kennedy 2023).

    The units' own scores are regressed on the covariates by cross-fitted ridge.
    """
    found = arms.everyone.fit(scores(arms, expected)).predict(arms.design)
    return Effects("DR-learner", found, int(expected.clipped.sum()))


def heterogeneity(
    arms: Arms, expected: Predictions, effects: Effects, *, level: float = 0.95
) -> Heterogeneity:
    """Return the test of whether predicted effects go with effects, in the overlap population.

    Notes
    -----
    The outcome less what is expected of it is regressed on the treatment less its chance, and on
    that times the predicted effect less its mean (Chernozhukov, Demirer, Duflo and Fernandez-Val
    2018, in the form with residuals). Each fold has a constant and a mean of its own: a fold whose
    effect is large by chance lowers the predictions for it, which come from the other folds.
    """
    design, taken = arms.design, arms.arm - expected.chance
    weight = taken**2
    within = [sum_by(design.fold, one, design.folds) for one in (weight * effects.effect, weight)]
    centred = effects.effect - (within[0] / within[1])[design.fold]
    if not float(centred.std()) > 1e-9 * float(np.ptp(arms.outcome)):
        empty = float("nan")
        return Heterogeneity(empty, empty, empty, empty, empty, empty, level)
    columns = np.column_stack([taken, taken * centred])
    left = arms.outcome - expected.outcome
    both = _within_folds(np.column_stack([columns, left]), arms)
    columns, left = both[:, :2], both[:, 2]
    inverse = np.linalg.inv(columns.T @ columns / len(arms))
    found = inverse @ (columns.T @ left) / len(arms)
    influence = (columns * (left - columns @ found)[:, None]) @ inverse[1]
    one = arms.estimate(float(found[1]), influence, np.arange(len(arms)), level=level)
    p_value = float(student.sf(one.value / one.se, one.df))
    return Heterogeneity(one.value, one.se, one.low, one.high, one.df, p_value, level)


def projection(
    arms: Arms,
    expected: Predictions,
    values: FloatArray,
    names: Sequence[str],
    *,
    population: Population = "overlap",
    level: float = 0.95,
) -> Projection:
    """Return the best linear projection of the effects on named covariates.

    Parameters
    ----------
    arms : Arms
    expected : Predictions
    values : array of shape (n, q)
        The covariates of the units of both arms, in their own units.
    names : sequence of str
        One per column.
    population : {'overlap', 'all'}
        Which units count: each by chance x (1 - chance), or all alike. Where chances are small,
        a few units decide the projection over all.
    level : float

    Raises
    ------
    RatifyError
        If a covariate does not vary or is determined by the others.

    Notes
    -----
    The units' own scores are regressed on the covariates (Semenova and Chernozhukov 2021), with
    errors clustered by user. The joint test is Wald's, with an F quantile that has the smallest
    degrees of freedom of its terms.
    """
    chance = expected.clipped_chance
    weight = chance * (1 - chance) if population == "overlap" else np.ones(len(arms))
    weight = weight / weight.mean()
    columns = np.column_stack([np.ones(len(arms)), values - np.average(values, 0, weight)])
    scale = np.maximum(columns.std(axis=0), np.finfo(float).tiny)
    scale[0] = 1.0
    if np.linalg.matrix_rank(columns / scale) < columns.shape[1]:
        raise RatifyError(
            "a named covariate does not vary, or the others determine it",
            column="covariates",
            value=", ".join(names),
            allowed="covariates that vary, none determined by the others",
        )
    inverse = np.linalg.inv((columns * weight[:, None]).T @ columns / len(arms))
    score = scores(arms, expected)
    found = inverse @ (columns.T @ (weight * score)) / len(arms)
    influence = (columns * (weight * (score - columns @ found))[:, None]) @ inverse
    every = np.arange(len(arms))
    terms = [
        arms.estimate(float(value), one, every, level=level)
        for value, one in zip(found, influence.T, strict=True)
    ]
    lines = [
        {
            "term": name,
            "estimate": one.value,
            "se": one.se,
            "df": one.df,
            "low": one.low,
            "high": one.high,
            "p": float(2 * student.sf(abs(one.value / one.se), one.df)),
        }
        for name, one in zip((AVERAGE, *names), terms, strict=True)
    ]
    joint = _joint(arms, found[1:], influence[:, 1:], min(one.df for one in terms[1:]))
    return Projection(pd.DataFrame(lines), joint, population, level)


def _joint(arms: Arms, slopes: FloatArray, influence: FloatArray, df: float) -> float:
    """Return the p value of Wald's test that all slopes are 0."""
    sums = np.column_stack([user_sums(one, arms.user) for one in influence.T])
    covariance = (1 - 1 / len(sums)) * (sums.T @ sums) / len(arms) ** 2
    statistic = float(slopes @ np.linalg.solve(covariance, slopes)) / len(slopes)
    return float(fisher.sf(statistic, len(slopes), df))


def _within_folds(values: FloatArray, arms: Arms) -> FloatArray:
    """Return columns less their mean within each fold."""
    fold, folds = arms.design.fold, arms.design.folds
    sizes = np.bincount(fold, minlength=folds)
    means = [sum_by(fold, column, folds) / sizes for column in values.T]
    return values - np.column_stack(means)[fold]
