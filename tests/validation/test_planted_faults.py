"""If this failed, an interval or a test of Ratify broke its promise, or a broken one went unseen.

A thinned `make validate`: some rows with few data sets, and the same rows with a fault planted in
the function that they check. Seeds are fixed, so a result changes with the code only. The faults
miss by far more errors than chance allows, and what is right by far fewer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from analysis.agreement.choices import choice_agreement
from analysis.agreement.kappa_test import kappa_test
from analysis.agreement.weighted import cells_of, weighted_coefficients
from analysis.causal.overlap import overlap_effect
from analysis.ranking.misfit import rater_misfit
from tests.validation import agreement, alike, ranking, robust, trials
from tests.validation.check import Check
from tests.validation.outcome import Outcome, run
from tests.validation.rows import checks, name_of, seed_of

# Errors under the promise: what is right stays below, what is wrong goes far beyond.
FEW, MANY = 3.0, 4.5


def row(text: str, runs: int) -> Check:
    """Return the only row whose name has all these parts, with few data sets."""
    parts = text.split("; ")
    [found] = [one for one in checks() if all(part in name_of(one) for part in parts)]
    return replace(found, runs=runs)


def beyond(found: Outcome) -> float:
    """Return by how many errors a row claims more than it may."""
    sign = -1 if found.check.kind == "coverage" else 1
    return sign * (found.share - found.check.promised) / found.error


def percentile_intervals(
    a: np.ndarray, b: np.ndarray, *, scale: tuple[float, float], **_: Any
) -> list[SimpleNamespace]:
    """Return plain percentile intervals over items resampled, a fault."""
    cells = cells_of(a, b)
    share = cells.counts / cells.counts.sum()
    copies = np.random.default_rng(0).multinomial(len(a), share, size=400)
    found = weighted_coefficients(cells, copies, scale)
    ends = {name: np.nanpercentile(values, [2.5, 97.5]) for name, values in found.items()}
    return [
        SimpleNamespace(coefficient=name, low=low, high=high) for name, (low, high) in ends.items()
    ]


def halved(test: Callable[..., Any], *given: Any, **settings: Any) -> SimpleNamespace:
    """Return a test that takes the p value of one side for that of both, a fault."""
    return SimpleNamespace(p_value=test(*given, **settings).p_value / 2)


def eager_misfit(judgments: Any, **settings: Any) -> SimpleNamespace:
    """Return a test of raters whose size is double, a fault."""
    frame = rater_misfit(judgments, **settings).frame
    return SimpleNamespace(frame=frame.assign(p=frame["p"] / 2))


def without_confounders(arms: Any, expected: Any) -> Any:
    """Return the effect as if nothing but the means of both arms were known, a fault."""
    flat = replace(
        expected,
        outcome=np.full(len(arms), arms.outcome.mean()),
        chance=np.full(len(arms), arms.arm.mean()),
    )
    return overlap_effect(arms, flat)


@dataclass(frozen=True)
class Fault:
    """A row, and a fault in the function that it checks."""

    row: str
    runs: int
    module: Any
    name: str
    faulty: Callable[..., Any]


DEMO = "150 raters x 10, 5 scenarios"
CHOICES = f"choice_agreement; {DEMO}"
RATERS_ONLY = partial(choice_agreement, cluster="rater_id")
FAULTS = {
    "rater-only errors, agreement": Fault(
        f"{CHOICES}; : agreement:", 200, trials, "choice_agreement", RATERS_ONLY
    ),
    "rater-only errors, test of chance": Fault(
        f"{CHOICES}; without one half", 200, trials, "choice_agreement", RATERS_ONLY
    ),
    "percentile intervals": Fault(
        "coefficient_intervals: ac2; two experts, 5 points",
        400,
        agreement,
        "coefficient_intervals",
        percentile_intervals,
    ),
    "percentile intervals of ratings that are alike": Fault(
        "coefficient_intervals: kappa_quadratic; 90% of ratings",
        150,
        alike,
        "coefficient_intervals",
        percentile_intervals,
    ),
    "double size, kappa": Fault(
        "kappa_test; weights quadratic; 5 points",
        1500,
        agreement,
        "kappa_test",
        partial(halved, kappa_test),
    ),
    "double size, misfit": Fault(
        f"each honest rater; no tastes; {DEMO}", 25, ranking, "rater_misfit", eager_misfit
    ),
    "no confounders, overlap-weighted effect": Fault(
        "overlap_effect; stronger confounding", 40, robust, "overlap_effect", without_confounders
    ),
}
# Other rows whose functions were wrong once, or are easily broken.
KEPT = {
    "sandwich interval of a score; no tastes": 60,
    "interval of P(i beats j); lean to 2 features": 60,
    "kappa over pairs and dimensions: difference": 300,
    "crowd.crowd: alpha_interval; 2 to 11 of a crowd": 300,
    "yardstick.yardstick: difference; 80% of ratings": 300,
    "said to be: above; over the whole scale": 400,
    "variance_components: threshold; 15% of": 300,
    "clustered_logit: interval of the slope: 150 raters x 10, tastes": 100,
    "wild_cluster_bootstrap: p value; 12 clusters; OLS": 200,
    "interval of a contrast; 30 raters": 60,
    "two_proportions: z test": 1000,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_promise_holds_and_the_fault_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    check = row(fault.row, fault.runs)
    right = run(check, seed=seed_of(check))
    assert beyond(right) < FEW, f"{right.share:.3f} instead of {check.promised:g}"
    monkeypatch.setattr(fault.module, fault.name, fault.faulty)
    wrong = run(check, seed=seed_of(check))
    assert wrong.verdict == "misses"
    assert beyond(wrong) > MANY, f"{wrong.share:.3f}: the fault is hardly seen"


@pytest.mark.parametrize("text", KEPT)
def test_a_promise_holds(text: str) -> None:
    check = row(text, KEPT[text])
    found = run(check, seed=seed_of(check))
    assert not math.isnan(found.share)
    assert beyond(found) < FEW, f"{found.share:.3f} instead of {check.promised:g}"
