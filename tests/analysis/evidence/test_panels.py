"""If this failed, a panel would not be the mean or the majority of its judges, or not a judge."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.agreement.choices import choice_agreement
from analysis.evidence.evidence import gather
from analysis.facets.combined import combined_choices, combined_ratings
from analysis.gate import judge_results
from analysis.report.page import write_report
from analysis.run import analyze_study
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from ratify.asking import ask_judges, estimates
from study.opening import open_study
from study.store.database import open_store
from tests.support.given_studies import collect, ids, make_given_study, quality
from tests.support.other_kinds import make_study
from tests.support.paths import WORKED

JUDGES = ("ann", "ben", "cat")
PANELS = [
    {"id": "three", "kind": "panel", "of": [*JUDGES], "rule": "majority"},
    {"id": "two", "kind": "panel", "of": ["ann", "ben"], "rule": "median"},
]


def rated(**values: list[float]) -> pd.DataFrame:
    """Return the ratings of some judges, one item after the other."""
    rows = [
        {"rater_id": judge, "item_id": f"i{n}", "dimension": "warmth", "value": value}
        for judge, given in values.items()
        for n, value in enumerate(given)
    ]
    return pd.DataFrame(rows).dropna()


def chosen(**answers: list[str]) -> pd.DataFrame:
    """Return the choices of some judges between the same pairs; empty is no answer."""
    rows = [
        {"rater_id": judge, "left_id": f"a{n}", "right_id": f"b{n}", "choice": choice}
        for judge, given in answers.items()
        for n, choice in enumerate(given)
    ]
    table = pd.DataFrame(rows)
    return table[table["choice"] != ""]


@pytest.mark.parametrize(
    ("rule", "expected", "undecided"),
    [("mean", [2, 10 / 3, 3], 0), ("median", [2, 4, 3], 0), ("majority", [np.nan, 4, np.nan], 2)],
)
def test_ratings_become_one(rule, expected, undecided):
    nan = float("nan")
    table = rated(ann=[1, 4, 2, 5], ben=[2, 4, 4, nan], cat=[3, 2, nan, nan], dan=[5, 5, 5, 5])
    made = combined_ratings(table, of=JUDGES, rule=rule)
    values = made.frame.set_index("item_id")["value"].reindex(["i0", "i1", "i2", "i3"])
    assert list(values) == pytest.approx([*expected, nan], nan_ok=True)
    assert (made.asked, made.undecided, made.lacking) == (4, undecided, 1)


def test_choices_are_decided_by_majority_and_ties_are_counted():
    table = chosen(
        ann=["left", "left", "left", "right", "left"],
        ben=["left", "right", "right", "right", ""],
        cat=["right", "left", "", "right", ""],
    )
    made = combined_choices(table, of=JUDGES)
    assert dict(zip(made.frame["left_id"], made.frame["choice"], strict=True)) == {
        "a0": "left",
        "a1": "left",
        "a3": "right",
    }
    assert (made.asked, made.undecided, made.lacking) == (5, 1, 1)


def test_a_tie_is_an_answer_that_can_have_the_majority():
    table = chosen(
        ann=["tie", "tie", "tie", "left"],
        ben=["tie", "left", "right", "left"],
        cat=["left", "left", "left", "tie"],
    )
    made = combined_choices(table, of=JUDGES)
    assert dict(zip(made.frame["left_id"], made.frame["choice"], strict=True)) == {
        "a0": "tie",
        "a1": "left",
        "a3": "left",
    }
    assert (made.asked, made.undecided, made.lacking) == (4, 1, 0)


def test_sides_and_the_order_of_judges_do_not_matter():
    rng = np.random.default_rng(3)
    table = chosen(**{name: list(rng.choice(["left", "right"], 40)) for name in JUDGES})
    one = combined_choices(table, of=JUDGES).frame
    swapped = table.rename(columns={"left_id": "right_id", "right_id": "left_id"})
    swapped["choice"] = swapped["choice"].map({"left": "right", "right": "left"})
    mixed = pd.concat([table[table["rater_id"] == "ann"], swapped[swapped["rater_id"] != "ann"]])
    for other in (swapped, mixed):
        found = combined_choices(other, of=JUDGES[::-1]).frame
        winner = {
            frozenset((row.left_id, row.right_id)): row.left_id
            if row.choice == "left"
            else row.right_id
            for row in found.itertuples()
        }
        assert winner == {
            frozenset((row.left_id, row.right_id)): row.left_id
            if row.choice == "left"
            else row.right_id
            for row in one.itertuples()
        }


@pytest.fixture(scope="module")
def pairwise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pairwise study with three tables of scores, a panel of three, and one of two."""
    rng = np.random.default_rng(8)
    tables = {
        f"{name}.csv": [
            {"item_id": one, "overall": round(quality(one) + rng.normal(0, 3), 2)} for one in ids()
        ]
        for name in JUDGES
    }
    judges = [{"id": name, "kind": "table", "ratings": f"{name}.csv"} for name in JUDGES]
    every = [*JUDGES, "three", "two"]
    folder = make_given_study(
        tmp_path_factory.mktemp("panels") / "study",
        tables,
        {"ratings": "ann.csv"},
        judges=[*judges, *PANELS],
        analyses=[
            {"id": "choices", "kind": "choice_agreement", "judges": every},
            {"id": "rank", "kind": "rank_correlation", "judge": "three", "score": "overall"},
            {
                "id": "gap",
                "kind": "logit",
                "judge": "two",
                "formula": "select_higher ~ gap",
                "cluster": "rater_id",
                "term": "gap",
            },
        ],
        gate=[
            {
                "analysis": "choices",
                "quantity": "three: agreement",
                "field": "estimate",
                "at_least": 0.5,
            }
        ],
    )
    collect(folder)
    analyze_study(folder, mode="live")
    return folder


def test_a_panel_of_a_pairwise_study_is_a_judge_like_any_other(pairwise: Path) -> None:
    evidence = gather(pairwise, mode="live")
    judged = evidence.judges
    scores = pd.concat(
        [judged[name].scores.set_index("item_id")["overall"] for name in JUDGES], axis=1
    )
    assert np.allclose(judged["three"].scores.set_index("item_id")["overall"], scores.mean(axis=1))
    votes = pd.concat(
        [
            judged[name].trials.set_index(["left_id", "right_id"])["choice"].eq("left")
            for name in JUDGES
        ],
        axis=1,
    ).dropna()
    mine = judged["three"].trials.set_index(["left_id", "right_id"])["choice"].eq("left")
    assert (mine.reindex(votes.index) == (votes.sum(axis=1) >= 2)).all()
    results = analyze_study(pairwise, mode="live")
    found = {(q.analysis, q.name): q for q in results.quantities}
    own = choice_agreement(evidence.people, judged["three"].trials)
    assert found["choices", "three: agreement"].estimate == pytest.approx(own.estimate)
    assert own.estimate > max(
        choice_agreement(evidence.people, judged[name].trials).estimate for name in JUDGES
    )
    assert found["rank", "spearman"].estimate > 0.5
    assert found["gap", "gap"].estimate is not None
    assert judge_results(pairwise).passed
    assert "three" in write_report(pairwise / "results").read_text(encoding="utf-8")


def test_ties_of_a_panel_are_unanswered_and_counted(pairwise: Path) -> None:
    evidence = gather(pairwise, mode="live")
    ann, ben = (
        evidence.judges[name].trials.set_index(["left_id", "right_id"])["choice"]
        for name in ("ann", "ben")
    )
    both = pd.concat([one[~one.index.duplicated()] for one in (ann, ben)], axis=1).dropna()
    ties = int((both.iloc[:, 0] != both.iloc[:, 1]).sum())
    assert ties > 0
    assert len(evidence.judges["two"].trials) == len(both) - ties
    [said] = [one for one in evidence.panels if one.startswith("Judge two")]
    assert f"{ties} ties among" in said
    results = json.loads((pairwise / "results" / "results.json").read_text(encoding="utf-8"))
    assert said in results["methods"]
    [coverage] = [q for q in results["quantities"] if q["name"] == "two: coverage"]
    assert coverage["estimate"] < 1


def test_a_panel_is_asked_nothing(pairwise: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = open_study(pairwise, must_be_locked=True)
    store = open_store(pairwise, None)
    try:
        assert ask_judges(study, store, only="three")
        assert estimates(study, store, only="three") == ["judge three: offline, costs nothing"]
    finally:
        store.close()
    assert "a panel of ann, ben, cat" in capsys.readouterr().out


def test_a_panel_of_a_rating_study_is_a_judge_like_any_other(tmp_path: Path) -> None:
    judges = [
        {"id": "length", "kind": "baseline"},
        {"id": "lexical", "kind": "baseline"},
        {"id": "duo", "kind": "panel", "of": ["length", "lexical"], "rule": "mean"},
    ]
    folder = make_study(
        tmp_path / "study",
        "empathy_rating",
        judges=judges,
        analyses=[{"id": "agree", "kind": "agreement", "judges": ["duo", "length", "lexical"]}],
        gate=[
            {
                "analysis": "agree",
                "quantity": "duo: kappa_median all",
                "field": "estimate",
                "at_least": -1,
            }
        ],
    )
    ratings = gather(folder, mode="live").judge_ratings
    wide = ratings.pivot_table(index=["item_id", "dimension"], columns="rater_id", values="value")
    assert np.allclose(wide["duo"], wide[["length", "lexical"]].mean(axis=1))
    results = analyze_study(folder, mode="live")
    names = {q.name: q for q in results.quantities if q.analysis == "agree"}
    assert names["duo: coverage all"].estimate == 1
    assert names["duo: kappa_median all"].estimate is not None
    evidence = gather(folder, mode="live")
    promised = evidence.plan.analyses[0].quantity_names(evidence.plan)
    assert promised is not None
    assert {name for name in promised if "effective_judges" in name} == {
        name for name in names if "effective_judges" in name
    }
    assert len([name for name in names if "duo: effective_judges" in name]) == 7
    assert judge_results(folder).passed


@pytest.mark.parametrize(
    ("panels", "says"),
    [
        ([{"of": ["length"]}], r"of.*at least 2"),
        ([{"of": ["length", "length"]}], "only once"),
        ([{"of": ["length", "nobody"]}], r"not a judge of the plan.*'nobody'|'nobody'.*not a"),
        ([{"of": ["length", "p0"]}], "cannot be part of a panel"),
        ([{"of": ["length", "lexical"]}, {"of": ["length", "p0"]}], "cannot be part of a panel"),
        ([{"of": ["length", "lexical"], "rule": "best"}], "mean.*median.*majority"),
        ([{"of": ["scores", "picks"]}], "scores only rates; picks only chooses"),
    ],
)
def test_panels_that_make_no_sense_are_refused(panels, says):
    text = (WORKED / "pairwise_preference" / "plan.yaml").read_text(encoding="utf-8")
    plan = yaml.safe_load(text)
    plan["judges"] = [
        {"id": "length", "kind": "baseline"},
        {"id": "lexical", "kind": "baseline"},
        {"id": "scores", "kind": "table", "ratings": "scores.csv"},
        {"id": "picks", "kind": "table", "judgments": "picks.csv"},
        *(
            {"id": f"p{n}", "kind": "panel", "rule": "mean"} | panel
            for n, panel in enumerate(panels)
        ),
    ]
    plan |= {"analyses": [], "gate": [], "hypotheses": []}
    with pytest.raises(RatifyError, match=says):
        parse_plan(yaml.safe_dump(plan), file="plan.yaml")


def test_picks_of_best_and_worst_have_no_panel():
    text = (WORKED / "best_response" / "plan.yaml").read_text(encoding="utf-8")
    plan = yaml.safe_load(text)
    plan["judges"] = [
        {"id": "length", "kind": "baseline"},
        {"id": "lexical", "kind": "baseline"},
        {"id": "p", "kind": "panel", "of": ["length", "lexical"], "rule": "majority"},
    ]
    with pytest.raises(RatifyError, match="has no panels"):
        parse_plan(yaml.safe_dump(plan), file="plan.yaml")


def test_every_pair_of_rules_gives_the_same_rating_where_judges_agree():
    table = rated(ann=[1, 4, 2], ben=[1, 4, 2], cat=[1, 4, 2])
    made = [
        combined_ratings(table, of=JUDGES, rule=r).frame for r in ("mean", "median", "majority")
    ]
    for one, other in itertools.pairwise(made):
        pd.testing.assert_frame_equal(one, other)
