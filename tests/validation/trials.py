"""Checks numbers that compare people's choices with a judge's: raters and items are both samples.

The truth is the value over all raters and all items; see `trials_truth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from analysis.agreement.choices import choice_agreement
from analysis.habits.answers import answers_to
from analysis.habits.measure import Habit
from analysis.habits.order import letter, position
from analysis.habits.traits import length
from analysis.habits.votes import votes_of
from analysis.regression.fit import Regression, clustered_logit
from analysis.regression.judge_gap import selection_by_gap
from tests.validation.check import Check
from tests.validation.trials_truth import BINS, JUDGE, Design, Law, Study, study, truth

Once = Callable[[np.random.Generator], Iterable[bool]]
AREA = "choices"
LAW = Law()
IGNORANT = replace(LAW, rho=0.0)
STEADY_FIRST = replace(LAW, first=0.5)
DEMO = Design()
SMALL = Design(raters=40, trials=5, scenarios=2, items=20)
# How the registered logit clusters its errors.
CLUSTER = "rater_and_items"
FORMULA = "select_higher ~ gap + C(scenario)"


def _held(low: float, high: float, true: float) -> list[bool]:
    return [] if np.isnan(low) else [bool(low <= true <= high)]


def _agreement(rng: np.random.Generator, *, law: Law, design: Design) -> list[bool]:
    one = study(rng, law, design)
    found = choice_agreement(one.people, one.judge)
    return _held(found.low, found.high, truth(law).agreement)


def _kappa(rng: np.random.Generator, *, law: Law, design: Design) -> list[bool]:
    one = study(rng, law, design)
    found = choice_agreement(one.people, one.judge)
    return _held(found.kappa_low, found.kappa_high, truth(law).kappa)


def _unlike_chance(rng: np.random.Generator, *, law: Law, design: Design) -> list[bool]:
    one = study(rng, law, design)
    found = choice_agreement(one.people, one.judge)
    return [not found.low <= 0.5 <= found.high]


def _by_gap(rng: np.random.Generator, *, law: Law, design: Design, bin_n: int) -> list[bool]:
    rates = selection_by_gap(study(rng, law, design).trials, bins=BINS)
    row = rates.iloc[bin_n]
    return _held(row["low"], row["high"], truth(law).by_gap[bin_n])


def _slope(rng: np.random.Generator, *, law: Law, design: Design) -> list[bool]:
    low, high = _logit(study(rng, law, design)).conf_int().loc["gap"]
    return _held(low, high, truth(law).slope)


def _slope_test(rng: np.random.Generator, *, law: Law, design: Design) -> list[bool]:
    return [bool(_logit(study(rng, law, design)).pvalues["gap"] <= 0.05)]


def _logit(one: Study) -> Regression:
    data = one.trials.dropna(subset=["select_higher"])
    return clustered_logit(data, FORMULA, cluster=CLUSTER)


def _habit_of(one: Study, name: str) -> Habit:
    """Return one habit of the judge, from its answers to people's trials both ways round."""
    if name == "position":
        return position(one.questions, judge=JUDGE)
    if name == "letter":
        return letter(one.questions, judge=JUDGE)
    votes = votes_of(one.people)
    doublings = one.items.doublings[one.left] - one.items.doublings[one.right]
    return length(votes, answers_to(votes.pairs, one.questions), doublings, judge=JUDGE)


def _habit(
    rng: np.random.Generator, *, law: Law, design: Design, habit: str, number: str
) -> list[bool]:
    found = _habit_of(study(rng, law, design), habit)[number]
    return _held(found.low, found.high, getattr(truth(law), number.replace(" ", "_")))


def _accused(
    rng: np.random.Generator, *, law: Law, design: Design, habit: str, number: str
) -> list[bool]:
    return [bool(_habit_of(study(rng, law, design), habit)[number].p_value <= 0.05)]


def _check(
    function: str,
    what: str,
    once: Callable[..., Iterable[bool]],
    *,
    law: Law = LAW,
    design: Design = DEMO,
    kind: Literal["coverage", "size"] = "coverage",
    judge: str = "raters with tastes, items with values and a judge's errors",
    note: str = "",
    **given: object,
) -> Check:
    size = kind == "size"
    return Check(
        area=AREA,
        function=f"analysis.{function}",
        what=what,
        design=f"{design}; {judge}",
        kind=kind,
        promised=0.05 if size else 0.95,
        once=partial(once, law=law, design=design, **given),
        runs=1000 if size else 500,
        note=note,
    )


def _habits() -> list[Check]:
    """Return the checks of what compares choices among a judge's habits."""
    order, traits = "habits.order.position", "habits.traits.length"
    honest = "judge without a habit, tastes and errors of its own"
    return [
        _check(
            order, "same item with sides exchanged", _habit, habit="position", number="consistency"
        ),
        _check(
            order,
            "share of the first text",
            _habit,
            law=STEADY_FIRST,
            judge="judge that leans to the first text, log-odds .5",
            habit="position",
            number="first",
        ),
        _check(
            order,
            "test of the first text",
            _accused,
            kind="size",
            judge=honest,
            habit="position",
            number="first",
        ),
        _check(
            "habits.order.letter",
            "test of the letter",
            _accused,
            kind="size",
            judge=honest,
            habit="letter",
            number="letter",
            note="An honest judge's share varies less than a fair coin, because sides are dealt; "
            "the docstring says so.",
        ),
        _check(
            traits,
            "test of length beyond people",
            _accused,
            kind="size",
            judge=honest,
            habit="length",
            number="length",
        ),
        _check(traits, "share of longer texts, judge", _habit, habit="length", number="longer"),
        _check(
            traits,
            "share of longer texts, people",
            _habit,
            habit="length",
            number="longer by people",
        ),
    ]


def checks() -> list[Check]:
    """Return the checks of choices."""
    agreement, logit = "agreement.choices.choice_agreement", "regression.fit.clustered_logit"
    by_gap = "regression.judge_gap.selection_by_gap"
    nothing = {"law": IGNORANT, "judge": "judge that knows nothing of people's values"}
    found = []
    for design in (DEMO, SMALL):
        found += [
            _check(agreement, "agreement", _agreement, design=design),
            _check(agreement, "kappa", _kappa, design=design),
            _check(
                agreement,
                "interval without one half",
                _unlike_chance,
                design=design,
                kind="size",
                **nothing,  # type: ignore[arg-type]
            ),
            _check(logit, "interval of the slope of the gap", _slope, design=design),
            _check(
                logit,
                "test of the slope of the gap",
                _slope_test,
                design=design,
                kind="size",
                **nothing,  # type: ignore[arg-type]
            ),
        ]
    found += [
        _check(by_gap, f"share at a gap of {low:g} to {high:g}", _by_gap, design=DEMO, bin_n=at)
        for at, (low, high) in enumerate(BINS)
    ]
    return [*found, *_habits()]
