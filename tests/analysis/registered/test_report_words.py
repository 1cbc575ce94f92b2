"""If this failed, a study's report would describe other scores and figures than it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.results.quantities import Results
from analysis.run import analyze_study
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
