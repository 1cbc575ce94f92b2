"""Checks reliable change with 245 people per condition, measured three times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.change.reliable_change import ReliableChange, reliable_change, variance_components
from tests.validation.check import Check

BETWEEN, WITHIN = 11.8676, 5.3823
PEOPLE, ROUNDS = 245, 3
SE = (WITHIN * 1.5) ** 0.5
EFFECT = 3.0
RUNS = 1000
MORE_RUNS = 2000  # for numbers of the control group alone, which are cheap

Once = Callable[[np.random.Generator], list[bool]]


def group(
    rng: np.random.Generator,
    name: str,
    *,
    people: int = PEOPLE,
    effect: float = 0.0,
    missing: float = 0.0,
    between: float = BETWEEN,
) -> pd.DataFrame:
    """Return one row per measurement in one condition; `effect` is everybody's true change."""
    own = rng.normal(0, between**0.5, (people, 1))
    values = own + rng.normal(0, WITHIN**0.5, (people, ROUNDS)) + effect * (np.arange(ROUNDS) > 0)
    if missing:
        values[rng.random(values.shape) < missing] = np.nan
    names = np.array([f"{name}{i}" for i in range(people)])
    return pd.DataFrame(
        {
            "person_id": np.repeat(names, ROUNDS),
            "condition": name,
            "round": np.tile(["1", "2", "3"], people),
            "value": values.ravel(),
        }
    )


def fit(*groups: pd.DataFrame, student: bool = False) -> ReliableChange:
    return reliable_change(
        pd.concat(groups, ignore_index=True), value="value", baseline_rounds=["1"], student=student
    )


def rate(effect: float) -> float:
    """Return how often a true change of this size is seen to exceed the true threshold."""
    return float(norm.sf(1.96 - effect / SE))


def holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


def _control_alone(number: str, *, between: float = BETWEEN, **settings: float) -> Once:
    """Return a try of an interval that the control group alone gives."""
    reliability = between / (between + WITHIN)

    def once(rng: np.random.Generator) -> list[bool]:
        rows = group(rng, "control", between=between, **settings)  # type: ignore[arg-type]
        found = variance_components(rows, value="value", occasion_means="missing" in settings)
        tried = {
            # the threshold is the root of this variance times a known number
            "threshold": (found.within_interval, WITHIN),
            "between": (found.between_interval, between),
            "reliability": (found.reliability_interval, reliability),
            "mean": (found.mean_reliability(2)[1:], 2 * reliability / (1 + reliability)),
        }
        return [holds(*tried[number])]

    return once


def _share(condition: str, effect: float) -> Once:
    """Return a try of the interval of the share improved: whether it holds the true rate."""
    truth = rate(effect if condition == "coach" else 0.0)

    def once(rng: np.random.Generator) -> list[bool]:
        found = fit(group(rng, "control"), group(rng, "coach", effect=effect))
        row = found.shares.set_index(["condition", "outcome"]).loc[condition, "improved"]
        return [holds((float(row["share_low"]), float(row["share_high"])), truth)]

    return once


def _flagged(missing: float = 0.0, people: int = PEOPLE) -> Once:
    """Return a try of how often unchanged people of another condition are flagged."""

    def once(rng: np.random.Generator) -> list[bool]:
        found = fit(
            group(rng, "control", missing=missing, people=people),
            group(rng, "same", missing=missing),
            student=people < PEOPLE,
        )
        same = found.people[found.people["condition"] == "same"]
        return list(same["outcome"] != "neither")

    return once


def _difference(rng: np.random.Generator) -> list[bool]:
    """Try the test of two shares when both conditions are alike."""
    found = fit(group(rng, "control", effect=EFFECT), group(rng, "same", effect=EFFECT))
    row = found.differences.iloc[0]
    return [bool(row["p_value"] <= 0.05)]


def _covered_difference(rng: np.random.Generator) -> list[bool]:
    """Try the interval of the difference from the control."""
    found = fit(group(rng, "control"), group(rng, "coach", effect=EFFECT))
    row = found.differences.iloc[0]
    truth = rate(EFFECT) - rate(0.0)
    return [holds((float(row["difference_low"]), float(row["difference_high"])), truth)]


DESIGN = "245 people x 3 measurements, variances 11.87 between and 5.38 within, normal"
GAPS = "15% of measurements missing at random, each occasion with a mean of its own"


def checks() -> list[Check]:
    """Return the checks of reliable change."""
    found = []

    def alone(what: str, design: str, once: Once) -> None:
        add(
            what,
            design,
            once,
            function="analysis.change.variance_components.variance_components",
            runs=MORE_RUNS,
        )

    def add(what: str, design: str, once: Once, *, size: bool = False, **more: object) -> None:
        common = {
            "area": "change",
            "function": "analysis.change.reliable_change.reliable_change",
            "runs": RUNS,
            "kind": "size" if size else "coverage",
            "promised": 0.05 if size else 0.95,
        }
        settings = {**common, "what": what, "design": design, "once": once, **more}
        found.append(Check(**settings))  # type: ignore[arg-type]

    gaps = f"{DESIGN}; {GAPS}"
    alone("threshold", DESIGN, _control_alone("threshold"))
    alone("threshold", gaps, _control_alone("threshold", missing=0.15))
    alone("variance between people", DESIGN, _control_alone("between"))
    alone("variance between people", gaps, _control_alone("between", missing=0.15))
    alone("reliability of one measurement", DESIGN, _control_alone("reliability"))
    alone("reliability of one measurement", gaps, _control_alone("reliability", missing=0.15))
    alone(
        "reliability of one measurement",
        "40 people x 3, reliability .16",
        _control_alone("reliability", between=1.0, people=40),
    )
    alone("reliability of the mean of two", DESIGN, _control_alone("mean"))
    add("share improved, treated", f"{DESIGN}; treated +3", _share("coach", EFFECT))
    add("share improved, treated without effect", DESIGN, _share("coach", 0.0))
    add("share improved, control", DESIGN, _share("control", EFFECT))
    add("unchanged people flagged, both sides", DESIGN, _flagged(), size=True)
    add("unchanged people flagged, both sides", f"{DESIGN}; 15% missing", _flagged(0.15), size=True)
    add(
        "unchanged people flagged, both sides",
        "20 people in the control, the cut by t (student)",
        _flagged(people=20),
        size=True,
    )
    add(
        "difference of shares improved, z test",
        f"{DESIGN}; both +3",
        _difference,
        size=True,
        runs=2000,
    )
    add("difference of shares improved", f"{DESIGN}; treated +3", _covered_difference)
    return found
