"""Expected outcome and chance of treatment given the confounders, cross-fitted by user.

Both are first fitted to the judge's scores of all units, on all confounders, and then recalibrated
on people's labels, weighted by their inverse inclusion probability, on at most ten components. An
orthogonal score only needs them roughly right, but the judge's own are not: they describe the
judge's arms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.causal.logit import chances
from analysis.causal.ridge import Design, Ridge

# The most components of the covariates that are used.
MOST = 10
# Ridge of a chance of treatment: as much as this many units would tell about one coefficient.
PRIOR_UNITS = 20.0
# Ridges of an expected outcome that generalised cross-validation chooses from, as a part of all
# units.
RIDGES = np.geomspace(1e-3, 10.0, 13)
# A chance of treatment stays this far from 0 and 1.
EDGE = 1e-3


@dataclass(frozen=True)
class Nuisances:
    """What the confounders alone say of each unit, out of its fold.

    Attributes
    ----------
    outcome : array of shape (n,)
        Expected outcome of a unit in either arm, m(X).
    treated : array of shape (n,)
        Chance of being treated of a unit in either arm, e(X).
    """

    outcome: FloatArray = field(repr=False)
    treated: FloatArray = field(repr=False)


def components(covariates: FloatArray, most: int = MOST) -> FloatArray:
    """Return uncorrelated components of the covariates with variance 1, the largest first.

    Parameters
    ----------
    covariates : array of shape (n, p)
        Brought to variance 1 first; a constant is left out.
    most : int
        The most components.

    Returns
    -------
    array of shape (n, q)
        q is at most `most`, p, and the rank.
    """
    centred = covariates - covariates.mean(axis=0)
    spread = centred.std(axis=0)
    centred = centred[:, spread > 1e-12] / spread[spread > 1e-12]
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = np.argsort(-values)[:most]
    kept = kept[values[kept] > 1e-9 * max(values.max(initial=0.0), 1e-300)]
    return np.asarray(centred @ vectors[:, kept] / np.sqrt(values[kept]))


def of_judge(
    covariates: FloatArray, arm: FloatArray, outcome: FloatArray, fold: IntArray
) -> Nuisances:
    """Return nuisances of scores that are known of all units, each unit's from other folds.

    Parameters
    ----------
    covariates : array of shape (n, p)
        All of them: where hundreds confound a little each, their largest components are not enough.
    arm : array of shape (n,)
        NaN for a unit in neither arm, which teaches nothing.
    outcome : array of shape (n,)
    fold : int array of shape (n,)
        Three folds or more.

    Raises
    ------
    RatifyError
        If an arm is empty outside a fold.
    """
    known = ~np.isnan(arm)
    ridge = Ridge(Design.of(covariates, fold), known.astype(np.float64))
    expected = ridge.undersmoothed(outcome).predict(ridge.design)
    chance = chances(ridge, np.where(known, arm, 0.0))
    return Nuisances(expected, np.clip(chance, EDGE, 1 - EDGE))


def fitted(
    x: FloatArray,
    arm: FloatArray,
    outcome: FloatArray,
    fold: IntArray,
    *,
    weights: FloatArray | None = None,
    start: Nuisances | None = None,
) -> Nuisances:
    """Return nuisances, each unit's from the units of other folds.

    Parameters
    ----------
    x : array of shape (n, q)
        Components.
    arm, outcome : array of shape (n,)
        Units with NaN teach nothing.
    fold : int array of shape (n,)
    weights : array of shape (n,), optional
        By default all the same.
    start : Nuisances, optional
        What is recalibrated: where the weighted units say nothing else, these remain. By default
        there is nothing to start from.
    """
    weights = np.ones(len(arm)) if weights is None else weights
    known = ~np.isnan(arm + outcome) & (weights > 0)
    treated, expected = np.empty(len(arm)), np.empty(len(arm))
    for one in np.unique(fold):
        here, others = fold == one, known & (fold != one)
        offset = None if start is None else logit(np.clip(start.treated, EDGE, 1 - EDGE))
        e = _chance(x, arm, weights, others, offset)
        # the outcome of a unit in either arm also follows its chance of treatment
        base = None if start is None else start.outcome
        m = _expected(np.column_stack([e, x]), outcome, weights, others, base)
        treated[here], expected[here] = e[here], m[here]
    return Nuisances(expected, treated)


def _chance(
    x: FloatArray, arm: FloatArray, weights: FloatArray, rows: BoolArray, offset: FloatArray | None
) -> FloatArray:
    """Return the chance of treatment of all units, by ridge logit on some rows."""
    design = np.column_stack([np.ones(len(x)), x])
    base = np.zeros(len(x)) if offset is None else offset
    w = _to_effective(weights[rows])
    penalty = np.full(design.shape[1], PRIOR_UNITS / 4)
    penalty[0] = 0.5  # keeps the level finite where an arm is empty
    a, d, o = design[rows], arm[rows], base[rows]
    level = logit(np.clip(np.average(d, weights=w), 0.01, 0.99)) - np.average(o, weights=w)
    coefficients = np.zeros(design.shape[1])
    centre = np.zeros(design.shape[1])
    coefficients[0] = centre[0] = level
    for _ in range(25):
        p = expit(o + a @ coefficients)
        slope = a.T @ (w * (d - p)) - penalty * (coefficients - centre)
        curve = (a * (w * p * (1 - p))[:, None]).T @ a + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(np.clip(expit(base + design @ coefficients), EDGE, 1 - EDGE))


def _expected(
    x: FloatArray,
    outcome: FloatArray,
    weights: FloatArray,
    rows: BoolArray,
    base: FloatArray | None,
) -> FloatArray:
    """Return the expected outcome of all units, by ridge with generalised cross-validation."""
    start = np.zeros(len(x)) if base is None else base
    w = _to_effective(weights[rows])
    a, y = x[rows], outcome[rows] - start[rows]
    centre, level = np.average(a, axis=0, weights=w), float(np.average(y, weights=w))
    scale = np.sqrt(np.average((a - centre) ** 2, axis=0, weights=w))
    scale[scale < 1e-9] = 1.0
    root = np.sqrt(w)[:, None]
    left, size, right = np.linalg.svd((a - centre) / scale * root, full_matrices=False)
    turned = left.T @ ((y - level) * root[:, 0])
    left_over = float((w * (y - level) ** 2).sum()) - float((turned**2).sum())
    total = float(w.sum())
    kept = size[:, None] ** 2 / (size[:, None] ** 2 + RIDGES * total)
    misfit = left_over + (((1 - kept) * turned[:, None]) ** 2).sum(axis=0)
    best = int(np.argmin(misfit / (1 - (1 + kept.sum(axis=0)) / total) ** 2))
    shrunk = kept[:, best] / np.maximum(size, 1e-12) * turned
    slopes = (right.T @ shrunk) / scale
    return np.asarray(start + level + (x - centre) @ slopes)


def _to_effective(weights: FloatArray) -> FloatArray:
    """Return weights that add up to the number of equally weighted units that tell as much."""
    return np.asarray(weights * weights.sum() / (weights**2).sum())
