"""If this failed, a report would say that choix finds the same scores where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.ranking import bradley_terry
from analysis.ranking.fit_check import check_fit
from analysis.ranking.from_table import rank_table
from tests.analysis.ranking.test_bradley_terry import simulated, table

_, ONE = simulated(8, 200, 3)
TWO = pd.concat(
    [
        ONE.assign(scenario="calm"),
        simulated(6, 150, 4)[1].assign(scenario="storm"),
        # two items that no judgment ties to the others of their scenario
        table([("x", "y", "left"), ("y", "x", "left"), ("x", "y", "left")]).assign(scenario="calm"),
    ],
    ignore_index=True,
)


@pytest.mark.parametrize("ridge", [0.02, 1.0, 0.0])
def test_choix_finds_the_same_scores_in_every_connected_group(ridge):
    found = check_fit(TWO, bradley_terry(TWO, ridge=ridge), ridge=ridge)
    assert (found.n, found.alpha) == (16, ridge / 2)
    assert found.rank_agreement == pytest.approx(1.0)
    assert found.largest < 1e-6
    assert "16 items is 1.000" in found.sentence
    assert "is below 0.000001" in found.sentence


def test_other_scores_are_told():
    strong = check_fit(TWO, bradley_terry(TWO, ridge=5.0), ridge=0.02)
    assert strong.largest > 0.05
    assert f"score is {strong.largest:.1g}." in strong.sentence
    turned = ONE.assign(choice=ONE["choice"].map({"left": "right", "right": "left"}))
    assert check_fit(turned, bradley_terry(ONE)).rank_agreement == pytest.approx(-1, abs=0.05)


def test_only_items_with_a_score_are_compared():
    lonely = table([("a", "b", "left")])
    found = check_fit(lonely, bradley_terry(lonely, ridge=0.0), ridge=0.0)
    assert (found.n, found.largest) == (0, 0.0)
    assert np.isnan(found.rank_agreement)
    assert "not defined" in found.sentence


def test_a_ranking_is_checked_where_it_is_asked(tmp_path):
    path = tmp_path / "judgments.csv"
    TWO.to_csv(path, index=False)
    plain, checked = rank_table(path), rank_table(path, check=True)
    pd.testing.assert_frame_equal(plain.table, checked.table)
    assert set(checked.notes) - set(plain.notes) == {check_fit(TWO, bradley_terry(TWO)).sentence}
