"""If this failed, a registered analysis of change would run otherwise than its plan says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from pydantic import ValidationError

from analysis.change.figures import plot_change, plot_trajectories
from analysis.change.reliable_change import reliable_change
from analysis.evidence.evidence import Evidence
from analysis.registered.change import run_change
from analysis.results.figure_style import svg
from prereg.analyses.change import Change
from prereg.errors import RatifyError
from prereg.plan.model import Hypothesis

HOSTILE = "<b>tutor</b> & $x^$ \x07"
PLAN: dict[str, Any] = {
    "id": "who_changed",
    "hypothesis": "h1",
    "kind": "change",
    "table": "empathy",
    "value": "overall",
    "control": "control",
    "treatments": ["coach", HOSTILE],
    "baseline_rounds": [1],
    "post_rounds": [2, 3],
    "correction": "holm",
}


def text_table(people: int = 25) -> pd.DataFrame:
    """Return three conditions and a fourth that no plan names, all cells text."""
    rng = np.random.default_rng(11)
    rows = []
    for condition, effect in (("control", 0.0), ("coach", 4.0), (HOSTILE, -4.0), ("other", 0.0)):
        for i in range(people):
            own = rng.normal(0, 2)
            for at in ("1", "2", "3"):
                value = round(own + rng.normal(0, 1.5) + effect * (at != "1"))
                missed = at == "3" and i == 0
                rows.append((f"{condition}{i}", condition, at, "" if missed else str(value)))
    names = ["person_id", "condition", "round", "overall"]
    return pd.DataFrame(rows, columns=names, dtype=str)


def evidence(table: pd.DataFrame, **more: Any) -> Evidence:
    holds = {
        "table": lambda name: {"empathy": table}[name],
        "table_path": lambda name: Path("data") / f"{name}.csv",
        "note": lambda sentences: None,
        "status": "confirmatory",
        "simulated": False,
        "plan": SimpleNamespace(hypotheses=()),
        **more,
    }
    return cast(Evidence, SimpleNamespace(**holds))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return text_table()


@pytest.fixture(scope="module")
def finding(table: pd.DataFrame) -> Any:
    return run_change(Change(**PLAN), evidence(table))


def test_the_finding_holds_what_the_plan_names_and_nothing_else(finding):
    names = [quantity.name for quantity in finding.quantities]
    assert sorted(names) == sorted(Change(**PLAN).quantity_names(None))
    assert len(set(names)) == len(names)
    assert {q.status for q in finding.quantities} == {"confirmatory"}
    declines = {q.name for q in finding.quantities if q.hypothesis != "h1"}
    assert declines == {n for n in names if n.endswith("declined") and " - " in n}


@pytest.mark.parametrize(
    ("direction", "tested"),
    [(None, "improved"), ("positive", "improved"), ("negative", "declined")],
)
def test_only_what_the_hypothesis_expects_is_a_test_of_it(table, direction, tested):
    h1 = Hypothesis(id="h1", text="More people change.", direction=direction)
    plan = SimpleNamespace(hypotheses=(h1,))
    found = run_change(Change(**PLAN), evidence(table, plan=plan))
    tests = [q for q in found.quantities if q.hypothesis == "h1" and " - " in q.name]
    assert tests
    assert all(q.name.endswith(tested) for q in tests)


def test_the_numbers_are_those_of_the_function(finding, table):
    found = reliable_change(
        table,
        value="overall",
        baseline_rounds=["1"],
        conditions=["coach", HOSTILE],
        correction="holm",
    )
    by_name = {q.name: q for q in finding.quantities}
    threshold = by_name["threshold"]
    assert (threshold.estimate, threshold.low, threshold.high) == found.threshold
    assert (threshold.n, threshold.clusters, threshold.unit) == (74, 25, "points")
    assert by_name["reliability of the mean of 2"].estimate == pytest.approx(
        found.components.mean_reliability(2)[0]
    )
    for row in found.shares.query("outcome != 'neither'").to_dict("records"):
        quantity = by_name[f"{row['condition']}: {row['outcome']}"]
        assert (quantity.estimate, quantity.n) == (row["share"], 25)
        assert (quantity.low, quantity.high) == (row["share_low"], row["share_high"])
    row = found.differences.iloc[0]
    quantity = by_name["coach - control: improved"]
    assert (quantity.estimate, quantity.p_value) == (row["difference"], row["adjusted_p"])
    assert by_name[f"{HOSTILE} - control: declined"].estimate > 0.3
    assert "2 tests in the family" in quantity.note


def test_the_sentence_says_it_in_plain_words(finding):
    coach = next(q for q in finding.quantities if q.name == "coach: improved")
    improved, declined = finding.sentence.split("; declined: ")
    assert f"coach {coach.estimate:.0%} [{coach.low:.0%}, {coach.high:.0%}]" in improved
    assert "coach 0% [0%, " in declined
    assert f"{finding.quantities[0].estimate:.2f} points" in improved
    assert "z >=" not in finding.sentence


def test_a_table_where_nobody_has_a_before_and_an_after_still_tells_the_threshold(table):
    apart = table[(table["round"] == "1") != (table["condition"] == "control")]
    found = run_change(Change(**PLAN), evidence(apart.reset_index(drop=True)))
    assert found.quantities[0].estimate > 0
    assert "Nobody was measured both before and after" in found.sentence
    shares = [q for q in found.quantities if q.name.endswith(": improved")]
    assert {q.estimate for q in shares} == {None}
    assert all(q.note for q in shares)


def test_tables_say_who_was_left_out_and_that_other_indices_were_not_registered(finding):
    tables = {t.name.removeprefix("who_changed_"): t for t in finding.tables}
    assert set(tables) == {
        "shares",
        "differences",
        "thresholds",
        "reliability",
        "assumptions",
        "indices",
        "people_compared",
    }
    assert "25 people of other conditions" in tables["people_compared"].caption
    assert tables["indices"].status == tables["assumptions"].status == "exploratory"
    assert tables["shares"].status == "confirmatory"
    for shown in tables.values():
        assert shown.to_json()["rows"]


def test_figures_are_whole_and_carry_the_warning_of_simulated_people(finding, table):
    for figure in finding.figures:
        ElementTree.fromstring(figure.svg)
        assert "Simulated" not in figure.svg
    bots = run_change(Change(**PLAN), evidence(table, simulated=True))
    assert all("Simulated raters" in f.svg and "Simulated" in f.caption for f in bots.figures)


def test_settings_of_the_plan_reach_the_function(table):
    plan = {
        **PLAN,
        "cut": 1.0,
        "pairs": "all",
        "student": True,
        "occasion_means": True,
        "norm": {"sd": 2.0, "reliability": 0.7},
        "level": 0.9,
        "baseline_rounds": ["1", 2],
        "post_rounds": ["3"],
        "correction": "none",
    }
    found = run_change(Change(**plan), evidence(table))
    names = [quantity.name for quantity in found.quantities]
    assert sorted(names) == sorted(Change(**plan).quantity_names(None))
    assert f"{HOSTILE} - coach: improved" in names
    threshold = found.quantities[0]
    assert threshold.level == 0.9
    assert "by t with" in found.tables[0].caption
    assert "occasion means" in threshold.method
    assert threshold.label.endswith("mean of 1 after minus mean of 2 before")
    assert "Jacobson-Truax, given norm" in set(found.tables[5].frame["index"])


def test_the_plan_says_which_direction_is_better_and_how_sure_the_threshold_is(table, finding):
    assert "does not say which scores are better" in finding.sentence
    assert Change(**PLAN).model_dump().keys() == Change(**PLAN, better=None).model_dump().keys()
    assert "better" not in Change(**PLAN).model_dump()  # so that an old plan keeps its hash
    plan = {**PLAN, "better": "lower", "threshold_interval": "bootstrap", "resamples": 300}
    found = run_change(
        Change(**plan), evidence(table, rng=lambda name: np.random.default_rng(len(name)))
    )
    assert "does not say" not in found.sentence
    by_name, plain = ({q.name: q for q in one.quantities} for one in (found, finding))
    assert by_name["coach: declined"].estimate == plain["coach: improved"].estimate > 0.3
    assert by_name[f"{HOSTILE}: improved"].estimate == plain[f"{HOSTILE}: declined"].estimate
    assert "bootstrap over 25 people, 300 resamples" in by_name["threshold"].method
    assert "chi-square" in plain["threshold"].method
    assert by_name["threshold"].estimate == plain["threshold"].estimate
    assert "lower is better" in found.tables[0].caption
    assert "carried together" in by_name["control: improved"].method


def test_a_wrong_table_is_named(table):
    wrong = table.assign(overall=["many", *table["overall"][1:]])
    with pytest.raises(RatifyError) as error:
        run_change(Change(**PLAN), evidence(wrong))
    assert str(error.value).startswith("empathy.csv, row 2, column")
    assert "'many'" in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"treatments": []}, "at least 1"),
        ({"treatments": ["control"]}, "names a condition more than once"),
        ({"post_rounds": [1]}, "names a round more than once"),
        ({"baseline_rounds": []}, "at least 1"),
        ({"value": "round"}, "four different columns"),
        ({"cut": 0}, "greater than 0"),
        ({"norm": {"sd": 1, "reliability": 1}}, "less than 1"),
        ({"correction": "fdr"}, "holm"),
        ({"pairs": "some"}, "control"),
        ({"better": "more"}, "'higher' or 'lower'"),
        ({"threshold_interval": "wild"}, "'normal' or 'bootstrap'"),
        ({"resamples": 999}, "resamples need threshold_interval: bootstrap"),
        ({"seed": 3}, "not permitted"),
    ],
)
def test_a_wrong_plan_is_refused(change, said):
    with pytest.raises(ValidationError) as error:
        Change(**{**PLAN, **change})
    assert said in str(error.value)


def test_every_person_is_one_dot_marked_by_the_outcome(table):
    found = reliable_change(table, value="overall", baseline_rounds=["1"])
    ax = plot_change(found)
    dots = {c.get_gid(): len(c.get_offsets()) for c in ax.collections if c.get_gid()}
    for row, condition in enumerate(found.conditions):
        mine = found.people.loc[found.people["condition"] == condition, "outcome"].value_counts()
        for word in ("improved", "declined", "neither"):
            assert dots[f"{word}-{row}"] == mine.get(word, 0)
    assert sum(dots.values()) == len(found.people) == 100
    words = " ".join(text.get_text() for text in ax.texts)
    for row in found.shares.query("outcome != 'neither'").to_dict("records"):
        assert f"{100 * row['share']:.1f}% {row['outcome']}" in words
    assert f"+{found.threshold[0]:.2f}" in words
    assert svg(ax) == svg(plot_change(found))


def test_no_dot_lies_on_another(table):
    found = reliable_change(table, value="overall", baseline_rounds=["1"])
    rows = [c for c in plot_change(found).collections if isinstance(c, PathCollection)]
    spots = np.vstack([np.asarray(c.get_offsets()) for c in rows])
    assert len(np.unique(spots.round(6), axis=0)) == len(spots)
    # a dot stands within half a step of its own change
    changes = found.people["change"].to_numpy()
    assert np.abs(np.sort(spots[:, 0]) - np.sort(changes)).max() <= 0.25


def test_a_trajectory_is_the_mean_of_each_occasion(table):
    rows = table.assign(overall=pd.to_numeric(table["overall"]))
    ax = plot_trajectories(rows, value="overall")
    means = rows.groupby(["condition", "round"])["overall"].mean()
    lines = {line.get_gid(): line for line in ax.lines if line.get_gid()}
    for index, condition in enumerate(dict.fromkeys(rows["condition"])):
        assert lines[f"condition-{index}"].get_ydata() == pytest.approx(means[condition])
    ElementTree.fromstring(svg(ax))
