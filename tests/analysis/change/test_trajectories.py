"""If these failed, a mean by condition and occasion would be of the wrong people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.change.trajectories import trajectories
from prereg.errors import RatifyError

NAMES: dict[str, Any] = {
    "value": "overall",
    "person": "rater_id",
    "occasion": "round",
    "condition": "condition",
    "conditions": ("control", "coach"),
    "occasions": ("1", "2"),
}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        [
            {
                "rater_id": f"r{n}",
                "round": str(turn),
                "condition": ("control", "coach", "video")[n % 3],
                "overall": float(rng.normal()),
            }
            for n in range(30)
            for turn in (1, 2, 3)
        ]
    )


def test_each_cell_is_a_mean_with_its_t_interval() -> None:
    data = table()
    data.loc[3, "overall"] = np.nan
    found = trajectories(data, **NAMES)
    assert list(zip(found["condition"], found["occasion"], strict=True)) == [
        ("control", "1"),
        ("control", "2"),
        ("coach", "1"),
        ("coach", "2"),
    ]
    cells = data[(data["condition"] == "coach") & (data["round"] == "1")]["overall"].dropna()
    row = found.iloc[2]
    low, high = stats.t.interval(0.95, len(cells) - 1, cells.mean(), stats.sem(cells))
    assert row["people"] == len(cells) == 9
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((cells.mean(), low, high))


def test_a_cell_of_nobody_is_there_without_a_mean() -> None:
    found = trajectories(table(), **{**NAMES, "conditions": ("control", "nobody")})
    assert found.iloc[3]["people"] == 0
    assert np.isnan(found.iloc[3]["mean"])


def test_two_rows_of_a_person_for_an_occasion_are_refused() -> None:
    data = pd.concat([table(), table().iloc[:1]], ignore_index=True)
    with pytest.raises(RatifyError, match="has two rows for one occasion"):
        trajectories(data, **NAMES)
