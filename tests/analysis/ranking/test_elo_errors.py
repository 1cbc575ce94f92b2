"""If this failed, a judge's Elo would be corrected for the wrong error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.ranking.elo import elo, elo_errors
from prereg.errors import RatifyError

ITEMS, JUDGMENTS = 20, 400


def judged(truth: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    left = rng.integers(ITEMS, size=JUDGMENTS)
    right = (left + rng.integers(1, ITEMS, size=JUDGMENTS)) % ITEMS
    won = rng.random(JUDGMENTS) < expit(truth[left] - truth[right])
    return pd.DataFrame(
        {
            "left_id": [f"i{k:02d}" for k in left],
            "right_id": [f"i{k:02d}" for k in right],
            "choice": np.where(won, "left", "right"),
        }
    )


def test_the_error_is_the_spread_over_new_judgments() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=ITEMS)
    again = [elo(judged(truth, rng)).frame.set_index("item_id")["score"] for _ in range(150)]
    expected = float(np.mean(pd.concat(again, axis=1).std(axis=1) ** 2))
    found = [float((elo_errors(judged(truth, rng), rng=rng)["se"] ** 2).mean()) for _ in range(8)]
    assert np.mean(found) == pytest.approx(expected, rel=0.12)


def test_names_and_units_follow() -> None:
    rng = np.random.default_rng(4)
    table = judged(rng.normal(size=ITEMS), rng)
    plain = elo_errors(table, rng=np.random.default_rng(1))
    assert set(plain["item_id"]) == set(elo(table).frame["item_id"])
    renamed = table.assign(
        left_id="z" + table["left_id"], right_id="z" + table["right_id"], scenario="one"
    )
    other = elo_errors(renamed, rng=np.random.default_rng(1))
    assert other.set_index("item_id")["se"].rename(lambda name: name[1:]).to_dict() == (
        pytest.approx(plain.set_index("item_id")["se"].to_dict())
    )
    wide = elo_errors(table, scale=800.0, k=64.0, rng=np.random.default_rng(1))
    assert wide["se"].to_numpy() == pytest.approx(2 * plain["se"].to_numpy())
    with pytest.raises(RatifyError, match="resamples is out of range"):
        elo_errors(table, resamples=1, rng=rng)
    with pytest.raises(RatifyError, match="seeded generator"):
        elo_errors(table)
