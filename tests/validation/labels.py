"""Checks intervals and tests of agreement on labels: pass and fail, and several classes.

Every item has a true label. People and the judge give it with a known probability, and another
label otherwise, independently. The truth of a coefficient is its value on very many items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.alternative_annotator import alternative_annotator
from analysis.agreement.label_classes import PERSON, label_shares
from analysis.agreement.left_out import leave_one_out
from analysis.agreement.nominal import among_people, label_counts
from analysis.agreement.nominal_crowd import label_crowd
from analysis.agreement.panel import Panel
from analysis.agreement.yardstick import Sample, mean_of
from tests.validation.check import Check

Array = NDArray[np.float64]
MANY = 2_000_000  # so that the truth is known to 3% of the standard error of any row
RIGHT, RIGHT_JUDGE = 0.9, 0.85


@dataclass(frozen=True)
class Design:
    """What is simulated: shares of the true labels, items, people; a crowd labels a third each."""

    shares: tuple[float, ...]
    items: int
    people: int
    crowd: bool = False

    def __str__(self) -> str:
        """Return the design in words."""
        shares = " to ".join(f"{100 * share:.0f}" for share in self.shares)
        who = f"{self.people} people" + (", each of a third of the items" if self.crowd else "")
        return f"{self.items} items, {len(self.shares)} labels {shares}, {who} and a judge"


BALANCED, SKEWED, THREE = (0.5, 0.5), (0.8, 0.2), (0.7, 0.2, 0.1)
DESIGNS = [
    *(Design(s, n, r) for s in (BALANCED, SKEWED) for n in (50, 200) for r in (2, 3)),
    Design(THREE, 50, 3),
    Design(SKEWED, 100, 12, crowd=True),
]


def drawn(rng: np.random.Generator, design: Design, items: int = 0) -> Panel:
    """Return labels of people and of the judge."""
    n, k = items or design.items, len(design.shares)
    truth = rng.choice(k, size=n, p=design.shares)
    right = np.array([RIGHT] * design.people + [RIGHT_JUDGE])
    wrong = rng.random((n, len(right))) > right
    moved = (truth[:, None] + rng.integers(1, k, wrong.shape)) % k
    given = np.where(wrong, moved, truth[:, None]).astype(float)
    people = given[:, :-1]
    if design.crowd:
        people[rng.random(people.shape) > 1 / 3] = np.nan
    return Panel(
        dimensions=("d",),
        items=tuple(map(str, range(n))),
        humans=tuple(f"p{at}" for at in range(design.people)),
        judges=("judge",),
        people={"d": people},
        judged={"d": given[:, -1:]},
        scale=(0.0, k - 1.0),
    )


def mean_kappa(people: Array) -> Sample:
    """Return the mean kappa over pairs of people, as the yardstick has it."""
    pairs = list(combinations(range(people.shape[1]), 2))
    a, b = (people[:, [pair[at] for pair in pairs]] for at in (0, 1))
    left = leave_one_out(a, b, weights="none")
    mean = mean_of(
        [
            Sample(float(left.estimate[at]), left.kappa[:, at], left.common[:, at], 0.95, bound=1.0)
            for at in range(len(pairs))
        ]
    )
    return replace(mean, fisher=True)


def samples(table: Panel, classes: int, what: str) -> Sample:
    """Return one coefficient of the people, or of the judge compared with them."""
    if what == "kappa":
        return mean_kappa(table.people["d"])
    if what.startswith("judge"):
        names = {"d": tuple(map(str, range(classes)))}
        row = label_crowd(table, names).of("judge", "d")
        name = what.partition(" ")[2].removesuffix(" difference")
        return (row.differences if what.endswith("difference") else row.own)[name]
    return among_people(label_counts(table.people["d"], classes))[what]


@cache
def truth(design: Design, what: str) -> float:
    """Return a coefficient on very many items."""
    table = drawn(np.random.default_rng(20_261_129), design, MANY // design.people)
    k = len(design.shares)
    if what.startswith("share "):
        return next(
            (one.estimate if "difference" not in what else one.difference)
            for one in _shares(table, k)
            if one.measure == what.split()[1]
        )
    return _value(table, k, what)


def _value(table: Panel, classes: int, what: str) -> float:
    """Return a coefficient without leaving items out, which would take long on many items."""
    if what != "kappa":
        return samples(table, classes, what).value
    people = table.people["d"]
    found = []
    for a, b in combinations(range(people.shape[1]), 2):
        both = np.histogram2d(people[:, a], people[:, b], bins=classes)[0] / len(people)
        met = both.sum(axis=0) @ both.sum(axis=1)
        found.append((np.trace(both) - met) / (1 - met))
    return float(np.mean(found))


def held(design: Design, what: str) -> Callable[[np.random.Generator], Iterable[bool]]:
    """Return whether a coefficient's interval held the truth; a missing interval is no result."""

    def once(rng: np.random.Generator) -> list[bool]:
        low, high = samples(drawn(rng, design), len(design.shares), what).interval
        return [] if np.isnan(low) else [low <= truth(design, what) <= high]

    return once


def _shares(table: Panel, classes: int) -> Iterable:  # type: ignore[type-arg]
    """Return the judge's shares of the rarest label."""
    names = tuple(map(str, range(classes)))
    return [
        one
        for one in label_shares(table, {"d": names})
        if one.reference == PERSON and one.label == names[-1]
    ]


def share_held(
    design: Design, measure: str, part: str
) -> Callable[[np.random.Generator], Iterable[bool]]:
    """Return whether the interval of a share of the rarest label held the truth."""
    what = f"share {measure} {part}"

    def once(rng: np.random.Generator) -> list[bool]:
        table = drawn(rng, design)
        one = next(r for r in _shares(table, len(design.shares)) if r.measure == measure)
        low, high = (
            (one.low, one.high) if part == "judge" else (one.difference_low, one.difference_high)
        )
        return [] if np.isnan(low) else [low <= truth(design, what) <= high]

    return once


@cache
def far_off(design: Design) -> float:
    """Return how much more often a person wins than a judge with a label that nobody gives."""
    people = drawn(np.random.default_rng(5), design, MANY).people["d"]
    return float(np.mean((people[:, :1] == people[:, 1:]).any(axis=1)))


def border_rejects(
    design: Design, epsilon: float
) -> Callable[[np.random.Generator], Iterable[bool]]:
    """Return whether the test rejects for a judge that loses exactly epsilon more than a person."""

    def once(rng: np.random.Generator) -> list[bool]:
        table = drawn(rng, Design(design.shares, design.items, design.people + 1))
        people = table.people["d"]
        judge = people[:, -1].copy()  # like a person, except where it is far off
        judge[rng.random(len(judge)) < epsilon / far_off(design)] = len(design.shares)
        one = Panel(
            dimensions=("d",),
            items=table.items,
            humans=table.humans[:-1],
            judges=("judge",),
            people={"d": people[:, :-1]},
            judged={"d": judge[:, None]},
            scale=(0.0, float(len(design.shares))),
        )
        found = alternative_annotator(one, epsilon=epsilon, metric="accuracy", alphas={"d": 0.5})
        return [row.p_value <= 0.05 for row in found.humans]

    return once


FEW = "few items of the rarer label: the jackknife says too little of the next one (see docstring)"
WIDE = "the correlation of the two shares is taken at its lower end, which widens the interval"


def check(
    kind: str, function: str, what: str, design: object, once: object, runs: int, note: str = ""
) -> Check:
    """Return a check of this area, at 95% or 5%."""
    return Check(
        area="labels",
        function=f"analysis.agreement.{function}",
        what=what,
        design=str(design),
        kind="size" if kind == "size" else "coverage",
        promised=0.05 if kind == "size" else 0.95,
        once=once,  # type: ignore[arg-type]
        runs=runs,
        note=note,
    )


def checks() -> list[Check]:
    """Return the checks of agreement on labels."""
    found = [
        check(
            "coverage",
            "nominal.among_people",
            f"people's {what}",
            design,
            held(design, what),
            2000,
            note="a share of few items takes few values, so its coverage goes up and down"
            if what == "exact"
            else "",
        )
        for design in DESIGNS
        for what in ("exact", "alpha_nominal", "ac1", *(() if design.crowd else ("kappa",)))
    ]
    compared = [d for d in DESIGNS if d.people > 2]
    found += [
        check(
            "coverage",
            "nominal_crowd.label_crowd",
            what,
            design,
            held(design, what),
            2000,
            note=""
            if design.items > 50 or not what.endswith("difference")
            else FEW
            if len(set(design.shares)) > 1
            else "where the judge agrees often, the sample varies little: 5% of the intervals lie "
            "too high (see docstring)",
        )
        for design in compared
        for what in (
            "judge alpha_nominal",
            "judge alpha_nominal difference",
            "judge ac1 difference",
            "judge exact difference",
        )
    ]
    found += [
        check(
            "coverage",
            "label_classes.label_shares",
            f"{measure} of the rarest label: {part}",
            design,
            share_held(design, measure, part),
            1000,
            note=WIDE if part == "difference" else "",
        )
        for design in compared
        for measure in ("sensitivity", "prevalence")
        for part in ("judge", "difference")
    ]
    found += [
        check(
            "size",
            "alternative_annotator.alternative_annotator",
            f"by accuracy, one person left out, epsilon {epsilon:g}",
            f"{design}; the judge loses exactly epsilon more",
            border_rejects(design, epsilon),
            1200,
        )
        for design in DESIGNS
        if design.people == 3 and len(design.shares) == 2
        for epsilon in (0.2, 0.1)
    ]
    return found
