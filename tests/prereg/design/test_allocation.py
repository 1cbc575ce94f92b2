"""If these failed, labels would be spent where they tell least, or a stratum would get none."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prereg.design.allocation import neyman
from prereg.errors import RatifyError


def textbook(sizes: list[int], spreads: list[float], labels: int) -> np.ndarray:
    """Return Cochran's n_h = n N_h S_h / sum(N_h S_h), which is no whole number."""
    products = np.array(sizes) * np.array(spreads)
    return labels * products / products.sum()


def best_by_trying_all(sizes: list[int], spreads: list[float], labels: int, floor: int) -> float:
    """Return the smallest sum(N^2 S^2 / n) of every allocation within the limits."""
    ranges = [range(min(floor, size), size + 1) for size in sizes]
    return min(
        sum((size * spread) ** 2 / n for size, spread, n in zip(sizes, spreads, each, strict=True))
        for each in itertools.product(*ranges)
        if sum(each) == labels
    )


def test_it_is_the_formula_of_the_textbook_to_a_whole_number() -> None:
    sizes, spreads = [5200, 450, 350, 900], [0.6, 1.4, 2.0, 1.1]
    found = neyman(sizes, spreads, 400, floor=2)
    assert found.sum() == 400
    assert np.abs(found - textbook(sizes, spreads, 400)).max() < 1


def test_equal_spreads_are_in_proportion_to_size() -> None:
    assert neyman([6000, 3000, 1000], [1.0, 1.0, 1.0], 100).tolist() == [60, 30, 10]


strata = st.lists(
    st.tuples(st.integers(1, 7), st.floats(0.01, 5, allow_nan=False)), min_size=1, max_size=4
)


@given(strata, st.integers(1, 3), st.data())
def test_no_other_whole_numbers_have_a_smaller_variance(
    given_strata: list[tuple[int, float]], floor: int, data: st.DataObject
) -> None:
    sizes, spreads = map(list, zip(*given_strata, strict=True))
    least = sum(min(floor, size) for size in sizes)
    labels = data.draw(st.integers(least, sum(sizes)))
    found = neyman(sizes, spreads, labels, floor=floor)
    assert found.sum() == labels
    assert all(min(floor, size) <= n <= size for size, n in zip(sizes, found, strict=True))
    variance = sum(
        (size * spread) ** 2 / n for size, spread, n in zip(sizes, spreads, found, strict=True)
    )
    assert variance == pytest.approx(best_by_trying_all(sizes, spreads, labels, floor))


def test_a_small_stratum_gives_all_it_has_and_others_take_the_rest() -> None:
    assert neyman([3, 1000], [100.0, 1.0], 50, floor=5).tolist() == [3, 47]
    assert neyman([3, 10], [1.0, 1.0], 400, floor=5).tolist() == [3, 10]


def test_a_stratum_without_spread_gets_its_floor_and_what_nobody_else_can_take() -> None:
    assert neyman([100, 100], [0.0, 1.0], 40, floor=5).tolist() == [5, 35]
    assert neyman([100, 300, 10], [0.0, 0.0, 1.0], 50, floor=5).tolist() == [10, 30, 10]


def test_too_few_labels_for_the_floors_are_refused() -> None:
    with pytest.raises(RatifyError, match=r"3 strata need 12 labels.*got 11.*12 or more"):
        neyman([50, 2, 60], [1.0, 1.0, 1.0], 11, floor=5)
