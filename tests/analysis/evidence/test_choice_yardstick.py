"""If this failed, a judge would be called as good as people on too few items, or without ties."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from analysis.evidence.choice_yardstick import Beside, beside_people, yardstick_of
from analysis.evidence.evidence import Evidence
from analysis.inference.crossed_errors import crossed_ols
from tests.validation.trials_truth import Design, Study, study

SMALL = Design(raters=40, trials=5, scenarios=2, items=10)


def evidence(choices: pd.DataFrame) -> Evidence:
    plan = SimpleNamespace(ranking=SimpleNamespace(ridge=0.02))
    return cast(Evidence, SimpleNamespace(people=choices, plan=plan, raters="people"))


@pytest.fixture(scope="module")
def one() -> Study:
    return study(np.random.default_rng(4), design=SMALL)


def beside(people: pd.DataFrame, judge: pd.DataFrame, **more: str) -> Beside:
    found = beside_people(evidence(people), judge, *yardstick_of(evidence(people)), **more)
    assert found is not None
    return found


def test_errors_count_raters_and_items_as_choice_agreement_does(one: Study) -> None:
    found = beside(one.people, one.judge)
    known, _ = yardstick_of(evidence(one.people))
    people = one.people.assign(theirs=known, pair=_pairs(one.people)).dropna(subset=["theirs"])
    judged = one.judge.assign(pair=_pairs(one.judge), won=_won(one.judge))
    # the judge answered a few pairs both ways round, and undecided ones are left out
    said = judged.groupby("pair")["won"].agg(lambda won: won.iloc[0] if won.nunique() == 1 else "")
    people = people.assign(judged=people["pair"].map(said), won=_won(people))
    people = people[people["judged"] != ""]
    apart = (people["judged"] == people["won"]).astype(float) - people["theirs"]
    sides = pd.factorize(people[["left_id", "right_id"]].to_numpy(dtype=object).ravel())[0]
    clusters = {
        "rater": pd.factorize(people["rater_id"])[0].astype(np.int64),
        "item": sides.reshape(-1, 2).astype(np.int64),
    }
    fit = crossed_ols(apart.to_numpy(), np.ones((len(apart), 1)), clusters)
    (by_both,) = fit.estimates(np.eye(1))
    assert found.difference == pytest.approx((by_both.estimate, by_both.low, by_both.high))
    assert found.se == pytest.approx(by_both.se)
    assert (found.n, found.clusters, found.items) == (len(people), 40, 20)
    assert found.judge[0] - found.people[0] == pytest.approx(found.difference[0])
    assert found.note == ""


def test_a_cluster_of_the_plan_is_the_one_that_counts(one: Study) -> None:
    by_both = beside(one.people, one.judge)
    by_rater = beside(one.people, one.judge, cluster="rater_id")
    assert by_rater.difference[0] == by_both.difference[0]
    # few items in many trials: by rater alone the interval is far too narrow
    assert by_rater.se < by_both.se
    halves = one.people.assign(session_id="v" + (one.people.index % 20).astype(str))
    assert beside(halves, one.judge, cluster="session_id").clusters == 20


def test_one_item_in_every_comparison_has_no_interval_and_it_is_said(one: Study) -> None:
    anchor = one.people.assign(right_id="anchor", scenario="s")
    found = beside(anchor, one.judge.assign(right_id="anchor", scenario="s"))
    assert np.isnan(found.se)
    assert np.isnan(found.difference[1])
    assert found.note == "rests on a single item: no interval"
    # nor have the shares, so that nobody says that people agree only at chance
    assert np.isnan([found.people[1], found.judge[1]]).all()
    by_rater = beside(anchor, one.judge.assign(right_id="anchor", scenario="s"), cluster="rater_id")
    half = by_rater.difference[2] - by_rater.difference[0]
    assert half > float(student.ppf(0.975, 1e6)) * by_rater.se > 0


def test_ties_that_are_left_out_are_counted(one: Study) -> None:
    tied = one.people.copy()
    tied.loc[tied.index % 9 == 0, "choice"] = "tie"
    judge = one.judge.assign(choice=one.judge["choice"].mask(one.judge.index % 7 == 0, "tie"))
    found = beside(tied, judge)
    assert found.ties
    assert found.people_tied == (one.people.index % 9 == 0).sum()
    whole = beside(tied, one.judge)
    assert found.judge_tied > whole.judge_tied
    assert found.n < whole.n


def _won(choices: pd.DataFrame) -> pd.Series:
    return choices["left_id"].where(choices["choice"] == "left", choices["right_id"])


def _pairs(choices: pd.DataFrame) -> list[str]:
    sides = choices[["left_id", "right_id"]].to_numpy(dtype=object)
    return [" ".join(sorted(pair)) for pair in sides]
