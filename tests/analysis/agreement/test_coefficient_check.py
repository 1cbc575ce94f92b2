"""If this failed, a report would claim pingouin's support for coefficients that differ from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.agreement.coefficient_check import check_coefficients
from analysis.agreement.pairs import agreement_table
from analysis.agreement.rating_table import MEDIAN

RNG = np.random.default_rng(6)
TRUTH = RNG.normal(3, 1, 30)
RATERS = {"ann": "human", "bea": "human", "gpt": "llm", "three": "llm"}
RATINGS = pd.DataFrame(
    [
        (rater, kind, f"i{item:02d}", dimension, value)
        for dimension in ("care", "warmth")
        for rater, kind in RATERS.items()
        for item, value in enumerate(np.clip(np.round(TRUTH + RNG.normal(0, 0.8, 30)), 1, 5))
    ],
    columns=["rater_id", "rater_kind", "item_id", "dimension", "value"],
)
# one judge never varies, and one person did not rate everything
RATINGS.loc[RATINGS["rater_id"] == "three", "value"] = 3.0
RATINGS = RATINGS.drop(RATINGS.index[RATINGS["rater_id"] == "bea"][:7]).reset_index(drop=True)
TABLE = agreement_table(RATINGS, scale=(1, 5), rng=np.random.default_rng(0))
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")


def test_pingouin_finds_the_same_of_every_pair():
    found = check_coefficients(RATINGS, TABLE)
    assert found.pairs == sum(row.annotator_b != MEDIAN for row in TABLE.rows) == 10
    assert found.largest < 1e-9
    assert "of 10 pairs" in found.sentence
    assert "is below 0.000001" in found.sentence


@pytest.mark.parametrize("name", ["icc2_1", "icc2_k", "pearson", "spearman"])
def test_another_coefficient_is_told(name):
    at = next(n for n, row in enumerate(TABLE.rows) if row.annotator_b != MEDIAN)
    wrong = replace(TABLE.rows[at], **{name: getattr(TABLE.rows[at], name) + 0.03})
    rows = (*TABLE.rows[:at], wrong, *TABLE.rows[at + 1 :])
    found = check_coefficients(RATINGS, replace(TABLE, rows=rows))
    assert found.largest == pytest.approx(0.03)
    assert "is 0.03." in found.sentence


def test_the_largest_difference_is_named():
    at = next(n for n, row in enumerate(TABLE.rows) if row.annotator_b != MEDIAN)
    wrong = replace(TABLE.rows[at], icc2_k=TABLE.rows[at].icc2_k + 0.03)
    found = check_coefficients(
        RATINGS, replace(TABLE, rows=(*TABLE.rows[:at], wrong, *TABLE.rows[at + 1 :]))
    )
    assert "It is in ICC(2,k) of ann with bea on care." in found.sentence


def test_an_icc_below_minus_one_is_compared_as_the_tables_show_it():
    rng = np.random.default_rng(4)
    first = rng.integers(1, 6, 12)
    second = np.clip(6 - first + rng.integers(-1, 2, 12), 1, 5)
    rows = [
        (rater, kind, f"i{item:02d}", "care", float(value))
        for rater, kind, values in (("ann", "human", first), ("gpt", "llm", second))
        for item, value in enumerate(values)
    ]
    ratings = pd.DataFrame(rows, columns=RATINGS.columns)
    table = agreement_table(ratings, scale=(1, 5), rng=np.random.default_rng(0))
    assert table.rows[0].icc2_k == -1
    found = check_coefficients(ratings, table)
    assert found.largest < 1e-9
    assert "ICCs of pingouin below -1 (1) are compared as -1" in found.sentence
