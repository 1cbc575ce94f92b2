"""If this failed, an advantage of the left side would be invented from scores."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ranking import bradley_terry
from analysis.ranking.pair_counts import count_votes
from analysis.ranking.pair_scores import fit_codes
from analysis.ranking.side import require_side
from prereg.errors import RatifyError


def identified(pairs: list[tuple[int, int]], n_items: int) -> bool:
    left, right = np.array(pairs, dtype=np.int64).T
    won = np.ones(len(left), dtype=bool)
    try:
        require_side(count_votes(left, right, won, n_items, ordered=True), n_items)
    except RatifyError:
        return False
    return True


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] != pair[1]),
        min_size=1,
        max_size=9,
    )
)
def test_it_is_refused_exactly_where_the_design_has_no_full_rank(pairs):
    design = np.zeros((len(pairs), 8))
    for row, (left, right) in enumerate(pairs):
        design[row, [left, right, 7]] = 1, -1, 1
    whole = np.linalg.matrix_rank(design)
    assert identified(pairs, 7) == (whole == np.linalg.matrix_rank(design[:, :7]) + 1)
    turned = [(right, left) for left, right in pairs]
    assert identified(turned, 7) == identified(pairs, 7)


def one_side_only() -> pd.DataFrame:
    """Return judgments in which each opponent stands on one side only."""
    rng = np.random.default_rng(1)
    rows = [
        (f"a{a}", f"b{b}", rng.choice(["left", "right"]), f"r{k}")
        for a in range(3)
        for b in range(3)
        for k in range(6)
    ]
    return pd.DataFrame(rows, columns=["left_id", "right_id", "choice", "rater_id"])


@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_a_side_that_was_never_exchanged_is_refused_by_name(ridge):
    table = one_side_only()
    with pytest.raises(RatifyError) as caught:
        bradley_terry(table, ridge=ridge, side_advantage=True)
    said = str(caught.value)
    assert "cannot show an advantage of the left side" in said
    assert "sides exchanged, or no side advantage" in said
    assert "\n" not in said
    assert bradley_terry(table, ridge=ridge).side_advantage is None
    first = table.iloc[0]
    again = first.rename({"left_id": "right_id", "right_id": "left_id"}).to_frame().T
    mixed = pd.concat([table, again, again.assign(choice="left")], ignore_index=True)
    assert bradley_terry(mixed, ridge=ridge, side_advantage=True).side_advantage is not None
    left, right = (pd.factorize(table[side])[0] for side in ("left_id", "right_id"))
    won = (table["choice"] == "left").to_numpy()
    with pytest.raises(RatifyError, match="cannot show an advantage"):
        fit_codes(left, right + 3, won, 6, ridge=ridge, side_advantage=True)


def test_twenty_thousand_items_take_little_time():
    rng = np.random.default_rng(2)
    left = rng.integers(10_000, size=100_000)
    right = 10_000 + rng.integers(10_000, size=100_000)
    cells = count_votes(left, right, np.ones(len(left), dtype=bool), 20_000, ordered=True)
    begin = time.process_time()
    with pytest.raises(RatifyError):
        require_side(cells, 20_000)
    assert time.process_time() - begin < 2
