"""If this failed, a scale of labels would be asked, kept or analysed as if it were numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from analysis.gate import judge_results
from analysis.report.page import write_report
from analysis.run import analyze_study
from prereg.checking.analyses import of_analyses
from prereg.errors import RatifyError
from prereg.plan.file import load_plan, parse_plan
from prereg.plan.model import Plan
from prereg.tables.reader import read_table, write_csv
from study.judges.prompts.chosen import ask_rating, prompts_of
from study.judges.prompts.replies import Unreadable, read_ratings
from study.tasks.rating import RatingTask
from tests.support.label_studies import (
    AGREEMENT,
    POINTS,
    TOPIC,
    VERDICT,
    collect_labels,
    make_label_study,
)
from tests.support.llm_echo import answer, completion, echoing_server
from tests.support.plans import edited_plan
from tests.support.prompting import item

LLM = {"id": "gpt", "kind": "llm", "model": "m", "base_url": "http://localhost:1/v1"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_label_study(tmp_path_factory.mktemp("labels") / "study")
    with edited_plan(folder) as plan:
        plan["gate"] = [
            {"analysis": "agree", "quantity": "humans: alpha verdict", "at_least": 0.1},
            {"analysis": "agree", "quantity": "gpt: ac1_difference all", "at_least": -0.9},
        ]
    collect_labels(folder)
    return folder


def planned(folder: Path, **parts: Any) -> Plan:
    with edited_plan(make_label_study(folder)) as plan:
        plan |= parts
    return load_plan(folder)


def refused(folder: Path, **parts: Any) -> str:
    with pytest.raises(RatifyError) as caught:
        planned(folder, **parts)
    assert "\n" not in str(caught.value)
    return str(caught.value).partition("plan.yaml, ")[2]


def rows(folder: Path, table: str = "ratings") -> list[dict[str, str]]:
    return read_table(folder / "data" / f"{table}.csv").rows


# --- the plan


def test_labels_are_a_list_of_names_or_names_with_texts(tmp_path: Path) -> None:
    plan = planned(tmp_path / "study")
    assert plan.labels == {"verdict": ("pass", "fail"), "topic": ("work", "home", "other, both")}
    verdict = plan.scales[0]
    assert [(one.name, one.text) for one in verdict.labels] == list(VERDICT["labels"].items())
    again = parse_plan(yaml.safe_dump(plan.to_json(), sort_keys=False), file="plan.yaml")
    assert again == plan
    turned = {**TOPIC, "labels": TOPIC["labels"][::-1]}
    other = planned(tmp_path / "other", scales=[VERDICT, turned, POINTS])
    assert other.to_json() != plan.to_json()  # the store keeps places, so the order is hashed


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["pass"], "scales.0.labels"),
        (["pass", "Pass"], "must name each label only once"),
        ([True, False], "put numbers, yes, no, true and false in quotes"),
        ([0, 1], "put numbers, yes, no, true and false in quotes"),
        (["pass", ""], "scales.0.labels"),
        ([f"name {n}" for n in range(21)], "scales.0.labels"),
    ],
)
def test_labels_that_are_no_names_are_refused(tmp_path: Path, labels: Any, says: str) -> None:
    said = refused(tmp_path / "s", scales=[{**VERDICT, "labels": labels}, TOPIC, POINTS])
    assert says in said


def test_an_unknown_key_of_a_scale_of_labels_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path / "s", scales=[{**VERDICT, "lables": []}, TOPIC, POINTS])
    where = "scales.0.lables (verdict): unknown key"
    assert said.startswith(f"{where} (allowed: id, question, labels, instructions)")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"weights": "quadratic"}, "analyses.0.weights (agree): verdict, topic have labels"),
        ({"metric": "rmse"}, "analyses.0.metric (agree): verdict, topic have labels"),
        ({"interval": "bootstrap"}, "analyses.0.interval (agree): verdict, topic have labels"),
        ({"cuts": [{"at": 1}]}, "analyses.0.cuts (agree): verdict, topic have labels"),
        ({"dimensions": None}, "the other scales have points"),
        ({"dimensions": ["verdict", "warmth"]}, "two analyses: one of verdict, one of warmth"),
    ],
)
def test_settings_that_need_a_distance_are_refused(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    assert says in refused(tmp_path / "s", analyses=[{**AGREEMENT, **change}])


@pytest.mark.parametrize(
    "analysis",
    [
        {"id": "s", "kind": "source_ratings", "reference": "a", "sources": ["a", "b"]},
        {"id": "s", "kind": "generalizability"},
        {"id": "s", "kind": "many_facet", "judges": ["gpt"]},
        {
            "id": "s",
            "kind": "regression",
            "model": "ols",
            "data": "ratings",
            "outcomes": ["verdict"],
            "predictors": "C(source)",
            "cluster": "rater_id",
            "terms": ["C(source)[T.b]"],
        },
    ],
)
def test_analyses_that_need_numbers_refuse_labels_by_name(
    tmp_path: Path, analysis: dict[str, Any]
) -> None:
    said = refused(tmp_path / "s", analyses=[analysis])
    assert f"an analysis of kind {analysis['kind']} needs numbers, and verdict" in said
    assert said.endswith("(allowed: warmth)")


def test_a_panel_of_labels_goes_by_majority(tmp_path: Path) -> None:
    two = [LLM, {**LLM, "id": "glm"}]
    panel = {"id": "both", "kind": "panel", "of": ["gpt", "glm"]}
    said = refused(tmp_path / "s", judges=[*two, {**panel, "rule": "mean"}])
    assert "judges.2.rule (both): verdict, topic have labels, which have no mean" in said
    assert said.endswith("(allowed: majority)")
    plan = planned(tmp_path / "t", judges=[*two, {**panel, "rule": "majority"}])
    assert plan.panels[0].rule == "majority"


def test_a_check_expects_a_label(tmp_path: Path) -> None:
    check = {"after": 2, "texts": ["x"], "expected": {"verdict": "good"}}
    said = refused(tmp_path / "s", attention_checks=[check])
    assert "attention_checks.0.expected.verdict: cannot be answered" in said
    assert said.endswith("(allowed: pass, fail)")


def test_a_baseline_cannot_give_labels_and_says_what_takes_its_place(tmp_path: Path) -> None:
    folder = make_label_study(tmp_path / "s", judges=[{"id": "length", "kind": "baseline"}])
    with edited_plan(folder) as plan:
        plan["analyses"] = []
    with pytest.raises(RatifyError, match="baseline length rates in points, and cannot give"):
        collect_labels(folder)


def test_rewritten_texts_are_not_compared_in_labels(tmp_path: Path) -> None:
    habits = {"items": 2, "perturbations": ["leetspeak"]}
    said = refused(tmp_path / "s", judges=[{**LLM, "habits": habits}])
    assert "judges.0.habits.items (gpt): rewritten texts are compared in points" in said


# --- the page and the tables


def test_a_form_is_read_by_name_and_other_words_are_missing(tmp_path: Path) -> None:
    task = RatingTask.of(planned(tmp_path / "s"))
    read = task.read({"verdict": "fail", "topic": "other, both", "warmth": "4"})
    assert read.answers == {"verdict": "fail", "topic": "other, both", "warmth": 4}
    assert read.missing == ()
    assert task.read({"verdict": "1", "topic": "Work"}).missing == ("verdict", "topic", "warmth")
    kept = task.rows({}, [item("x")], read.answers)
    assert [row["value"] for row in kept] == [1.0, 2.0, 4.0]


def test_the_tables_hold_names_beside_an_empty_scale(collected: Path) -> None:
    found = rows(collected)
    of = {
        name: [row for row in found if row["dimension"] == name] for name in ("verdict", "warmth")
    }
    assert {row["value"] for row in of["verdict"]} == {"pass", "fail"}
    assert {(row["scale_min"], row["scale_max"]) for row in of["verdict"]} == {("", "")}
    assert {(row["scale_min"], row["scale_max"]) for row in of["warmth"]} == {("1", "5")}
    checks = [row for row in of["verdict"] if row["is_attention_check"] == "true"]
    assert {row["passed_check"] for row in checks} == {"true"}
    judge = {row["value"] for row in of["verdict"] if row["rater_id"] == "gpt"}
    assert judge == {"pass", "fail"}  # 'PASS' in its own table is the same label
    said = (collected / "data" / "CODEBOOK.md").read_text()
    assert "the name of the label" in said


def test_parquet_has_the_same_names(tmp_path: Path) -> None:
    folder = make_label_study(tmp_path / "study")
    collect_labels(folder, form="parquet")
    found = pd.read_parquet(folder / "data" / "ratings.parquet")
    assert set(found.loc[found["dimension"] == "topic", "value"]) == set(TOPIC["labels"])
    assert analyze_study(folder, mode="live").tables[0].name == "agree"


@pytest.mark.parametrize(
    ("dimension", "change", "says"),
    [
        ("verdict", {"value": "good"}, "value: is not one of the plan's labels of verdict"),
        ("verdict", {"value": "1", "scale_min": "0", "scale_max": "1"}, "is a point of a scale"),
        ("warmth", {"scale_min": "", "scale_max": ""}, "has no scale"),
        ("warmth", {"scale_max": ""}, "is one end of a scale only"),
        ("warmth", {"value": "pass"}, "value: is not a number"),
    ],
)
def test_a_table_with_other_words_is_refused_at_its_row(
    collected: Path, tmp_path: Path, dimension: str, change: dict[str, str], says: str
) -> None:
    whole = rows(collected)
    at = next(n for n, row in enumerate(whole) if row["dimension"] == dimension)
    table = collected / "data" / "ratings.csv"
    before = table.read_bytes()
    changed = [dict(row) for row in whole]
    changed[at] |= change
    try:
        write_csv(table, list(whole[0]), changed)
        with pytest.raises(RatifyError) as caught:
            analyze_study(collected, mode="live")
    finally:
        table.write_bytes(before)
    said = str(caught.value)
    assert f"ratings.csv, row {at + 2}, column" in said
    assert says in said.replace("column ", "")


# --- the analysis


def test_a_registered_agreement_reports_labels(collected: Path) -> None:
    results = analyze_study(collected, mode="live")
    names = {one.name for one in results.quantities}
    plan = load_plan(collected)
    (analysis,) = plan.analyses
    assert set(analysis.quantity_names(plan)) <= names
    assert {one.status for one in results.quantities if one.analysis == "agree"} == {"confirmatory"}
    tables = {table.name: table for table in results.tables}
    assert {"agree", "agree_pooled", "agree_labels", "agree_confusion"} <= set(tables)
    frame = tables["agree_confusion"].frame
    given = [
        row
        for row in rows(collected)
        if row["dimension"] == "verdict" and row["is_attention_check"] != "true"
    ]
    judge = {r["item_id"]: r["value"] for r in given if r["rater_kind"] != "human"}
    hits = sum(
        r["rater_kind"] == "human" and (r["value"], judge[r["item_id"]]) == ("pass", "fail")
        for r in given
    )
    cell = frame[
        (frame["dimension"] == "verdict")
        & (frame["annotator"] == "gpt")
        & (frame["reference"] == "a person")
        & (frame["reference_label"] == "pass")
        & (frame["annotator_label"] == "fail")
    ]
    assert cell["count"].tolist() == [hits]
    assert [one.name for one in results.figures if "confusion" in one.name] == [
        "agree_confusion_1",
        "agree_confusion_2",
    ]
    assert judge_results(collected).passed
    page = write_report(collected / "results").read_text()
    assert "Which label is taken for which: verdict" in page


def test_an_audit_reads_the_exported_labels(collected: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ratify.command_line import main

    table = str(collected / "data" / "ratings.csv")
    given = ["audit", "--human", table, "--judge", table, "--labels", "--dimension", "verdict"]
    done = CliRunner().invoke(main, [*given, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    meta = json.loads((tmp_path / "out" / "results.json").read_text())["meta"]
    assert meta["labels"] == {"verdict": ["fail", "pass"]}


# --- judges


def test_a_model_is_asked_for_one_of_the_names(tmp_path: Path) -> None:
    plan = planned(tmp_path / "s", judges=[LLM])
    (judge,) = plan.llms
    rubrics = {next(iter(one.rubric)): one for one in prompts_of(plan, judge, tmp_path).rubrics}
    assert [one.name for one in rubrics.values()] == [
        "plan_labels:verdict",
        "plan_labels:topic",
        "plan_scale:warmth",
    ]
    question = ask_rating(rubrics["verdict"], item("a text"), ["verdict"])
    sent = question.messages[1]["content"]
    assert '"pass" = It answers what was asked' in sent
    assert 'exactly: "verdict" (one of "pass", "fail")' in sent
    assert question.schema["properties"] == {
        "verdict": {"type": "string", "enum": ["pass", "fail"]}
    }
    assert question.read('{"verdict": "Fail"}') == {"verdict": "fail"}


@pytest.mark.parametrize("said", ['"pass or fail"', "1", "true", '"passed"', "null", '""'])
def test_a_reply_that_names_no_label_is_not_read(said: str) -> None:
    with pytest.raises(Unreadable, match='"verdict" is none of the labels'):
        read_ratings(f'{{"verdict": {said}}}', {"verdict": ("pass", "fail")})


@pytest.mark.parametrize("said", ['"pass"', '" PASS "', '"**pass**"', "\"'pass'\""])
def test_letter_case_and_marks_around_a_label_do_not_matter(said: str) -> None:
    read = read_ratings(f'{{"verdict": {said}}}', {"verdict": ("pass", "fail")})
    assert read == {"verdict": "pass"}


def test_the_order_and_the_texts_of_labels_change_the_digest_of_what_is_asked(
    tmp_path: Path,
) -> None:
    digests = set()
    for number, labels in enumerate(
        ({"pass": "a", "fail": "b"}, {"fail": "b", "pass": "a"}, {"pass": "a", "fail": "c"})
    ):
        scales = [{**VERDICT, "labels": labels}, TOPIC, POINTS]
        plan = planned(tmp_path / str(number), judges=[LLM], scales=scales)
        first = prompts_of(plan, plan.llms[0], tmp_path).rubrics[0]
        digests.add(first.digest)
    assert len(digests) == 3


def test_a_rubric_in_points_is_refused_for_labels(tmp_path: Path) -> None:
    warm = {**VERDICT, "id": "advice_giving"}
    plan = planned(tmp_path / "s", judges=[LLM], scales=[warm, POINTS, VERDICT, TOPIC])
    (first, *_) = prompts_of(plan, plan.llms[0], tmp_path).rubrics
    assert first.name == "plan_labels:advice_giving"


def test_a_model_answers_and_its_labels_are_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_OF_THE_TESTS", "sk-1")
    with echoing_server(labels=lambda body: completion(answer(body))) as url:
        judge = {**LLM, "base_url": f"{url}/labels", "key_variable": "KEY_OF_THE_TESTS"}
        folder = make_label_study(tmp_path / "study", judges=[judge])
        collect_labels(folder)
    with (folder / "data" / "ratings.csv").open(newline="") as file:
        given = {
            (row["dimension"], row["value"])
            for row in csv.DictReader(file)
            if row["rater_id"] == "gpt"
        }
    assert given == {("verdict", "pass"), ("topic", "work"), ("warmth", "1.0")}


def test_a_table_judge_with_another_word_is_refused_at_its_row(tmp_path: Path) -> None:
    folder = make_label_study(tmp_path / "study")
    path = folder / "gpt.csv"
    path.write_text(
        path.read_text().replace("work-3,pass", "work-3,good").replace("work-3,fail", "work-3,good")
    )
    with pytest.raises(RatifyError, match=r"gpt.csv, row 5, column verdict: is not one of"):
        collect_labels(folder)


def test_a_scale_of_two_points_is_said_to_be_two_names(tmp_path: Path) -> None:
    two = {"id": "ok", "question": "Good?", "min": 0, "max": 1, "labels": {0: "fail", 1: "pass"}}
    plan = planned(tmp_path / "s", scales=[two, VERDICT, TOPIC, POINTS])
    found = [one for one in of_analyses(plan) if "two points" in one.problem]
    assert [(one.problem, one.key) for one in found] == [
        ("scale ok has two points.", "scales.0.min")
    ]
