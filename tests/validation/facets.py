"""Checks intervals of facets on 30 to 50 items that a few people rated on five points.

Items have a true value, people a severity and an error of their own, all normal; answers are whole
points. The truth of a component or a coefficient is its value on so many items and people that it
hardly changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.facets.generalizability import Generalizability, generalizability
from analysis.facets.grid import Grid
from analysis.facets.independence import Shared, shared_errors
from analysis.facets.many_facet import Annotator, many_facet
from tests.validation.check import Check

Array = NDArray[np.float64]
MIDDLE, ERROR = 3.0, 0.8


def ratings(
    rng: np.random.Generator, items: int, people: int, severity: float, absent: float = 0.0
) -> Array:
    """Return ratings on five points, items by people; a share of them is missing."""
    seen = (
        MIDDLE
        + rng.normal(0, 1, (items, 1))
        + rng.normal(0, severity, (1, people))
        + rng.normal(0, ERROR, (items, people))
    )
    values = np.clip(np.round(seen), 1, 5)
    values[rng.random(values.shape) < absent] = np.nan
    return values


def grid(values: Array) -> Grid:
    """Return ratings as a grid, without items and people that have none."""
    there = ~np.isnan(values)
    values = values[there.any(axis=1)][:, there.any(axis=0)]
    item, rater = np.nonzero(~np.isnan(values))
    return Grid(
        items=tuple(map(str, range(values.shape[0]))),
        raters=tuple(map(str, range(values.shape[1]))),
        item=item,
        rater=rater,
        value=values[item, rater],
    )


@cache
def truth(severity: float) -> Generalizability:
    """Return the components of a large table of the same kind."""
    return generalizability(grid(ratings(np.random.default_rng(1), 4000, 500, severity)))


def held(low: float, high: float, true: float) -> list[bool]:
    """Return whether an interval holds the truth, or an empty list if there is no interval."""
    return [] if np.isnan(low) else [bool(low <= true <= high)]


Measure = Callable[[Generalizability], tuple[float, float, float]]
MEASURES: dict[str, Measure] = {
    "relative reliability of a mean of 3": lambda one: one.relative(3),
    "absolute reliability of a mean of 3": lambda one: one.absolute(3),
    "variance due to items": lambda one: (one.item, *one.item_ends),
    "variance due to raters": lambda one: (one.rater, *one.rater_ends),
    "residual variance": lambda one: (one.residual, *one.residual_ends),
}


def _generalizability(measure: Measure, *design: float) -> Callable[..., Iterable[bool]]:
    items, people, severity, absent = design

    def once(rng: np.random.Generator) -> Iterable[bool]:
        found = generalizability(grid(ratings(rng, int(items), int(people), severity, absent)))
        _, low, high = measure(found)
        return held(low, high, measure(truth(severity))[0])

    return once


def judged(
    rng: np.random.Generator, items: int, judges: int, shared: float, people: int = 3
) -> tuple[Array, Array]:
    """Return ratings by judges who share a part of their error variance, and by people."""
    truth = MIDDLE + rng.normal(0, 1, (items, 1))
    common = np.sqrt(shared) * rng.normal(0, 1, (items, 1))
    errors = ERROR * (common + np.sqrt(1 - shared) * rng.normal(0, 1, (items, judges)))
    seen = truth + rng.normal(0, 0.3, (1, people)) + rng.normal(0, ERROR, (items, people))
    return np.clip(np.round(truth + errors), 1, 5), np.clip(np.round(seen), 1, 5)


def _independent(rng: np.random.Generator, items: int, judges: int, shared: float) -> Shared:
    own, people = judged(rng, items, judges, shared)
    names = [str(n) for n in range(judges)]
    return shared_errors({"a": own}, {"a": people}, judges=names)[0]


@cache
def independent_truth(judges: int, shared: float) -> Shared:
    """Return what a large table of the same kind shows; people's severity cancels."""
    return _independent(np.random.default_rng(2), 100_000, judges, shared)


NUMBERS = {
    "effective": "number of independent judges",
    "correlation": "mean correlation of errors",
    "panel": "judges' mean in people",
}


def _shared(name: str, judges: int, shared: float) -> Callable[..., Iterable[bool]]:
    def once(rng: np.random.Generator) -> Iterable[bool]:
        _, low, high = getattr(_independent(rng, 50, judges, shared), name)
        return held(low, high, getattr(independent_truth(judges, shared), name)[0])

    return once


# five people of the rating-scale model, and two judges: one like people, one who follows items less
SEVERITY = np.array([0.6, 0.3, 0.0, -0.3, -0.6])
JUDGES = {"same": (0.5, 1.0), "loose": (-0.3, 0.5)}
SPREAD = 1.5
STEPS = np.array([0.0, -1.5, -2.0, -1.5, 0.0])


def by_model(rng: np.random.Generator, items: int, people: int) -> tuple[pd.DataFrame, list[str]]:
    """Return a tidy table of ratings by the model, of some people and both judges."""
    item = SPREAD * rng.normal(size=items)
    severity = np.append(SEVERITY if people == 5 else SEVERITY[[0, 2, 4]], [0.5, -0.3])
    slope = np.append(np.ones(people), [1.0, 0.5])
    k = np.arange(5)
    score = slope[:, None] * (k * (item[:, None, None] - severity[:, None]) - STEPS)
    chance = np.exp(score - score.max(axis=2, keepdims=True))
    chance /= chance.sum(axis=2, keepdims=True)
    values = (rng.random((items, severity.size, 1)) > chance.cumsum(axis=2)).sum(axis=2) + 1.0
    names = [f"p{n}" for n in range(people)]
    raters = [*names, *JUDGES]
    table = pd.DataFrame(
        {
            "item_id": np.tile([f"i{n}" for n in range(items)], len(raters)),
            "rater_id": np.repeat(raters, items),
            "value": values.T.ravel(),
        }
    )
    return table, names


@cache
def fair_correlation() -> float:
    """Return the true correlation of the judge like people with items' fair scores."""
    rng = np.random.default_rng(3)
    item, k = SPREAD * rng.normal(size=400_000), np.arange(5)

    def chances(severity: float) -> Array:
        score = k * (item[:, None] - severity) - STEPS
        chance = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(chance / chance.sum(axis=1, keepdims=True))

    own = (rng.random((item.size, 1)) > chances(JUDGES["same"][0]).cumsum(axis=1)).sum(axis=1)
    return float(np.corrcoef(own, chances(0.0) @ k)[0, 1])


Placed = Callable[[Annotator], tuple[tuple[float, float, float], float]]
# whose number it is, which number, and its truth
PLACES: dict[str, tuple[str, Placed]] = {
    "a person's severity": ("p0", lambda one: (one.severity, 0.6)),
    "a judge's severity": ("same", lambda one: (one.severity, JUDGES["same"][0])),
    "a judge's discrimination": ("same", lambda one: (one.discrimination, JUDGES["same"][1])),
    "discrimination of an inconsistent judge": (
        "loose",
        lambda one: (one.discrimination, JUDGES["loose"][1]),
    ),
    "correlation with fair scores, corrected": (
        "same",
        lambda one: (one.corrected, fair_correlation()),
    ),
}


def _many_facet(whose: str, place: Placed, people: int) -> Callable[..., Iterable[bool]]:
    def once(rng: np.random.Generator) -> Iterable[bool]:
        table, names = by_model(rng, 50, people)
        found = many_facet(table, humans=names, judges=[whose] * (whose in JUDGES))
        [one] = [one for one in found.annotators if one.name == whose]
        (_, low, high), true = place(one)
        return held(low, high, true)

    return once


def checks() -> list[Check]:
    """Return the checks of this area."""
    found = []
    for items, people, severity, absent, which in (
        (50, 3, 0.3, 0.0, tuple(MEASURES)),
        (30, 5, 0.5, 0.0, tuple(MEASURES)[:2]),
        (50, 10, 0.3, 0.5, tuple(MEASURES)[:2]),
    ):
        gone = f", {absent:.0%} of the ratings missing" if absent else ""
        found += [
            Check(
                area="facets",
                function="analysis.facets.generalizability.generalizability",
                what=name,
                design=f"{items} items, {people} people, severity sd {severity:g}, 5 points{gone}",
                kind="coverage",
                promised=0.95,
                once=_generalizability(MEASURES[name], items, people, severity, absent),
                runs=1000,
            )
            for name in which
        ]
    found += [
        Check(
            area="facets",
            function="analysis.facets.independence.shared_errors",
            what=what,
            design=f"50 items, {judges} judges, {shared:.0%} of their errors shared, 3 people",
            kind="coverage",
            promised=0.95,
            once=_shared(name, judges, shared),
            runs=1000,
            note="a ratio of two variances that share their items; wider than it has to be"
            if name == "panel"
            else "",
        )
        for judges, shared in ((3, 0.5), (5, 0.2))
        for name, what in NUMBERS.items()
    ]
    found += [
        Check(
            area="facets",
            function="analysis.facets.many_facet.many_facet",
            what=what,
            design=f"50 items, {people} people, 2 judges, the rating-scale model with 5 points",
            kind="coverage",
            promised=0.95,
            once=_many_facet(whose, place, people),
            runs=500,
        )
        for people in (3, 5)
        for what, (whose, place) in PLACES.items()
    ]
    return found
