"""If this failed, a judge would be let into a person's place that does not fill it, or kept out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analysis.agreement.alternative_annotator import alternative_annotator
from analysis.agreement.panel import panel
from prereg.errors import RatifyError


def ratings(noise, *, items=40, seed=3, dimensions=("warmth", "advice")):
    """Return tidy ratings of annotators with so much noise; those named p are people."""
    rng = np.random.default_rng(seed)
    rows = []
    for dimension in dimensions:
        truth = rng.normal(3, 1.2, items)
        for rater, spread in noise.items():
            values = np.clip(np.round(truth + rng.normal(0, spread, items)), 1, 5)
            kind = "human" if rater.startswith("p") else "llm"
            rows += [(rater, kind, f"i{n:03d}", dimension, value) for n, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["rater_id", "rater_kind", "item_id", "dimension", "value"])


PLAIN = ratings({"p1": 0.7, "p2": 0.7, "p3": 0.9, "m": 0.6, "bad": 2.5})


def outcome(
    table,
    *,
    epsilon=0.2,
    metric="rmse",
    fewest_others=1,
    fewest_items=10,
    false_discovery=0.05,
    **taken,
):
    return alternative_annotator(
        panel(table, **({"scale": (1, 5)} | taken)),
        epsilon=epsilon,
        metric=metric,
        fewest_others=fewest_others,
        fewest_items=fewest_items,
        false_discovery=false_discovery,
    )


def by_hand(table, judge, dimension, human, metric):
    """Return the win indicators of one person left out, item by item, straight from the paper."""
    wide = table[table["dimension"] == dimension].pivot(
        index="item_id", columns="rater_id", values="value"
    )
    people = sorted(table.loc[table["rater_kind"] == "human", "rater_id"].unique())
    rows = wide[[judge, human, *(p for p in people if p != human)]].to_numpy()
    mine, theirs = [], []
    for its, own, *rest in rows:
        others = np.array([value for value in rest if not np.isnan(value)])
        if others.size == 0 or np.isnan(own) or np.isnan(its):
            continue
        judges, persons = (
            round(
                -np.sqrt(np.mean((value - others) ** 2))
                if metric == "rmse"
                else -np.mean(np.abs(value - others))
                if metric == "absolute"
                else np.mean(value == others),
                9,
            )
            for value in (its, own)
        )
        mine.append(judges >= persons)
        theirs.append(persons >= judges)
    return np.array(mine, float), np.array(theirs, float)


@pytest.mark.parametrize("metric", ["rmse", "absolute", "accuracy"])
@pytest.mark.parametrize("holed", [False, True], ids=["complete", "missing"])
def test_every_person_is_tested_as_the_paper_says(metric, holed):
    table = PLAIN
    if holed:
        gone = np.random.default_rng(5).random(len(table)) < 0.25
        table = table.assign(value=table["value"].mask(gone))
    rows = outcome(table, metric=metric).humans
    assert len(rows) == 2 * 2 * 3
    for row in rows:
        mine, theirs = by_hand(table, row.judge, row.dimension, row.human, metric)
        assert (row.n, row.judge_wins, row.human_wins) == pytest.approx(
            (len(mine), mine.mean(), theirs.mean())
        )
        p = stats.ttest_1samp(theirs - mine, 0.2, alternative="less").pvalue
        assert row.p_value == pytest.approx(p)


def test_both_corrections_are_benjamini_and_yekutielis():
    found = outcome(PLAIN).humans_frame()
    for _, judge in found.groupby("judge"):
        wide = multipletests(judge["p_value"], method="fdr_by")[1]
        np.testing.assert_allclose(judge["p_adjusted_all"], wide)
        for _, one in judge.groupby("dimension"):
            own = multipletests(one["p_value"], method="fdr_by")[1]
            np.testing.assert_allclose(one["p_adjusted"], own)


def test_half_of_the_people_is_enough():
    for verdict in outcome(PLAIN).verdicts:
        rows = [
            r
            for r in outcome(PLAIN).humans
            if (r.judge, r.dimension) == (verdict.judge, verdict.dimension)
        ]
        assert verdict.winning_rate == np.mean([r.p_adjusted <= 0.05 for r in rows])
        assert verdict.passes == (verdict.winning_rate >= 0.5)
        assert verdict.advantage == pytest.approx(np.mean([r.judge_wins for r in rows]))
        assert verdict.advantage_low < verdict.advantage < verdict.advantage_high
    assert {v.judge for v in outcome(PLAIN).verdicts if v.passes} == {"m"}


def test_order_names_and_a_larger_epsilon():
    whole = outcome(PLAIN)
    shuffled = outcome(PLAIN.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(whole.to_frame(), shuffled.to_frame())
    # the other way round: whoever is labelled otherwise is tested alike
    renamed = PLAIN.assign(rater_id=PLAIN["rater_id"].replace({"p1": "p9"}))
    pd.testing.assert_frame_equal(whole.to_frame(), outcome(renamed).to_frame())
    for strict, mild in zip(whole.humans, outcome(PLAIN, epsilon=0.4).humans, strict=True):
        assert mild.p_value <= strict.p_value


def test_a_pass_where_people_agree_little_is_flagged():
    table = ratings({"p1": 3, "p2": 3, "p3": 3, "m": 0.1}, dimensions=["warmth"])
    [verdict] = outcome(table).verdicts
    assert verdict.passes
    assert verdict.human_alpha < 0.5
    assert "low bar" in verdict.note


def test_who_rated_little_is_not_outcome():
    few = (PLAIN["rater_id"] != "p3") | (PLAIN["item_id"] < "i006")
    found = outcome(PLAIN[few])
    assert [r.human for r in found.humans if np.isnan(r.p_value)] == ["p3"] * 4
    assert {v.humans for v in found.verdicts} == {2}
    nobody = outcome(PLAIN[few], fewest_items=41).verdicts
    assert {v.passes for v in nobody} == {None}
    assert all(np.isnan(v.advantage) for v in nobody)


def test_a_difference_that_never_varies_has_an_exact_bound():
    table = ratings({"p1": 0, "p2": 0, "m": 0}, items=20, dimensions=["warmth"])
    for row in outcome(table).humans:
        assert (row.judge_wins, row.human_wins) == (1, 1)
        assert row.p_value == pytest.approx(0.8**20)
    assert all(row.p_value == 1 for row in outcome(table, epsilon=0.0).humans)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epsilon": 1.0}, "epsilon"),
        ({"metric": "kappa"}, "metric"),
        ({"fewest_others": 0}, "fewest_others"),
        ({"fewest_items": 1}, "fewest_items"),
        ({"false_discovery": 0.0}, "false_discovery"),
    ],
)
def test_settings_out_of_range_are_refused(settings, says):
    with pytest.raises(RatifyError, match=says):
        outcome(PLAIN, **settings)


def test_one_person_is_refused():
    with pytest.raises(RatifyError, match="nobody to be compared with"):
        outcome(PLAIN[PLAIN["rater_id"].isin(["p1", "m"])])
