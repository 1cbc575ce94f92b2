"""One person or judge in a many-facet model: severity, consistency, closeness to fair scores."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.facets.fair_draws import MOST, correlation_ends
from analysis.facets.grid import Grid
from analysis.facets.placed import placed
from analysis.facets.rating_scale import Fitted, Ratings, Scale
from analysis.inference.resampling import jackknife_interval

FEWEST_RATINGS = 10
_FAR_OUT = "its severity is more than 10 logits from people's mean, or has no maximum"
Estimate = tuple[float, float, float]
NONE: Estimate = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, kw_only=True)
class Annotator:
    """One person or judge in the model.

    Attributes
    ----------
    name, kind : str
        The kind is `human` or `judge`.
    n : int
        Ratings used.
    severity : tuple of float
        In logits, with its interval; the mean of people is 0. Above 0: gives lower ratings.
    points : float
        By how much its expected rating is below that of an annotator of severity 0, on average
        over the items, in points.
    infit, outfit : float
        Mean squares of what the model leaves; 1 is expected, more is erratic, less is more
        predictable than the model. The outfit weighs every rating alike.
    discrimination : tuple of float
        How strongly a judge's ratings follow the items as people see them: 1 is as people's do,
        0 not at all. NaN for people, whose discriminations the model takes as 1.
    correlation, corrected : tuple of float
        Of a judge's ratings with items' fair scores, and the same without the fair scores' own
        error; NaN for people.
    unplaced, uncorrelated : str
        Why there is no severity, and no correlation; empty if there is one.
    """

    name: str
    kind: str
    n: int
    severity: Estimate = NONE
    points: float = math.nan
    infit: float = math.nan
    outfit: float = math.nan
    discrimination: Estimate = NONE
    correlation: Estimate = NONE
    corrected: Estimate = NONE
    unplaced: str = ""
    uncorrelated: str = ""


@dataclass(frozen=True, kw_only=True)
class Fair:
    """Fair scores of items: the expected rating by an annotator of severity 0, in points.

    Attributes
    ----------
    fair, low, high : array of shape (items,)
        With the interval of the item, given its ratings.
    error : array of shape (items,)
        The variance of each fair score, given the ratings of its item.
    logits : array of shape (items,)
        The items in logits.
    reliability : float
        Share of the variance of the fair scores that is not error.
    expected : array of shape (nodes,)
        The fair score at each node.
    """

    fair: FloatArray = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    error: FloatArray = field(repr=False)
    logits: FloatArray = field(repr=False)
    reliability: float
    expected: FloatArray = field(repr=False)

    @classmethod
    def of(cls, fitted: Fitted, steps: FloatArray, level: float) -> Fair:
        """Return the fair scores by people's ratings; `steps` are the points of the categories."""
        posterior, at = fitted.posterior, fitted.scale.items
        expected = np.exp(fitted.scale.log_probabilities(np.zeros(1))[0]) @ steps
        fair = posterior @ expected
        error = posterior @ expected**2 - fair**2
        beyond = posterior.cumsum(axis=1)
        ends = []
        for share in ((1 - level) / 2, (1 + level) / 2):
            reached: BoolArray = beyond >= share
            ends.append(expected[reached.argmax(axis=1)])
        between = float(fair.var())
        return cls(
            fair=fair,
            low=ends[0],
            high=ends[1],
            error=error,
            logits=posterior @ at,
            reliability=between / (between + float(error.mean())),
            expected=expected,
        )


def person(
    data: Ratings, fitted: Fitted, at: int, name: str, steps: FloatArray, normal: float
) -> Annotator:
    """Return one of the people who define the scale."""
    rows = data.rater == at
    item, category = data.item[rows], data.category[rows]
    severity = float(fitted.scale.severity[at])
    half = normal * math.sqrt(float(fitted.covariance[at, at]))
    infit, outfit = mean_squares(fitted.scale, severity, category, fitted.posterior[item], steps)
    return Annotator(
        name=name,
        kind="human",
        n=int(rows.sum()),
        severity=(severity, severity - half, severity + half),
        points=points_below(fitted, severity, steps),
        infit=infit,
        outfit=outfit,
    )


def judge(
    grid: Grid,
    items: tuple[str, ...],
    name: str,
    fitted: Fitted,
    place: Fair,
    steps: FloatArray,
    *,
    normal: float,
    level: float,
) -> tuple[Annotator, str]:
    """Return a judge on people's scale, and a note if it has no place there."""
    known = pd.Index(items).get_indexer(pd.Index([grid.items[n] for n in grid.item]))
    at = grid.raters.index(name) if name in grid.raters else -1
    rows = (grid.rater == at) & (known >= 0)
    if rows.sum() < FEWEST_RATINGS:
        why = f"it rated {int(rows.sum())} of people's items; {FEWEST_RATINGS} are needed"
        none = Annotator(name=name, kind="judge", n=int(rows.sum()), unplaced=why, uncorrelated=why)
        return none, f"{name} rated fewer than {FEWEST_RATINGS} of people's items"
    item, value = known[rows], grid.value[rows]
    correlation, corrected = correlated(value, place, item, steps, level)
    why = _no_place(value, steps)
    flat = "it gave every item the same rating" if np.ptp(value) == 0 else ""
    if math.isnan(correlation[0]) and not flat:
        flat = "the fair scores of the items that it rated are all the same"
    if why:
        return Annotator(
            name=name,
            kind="judge",
            n=item.size,
            correlation=correlation,
            corrected=corrected,
            unplaced=why,
            uncorrelated=flat,
        ), f"{name} has no severity: {why}"
    category = np.abs(value[:, None] - steps).argmin(axis=1)

    def by_people(scale: Scale, posterior: FloatArray) -> FloatArray:
        return np.asarray(posterior[item])

    _, severity = placed(fitted, category, by_people, free=False, normal=normal)
    _, discrimination = placed(fitted, category, by_people, free=True, normal=normal)
    before = fitted.posterior[item]
    after = _after(fitted.scale, category, before, severity[0], 1.0)
    infit, outfit = mean_squares(fitted.scale, severity[0], category, after, steps)
    return Annotator(
        name=name,
        kind="judge",
        n=item.size,
        severity=severity,
        points=points_below(fitted, severity[0], steps),
        infit=infit,
        outfit=outfit,
        discrimination=discrimination,
        correlation=correlation,
        corrected=corrected,
        unplaced=_FAR_OUT if math.isnan(severity[0]) else "",
        uncorrelated=flat,
    ), ""


def _no_place(value: FloatArray, steps: FloatArray) -> str:
    """Return why a judge's ratings have no place among people's categories; empty if they do."""
    if not np.allclose(value, np.round(value)):
        return "its ratings are not whole steps"
    if (value <= steps[0]).all() or (value >= steps[-1]).all():
        return "it gave only ratings at one end of those that people used"
    return ""


def _after(
    scale: Scale, category: IntArray, before: FloatArray, severity: float, discrimination: float
) -> FloatArray:
    """Return how likely each item is at each node after the annotator's rating as well."""
    logs = scale.log_probabilities(np.array([severity]), discrimination)[0]
    likely = before * np.exp(logs[:, category]).T
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


def mean_squares(
    scale: Scale, severity: float, category: IntArray, posterior: FloatArray, steps: FloatArray
) -> tuple[float, float]:
    """Return infit and outfit, averaged over where each item may be.

    The items' distribution is that after all ratings, the annotator's own too: then both are 1 on
    average if the model holds (Wright and Masters 1982, with the items integrated out).
    """
    chance = np.exp(scale.log_probabilities(np.array([severity]))[0])
    expected = chance @ steps
    variance = np.maximum(chance @ steps**2 - expected**2, 1e-9)
    square = (steps[category][:, None] - expected) ** 2
    infit = (posterior * square).sum() / (posterior * variance).sum()
    return float(infit), float((posterior * square / variance).sum() / category.size)


def points_below(fitted: Fitted, severity: float, steps: FloatArray) -> float:
    """Return how far an annotator's expected ratings are below those of an average one."""
    chance = np.exp(fitted.scale.log_probabilities(np.array([0.0, severity])))
    average, own = fitted.posterior.mean(axis=0) @ (chance @ steps).T
    return float(average - own)


def correlated(
    value: FloatArray, place: Fair, item: IntArray, steps: FloatArray, level: float
) -> tuple[Estimate, Estimate]:
    """Return the correlation of ratings with fair scores, and the same without their error.

    Parameters
    ----------
    value : array of shape (ratings,)
        A judge's ratings.
    place : Fair
    item : array of int, shape (ratings,)
        Which item each of them is of.
    steps : array
        The points that people used.
    level : float

    Returns
    -------
    plain, corrected : tuple of float
        Each with its interval; NaN where ratings or fair scores do not vary. The correction divides
        by the root of the fair scores' reliability. Of more than `fair_draws.MOST` ratings the
        intervals are the bias-corrected jackknife's.
    """
    score = place.fair[item]
    x, y = value - value.mean(), score - score.mean()
    if np.ptp(value) == 0 or np.ptp(score) == 0:
        return NONE, NONE
    found = float((x @ y) / math.sqrt((x @ x) * (y @ y)))
    root = math.sqrt(place.reliability)
    if value.size > MOST:
        ends = _jackknifed(found, x, y, level)
        corrected = ends[0] / root, ends[1] / root
    else:
        ends, corrected = correlation_ends(value, score, place.error[item], steps, level=level)
    return _around(found, ends), _around(found / root, corrected)


def _around(value: float, ends: tuple[float, float]) -> Estimate:
    """Return an estimate with its interval, all within -1 and 1, the estimate inside."""
    value, low, high = (float(np.clip(one, -1.0, 1.0)) for one in (value, *ends))
    return value, min(low, value), max(high, value)


def _jackknifed(found: float, x: FloatArray, y: FloatArray, level: float) -> tuple[float, float]:
    """Return the jackknife interval of the correlation of two centred variables."""
    moved = x.size / (x.size - 1)
    sizes = (x @ x - moved * x * x) * (y @ y - moved * y * y)
    rest = ((x @ y) - moved * x * y) / np.sqrt(np.where(sizes > 0, sizes, np.nan))
    return jackknife_interval(found, rest, level=level, corrected=True, fisher=True)
