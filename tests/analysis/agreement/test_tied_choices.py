"""If this failed, agreement on choices would count ties wrongly, or lose them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from analysis.agreement.choices import answered_of, choice_agreement
from analysis.regression.judge_gap import selection_by_gap, trials_with_gap
from prereg.errors import RatifyError

SAID = ("left", "right", "tie")


def both(n: int = 600, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People's answers to pairs of twelve items, and a judge's that often are the same."""
    rng = np.random.default_rng(seed)
    pairs = [(a, b) for a in range(12) for b in range(12) if a != b]
    at = rng.integers(len(pairs), size=n)
    theirs = rng.choice(3, size=len(pairs), p=[0.4, 0.4, 0.2])
    same = rng.random(n) < 0.6
    mine = np.where(same, theirs[at], rng.integers(3, size=n))
    ids = [(f"i{a:02d}", f"i{b:02d}") for a, b in pairs]
    judge = pd.DataFrame(ids, columns=["left_id", "right_id"]).assign(
        choice=[SAID[k] for k in theirs]
    )
    people = pd.DataFrame([ids[k] for k in at], columns=["left_id", "right_id"]).assign(
        choice=[SAID[k] for k in mine], rater_id=[f"r{k % 40}" for k in range(n)]
    )
    return people, judge


def turned(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(
        left_id=table["right_id"],
        right_id=table["left_id"],
        choice=table["choice"].map({"left": "right", "right": "left", "tie": "tie"}),
    )


def test_agreement_and_kappa_are_over_three_answers() -> None:
    people, judge = both()
    found = choice_agreement(people, judge, cluster="rater_id")
    known = people.merge(judge, on=["left_id", "right_id"], suffixes=("", "_judge"))
    assert found.n == len(people) == len(known)
    assert found.estimate == pytest.approx((known["choice"] == known["choice_judge"]).mean())
    table = pd.crosstab(known["choice"], known["choice_judge"]).reindex(
        index=SAID, columns=SAID, fill_value=0
    )
    want = cohens_kappa(table.to_numpy())
    assert found.kappa == pytest.approx(want.kappa)
    assert (found.n_tied_people, found.n_tied_judge) == (
        (known["choice"] == "tie").sum(),
        (known["choice_judge"] == "tie").sum(),
    )
    assert found.n_tied_both == table.loc["tie", "tie"]
    assert found.coverage == 1
    # with every judgment its own cluster, the error is that of the usual large-sample variance
    alone = choice_agreement(
        people.assign(rater_id=[str(k) for k in range(len(people))]), judge, cluster="rater_id"
    )
    assert alone.kappa_se == pytest.approx(want.std_kappa, rel=0.02)


def test_a_tie_stays_a_tie_with_the_sides_exchanged() -> None:
    people, judge = both()
    straight = choice_agreement(people, judge)
    one_way = judge[judge["left_id"] < judge["right_id"]]
    half = choice_agreement(people, pd.concat([one_way, turned(one_way)]))
    again = choice_agreement(people, one_way)
    assert again.n == half.n
    assert again.n_reversed > 100
    assert again.estimate == half.estimate
    swapped = choice_agreement(turned(people), turned(judge))
    assert swapped.estimate == straight.estimate
    assert swapped.kappa == pytest.approx(straight.kappa)
    assert swapped.se == pytest.approx(straight.se)


def test_of_several_answers_the_most_frequent_counts() -> None:
    people = pd.DataFrame(
        {"left_id": ["a", "b"], "right_id": ["b", "c"], "choice": ["tie", "left"]}
    ).assign(rater_id=["p", "q"])
    answers = [("a", "b", "tie"), ("a", "b", "tie"), ("a", "b", "left")]
    answers += [("b", "c", "tie"), ("b", "c", "left")]
    judge = pd.DataFrame(answers, columns=["left_id", "right_id", "choice"])
    found = choice_agreement(people, judge, cluster="rater_id")
    assert (found.n, found.n_undecided, found.estimate) == (1, 1, 1.0)
    assert (found.worst, found.best) == (0.5, 1.0)
    assert answered_of(people, judge) == (1, 2)
    assert answered_of(people, turned(judge)) == (1, 2)


def test_without_ties_only_trials_that_both_decided_count() -> None:
    people, judge = both()
    rest = choice_agreement(people, judge, ties=False)
    whole = choice_agreement(people, judge)
    assert rest.n == (whole.n - whole.n_tied_people - whole.n_tied_judge + whole.n_tied_both)
    assert rest.n_asked == rest.n
    known = people.merge(judge, on=["left_id", "right_id"], suffixes=("", "_judge"))
    known = known[(known["choice"] != "tie") & (known["choice_judge"] != "tie")]
    assert rest.estimate == pytest.approx((known["choice"] == known["choice_judge"]).mean())
    assert rest.estimate != whole.estimate
    assert (rest.n_tied_people, rest.n_tied_judge, rest.n_tied_both) == (0, 0, 0)


def test_a_word_that_is_no_answer_names_its_row() -> None:
    people, judge = both(50)
    people.loc[3, "choice"] = "both"
    with pytest.raises(RatifyError, match=r"row 5, column choice.*left, right, tie"):
        choice_agreement(people, judge)


def test_only_ties_agree_without_a_kappa() -> None:
    people, judge = both(60)
    found = choice_agreement(people.assign(choice="tie"), judge.assign(choice="tie"))
    assert found.estimate == 1
    assert math.isnan(found.kappa)


# --- trials with a gap ---------------------------------------------------------------------------

SCORES = pd.DataFrame({"item_id": [f"i{k:02d}" for k in range(12)], "overall": range(12)}).assign(
    elo=lambda table: 1000 + table["overall"]
)


def test_a_tie_has_no_outcome_as_a_gap_of_0_has_none() -> None:
    people, _ = both()
    found = trials_with_gap(people, SCORES)
    tied = (people["choice"] == "tie").to_numpy()
    assert found.n_tied == tied.sum()
    outcomes: list[Any] = ["select_higher", "select_match", "chose_left"]
    assert found.frame.loc[tied, outcomes].isna().all(axis=None)
    assert found.frame.loc[~tied, outcomes].notna().all(axis=None)
    assert found.frame["gap"].notna().all()
    without = trials_with_gap(people[~tied], SCORES)
    pd.testing.assert_frame_equal(
        found.frame[~tied].reset_index(drop=True), without.frame.reset_index(drop=True)
    )
    bins = [(1.0, 5.0), (6.0, 11.0)]
    pd.testing.assert_frame_equal(
        selection_by_gap(found.frame, bins=bins), selection_by_gap(without.frame, bins=bins)
    )
