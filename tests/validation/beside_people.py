"""Checks a judge's agreement with people's choices beside people's own, on the same answers.

Raters and items are both samples, and the judge's error about an item comes back in every answer to
a comparison that holds it: see `trials_truth`. The judge answers each comparison once.
"""

from __future__ import annotations

from functools import cache, partial
from types import SimpleNamespace
from typing import Literal, cast

import numpy as np
import pandas as pd

from analysis.evidence.choice_yardstick import Beside, beside_people, yardstick_of
from analysis.evidence.evidence import Evidence
from tests.validation.check import Check
from tests.validation.trials_truth import ENDLESS, Design, Items, Law, _people, study, truth

What = Literal["people", "difference"]
LAW = Law()
DEMO = Design()
SMALL = Design(raters=40, trials=5, scenarios=2, items=20)


def _found(rng: np.random.Generator, law: Law, design: Design) -> Beside | None:
    one = study(rng, law, design)
    plan = SimpleNamespace(ranking=SimpleNamespace(ridge=0.02))
    evidence = cast("Evidence", SimpleNamespace(people=one.people, plan=plan))
    sides = one.judge[["left_id", "right_id"]].to_numpy(dtype=object)
    once = ~pd.Series([" ".join(sorted(pair)) for pair in sides]).duplicated()
    return beside_people(evidence, one.judge[once.to_numpy()], *yardstick_of(evidence))


@cache
def same_choice(law: Law = LAW) -> float:
    """Return how often two people choose the same, over all people and items."""
    rng = np.random.default_rng(21)
    left, right = (Items.drawn(rng, law, ENDLESS) for _ in range(2))
    one, other = (_people(law, left, right, rng.normal(size=(ENDLESS, 2))) for _ in range(2))
    return float((one * other + (1 - one) * (1 - other)).mean())


def _covered(rng: np.random.Generator, *, law: Law, design: Design, what: What) -> list[bool]:
    found = _found(rng, law, design)
    if found is None:
        return []
    _, low, high = getattr(found, what)
    true = same_choice(law)
    if what == "difference":
        true = truth(law).agreement - true
    return [] if np.isnan(low) else [bool(low <= true <= high)]


def checks() -> list[Check]:
    """Return the checks of a judge beside people."""
    rows: list[tuple[What, str, Design]] = [
        ("difference", "judge's agreement minus people's own", DEMO),
        ("difference", "judge's agreement minus people's own", SMALL),
        ("people", "how often two people choose the same", DEMO),
    ]
    return [
        Check(
            area="choices",
            function="analysis.evidence.choice_yardstick.beside_people",
            what=name,
            design=f"{design}; raters with tastes, items with values and a judge's errors",
            kind="coverage",
            promised=0.95,
            once=partial(_covered, law=LAW, design=design, what=what),
            runs=500,
        )
        for what, name, design in rows
    ]
