"""If this failed, a study's report would describe other scores and figures than it has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
import yaml
from pydantic import TypeAdapter

from analysis.registered.choices import _about_matches
from analysis.registered.survey import survey_tables
from analysis.results.quantities import Results
from analysis.run import analyze_study
from prereg.plan.survey import Question
from tests.support.given_studies import collect, ids, make_given_study, quality

LACKING = "job-1"  # the judge has no score of it
ANALYSES = [
    {
        "id": "overall",
        "kind": "rank_correlation",
        "judge": "gpt",
        "score": "overall",
        "hypothesis": "H1",
    },
    {
        "id": "higher",
        "kind": "logit",
        "judge": "gpt",
        "formula": "select_higher ~ gap",
        "cluster": "rater_id",
        "term": "gap",
        "hypothesis": "H1",
    },
]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A judge that is a table with one score per item, and a baseline with six."""
    table = [{"item_id": one, "score": quality(one) % 6} for one in ids() if one != LACKING]
    folder = make_given_study(
        tmp_path_factory.mktemp("given") / "study",
        {"scores.csv": table},
        {"ratings": "scores.csv", "columns": {"value": "score"}},
        raters=6,
        trials=6,
        analyses=ANALYSES,
        hypotheses=[{"id": "H1", "text": "It orders as people do.", "direction": "positive"}],
        gate=[{"analysis": "overall", "quantity": "spearman", "field": "low", "at_least": 0.9}],
    )
    collect(Path(folder))
    return analyze_study(folder, mode="live")


def test_the_methods_say_what_the_overall_score_of_a_judge_is(given: Results) -> None:
    said = " ".join(given.methods)
    assert "overall score of an item by gpt is the one score per item in the table" in said
    assert "by gpt is the sum" not in said


def test_a_figure_counts_the_items_that_it_draws(given: Results) -> None:
    (figure,) = [one for one in given.figures if one.name == "overall_ranks"]
    assert f"one of {len(ids()) - 1} conversations" in figure.caption
    assert "1 more conversation is not drawn" in figure.caption


def test_one_thing_is_not_spoken_of_as_several(given: Results) -> None:
    (found,) = [q for q in given.quantities if (q.analysis, q.name) == ("overall", "spearman")]
    assert "1 item lacks one of the two scores." in found.note


def test_a_report_begins_with_each_judge_and_the_gate(given: Results) -> None:
    assert list(given.verdict.sentences) == given.headline[:2]
    assert given.headline[0] == (
        "gpt: the data do not decide whether its choices may stand in for people's (too few "
        "comparisons in common)."
    )
    assert given.headline[1] == "The gate is not passed: its one threshold does not hold."
    assert not [said for said in given.headline[2:] if "The gate" in said]


def test_a_coefficient_of_the_gap_is_named_in_words(given: Results) -> None:
    (found,) = [q for q in given.quantities if (q.analysis, q.name) == ("higher", "gap")]
    assert found.label == "Choosing the side that gpt scored higher, for each point of the gap"
    assert any("For each point of difference between gpt's overall" in s for s in given.headline)
    (table,) = [one for one in given.tables if one.name == "higher"]
    assert "left out, because the judge puts neither conversation higher" in table.caption


QUESTIONS = """
- {id: age, question: "Age?", kind: choice, options: [young, old], required: false}
- {id: trust, question: "Trust?", kind: scale, min: 1, max: 7, labels: {1: none, 7: all}}
- {id: words, question: "Else?", kind: text, required: false}
"""


def test_the_end_survey_is_counted_and_no_words_of_a_rater_are_shown() -> None:
    questions = TypeAdapter(list[Question]).validate_python(yaml.safe_load(QUESTIONS))
    participants = pd.DataFrame(
        {
            "survey_age": ["old", "", "old"],
            "survey_trust": ["2", "4", None],
            "survey_words": ["SECRET", "", ""],
        }
    )
    (table,) = survey_tables(questions, participants, "people")
    rows = table.frame.astype(object).where(table.frame.notna(), None).to_numpy().tolist()
    assert rows == [
        ["Age?", 2, "young", 0, None, None],
        ["Age?", 2, "old", 2, None, None],
        ["Trust?", 2, "1 to 7", None, 3.0, pytest.approx(2**0.5)],
        ["Else?", 1, "own words", None, None, None],
    ]
    assert survey_tables([], participants, "people") == []


@pytest.mark.parametrize(("trials", "said"), [(1, "1 trial that"), (29, "29 trials that")])
def test_one_trial_that_was_not_answered_is_one(trials: int, said: str) -> None:
    found = SimpleNamespace(n_reversed=0, n_unmatched=trials, n_undecided=0, low=0.4)
    assert _about_matches(cast(Any, found)) == f"{said} the judge never answered."
