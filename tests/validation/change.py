"""Checks reliable change with 245 people per condition, measured three times."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

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
RESAMPLES = 299

Once = Callable[[np.random.Generator], list[bool]]


def group(
    rng: np.random.Generator,
    name: str,
    *,
    people: int = PEOPLE,
    effect: float = 0.0,
    missing: float = 0.0,
    between: float = BETWEEN,
    law: str = "normal",
) -> pd.DataFrame:
    """Return one row per measurement in one condition; `effect` is everybody's true change."""
    own = rng.normal(0, between**0.5, (people, 1))
    values = own + WITHIN**0.5 * LAWS[law](rng, people) + effect * (np.arange(ROUNDS) > 0)
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


def _correlated(rng: np.random.Generator, people: int, lag: float = 0.5) -> np.ndarray:
    errors = rng.normal(size=(people, ROUNDS))
    for at in range(1, ROUNDS):
        errors[:, at] = lag * errors[:, at - 1] + (1 - lag**2) ** 0.5 * errors[:, at]
    return errors


# Errors of variance 1, by how they are distributed.
LAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, people: rng.normal(size=(people, ROUNDS)),
    "skewed": lambda rng, people: rng.exponential(size=(people, ROUNDS)) - 1,
    "unequal": lambda rng, people: (
        rng.gamma(2, 0.5, (people, 1)) ** 0.5 * rng.normal(size=(people, ROUNDS))
    ),
    "t4": lambda rng, people: rng.standard_t(4, (people, ROUNDS)) / 2**0.5,
    "correlated": _correlated,
}
SAID = {
    "skewed": "exponential errors",
    "unequal": "people's variances as a gamma of shape 2",
    "t4": "t4 errors",
    "correlated": "normal errors, autocorrelation .5",
}


def fit(*groups: pd.DataFrame, student: bool = False, **more: object) -> ReliableChange:
    return reliable_change(
        pd.concat(groups, ignore_index=True),
        value="value",
        baseline_rounds=["1"],
        student=student,
        **more,  # type: ignore[arg-type]
    )


@cache
def rate(effect: float, law: str = "normal") -> float:
    """Return how often a true change of this size is seen to exceed the true threshold."""
    if law == "normal":
        return float(norm.sf(1.96 - effect / SE))
    errors = WITHIN**0.5 * LAWS[law](np.random.default_rng(1), 1_000_000)
    change = errors[:, 1:].mean(axis=1) - errors[:, 0] + effect
    return float((change >= 1.96 * SE).mean())


def holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]


def _threshold(law: str, interval: str) -> Once:
    """Return a try of the threshold's interval, whatever the errors are."""

    def once(rng: np.random.Generator) -> list[bool]:
        found = variance_components(
            group(rng, "control", law=law),
            value="value",
            interval=interval,
            rng=rng,
            resamples=RESAMPLES,
        )
        return [holds(found.within_interval, WITHIN)]

    return once


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


def _share(condition: str, effect: float, law: str = "normal") -> Once:
    """Return a try of the interval of the share improved: whether it holds the true rate."""

    def once(rng: np.random.Generator) -> list[bool]:
        truth = rate(effect if condition == "coach" else 0.0, law)
        interval = "normal" if law == "normal" else "bootstrap"
        found = fit(
            group(rng, "control", law=law),
            *([group(rng, "coach", effect=effect, law=law)] if condition == "coach" else []),
            threshold_interval=interval,
            rng=rng,
            resamples=RESAMPLES,
        )
        row = found.shares.set_index(["condition", "outcome"]).loc[condition, "improved"]
        return [holds((float(row["share_low"]), float(row["share_high"])), truth)]

    return once


def _flagged(missing: float = 0.0, people: int = PEOPLE, law: str = "normal") -> Once:
    """Return a try of how often unchanged people of another condition are flagged."""

    def once(rng: np.random.Generator) -> list[bool]:
        found = fit(
            group(rng, "control", missing=missing, people=people, law=law),
            group(rng, "same", missing=missing, law=law),
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


_TOO_NARROW = "The chi-square interval assumes normal errors, equal in everybody; the report "
_TOO_NARROW += "says if they are not, and threshold_interval: bootstrap holds."
NORMAL_MISSES = dict.fromkeys(["skewed", "unequal", "t4"], _TOO_NARROW)
DESIGN = "245 people x 3 measurements, variances 11.87 between and 5.38 within, normal"
GAPS = "15% of measurements missing at random, each occasion with a mean of its own"


def checks() -> list[Check]:
    """Return the checks of reliable change."""
    found = []

    def alone(what: str, design: str, once: Once, note: str = "") -> None:
        add(
            what,
            design,
            once,
            function="analysis.change.variance_components.variance_components",
            runs=MORE_RUNS,
            note=note,
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
    for law, note in NORMAL_MISSES.items():
        design = f"{DESIGN.removesuffix(', normal')}; {SAID[law]}"
        alone("threshold", design, _threshold(law, "normal"), note=note)
        alone(
            "threshold, bootstrap over people",
            design,
            _threshold(law, "bootstrap"),
            note="The fourth moment of t4 is infinite, and the upper end is too low in 6%."
            if law == "t4"
            else "",
        )
        add("share improved, control, bootstrap", design, _share("control", 0.0, law))
        add(
            "share improved, treated, bootstrap", f"{design}; treated +3", _share("coach", 3.0, law)
        )
    alone("threshold, bootstrap over people", DESIGN, _threshold("normal", "bootstrap"))
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
        "unchanged people flagged, both sides",
        f"{DESIGN.removesuffix(', normal')}; {SAID['correlated']}",
        _flagged(law="correlated"),
        size=True,
        note="The model takes errors as independent. The report's table of assumptions shows the "
        "autocorrelation and how far the control's changes spread beyond the model.",
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
