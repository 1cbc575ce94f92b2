"""If this failed, one person's halo between two scores could pass for an effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.causal.apart import refuse_both_scores
from prereg.errors import RatifyError

SCALES = ("empathy", "attachment")


def ratings(*rows: tuple[str, str, str], **columns: list[object]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["rater_id", "item_id", "dimension"])
    return found.assign(value=4.0, rater_kind="human").assign(**columns)


GOOD = [
    ("ann", "i1", "empathy"),
    ("ben", "i1", "attachment"),
    ("ann", "i2", "empathy"),
    ("cem", "i2", "attachment"),
]


def test_different_people_are_let_through() -> None:
    refuse_both_scores(ratings(*GOOD), SCALES, None)
    refuse_both_scores(ratings(*GOOD).iloc[:0], SCALES, None)
    # two scales, but never of one item: it is the pair that matters
    refuse_both_scores(ratings(*GOOD, ("ann", "i3", "attachment")), SCALES, None)
    refuse_both_scores(ratings(*GOOD, ("ann", "i1", "warmth")), SCALES, None)
    refuse_both_scores(ratings(*GOOD, ("ann", "i1", "empathy")), SCALES, None)


def test_rater_item_and_number_are_named_in_one_line() -> None:
    both = ratings(*GOOD, ("ben", "i1", "empathy"), ("cem", "i2", "empathy"))
    with pytest.raises(RatifyError) as caught:
        refuse_both_scores(both, SCALES, Path("data/ratings.csv"))
    line = str(caught.value)
    assert line.startswith("data/ratings.csv: rater 'ben' rated item 'i1' on both empathy and ")
    assert "there are 2 such pairs of rater and item" in line
    assert "design.apart: true" in line
    assert "\n" not in line
    with pytest.raises(RatifyError, match="there is 1 such pair of rater and item"):
        refuse_both_scores(both.iloc[:-1], SCALES, None)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_changes_no_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mixed = ratings(*GOOD, ("ben", "i1", "empathy"), ("cem", "i2", "empathy"))
    mixed = mixed.iloc[rng.permutation(len(mixed))]
    with pytest.raises(RatifyError, match=r"rater '(ben|cem)'.*there are 2 such pairs"):
        refuse_both_scores(mixed, SCALES[::-1], None)


def test_judges_checks_and_missing_values_are_no_scores_of_a_person() -> None:
    more = [*GOOD, ("gpt", "i1", "empathy"), ("gpt", "i1", "attachment")]
    more += [("ann", "check_1.1", "empathy"), ("ann", "check_1.1", "attachment")]
    more += [("ben", "i1", "empathy")]
    kinds = ["human"] * 4 + ["llm"] * 2 + ["human"] * 3
    table = ratings(
        *more,
        rater_kind=kinds,
        is_attention_check=["false"] * 6 + ["true"] * 2 + ["false"],
        value=[4.0] * 8 + [np.nan],
    )
    refuse_both_scores(table, SCALES, None)
    with pytest.raises(RatifyError, match="rater 'gpt'"):
        refuse_both_scores(table.drop(columns="rater_kind"), SCALES, None)


def test_one_dimension_is_no_pair() -> None:
    with pytest.raises(ValueError, match="one dimension"):
        refuse_both_scores(ratings(*GOOD), ("empathy", "empathy"), None)
