"""If this failed, a pick of best and worst would count for the wrong item, twice, or not at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ranking.best_worst import comparisons_from_best_worst
from analysis.ranking.bradley_terry import bradley_terry
from prereg.errors import RatifyError


def trial(name: str, items: str, most: str, least: str, rater: str = "r1") -> list[dict]:
    return [
        {
            "trial_id": name,
            "rater_id": rater,
            "scenario": "s",
            "option": place,
            "item_id": item,
            "picked": {most: "most", least: "least"}.get(item, ""),
            "is_attention_check": False,
        }
        for place, item in enumerate(items, start=1)
    ]


def beats(table: pd.DataFrame) -> set[tuple[str, str]]:
    left = table["choice"] == "left"
    winner = table["left_id"].where(left, table["right_id"])
    loser = table["right_id"].where(left, table["left_id"])
    return set(zip(winner, loser, strict=True))


def test_best_beats_every_other_and_every_other_beats_worst_once():
    got = comparisons_from_best_worst(pd.DataFrame(trial("t", "abcd", most="c", least="a")))
    assert beats(got) == {("c", "a"), ("c", "b"), ("c", "d"), ("b", "a"), ("d", "a")}
    assert len(got) == 5
    assert set(zip(got["left_id"], got["right_id"], strict=True)) == {
        ("a", "c"),
        ("b", "c"),
        ("c", "d"),
        ("a", "b"),
        ("a", "d"),
    }
    assert set(got["scenario"]) == {"s"}
    assert set(got["rater_id"]) == {"r1"}


@settings(deadline=None, max_examples=6)
@given(st.integers(3, 7), st.randoms(use_true_random=False))
def test_a_trial_of_n_gives_2n_less_3_whatever_the_order_of_rows(n, random):
    rows = []
    for number in range(3):
        items = random.sample("abcdefghij", n)
        most, least = random.sample(items, 2)
        rows += trial(f"t{number}", "".join(items), most, least, rater=f"r{number}")
    frame = pd.DataFrame(rows)
    got = comparisons_from_best_worst(frame)
    assert got.groupby("trial_id").size().tolist() == [2 * n - 3] * 3
    mixed = comparisons_from_best_worst(frame.sample(frac=1, random_state=n))
    for name, part in got.groupby("trial_id"):
        assert beats(mixed[mixed["trial_id"] == name]) == beats(part)


def test_attention_checks_are_set_aside():
    check = [row | {"is_attention_check": True} for row in trial("c", "xyz", "x", "y")]
    got = comparisons_from_best_worst(pd.DataFrame(trial("t", "abc", "a", "b") + check))
    assert set(got["trial_id"]) == {"t"}
    with pytest.raises(RatifyError, match="other than attention checks"):
        comparisons_from_best_worst(pd.DataFrame(check))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"picked": "top"}, "row 3, column picked: is not a pick"),
        ({"picked": "most"}, "exactly one 'most'"),
        ({"picked": "least"}, "exactly one 'least'"),
        ({"item_id": "a"}, "row 3, column item_id: an item occurs more than once in a trial"),
        ({"option": 1}, "row 3, column option: a place occurs more than once in a trial"),
        ({"rater_id": "r2"}, "column rater_id: a trial has several"),
        ({"scenario": "other"}, "column scenario: a trial has several"),
        ({"trial_id": "u"}, "too few options"),
        ({"trial_id": ""}, "row 3, column trial_id: is empty"),
    ],
)
def test_a_trial_that_cannot_be_is_refused(change, message):
    rows = trial("t", "abcd", most="c", least="a")
    rows[1] |= change
    with pytest.raises(RatifyError, match=message):
        comparisons_from_best_worst(pd.DataFrame(rows))


def test_the_order_comes_back_and_errors_are_the_raters():
    rng = np.random.default_rng(1)
    rows = []
    strength = dict(zip("abcdef", np.linspace(2, -2, 6), strict=True))
    for number in range(300):
        items = rng.permutation(list("abcdef"))[:4]
        felt = {i: strength[i] + rng.gumbel() for i in items}
        most, least = max(felt, key=felt.__getitem__), min(felt, key=felt.__getitem__)
        rows += trial(f"t{number:03d}", "".join(items), most, least, rater=f"r{number % 30}")
    ranking = bradley_terry(comparisons_from_best_worst(pd.DataFrame(rows)))
    assert ranking.frame["item_id"].tolist() == list("abcdef")
    assert ranking.n_clusters == 30
    assert ranking.n_judgments == 300 * 5
