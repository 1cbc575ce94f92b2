"""If this failed, a report would give a correlation an interval that ends beyond 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.habits.ratings import halo

PEOPLE = 4


def ratings(seed: int, items: int) -> pd.DataFrame:
    """Two dimensions; what is wrong with one rating of the judge is wrong with the other too."""
    rng = np.random.default_rng(seed)
    base = rng.integers(1, 6, size=(items, 2)).astype(float)
    rows = []
    for rater in [*(f"p{n}" for n in range(PEOPLE)), "gpt"]:
        kind, shared = ("llm", 1.6) if rater == "gpt" else ("human", 0.24)
        errors = rng.normal(0, shared, (items, 1)) + rng.normal(0, 0.4, (items, 2))
        values = np.clip(base + errors, 1, 5)
        rows += [
            (rater, kind, f"i{item}", name, values[item, place], 1, 5)
            for item in range(items)
            for place, name in enumerate(("warm", "clear"))
        ]
    names = ["rater_id", "rater_kind", "item_id", "dimension", "value", "scale_min", "scale_max"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize("seed", range(4))
def test_intervals_of_halo_end_where_correlations_do(seed: int) -> None:
    table = ratings(seed, 10)
    person = table["rater_kind"] == "human"
    found = halo(table[~person], table[person], judge="gpt")
    ends = {one.what: (one.low, one.high) for one in found.measures}
    for what, (low, high) in ends.items():
        bound = 2 if what == "halo" else 1
        assert -bound <= low < high <= bound, what
    assert 1 in np.abs(ends["halo of judge"]), "this interval would go on beyond 1"
