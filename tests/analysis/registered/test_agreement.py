"""If this failed, a plan's analysis of agreement would report other numbers than it promised."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from analysis.agreement.alternative_annotator import alternative_annotator
from analysis.agreement.panel import panel
from analysis.evidence.evidence import Evidence
from analysis.registered.agreement import run_agreement
from analysis.registered.hypotheses import NOT_SUPPORTED, decided
from analysis.registered.wanted import numbers_alone
from prereg.analyses.agreement import Agreement
from prereg.errors import RatifyError
from prereg.plan.reporting import Large
from tests.analysis.agreement.test_alternative_annotator import ratings
from tests.analysis.agreement.test_crowd import TABLE as CROWD

EXPERTS = ratings({"p1": 0.6, "p2": 0.6, "p3": 0.8, "m": 0.7, "k": 2.0}, items=40)
PLAN = SimpleNamespace(
    labels={}, scales=[SimpleNamespace(id=name) for name in ("advice", "warmth")]
)


class Given(SimpleNamespace):
    """Stands in for evidence; unlike its base it can be referred to weakly, as evidence can."""


def evidence(table=EXPERTS, **others):
    """Return what stands in for a rating study's evidence."""
    table = table.assign(scale_min="1", scale_max="5", value=table["value"].astype(str))
    person = table["rater_kind"] == "human"
    have = {
        "ratings": table[person].reset_index(drop=True),
        "judge_ratings": table[~person],
        "rng": lambda _: np.random.default_rng(1),
        "raters": "people",
        "simulated": False,
        "status": "confirmatory",
        "plan": SimpleNamespace(large=Large(), panels=(), causal=None),
        "items": pd.DataFrame({"item_id": [], "text": []}),
    }
    return cast(Evidence, Given(**(have | others)))


def plan(**settings):
    return Agreement(**({"id": "agree", "kind": "agreement", "judges": ("m", "k")} | settings))


FOUND = run_agreement(plan(cuts=({"at": 4}, {"at": 2, "side": "at_most"})), evidence())


def test_beside_a_causal_gate_it_says_why_two_tests_of_one_name_may_differ():
    causal = SimpleNamespace(large=Large(), panels=(), causal=SimpleNamespace())
    said = run_agreement(plan(), evidence(plan=causal)).sentence
    people = EXPERTS.loc[EXPERTS["rater_kind"] == "human", "rater_id"].nunique()
    assert f"one at a time (up to {people} on a dimension), each on the 40 items (median)" in said
    assert "it can pass where this one does not" in said
    assert "of the same name" not in FOUND.sentence


def test_it_reports_what_thresholds_may_name():
    assert sorted(plan().quantity_names(PLAN)) == sorted(q.name for q in FOUND.quantities)
    for q in FOUND.quantities:
        assert q.status == "confirmatory"
        assert q.estimate is not None
        if "winning_rate" not in q.name:
            assert q.low <= q.estimate <= q.high, q.name


def test_its_numbers_are_those_of_the_functions():
    values = {q.name: q.estimate for q in FOUND.quantities}
    tested = alternative_annotator(panel(EXPERTS, scale=(1, 5)), epsilon=0.2)
    for row in tested.verdicts:
        assert values[f"{row.judge}: winning_rate {row.dimension}"] == row.winning_rate
        assert values[f"{row.judge}: advantage {row.dimension}"] == row.advantage
    single, humans = values["m: kappa_single all"], values["humans: kappa all"]
    assert values["m: difference all"] == pytest.approx(single - humans)


def test_tables_carry_the_analysis_name_and_the_cuts():
    names = [t.name for t in FOUND.tables]
    assert names[0] == "agree"
    assert all(name.startswith("agree") for name in names)
    [cut] = [t.frame for t in FOUND.tables if t.name == "agree_cut"]
    assert set(cut["cut"]) == {"≥ 4", "≤ 2"}
    assert "People agree with each other" in FOUND.sentence
    assert "take a person's place" in FOUND.sentence
    assert len(FOUND.figures) == 1


def test_the_wider_correction_is_registered_where_the_plan_says_so():
    wide = run_agreement(plan(correction="people_and_dimensions"), evidence())
    rows = alternative_annotator(panel(EXPERTS, scale=(1, 5)), epsilon=0.2).verdicts
    values = {q.name: q.estimate for q in wide.quantities}
    for row in rows:
        assert values[f"{row.judge}: winning_rate {row.dimension}"] == row.winning_rate_all


def test_other_weights_change_the_kappas():
    linear = run_agreement(plan(weights="linear"), evidence())
    of = [{q.name: q.estimate for q in f.quantities}["humans: kappa all"] for f in (FOUND, linear)]
    assert of[0] > of[1] + 0.02
    assert "linear kappa" in linear.sentence


def test_a_crowd_has_a_yardstick():
    found = run_agreement(plan(judges=("m",)), evidence(CROWD))
    values = {q.name: q for q in found.quantities}
    assert values["humans: kappa all"].estimate is None
    assert values["humans: kappa all"].note
    assert values["m: crowd_difference all"].estimate is not None
    assert "One person agrees with the mean of the others" in found.sentence
    assert found.figures


@pytest.mark.parametrize(
    ("settings", "changed", "says"),
    [
        ({"judges": ("x",)}, {}, "gave no ratings"),
        ({"dimensions": ("x",)}, {}, "did not both rate"),
        ({}, {"ratings": evidence().ratings.head(0)}, "no ratings by people"),
        (
            {},
            {
                "ratings": evidence().ratings.assign(
                    scale_max=np.where(evidence().ratings["dimension"] == "warmth", "7", "5")
                )
            },
            "different scales",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(settings, changed, says):
    with pytest.raises(RatifyError, match=says):
        run_agreement(plan(**settings), evidence(**changed))


@pytest.mark.parametrize(
    "settings",
    [
        {"epsilon": 1.0},
        {"judges": ()},
        {"judges": ("m", "m")},
        {"resamples": 1000},
        {"dimensions": ("a",), "cuts": ({"at": 4, "dimensions": ("b",)},)},
        {"weights": "cubic"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(settings):
    with pytest.raises(ValidationError):
        plan(**settings)


def test_the_plan_decides_the_level_the_common_items_and_the_false_discovery_rate():
    narrow = run_agreement(plan(level=0.8, cuts=({"at": 4},)), evidence())
    wide = {q.name: q for q in FOUND.quantities}
    for q in narrow.quantities:
        assert q.level == 0.8 or "winning_rate" in q.name
        assert q.estimate == wide[q.name].estimate
        if q.low is not None and q.low > 0 and q.high < 1:
            assert wide[q.name].low < q.low < q.high < wide[q.name].high
    assert {t.level for t in narrow.tables} == {0.8}
    [before], [after] = (
        [t.frame for t in found.tables if t.name == "agree_cut"] for found in (FOUND, narrow)
    )
    before = before[before["cut"] == "≥ 4"].reset_index(drop=True)
    assert ((after["high"] - after["low"]) < (before["high"] - before["low"])).all()

    few = EXPERTS[(EXPERTS["rater_id"] != "p1") | (EXPERTS["item_id"] < "i008")]
    names = [
        len(run_agreement(plan(fewest_common=fewest), evidence(few)).tables[1].frame)
        for fewest in (8, 9)
    ]
    assert names[0] > names[1]

    rates = [
        run_agreement(plan(false_discovery=rate, epsilon=0.1), evidence()).quantities
        for rate in (1e-6, 0.4)
    ]
    lowest, highest = (
        sum(q.estimate for q in found if "winning_rate" in q.name) for found in rates
    )
    assert lowest < highest


def test_a_pass_of_a_constant_answer_supports_no_hypothesis():
    rng = np.random.default_rng(1)
    truth = np.where(rng.random(60) < 0.9, 3, rng.integers(1, 6, 60))
    rows = {
        f"p{n}": np.clip(truth + rng.choice([-1, 1], 60) * (rng.random(60) < 0.1), 1, 5)
        for n in (1, 2, 3)
    }
    rows["m"] = np.full(60, 3)
    table = pd.concat(
        pd.DataFrame(
            {
                "rater_id": name,
                "rater_kind": "llm" if name == "m" else "human",
                "item_id": [f"i{k:02}" for k in range(60)],
                "dimension": "warmth",
                "value": values,
            }
        )
        for name, values in rows.items()
    )
    analysis = Agreement(id="a", kind="agreement", judges=("m",), dimensions=("warmth",))
    found = run_agreement(analysis, evidence(table.reset_index(drop=True)))
    [rate] = [q for q in found.quantities if "winning_rate" in q.name]
    assert rate.estimate >= 0.5
    assert rate.note.endswith("It always says 3, so a pass means nothing.")
    hypothesis = SimpleNamespace(id="h", direction=None)
    decision = decided(hypothesis, [replace(rate, hypothesis="h")])
    assert "on 0 of 1 combinations of judge and dimension (" in decision.how
    assert "always says 3" in decision.how
    assert decision.verdict == NOT_SUPPORTED
    assert "it always says 3 on warmth, so passing means nothing there" in found.sentence


def test_an_advantage_that_never_varies_has_no_interval_without_width():
    one = EXPERTS[(EXPERTS["rater_id"] == "p1") & (EXPERTS["dimension"] == "warmth")]
    alike = [
        one.assign(rater_id=name, rater_kind="llm" if name == "m" else "human")
        for name in ("p1", "p2", "p3", "m")
    ]
    analysis = Agreement(id="a", kind="agreement", judges=("m",), dimensions=("warmth",))
    found = run_agreement(analysis, evidence(pd.concat(alike).reset_index(drop=True)))
    [advantage] = [q for q in found.quantities if "advantage" in q.name]
    assert (advantage.estimate, advantage.low, advantage.high) == (1.0, None, None)
    assert "No interval: never varies." in advantage.note
    assert not [q.name for q in found.quantities if q.low is not None and q.low == q.high]


@pytest.mark.parametrize("table", [EXPERTS, CROWD])
def test_numbers_that_are_wanted_alone_are_those_of_the_whole_analysis(table):
    judges = tuple(sorted(table.loc[table["rater_kind"] != "human", "rater_id"].unique()))[:2]
    whole = {q.name: q for q in run_agreement(plan(judges=judges), evidence(table)).quantities}
    assert f"{judges[0]}: winning_rate warmth" in whole
    kinds = {(name.partition(": ")[2].partition(" ")[0]): name for name in whole}  # one of each
    for name, expected in ((name, whole[name]) for name in kinds.values()):
        with numbers_alone([name]):
            [found] = run_agreement(plan(judges=judges), evidence(table)).quantities
        # draws have 32 bits, and are summed in another order
        numbers = [
            [np.nan if one is None else one for one in (q.estimate, q.low, q.high)]
            for q in (found, expected)
        ]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-5, nan_ok=True)
        same = {"estimate": None, "low": None, "high": None}
        assert replace(found, **same) == replace(expected, **same)
