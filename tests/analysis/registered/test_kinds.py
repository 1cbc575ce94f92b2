"""If this failed, a plan of some kind would promise an analysis that the report does not keep."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.evidence.evidence import gather
from analysis.gate import judge_results
from analysis.registered.registry import RUNNERS, run_registered
from analysis.report.page import write_report
from analysis.results.quantities import Quantity
from analysis.run import analyze_study
from prereg.analyses.registry import ANALYSES
from prereg.errors import RatifyError
from tests.support.other_kinds import make_study, rewrite

FAMILY = {"over": "shared", "name": "all_tests", "correction": "holm"}
OF_TABLES: list[dict[str, Any]] = [
    {
        "id": "changed",
        "kind": "change",
        "table": "visits",
        "value": "score",
        "control": "video",
        "treatments": ["coach"],
        "baseline_rounds": [1],
        "post_rounds": [2, 3],
    },
    {
        "id": "effect",
        "kind": "regression",
        "model": "ols",
        "data": "visits",
        "outcomes": ["score"],
        "predictors": "C(condition) * post",
        "cluster": "person_id",
        "terms": ["C(condition)[T.video]:post"],
        "family": FAMILY,
        "sd": {"of": "baseline", "column": "post", "value": 0},
    },
    {"id": "spoken_of", "kind": "themes", "texts": "letters", "columns": ["relief", "anger"]},
]
RATINGS: list[dict[str, Any]] = [
    {"id": "agree", "kind": "agreement", "hypothesis": "H1", "judges": ["lexical", "length"]},
    {
        "id": "sources",
        "kind": "source_ratings",
        "sources": ["first", "second", "third"],
        "reference": "first",
        "dimensions": ["advice_giving"],
        "style": ["words"],
    },
    {
        "id": "by_source",
        "kind": "regression",
        "model": "ols",
        "data": "ratings",
        "outcomes": ["advice_giving"],
        "predictors": "C(source)",
        "cluster": "rater_id",
        "terms": ["C(source)[T.third]"],
        "family": FAMILY,
        "few_clusters": {"below": 0},
    },
    *OF_TABLES,
]
PICKS: list[dict[str, Any]] = [
    {"id": "order", "kind": "ranking", "resamples": 100, "level": 0.9},
    {"id": "shares", "kind": "best_worst_shares", "sources": ["first", "second", "third"]},
    {"id": "other", "kind": "rank_correlation", "judge": "length", "score": "bradley_terry"},
    {"id": "same", "kind": "choice_agreement", "judges": ["length"]},
]


def write_tables(data: Path) -> None:
    """Write two tables of the researcher's own: scores of three rounds, and letters."""
    rng = np.random.default_rng(3)
    with (data / "visits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person_id", "condition", "round", "post", "score"])
        for person in range(60):
            level, coached = rng.normal(scale=3), person % 2
            for round_ in (1, 2, 3):
                score = level + 7 * coached * (round_ > 1) + rng.normal(scale=2)
                arm = "coach" if coached else "video"
                writer.writerow([f"p{person}", arm, round_, int(round_ > 1), round(score, 3)])
    with (data / "letters.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text_id", "person_id", "time", "relief", "anger"])
        for person in range(80):
            for time, often in (("before", 0.2), ("after", 0.7)):
                relief = int(rng.random() < often)
                writer.writerow([f"{person}-{time}", f"p{person}", time, relief, person % 2])


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(
        tmp_path_factory.mktemp("ratings") / "study",
        "empathy_rating",
        analyses=RATINGS,
        sensitivity={"on": "everybody", "cluster": "sequence_id"},
        gate=[{"analysis": "sources", "quantity": "advice_giving: third - first", "at_least": 0.5}],
    )
    write_tables(folder / "data")
    analyze_study(folder, mode="live")
    return folder


@pytest.fixture(scope="module")
def picks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(
        tmp_path_factory.mktemp("picks") / "study",
        "best_response",
        analyses=PICKS,
        gate=[{"analysis": "shares", "quantity": "most: first - third", "at_least": 0.5}],
    )
    analyze_study(folder, mode="live")
    return folder


def quantities(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found = json.loads((folder / "results" / "results.json").read_text())["quantities"]
    return {(q["analysis"], q["name"]): q for q in found}


def test_ratings_are_people_s_own_after_exclusions(ratings: Path) -> None:
    evidence = gather(ratings, mode="live")
    assert evidence.ranking is None
    assert evidence.people.empty
    assert evidence.n_raters == 11  # one left after the first page
    assert not evidence.ratings["item_id"].str.startswith("check").any()
    assert set(evidence.judge_ratings["rater_id"]) == {"lexical", "length"}
    assert evidence.everybody is not None
    assert evidence.everybody.n_raters == 12
    with pytest.raises(RatifyError, match="ratings do not rank items"):
        _ = evidence.ranked


def test_everything_registered_on_ratings_is_in_the_results(ratings: Path) -> None:
    found = quantities(ratings)
    people = gather(ratings, mode="live").ratings
    items = pd.read_csv(ratings / "data" / "items.csv", dtype=str).set_index("item_id")
    advice = people[people["dimension"] == "advice_giving"]
    means = advice["value"].groupby(advice["item_id"].map(items["source"])).mean()
    contrast = found["sources", "advice_giving: third - first"]
    assert contrast["estimate"] == pytest.approx(means["third"] - means["first"])
    assert contrast["low"] > 0.5
    slope = found["by_source", "C(source)[T.third]"]
    assert slope["estimate"] == pytest.approx(contrast["estimate"])
    assert slope["status"] == contrast["status"] == "confirmatory"
    assert found["agree", "humans: alpha all"]["estimate"] > 0.4
    assert found["agree", "length: crowd_difference all"]["high"] < -0.2
    pairs = found["agree", "humans: kappa all"]
    assert pairs["estimate"] is None, "no two people rated ten items in common"
    assert pairs["note"]


def test_tables_of_the_researchers_own_are_analysed_and_hashed(ratings: Path) -> None:
    found = quantities(ratings)
    coached, alone = found["changed", "coach: improved"], found["changed", "video: improved"]
    assert coached["low"] > alone["estimate"]
    visits = pd.read_csv(ratings / "data" / "visits.csv")
    mean = visits.groupby(["condition", "post"])["score"].mean()
    less = (mean["video", 1] - mean["video", 0]) - (mean["coach", 1] - mean["coach", 0])
    assert found["effect", "C(condition)[T.video]:post"]["estimate"] == pytest.approx(less)
    assert found["spoken_of", "relief"]["low"] > 0.2
    assert found["spoken_of", "anger"]["estimate"] == 0
    inputs = json.loads((ratings / "results" / "results.json").read_text())["meta"]["inputs"]
    assert {"visits.csv", "letters.csv", "ratings.csv"} <= set(inputs)


def test_a_family_spans_analyses(ratings: Path) -> None:
    table = pd.read_csv(ratings / "results" / "tables" / "families.csv")
    assert list(table["analysis"]) == ["by_source", "effect"]
    assert set(table["tests"]) == {2}
    smaller, larger = sorted(table["p"])
    held = dict(zip(table["p"], table["p_adjusted"], strict=True))
    assert held[smaller] == pytest.approx(min(2 * smaller, 1))
    assert held[larger] == pytest.approx(max(larger, 2 * smaller))
    terms = {"by_source": "C(source)[T.third]", "effect": "C(condition)[T.video]:post"}
    for name, term in terms.items():
        own = table.loc[table["analysis"] == name, "p_adjusted"].iloc[0]
        assert quantities(ratings)[name, term]["p_value"] == pytest.approx(own)


def test_everything_is_run_once_more_on_everybody(ratings: Path) -> None:
    found = quantities(ratings)
    registered = {name for name, _ in found if not name.endswith(".everybody")} - {"requests"}
    again = {name.removesuffix(".everybody") for name, _ in found if name.endswith(".everybody")}
    assert again == registered == {one["id"] for one in RATINGS}
    # the cluster is for errors that have one by visit; others keep their own
    answered = {
        name
        for name, one in found.items()
        if one["estimate"] is not None and name[0] != "requests"  # judges do not depend on people
    }
    assert {(f"{name}.everybody", what) for name, what in answered if "." not in name} <= answered
    slope = ("by_source.everybody", "C(source)[T.third]")
    assert "clustered by sequence_id" in found[slope]["method"]
    kept = found["sources", "advice_giving: first"]
    everybody = found["sources.everybody", "advice_giving: first"]
    assert everybody["n"] >= kept["n"]
    assert everybody["hypothesis"] == ""
    table = pd.read_csv(ratings / "results" / "tables" / "everybody.csv")
    row = table[(table["analysis"] == "sources") & (table["quantity"] == "advice_giving: first")]
    assert row["kept_estimate"].iloc[0] == pytest.approx(kept["estimate"])
    assert row["everybody_estimate"].iloc[0] == pytest.approx(everybody["estimate"])


def test_picks_become_comparisons_and_shares(picks: Path) -> None:
    found = quantities(picks)
    evidence = gather(picks, mode="live")
    trials = evidence.best_worst["trial_id"].nunique()
    assert len(evidence.people) == trials * (2 * 4 - 3)
    rows = evidence.best_worst
    items = pd.read_csv(picks / "data" / "items.csv", dtype=str).set_index("item_id")
    source = rows["item_id"].map(items["source"])
    share = ((rows["picked"] == "most") & (source == "third")).sum() / (source == "third").sum()
    assert found["shares", "most: third"]["estimate"] == pytest.approx(share)
    assert found["order", "reliability"]["estimate"] > 0.3
    for table in ("order_ranks", "order_pairs"):
        paper = (picks / "results" / "tables" / f"{table}.md").read_text(encoding="utf-8")
        assert "90% CI" in paper
        assert "95% CI" not in paper
    assert found["same", "length: agreement"]["n"] > 0
    assert ("other", "spearman") in found


@pytest.mark.parametrize("name", ["ratings", "picks"])
def test_the_report_and_the_gate_of_every_kind(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    page = write_report(folder / "results").read_text(encoding="utf-8")
    for analysis in RATINGS if name == "ratings" else PICKS:
        assert f"numbers_{analysis['id']}" in page
    assert "Who came, who left" in page
    for table in (folder / "results" / "tables").glob("*.csv"):
        assert table.with_suffix(".tex").exists()
        assert table.with_suffix(".md").exists()
    assert judge_results(folder).passed == (name == "ratings")


def test_what_the_data_cannot_answer_is_reported_number_by_number(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", "empathy_rating", analyses=OF_TABLES[:1])
    results = analyze_study(folder, mode="live")  # the table is not there
    missing = {q.name: q for q in results.quantities if q.analysis == "changed"}
    assert "threshold" in missing
    assert all(q.estimate is None and "visits.csv" in q.note for q in missing.values())
    assert any("could not be computed" in sentence for sentence in results.headline)


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("best_worst", "picked", "most", "exactly one row picked as most"),
        ("best_worst", "item_id", "job-99", "is not the id of an item"),
        ("best_worst", "position", "77", "locked sequence"),
    ],
)
def test_rows_that_cannot_be_are_refused(
    picks: Path, tmp_path: Path, table: str, column: str, value: str, says: str
) -> None:
    import shutil

    folder = shutil.copytree(picks, tmp_path / "study")
    seen: list[str] = []

    def spoil(row: dict[str, Any]) -> dict[str, Any]:
        if row["rater_id"] == "r0" and (column != "picked" or not row["picked"]) and not seen:
            seen.append(row["trial_id"])
            row[column] = value
        return row

    rewrite(folder / "data" / f"{table}.csv", spoil)
    with pytest.raises(RatifyError, match=says) as caught:
        gather(folder, mode="live")
    assert caught.value.column is not None


def test_the_plan_says_how_often_a_rank_correlation_is_resampled(picks: Path) -> None:
    evidence = gather(picks, mode="live")
    plan = next(one for one in evidence.plan.analyses if one.id == "other")

    def spearman(**keys: int) -> Quantity:
        found = run_registered(plan.model_copy(update=keys), evidence)
        return next(q for q in found.quantities if q.name == "spearman")

    assert spearman() == spearman(resamples=2000, draws=500)
    assert spearman(resamples=200).note != spearman().note
    # fewer draws leave other random numbers to the bootstrap
    assert spearman(draws=100).note != spearman().note


def test_every_kind_of_analysis_has_a_runner() -> None:
    assert list(RUNNERS) == list(ANALYSES)


def test_no_table_is_read_that_the_results_would_not_hash(ratings: Path) -> None:
    evidence = gather(ratings, mode="live")
    assert evidence.plan.tables == ["letters", "visits"]
    assert len(evidence.table("letters"))
    with pytest.raises(LookupError, match="says in tables"):
        evidence.table("items")
