"""If these failed, scores that a lab has paid for would be read wrongly or answer wrong trials."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from pydantic import ValidationError

from analysis.gate import judge_evidence, judge_results
from analysis.run import analyze_study
from prereg.errors import RatifyError
from prereg.plan.file import load_plan
from prereg.plan.table_judge import TableJudge
from prereg.tables.reader import read_table
from study.judges.checks import checked
from study.judges.given.answers import given_of
from study.opening import lock_study, open_study
from tests.support.given_studies import collect, ids, make_given_study, quality
from tests.support.paths import ROOT
from tests.support.plans import edited_plan

EVERY = [
    {"id": "overall", "kind": "rank_correlation", "judge": "gpt", "score": "overall"},
    {"id": "elo", "kind": "rank_correlation", "judge": "gpt", "score": "elo"},
    {
        "id": "higher",
        "kind": "logit",
        "judge": "gpt",
        "formula": "select_higher ~ gap",
        "cluster": "rater_id",
        "term": "gap",
    },
    {"id": "gaps", "kind": "selection_by_gap", "judge": "gpt", "bins": [[1, 4], [5, None]]},
    {"id": "same", "kind": "choice_agreement", "judges": ["gpt"]},
]
ONE_SCORE = {"ratings": "scores.csv", "columns": {"item_id": "conversation", "value": "score"}}
PAIRS = {"scheme": "random", "per_scenario": 20}


def scores(**other: Any) -> list[dict[str, Any]]:
    return [{"conversation": one, "score": other.get(one, quality(one))} for one in ids()]


def results(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    content = json.loads((folder / "results" / "results.json").read_text())
    return {(q["analysis"], q["name"]): q for q in content["quantities"]}


def test_one_score_per_item_serves_every_analysis(tmp_path: Path) -> None:
    folder = make_given_study(
        tmp_path / "s",
        {"scores.csv": [*scores(**{"job-2": 3}), {"conversation": "elsewhere-1", "score": 4}]},
        {**ONE_SCORE, "pairs": PAIRS},
        analyses=EVERY,
    )
    study = collect(folder)
    rows = read_table(folder / "data" / "judgments.csv").rows
    mine = [row for row in rows if row["rater_id"] == "gpt"]
    assert {row["rater_kind"] for row in mine} == {"llm"}
    value = {one: 3 if one == "job-2" else quality(one) for one in ids()}
    for row in mine:
        left, right = value[row["left_id"]], value[row["right_id"]]
        assert row["choice"] == ("left" if left > right else "right")
        assert left != right  # a tie is no answer
    analyze_study(folder, mode="live")
    found = results(folder)
    for analysis, name in (
        ("overall", "spearman"),
        ("elo", "spearman"),
        ("higher", "gap"),
        ("gaps", "gap 5 or more"),
        ("same", "gpt: kappa"),
    ):
        assert found[analysis, name]["estimate"] is not None, (analysis, name)
    ties = sum({"job-2", "job-3"} == set(trial.item_ids) for trial in study.trials())
    assert ties
    asked = found["same", "gpt: coverage"]
    assert (asked["n"], round(asked["estimate"] * asked["n"])) == (100, 100 - ties)


def test_choices_count_as_asked_else_with_sides_exchanged_and_rank_by_themselves(
    tmp_path: Path,
) -> None:
    pairs = [
        {"a": one, "b": other, "winner": one if quality(one) > quality(other) else "right"}
        for one in ids()
        for other in ids()
        if one.partition("-")[0] == other.partition("-")[0] and quality(one) < quality(other)
    ]
    pairs[0]["winner"] = "tie"
    columns = {"left_id": "a", "right_id": "b", "choice": "winner"}
    folder = make_given_study(
        tmp_path / "s",
        {"choices.csv": pairs},
        {"judgments": "choices.csv", "columns": columns},
        analyses=[EVERY[1], EVERY[4]],
    )
    collect(folder, wrong=0.2)
    rows = [
        row
        for row in read_table(folder / "data" / "judgments.csv").rows
        if row["rater_id"] == "gpt"
    ]
    ranked = [row for row in rows if row["purpose"] == "ranking"]
    assert [(row["left_id"], row["right_id"]) for row in ranked] == [
        (pair["a"], pair["b"]) for pair in pairs[1:]
    ]
    trials = [row for row in rows if row["purpose"] == "trial"]
    for row in trials:
        left, right = quality(row["left_id"]), quality(row["right_id"])
        assert row["choice"] == ("left" if left > right else "right")
    analyze_study(folder, mode="live")
    assert results(folder)["elo", "spearman"]["estimate"] > 0.5


def test_a_rating_plan_reads_one_column_for_each_scale(tmp_path: Path) -> None:
    table = [{"item_id": one, "warmth": quality(one) % 5 + 1, "depth": 2} for one in ids()]
    table[0]["warmth"] = ""
    ends = {1: "no", 5: "very"}
    folder = make_given_study(
        tmp_path / "s",
        {"scores.csv": table},
        {"ratings": "scores.csv"},
        kind="rating",
        measures=None,
        scales=[
            {"id": name, "question": "How?", "min": 1, "max": 5, "labels": ends}
            for name in ("warmth", "depth")
        ],
    )
    study = open_study(folder)
    asked = len(study.asked())
    lacking = ids()[0] in {item.item_id for item in study.used_items()}
    said = f"judge gpt: it answers {asked - 1} of {asked} trials (1 without a score)"
    assert checked(study).notes == [said] * lacking
    with pytest.raises(RatifyError, match=r"outside the plan's scale.*1 to 5"):
        path = folder / "scores.csv"
        path.write_text(path.read_text().replace("job-3,4,2", "job-3,9,2"))
        lock_study(folder)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("job-4,4", "job-4,four", r"scores\.csv, row 5, column score: is not a number"),
        ("job-4,4", "job-3,4", r"row 5.*has a score of overall in row 4 already"),
        (
            "conversation,",
            "talk,",
            r"no column 'conversation': the columns are talk, score.*columns: \{item_id: COLUMN\}",
        ),
        ("job-4,4", ",4", r"row 5.*is empty"),
    ],
)
def test_a_wrong_table_is_not_locked(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder = make_given_study(tmp_path / "s", {"scores.csv": scores()}, ONE_SCORE)
    path = folder / "scores.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(RatifyError, match=says):
        lock_study(folder)
    assert not (folder / "plan.lock.json").exists()


def test_a_judges_tables_are_read_as_the_plan_says(tmp_path: Path) -> None:
    table = scores(**{ids()[0]: "refused", ids()[1]: "NA", ids()[2]: "2,5"})
    folder = make_given_study(tmp_path / "s", {"scores.csv": table}, ONE_SCORE)
    with pytest.raises(RatifyError, match=r"got 'refused'.*data: \{missing: \[\+, refused\]\}"):
        lock_study(folder)
    with edited_plan(folder) as plan:
        plan["data"] = {"missing": ["+", "refused"], "decimal": ","}
    study, _ = lock_study(folder)
    given = given_of(study, next(one for one in study.plan.judges if one.kind == "table"))
    assert len(given.scores) == len(ids()) - 2
    assert given.scores[ids()[2], "overall"] == 2.5


def test_the_items_and_a_judges_scores_may_be_sheets_of_a_workbook(tmp_path: Path) -> None:
    of_judge = {"ratings": "book.xlsx#of gpt", "columns": ONE_SCORE["columns"]}
    folder = make_given_study(tmp_path / "s", {"scores.csv": scores()}, ONE_SCORE)
    as_csv = open_study(folder)
    book = openpyxl.Workbook()
    for name, rows in (("main", as_csv.table.rows), ("of gpt", scores())):
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    book["Sheet"].append(["not the items"])
    book.save(folder / "book.xlsx")
    with edited_plan(folder) as plan:
        plan["materials"]["items"] = "book.xlsx#main"
        plan["judges"] = [
            {**one, **of_judge} if one["kind"] == "table" else one for one in plan["judges"]
        ]
    study, _ = lock_study(folder)
    assert study.items == as_csv.items
    given = given_of(study, next(one for one in study.plan.judges if one.kind == "table"))
    assert len(given.scores) == len(ids())
    (folder / "book.xlsx").unlink()
    with pytest.raises(RatifyError, match="no such file"):
        open_study(folder)


def test_a_table_with_other_ids_is_not_locked_and_a_locked_one_may_not_change(
    tmp_path: Path,
) -> None:
    strange = [{"conversation": f"c{n}", "score": n} for n in range(5)]
    folder = make_given_study(tmp_path / "s", {"scores.csv": strange}, ONE_SCORE)
    with pytest.raises(RatifyError, match="scores no item of the study"):
        lock_study(folder)
    good = make_given_study(tmp_path / "t", {"scores.csv": scores()}, ONE_SCORE)
    lock_study(good)
    path = good / "scores.csv"
    path.write_text(path.read_text().replace("job-4,4", "job-4,5", 1))
    with pytest.raises(RatifyError, match=r"changed since the plan was locked.*: prompts"):
        open_study(good)


def refusing(folder: Path, *, refuses: bool) -> Path:
    """Make a study whose judge decides close pairs badly, or refuses them."""
    pairs = [
        {"left_id": one, "right_id": other, "choice": choice(one, other, refuses=refuses)}
        for one in ids()
        for other in ids()
        if one != other and one.partition("-")[0] == other.partition("-")[0]
    ]
    condition = {"analysis": "same", "quantity": "gpt: agreement", "field": "estimate"}
    condition |= {"at_least": 0.7}
    return make_given_study(
        folder,
        {"choices.csv": pairs},
        {"judgments": "choices.csv"},
        analyses=[EVERY[4]],
        gate=[condition],
        raters=40,
    )


def choice(one: str, other: str, *, refuses: bool) -> str:
    gap = quality(one) - quality(other)
    if abs(gap) > 4:
        return "left" if gap > 0 else "right"
    return "tie" if refuses else ("right" if gap > 0 else "left")


def test_a_judge_does_not_pass_the_gate_by_refusing(tmp_path: Path) -> None:
    verdicts, found = {}, {}
    for name, refuses in (("answers", False), ("refuses", True)):
        folder = refusing(tmp_path / name, refuses=refuses)
        collect(folder, wrong=0.1)
        analyze_study(folder, mode="live")
        verdicts[name], found[name] = judge_results(folder), results(folder)
    assert not verdicts["answers"].passed  # it answers everything, and is wrong where it is close
    agreed = found["refuses"]["same", "gpt: agreement"]
    assert agreed["estimate"] > 0.8
    assert not verdicts["refuses"].passed
    line = verdicts["refuses"].lines()[1]
    assert f"answered {agreed['n']} of 200 (needs >= 95%)" in line
    # the plan may ask for less, in advance; a lock of 0.4.0 asked for nothing, and the line says so
    plan = load_plan(folder)
    gate = (plan.gate[0].model_copy(update={"coverage": 0.1}),)
    quantities = list(found["refuses"].values())
    less = plan.model_copy(update={"gate": gate})
    assert judge_evidence(less, quantities, mode="live", locked=True).passed
    old = judge_evidence(plan, quantities, mode="live", locked=True, asks_coverage=False)
    assert old.passed
    assert f"answered {agreed['n']} of 200 (the plan was locked before" in old.lines()[1]
    without = [q for q in quantities if "coverage" not in q["name"]]
    assert not judge_evidence(plan, without, mode="live", locked=True).passed
    n, share = agreed["n"], agreed["estimate"]
    worst = found["refuses"]["same", "gpt: agreement, unanswered wrong"]["estimate"]
    best = found["refuses"]["same", "gpt: agreement, unanswered right"]["estimate"]
    assert worst == pytest.approx(share * n / 200)
    assert best == pytest.approx((share * n + 200 - n) / 200)
    assert worst <= found["answers"]["same", "gpt: agreement"]["estimate"] <= best
    assert found["answers"]["same", "gpt: coverage"]["estimate"] == 1
    assert ("same", "gpt: kappa, unanswered wrong") not in found["answers"]


def test_the_example_of_the_docs_can_be_locked(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "judges.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- test: scores you already have -->\n```csv\n(.*?)```", guide, re.DOTALL)
    judges = re.search(r"<!-- test: a judge of kind table -->\n```yaml\n(.*?)```", guide, re.DOTALL)
    assert table
    assert judges
    parsed = yaml.safe_load(judges[1])
    folder = make_given_study(
        tmp_path / "s", {}, {"ratings": "scores.csv"}, analyses=EVERY, judges=parsed["judges"]
    )
    (folder / "scores.csv").write_text(table[1])
    study, _ = lock_study(folder)
    given = given_of(study, study.plan.judge("gpt"))  # type: ignore[arg-type]
    assert given.overall(study.plan) == {"job-1": 2.5, "job-2": 4, "job-3": 1}


def test_a_ranking_of_its_own_answers_no_trial(tmp_path: Path) -> None:
    every = ids()
    pairs = [
        {"left_id": one, "right_id": other, "choice": "right"}
        for one, other in itertools.pairwise(every)
        if one.split("-")[0] == other.split("-")[0]
    ]
    folder = make_given_study(
        tmp_path / "s",
        {"scores.csv": scores(), "pairs.csv": pairs},
        {**ONE_SCORE, "ranking": "pairs.csv"},
        analyses=EVERY,
    )
    collect(folder)
    rows = read_table(folder / "data" / "judgments.csv").rows
    mine = [row for row in rows if row["rater_id"] == "gpt"]
    ranked = [row for row in mine if row["purpose"] == "ranking"]
    assert [(row["left_id"], row["right_id"], row["choice"]) for row in ranked] == [
        (row["left_id"], row["right_id"], "right") for row in pairs
    ]
    value = {one: quality(one) for one in every}
    for row in mine:
        if row["purpose"] == "trial":  # by the scores
            left, right = value[row["left_id"]], value[row["right_id"]]
            assert row["choice"] == ("left" if left > right else "right")
    analyze_study(folder, mode="live")
    assert results(folder)["elo", "spearman"]["estimate"] is not None


@pytest.mark.parametrize("other", [{"judgments": "pairs.csv"}, {"pairs": PAIRS}])
def test_a_ranking_is_one_thing(other: dict[str, Any]) -> None:
    judge = {"id": "gpt", "kind": "table", **ONE_SCORE, "ranking": "pairs.csv"}
    assert TableJudge.model_validate(judge).compared
    with pytest.raises(ValidationError, match="ranking takes neither judgments nor pairs"):
        TableJudge.model_validate({**judge, **other})
