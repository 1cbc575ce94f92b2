"""Checks intervals of agreement where most ratings are alike, and a judge who is one more person.

50 items have a normal score. Raters see it with noise and answer on five points, so that 80% or 90%
of the ratings are the lowest. The truth of a coefficient is its value on very many items. A judge
whose ratings come about as people's do agrees with them exactly as they do with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.agreement.crowd import crowd
from analysis.agreement.crowd_alpha import alpha_of, counts_of, icc1_copies
from analysis.agreement.drawn_pairs import PairDraws
from analysis.agreement.intervals import coefficient_intervals
from analysis.agreement.item_draws import imagined, item_weights
from analysis.agreement.left_out import leave_one_out
from analysis.agreement.panel import Panel
from analysis.agreement.sample import ABOVE, SHORT, Sample, difference, mean_of, readings
from analysis.agreement.weighted import COEFFICIENTS, cells_of, weighted_coefficients
from tests.validation.agreement import answers, held
from tests.validation.check import Check

Array = NDArray[np.float64]
Once = Callable[[np.random.Generator], Iterable[bool]]
ITEMS, PEOPLE, SCALE = 50, 3, (1.0, 5.0)
# how often each of the five values is given
SHARES = {80: (0.8, 0.1, 0.05, 0.03, 0.02), 90: (0.9, 0.05, 0.025, 0.015, 0.01)}
SHARED = 0.7  # part of the variance of a rater's impression that is the item's
DIMENSIONS = 9


def alike(rng: np.random.Generator, share: int, raters: int, items: int = ITEMS) -> Array:
    """Return ratings of which this percentage is the lowest, shape (items, raters)."""
    score = rng.normal(0, np.sqrt(SHARED), (items, 1))
    seen = score + rng.normal(0, np.sqrt(1 - SHARED), (items, raters))
    return 1.0 + np.searchsorted(stats.norm.ppf(np.cumsum(SHARES[share])[:-1]), seen)


def spread(rng: np.random.Generator, raters: int, items: int = ITEMS) -> Array:
    """Return ratings over the whole scale, shape (items, raters)."""
    truth = rng.normal(3.0, 1.0, (items, 1))
    return answers(rng, np.tile(truth, raters), 0.7, 5)


@cache
def true_coefficients(share: int) -> dict[str, float]:
    """Return the coefficients of two raters on very many items."""
    a, b = alike(np.random.default_rng(share), share, 2, 400_000).T
    cells = cells_of(a, b)
    found = weighted_coefficients(cells, cells.counts[None], SCALE)
    return {name: float(values[0]) for name, values in found.items()}


@cache
def true_of_crowd(what: str, share: int) -> float:
    """Return a number of three people and a judge on very many items."""
    values = alike(np.random.default_rng(share), share, PEOPLE, 200_000)
    if what == "difference":
        return 0.0
    if what == "icc1":
        counts, grid = counts_of(values)
        return float(icc1_copies(counts, grid, np.ones((1, len(counts))))[0])
    if what in ("alpha_ordinal", "alpha_interval"):
        return alpha_of(values, "ordinal" if what == "alpha_ordinal" else "interval")
    x, rest = values[:, 0], values[:, 1:].mean(axis=1)
    total = x.var() + rest.var() + (x.mean() - rest.mean()) ** 2
    return float(2 * np.cov(x, rest, ddof=0)[0, 1] / total)


def coefficient_held(share: int, name: str) -> Once:
    """Return the trial of one coefficient's interval."""

    def once(rng: np.random.Generator) -> list[bool]:
        found = coefficient_intervals(*alike(rng, share, 2).T, scale=SCALE)
        [one] = [each for each in found if each.coefficient == name]
        return held((one.low, one.high), true_coefficients(share)[name])

    return once


def crowd_held(what: str, share: int) -> Once:
    """Return the trial of an interval of `crowd` with three people and a judge."""

    def once(rng: np.random.Generator) -> list[bool]:
        values = alike(rng, share, PEOPLE + 1)
        table = Panel(
            dimensions=("a",),
            items=tuple(str(n) for n in range(ITEMS)),
            humans=("p", "q", "r"),
            judges=("m",),
            people={"a": values[:, :PEOPLE]},
            judged={"a": values[:, PEOPLE:]},
            scale=SCALE,
        )
        found = crowd(table)
        row = (found.judges if what in ("judge", "difference") else found.people)[1]
        return held(row[what].interval, true_of_crowd(what, share))

    return once


def compared(values: Array, dimensions: int = 1) -> list[dict[str, Sample]]:
    """Return people's agreement, the judge's and the difference, on each dimension.

    Parameters
    ----------
    values : array of shape (items, 4 * dimensions)
        Three people and the judge, dimension by dimension.
    dimensions : int
    """
    size = PEOPLE + 1
    pairs = [(d, a, b) for d in range(dimensions) for a, b in combinations(range(size), 2)]
    first, second = (values[:, [d * size + pair[at] for d, *pair in pairs]] for at in (0, 1))
    draws = PairDraws(
        item_weights([str(row.tobytes()) for row in values]),
        tuple(str(d) for d, *_ in pairs),
        {
            str(d): imagined(values[:, d * size : (d + 1) * size].ravel(), SCALE)
            for d in range(dimensions)
        },
        tuple(((f"r{a}",), (f"r{b}",)) for _, a, b in pairs),
    )
    left = leave_one_out(first, second, draws=draws)
    found = []
    for dimension in range(dimensions):
        here = [n for n, (d, *_) in enumerate(pairs) if d == dimension]
        people = mean_of([left.of_kappa(n, 0.95) for n in here if pairs[n][2] < PEOPLE])
        judge = mean_of([left.of_kappa(n, 0.95) for n in here if pairs[n][2] == PEOPLE])
        found.append({"people": people, "judge": judge, "difference": difference(judge, people)})
    return found


def yardstick_held(what: str, share: int) -> Once:
    """Return the trial of an interval of the yardstick."""

    def once(rng: np.random.Generator) -> list[bool]:
        [found] = compared(alike(rng, share, PEOPLE + 1))
        truth = 0.0 if what == "difference" else true_coefficients(share)["kappa_quadratic"]
        return held(found[what].interval, truth)

    return once


def said_to_be(reading: str, share: int) -> Once:
    """Return the trial of what is said of a judge who is one more person, on one dimension."""

    def once(rng: np.random.Generator) -> list[bool]:
        values = alike(rng, share, PEOPLE + 1) if share else spread(rng, PEOPLE + 1)
        [found] = compared(values)
        [(_, said)] = readings([found["difference"]])
        return [said == reading] if said else []

    return once


def said_somewhere(share: int) -> Once:
    """Return the trial of whether anything is said of such a judge on nine dimensions."""

    def once(rng: np.random.Generator) -> list[bool]:
        size = PEOPLE + 1
        parts = [alike(rng, share, size) if share else spread(rng, size) for _ in range(DIMENSIONS)]
        found = compared(np.hstack(parts), DIMENSIONS)
        said = [one for _, one in readings([each["difference"] for each in found])]
        return [ABOVE in said or SHORT in said]

    return once


def _check(function: str, what: str, design: str, once: Once, runs: int, **size: float) -> Check:
    return Check(
        area="agreement",
        function=f"analysis.agreement.{function}",
        what=what,
        design=design,
        kind="size" if size else "coverage",
        promised=size.get("size", 0.95),
        once=once,
        runs=runs,
    )


def checks() -> list[Check]:
    """Return the checks of ratings that are alike, and of a judge who is one more person."""
    found = []
    for share in SHARES:
        of = f"50 items, 5 points, {share}% of ratings the lowest"
        coefficient = "intervals.coefficient_intervals"
        found += [
            _check(coefficient, name, f"{of}, two raters", coefficient_held(share, name), 500)
            for name in COEFFICIENTS
        ]
        found += [
            _check("crowd.crowd", what, f"{of}, three raters", crowd_held(what, share), 500)
            for what in (
                *("alpha_ordinal", "alpha_interval", "icc1"),
                *("person", "judge", "difference"),
            )
        ]
        found += [
            _check(
                "yardstick.yardstick", what, f"{of}, three raters", yardstick_held(what, share), 500
            )
            for what in ("people", "judge", "difference")
        ]
    for share in (0, 80):
        skew = f"{share}% of ratings the lowest" if share else "ratings over the whole scale"
        of = f"50 items, 5 points, {skew}, three people and a judge who is one more person"
        found += [
            _check(
                "sample.readings",
                f"said to be: {one}",
                of,
                said_to_be(one, share),
                1000,
                size=0.025,
            )
            for one in (SHORT, ABOVE)
        ]
        anywhere = "said to differ on any of nine dimensions, Holm"
        found.append(
            _check("sample.readings", anywhere, of, said_somewhere(share), 1000, size=0.05)
        )
    return found
