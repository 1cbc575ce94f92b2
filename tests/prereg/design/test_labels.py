"""If these failed, the stored inclusion probability would not be that of the draw.

Every weighted estimate divides by it, so estimates would be wrong and look fine.
"""

from __future__ import annotations

import numpy as np
import pytest

from prereg.design.allocation import neyman
from prereg.design.label_strata import strata_of
from prereg.design.labels import (
    LabelSample,
    allocation,
    draw_labels,
    inclusion_probability,
    units_of_arms,
)
from prereg.design.pilot import PRIOR_UNITS, pilot_spreads
from prereg.errors import RatifyError
from prereg.plan.causal import LabelPlan, Shares, Treatment

CUTS = Treatment(scale="empathy", score="s")
DRAWS = 20_000


def scores(units: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return a judge's scores: few treated, many controls, as in the published frame."""
    rng = np.random.default_rng(seed)
    treatment = rng.choice(
        [1, 2, 3, 4, 5, 6, 7], size=units, p=[0.3, 0.3, 0.2, 0.1, 0.06, 0.03, 0.01]
    )
    outcome = np.clip(np.round(rng.normal(2 + 0.3 * treatment, 1)), 1, 7)
    return treatment.astype(float), outcome


def names(units: int) -> list[str]:
    return [f"u{number:05d}" for number in range(units)]


def sample(units: int, *, seed: int = 7, **keys: object) -> LabelSample:
    plan = LabelPlan.model_validate({"stratified": 400, "random": 100} | keys)
    strata = strata_of(*scores(units), CUTS, labels=plan.stratified, floor=plan.floor)
    labels = allocation(strata, plan)
    return draw_labels(names(units), strata, labels, random=plan.random, seed=seed)


def test_inclusion_probabilities_are_those_of_many_draws() -> None:
    units = 60
    strata = strata_of(*scores(units), CUTS, labels=20, floor=4)
    labels = neyman(strata.sizes.tolist(), [1.0] * len(strata.names), 20, floor=3)
    ids, counts, totals = names(units), np.zeros(units), []
    values = np.random.default_rng(3).normal(5, 2, units)
    for seed in range(DRAWS):
        one = draw_labels(ids, strata, labels, random=9, seed=seed)
        counts += one.labelled
        totals.append((values / one.probability)[one.labelled].sum())
    share, promised = counts / DRAWS, one.probability
    errors = (share - promised) / np.sqrt(promised * (1 - promised) / DRAWS)
    assert np.abs(errors).max() < 4.5
    assert 0.7 < errors.std() < 1.3
    # Horvitz and Thompson's total: without bias
    off = np.mean(totals) - values.sum()
    assert abs(off) < 4 * np.std(totals) / np.sqrt(DRAWS)


def test_probability_of_a_union_of_two_draws() -> None:
    found = inclusion_probability(np.array([10, 30]), np.array([5, 3]), 4)
    assert found == pytest.approx([1 - 0.5 * 0.9, 1 - 0.9 * 0.9])


def test_half_of_the_stratified_labels_are_where_the_judge_said_the_middle() -> None:
    one = sample(6000)
    of_arm = {
        arm: int(one.labels[[a == arm for a in one.strata.arms]].sum())
        for arm in ("control", "middle", "treated")
    }
    # the floors of small strata take a few
    assert all(abs(of_arm[arm] - n) <= 6 for arm, n in (("control", 100), ("treated", 100)))
    assert abs(of_arm["middle"] - 200) <= 3
    assert one.estimate.sum() == 400
    assert one.gate.sum() == 100


def test_the_gate_draws_from_all_units_whatever_the_strata_say() -> None:
    counts = np.zeros(6000)
    for seed in range(60):
        counts += sample(6000, seed=seed).gate
    arms = np.array(sample(6000).strata.arms)[sample(6000).strata.of_unit]
    for arm in ("control", "middle", "treated"):
        there = arms == arm
        share = counts[there].sum() / counts.sum()
        error = np.sqrt(there.mean() * (1 - there.mean()) / counts.sum())
        assert abs(share - there.mean()) < 4 * error


def test_the_order_of_rows_changes_nothing() -> None:
    units = 900
    treatment, outcome = scores(units)
    ids = np.array(names(units))
    found = []
    for order in (np.arange(units), np.random.default_rng(5).permutation(units)):
        strata = strata_of(treatment[order], outcome[order], CUTS, labels=90, floor=5)
        labels = allocation(strata, LabelPlan(stratified=90, random=30))
        one = draw_labels(ids[order].tolist(), strata, labels, random=30, seed=7)
        found.append(
            {
                (
                    name,
                    one.sampled_for(at),
                    float(one.probability[at]),
                    strata.names[strata.of_unit[at]],
                )
                for at, name in enumerate(ids[order])
                if one.labelled[at]
            }
        )
    assert found[0] == found[1]


def test_another_seed_draws_others_and_a_seed_draws_again() -> None:
    first, again, other = sample(900), sample(900), sample(900, seed=8)
    assert (first.labelled == again.labelled).all()
    assert (first.estimate != other.estimate).any()
    assert (first.gate != other.gate).any()


def test_no_stratum_crosses_a_cut_and_none_is_sparse_unless_its_arm_is() -> None:
    treatment, outcome = scores(6000)
    strata = strata_of(treatment, outcome, CUTS, labels=400, floor=5)
    for at, arm in enumerate(strata.arms):
        there = strata.of_unit == at
        assert {CUTS.arm(score) for score in treatment[there]} == {arm}
        assert strata.sizes[at] >= 75 or strata.arms.count(arm) == 1
    assert strata.sizes.sum() == 6000
    assert units_of_arms(strata)["middle"] == (treatment == 4).sum()
    labels = allocation(strata, LabelPlan())
    assert (labels >= 5).all()


def test_names_say_which_scores_are_in_a_stratum() -> None:
    treatment = np.array([1.0] * 6 + [4.0] * 3 + [5.0] * 6 + [7.0])
    outcome = np.array([1.0, 1, 2, 2, 3, 3, 1, 2, 3, 1, 1, 1, 2, 2, 6, 2.5])
    strata = strata_of(treatment, outcome, CUTS, labels=16, floor=3)
    by_name = dict(zip(strata.names, strata.sizes.tolist(), strict=True))
    assert by_name == {"S1 Y1-3": 6, "S4 Y1-3": 3, "S5-7 Y1": 3, "S5-7 Y2-6": 4}


def test_an_arm_without_units_gives_its_share_to_the_others() -> None:
    treatment, outcome = scores(3000)
    treatment[treatment == 4] = 3
    strata = strata_of(treatment, outcome, CUTS, labels=200, floor=5)
    labels = allocation(strata, LabelPlan(stratified=200))
    assert labels.sum() == 200
    assert abs(labels[[arm == "treated" for arm in strata.arms]].sum() - 100) <= 4


def test_the_plan_may_share_out_labels_otherwise() -> None:
    strata = strata_of(*scores(6000), CUTS, labels=400, floor=5)
    shares = Shares(control=0.2, middle=0.3, treated=0.5)
    labels = allocation(strata, LabelPlan(shares=shares))
    treated = labels[[arm == "treated" for arm in strata.arms]].sum()
    assert abs(treated - 200) <= 4
    even = allocation(strata, LabelPlan(allocation="proportional", shares=shares))
    assert np.abs(even - 400 * strata.sizes / 6000).max() < 1


def test_too_few_labels_for_the_strata_name_the_key_of_the_plan() -> None:
    strata = strata_of(*scores(900), CUTS, labels=6, floor=5)
    with pytest.raises(RatifyError, match=r"causal\.labels\.stratified: .*15 or more"):
        allocation(strata, LabelPlan(stratified=6))


def test_a_frame_smaller_than_its_sample_is_labelled_whole() -> None:
    one = sample(80)
    assert one.labelled.all()
    assert one.probability == pytest.approx(np.ones(80))
    assert one.labels.tolist() == one.strata.sizes.tolist()


def test_a_pilot_finds_the_stratum_in_which_people_disagree_with_the_judge() -> None:
    units = 4000
    treatment, outcome = scores(units)
    strata = strata_of(treatment, outcome, CUTS, labels=400, floor=5)
    rng = np.random.default_rng(2)
    # people call half of the judge's middle treated; nowhere else do they disagree
    people = np.where((treatment == 4) & (rng.random(units) < 0.5), 6, treatment)
    pilot = rng.choice(units, 600, replace=False)
    spreads = pilot_spreads(strata, pilot, people[pilot], outcome[pilot], CUTS)
    of_arm = {arm: spreads[[a == arm for a in strata.arms]].mean() for arm in ("control", "middle")}
    assert of_arm["middle"] > 2 * of_arm["control"]
    by_size = allocation(strata, LabelPlan(allocation="proportional"))
    labels = allocation(strata, LabelPlan(), spreads=spreads.tolist())
    middle = np.array([arm == "middle" for arm in strata.arms])
    assert labels[middle].sum() > 1.5 * by_size[middle].sum()


def test_the_spread_of_a_pilot_is_that_of_the_influence_of_a_difference_of_means() -> None:
    units = 3000
    treatment, outcome = scores(units)
    one = strata_of(treatment, outcome, CUTS, labels=12, floor=4)  # few strata, all well filled
    found = pilot_spreads(one, np.arange(units), treatment, outcome, CUTS)
    # an independent way to the influence values: how the difference moves without a unit
    treated, control = treatment >= 5, treatment <= 3
    difference = outcome[treated].mean() - outcome[control].mean()

    def without(unit: int) -> float:
        keep = np.arange(units) != unit
        return float(outcome[keep & treated].mean() - outcome[keep & control].mean())

    left = (units - 1) * (difference - np.array([without(unit) for unit in range(units)]))
    for at in range(len(one.names)):
        spread = left[one.of_unit == at].std(ddof=1)
        pooled = PRIOR_UNITS / (one.sizes[at] - 1)
        assert found[at] == pytest.approx(spread, rel=0.02 + pooled, abs=0.06)


def test_a_pilot_in_which_people_call_nobody_treated_is_refused() -> None:
    treatment, outcome = scores(400)
    strata = strata_of(treatment, outcome, CUTS, labels=40, floor=5)
    low = np.minimum(treatment, 4)
    with pytest.raises(RatifyError, match="people called 0 of 400 units treated"):
        pilot_spreads(strata, np.arange(400), low, outcome, CUTS)
