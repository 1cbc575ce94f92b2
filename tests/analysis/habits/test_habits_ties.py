"""If this failed, a judge's ties would count as choices of a side, or break the habits chapter."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.habits.answers import answers_to, asked_both_ways, pair_probes, questions
from analysis.habits.findings import habits_results
from analysis.habits.order import letter, position, repeatability
from analysis.habits.tables import HabitTables
from analysis.habits.votes import votes_of
from tests.analysis.habits.test_habits_judges import GPT, Law, judge_tables, world


@pytest.fixture(scope="module")
def plain() -> HabitTables:
    """A judge that favours the first text, without ties."""
    found = judge_tables(world(seed=3), Law(first=0.9), np.random.default_rng(8))
    return replace(found, mode=None)


def with_ties(table: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    pairs = table["choice"].isin(["left", "right"]).to_numpy()
    drawn = np.random.default_rng(seed).random(len(table)) < share
    return table.assign(choice=table["choice"].mask(pairs & drawn, "tie"))


@pytest.fixture(scope="module")
def tied(plain: HabitTables) -> HabitTables:
    """The same answers, of which a quarter are ties."""
    return replace(
        plain,
        judgments=with_ties(plain.judgments, 0.25, 1),
        probes=with_ties(plain.probes, 0.25, 2),
    )


def test_sides_are_measured_on_pairs_without_a_tie(tied: HabitTables) -> None:
    asked = questions(tied.judgments, tied.probes, GPT)
    turned = asked_both_ways(asked)
    decided = (turned.first != 0.5) & (turned.second != 0.5)
    first, odds, steady = position(asked, judge=GPT).measures
    assert (first.n, steady.n) == (decided.sum(), len(decided))
    assert 0 < first.n < steady.n
    both = (turned.first + turned.second)[decided]
    n = len(both)
    assert first.estimate == pytest.approx(0.5 + ((both == 2).sum() - (both == 0).sum()) / n / 2)
    assert odds.n == (both != 1).sum()
    same = (turned.first == 1 - turned.second).mean()
    assert steady.estimate == pytest.approx(same)
    assert f"{steady.n - first.n:,} pairs with a tie" in first.note
    only = asked.assign(left=0.5)
    assert position(only, judge=GPT).measures[2].estimate == 1, "a tie both times is the same"
    assert math.isnan(position(only, judge=GPT).measures[0].estimate)


def test_letters_are_counted_without_ties(tied: HabitTables) -> None:
    asked = questions(tied.judgments, tied.probes, GPT)
    straight = asked[~asked["turned"].astype(bool)]
    decided = straight[straight["left"] != 0.5]
    (found,) = letter(asked, judge=GPT).measures
    assert found.n == len(decided)
    assert found.estimate == pytest.approx(decided["left"].mean())
    assert f"{len(straight) - len(decided):,} ties are left out." in found.note


def test_a_tie_again_is_the_same_answer_and_noise_is_not_defined(
    plain: HabitTables, tied: HabitTables
) -> None:
    repeat, noise, *_ = repeatability(tied.probes, judge=GPT).measures
    rows = pair_probes(tied.probes, GPT)
    first = rows[rows["probe"] == "original"].set_index("unit")["chosen"]
    again = rows[rows["probe"] == "repeat"]
    same = again["chosen"].to_numpy() == first.reindex(again["unit"]).to_numpy()
    shares = pd.Series(same).groupby(again["unit"].to_numpy()).mean()
    assert repeat.estimate == pytest.approx(shares.mean())
    assert math.isnan(noise.estimate)
    assert "not defined" in noise.note
    assert not math.isnan(repeatability(plain.probes, judge=GPT).measures[1].estimate)


def test_a_tie_is_half_a_choice_beyond_people(plain: HabitTables) -> None:
    people = plain.judgments[plain.judgments["rater_kind"] == "human"]
    votes = votes_of(with_ties(people, 0.3, 5))
    assert set(votes.chose_left) == {0.0, 0.5, 1.0}
    swapped = people.assign(
        left_id=people["right_id"],
        right_id=people["left_id"],
        choice=people["choice"].map({"left": "right", "right": "left"}),
    )
    other = votes_of(with_ties(swapped, 0.3, 5))
    np.testing.assert_allclose(other.chose_left, 1 - votes.chose_left)
    np.testing.assert_allclose(other.expected, -votes.expected, atol=1e-9)
    asked = pd.DataFrame(
        {"scenario": "", "left_id": ["a"], "right_id": ["b"], "left": [0.5], "turned": [False]}
    )
    pairs = pd.MultiIndex.from_tuples([("", "a", "b"), ("", "b", "a")])
    assert answers_to(pairs, asked).tolist() == [0.5, 0.5]


def test_the_chapter_is_written_and_says_what_ties_are(
    plain: HabitTables, tied: HabitTables
) -> None:
    found = habits_results(tied)
    assert any(text.startswith("Ties: ") for text in found.methods)
    assert not any(text.startswith("Ties: ") for text in habits_results(plain).methods)
    before = {(m.judge, m.what) for m in habits_results(plain).measures}
    assert {(m.judge, m.what) for m in found.measures} == before
