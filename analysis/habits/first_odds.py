"""The factor by which being first multiplies the odds of a judge's choice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from analysis.habits.measure import ODDS, Measure
from analysis.inference.paired import coin_interval


def first_odds(both_first: int, moved: int, common: Mapping[str, Any], note: str) -> Measure:
    """Return the factor on the odds for being first; not finite if all choices moved one way."""
    estimate = low = high = math.nan
    endless = 0
    if moved:
        ends = coin_interval(both_first, moved)
        low, high = (math.sqrt(end / (1 - end)) if end < 1 else math.nan for end in ends)
        if 0 < both_first < moved:
            estimate = math.sqrt(both_first / (moved - both_first))
        else:
            endless = 1 if both_first else -1
            note = "The odds are not finite: every choice that moved went to the same side."
    elif not note:
        note = "No choice moved with the sides."
    return Measure(
        habit="first",
        what="first_odds",
        label=f"Being first multiplies the odds of {common['judge']}'s choice by",
        estimate=estimate,
        low=low,
        high=high,
        method="root of the odds among pairs whose choice moved; exact interval (Clopper-Pearson)",
        unit=ODDS,
        note=note,
        endless=endless,
        **{**common, "n": moved, "unit_of_n": "pairs that moved"},
    )
