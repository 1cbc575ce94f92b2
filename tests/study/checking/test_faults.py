"""If this failed, the author of a plan would see one fault after another, and never a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from prereg.tables.reader import read_table, write_csv
from ratify import main
from study.checking.looking import look
from study.opening import lock_study, open_study
from study.scaffold import new_study
from tests.support.plans import edited_plan

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a study folder of each kind, to be copied."""
    place = tmp_path_factory.mktemp("made")
    names = ("pairwise_preference", "empathy_rating", "best_response", "coaching_ratings")
    for name in names:
        new_study(place / name, worked=name)
    return {name: place / name for name in names}


def copied(made: dict[str, Path], tmp_path: Path, worked: str = "pairwise_preference") -> Path:
    folder = tmp_path / "s"
    folder.mkdir()
    for path in made[worked].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def ran(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def checked(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ran("check", folder, "--json").stdout)
    return found


def errors(folder: Path) -> dict[str, str]:
    """Return the problem of each error by its key."""
    return {one["key"]: one["problem"] for one in checked(folder) if one["severity"] == "error"}


def test_a_wrong_survey_hides_no_fault_of_other_parts(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    with edited_plan(folder) as plan:
        question = {"id": "student", "kind": "choice", "question": "Student?", "options": []}
        plan["survey"] = [question]
        plan["hypotheses"][0] = {**plan["hypotheses"][0], "the more often it wins": None}
        plan["analyses"][0]["judge"] = "nobody"
        plan["gate"][0]["quantity"] = "nothing"
    found = errors(folder)
    assert len(found) == 4, found
    assert "needs quotation marks" in found["hypotheses.0.the more often it wins"]
    assert "has no entry" in found["survey.0.options"]
    assert {"analyses.0.judge", "gate.0.quantity"} <= set(found)


def test_a_fault_of_one_part_hides_nothing_else_and_invents_nothing(
    made: Any, tmp_path: Path
) -> None:
    folder = copied(made, tmp_path)
    with edited_plan(folder) as plan:
        plan["judges"][0]["pairs"]["k"] = -1  # so the judge `lexical` cannot be read
        plan["analyses"][2]["formula"] = "select_higher ~ gap +"
        plan["analyses"][3]["level"] = 7
        plan["analyses"][6]["hypothesis"] = "H9"
        plan["gate"][0]["quantity"] = "nothing"
        del plan["title"]
    rows = read_table(folder / "items.csv").rows
    rows[3]["text"] = ""
    write_csv(folder / "items.csv", list(rows[0]), rows)
    (folder / "consent.md").write_text("no title\n")
    found = errors(folder)
    assert set(found) == {
        "title",
        "judges.0.pairs.k",
        "analyses.2.formula",
        "analyses.3.level",
        "analyses.6.hypothesis",
        "gate.0.quantity",
        "text",
        None,  # the consent as a whole
    }


def test_every_line_says_where_what_is_allowed_and_what_to_do(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    path = folder / "plan.yaml"
    text = path.read_text().replace("  trials: 10", "  trials: ten").replace("side: b", "sides: b")
    path.write_text(text)
    (number, spelling) = [one for one in checked(folder) if one["severity"] == "error"]
    lines = text.splitlines()
    for one, key in ((number, "trials"), (spelling, "sides")):
        assert lines[one["line"] - 1].strip().startswith(f"{key}:")
        assert one["file"] == str(path)
        assert one["allowed"]
        assert one["do"]
    assert number["value"] == "ten"
    assert spelling["do"] == "write 'side' if that is meant"
    done = ran("check", folder)
    assert done.exit_code == 2
    assert (
        f"error     {path}, line {number['line']}, design.trials: is not a whole number, got"
        in (done.stderr)
    )


def test_faults_of_judges_items_and_texts_come_with_those_of_the_plan(
    made: Any, tmp_path: Path
) -> None:
    folder = copied(made, tmp_path)
    assert errors(folder) == {}
    with edited_plan(folder) as plan:
        plan["measures"]["scale"] = {"min": 1, "max": 7}
        plan["gate"][0]["quantity"] = "nothing"
    rows = read_table(folder / "items.csv").rows
    rows[0]["text"] = rows[1]["text"] = rows[4]["scenario"] = ""
    rows[9]["item_id"] = rows[8]["item_id"]
    write_csv(folder / "items.csv", list(rows[0]), rows)
    (folder / "instructions.md").unlink()
    (folder / "consent.md").write_text("no title\n")
    said = [line for line in ran("check", folder).stderr.splitlines() if line.startswith("error")]
    for words in (
        "gate.0.quantity",
        "baseline lexical rates from 1 to 5 only",
        "items.csv, row 2, column text: is empty",
        "items.csv, row 3, column text: is empty",
        "column scenario: is empty",
        "column item_id: this item_id is already in row 10",
        "consent.md: has 0 titles",
        "instructions.md: no such file",
    ):
        assert sum(words in line for line in said) == 1, (words, said)


def test_every_fault_is_one_line_that_reads_well(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    with edited_plan(folder) as plan:
        plan["title"] = "TODO"
        plan["analyses"][2]["formula"] = "select_higher ~ gpa"
        plan["hypotheses"] = [{"id": name, "text": f"It is {name}."} for name in ("H1", "H1", "H3")]
        plan["language"] = "french"
    lines = [line.partition("plan.yaml, ")[2] for line in ran("check", folder).stderr.splitlines()]
    said = "\n".join(lines)
    assert "the plan still has a placeholder: 'TODO'. Write your own." in said
    assert "so nothing will be said about it. Add 'hypothesis: H3' to an analysis" in said
    assert "got 'H2' (allowed: H1, H3); write what is allowed" in said
    assert sum("analyses.2.formula" in line for line in lines) == 1, "not by the rehearsal, too"
    assert "got 'gpa' (allowed: gap, scenario, position" in said
    assert sum("french" in line for line in lines) == 1, said


def test_a_judge_of_an_analysis_that_was_set_aside_is_not_warned_about(
    made: Any, tmp_path: Path
) -> None:
    folder = copied(made, tmp_path, RATED)
    with edited_plan(folder) as plan:
        plan["judges"].append({"id": "gpt", "kind": "llm", "model": "m"})
        plan["analyses"] = [{"id": "a", "kind": "agreement", "judges": ["gpt"], "cuts": {"at": 5}}]
    assert [one["key"] for one in checked(folder) if "no analysis names it" in one["problem"]] == []
    assert "is not a list" in errors(folder)["analyses.0.cuts"]


def test_a_plan_of_no_kind_is_not_judged_further(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    with edited_plan(folder) as plan:
        del plan["measures"]
    assert "is needed by a plan of kind pairwise" in errors(folder)["measures"]
    with edited_plan(folder) as plan:
        plan["kind"] = "pairwsie"
    assert errors(folder) == {"kind": "is not a kind of task"}
    with edited_plan(folder) as plan:
        plan["kind"] = "pairwise"
        plan["measures"] = {"scale": {"min": 1, "max": 5}, "adds": ["validating_emotions"]}
        plan["analyses"], plan["gate"] = [], []
    assert look(folder).errors == []
    open_study(folder)


def test_yaml_that_cannot_be_read_is_one_line(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    path = folder / "plan.yaml"
    path.write_text(path.read_text().replace("title: Do people", "title: Note: do people"))
    for words in (["check"], ["lock"]):
        done = ran(words[0], folder)
        assert done.exit_code == 2
        (line,) = done.stderr.splitlines()
        assert "plan.yaml: is not YAML at line 8: there is a colon where none may be" in line


# ---- What the issue names, each by itself -------------------------------------------------------

TERMS = {"terms": ["position"], "cluster": "rater_id", "predictors": "position + C(scenario)"}
REGRESSION = {"id": "mine", "kind": "regression", "data": "ratings", "model": "ols", **TERMS}
REGRESSION |= {"outcomes": ["advice_giving"]}
RATED, PICKED = "empathy_rating", "best_response"


def _add(**analysis: Any) -> Callable[[Plan], None]:
    return lambda plan: plan["analyses"].append(REGRESSION | analysis)


def _set(*path: Any, to: Any) -> Callable[[Plan], None]:
    def change(plan: Plan) -> None:
        part: Any = plan
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = to

    return change


def _gate(quantity: str) -> Callable[[Plan], None]:
    threshold = {"analysis": "agreement_with_people", "quantity": quantity, "at_least": 0.1}
    return _set("gate", to=[threshold])


SHARES = {"id": "shares", "kind": "best_worst_shares", "source": "scenario"}


@pytest.mark.parametrize(
    ("worked", "change", "severity", "key", "says"),
    [
        (RATED, _add(), "ok", None, ""),
        (RATED, _add(predictors="mood"), "error", "analyses.1.predictors", "there is no such col"),
        (
            RATED,
            _add(predictors="condition", terms=["condition"]),
            "error",
            "analyses.1.predictors",
            "the study leaves the column 'condition' empty",
        ),
        (RATED, _add(cluster="nobody"), "error", "analyses.1.cluster", "makes no such column"),
        (RATED, _add(terms=["positon"]), "error", "analyses.1.terms.0", "is not a contrast"),
        (
            RATED,
            _add(model="ordinal", predictors="position + I(2 * position)"),
            "error",
            "analyses.1.predictors",
            "linear combinations",
        ),
        (RATED, _add(model="logit"), "error", "analyses.1.predictors", "not an outcome of a logit"),
        (
            PICKED,
            lambda plan: plan["analyses"].append({**SHARES, "source": "author"}),
            "error",
            "analyses.2.source",
            "items.csv has no such column",
        ),
        (
            PICKED,
            lambda plan: plan["analyses"].append({**SHARES, "reference": "nowhere"}),
            "error",
            "analyses.2.reference",
            "no item has this in its column 'scenario'",
        ),
        (
            PICKED,
            lambda plan: plan.update(
                analyses=[*plan["analyses"], SHARES],
                gate=[{"analysis": "shares", "quantity": "most: nowhere", "at_least": 0}],
            ),
            "error",
            "gate.0.quantity",
            "makes no such number of these items",
        ),
        (
            RATED,
            _gate("lexical: kappa_single warmth"),
            "error",
            "gate.0.quantity",
            "names no dimension that is rated",
        ),
        (RATED, _gate("lexical: kapa all"), "error", "gate.0.quantity", "is not known here"),
        (
            RATED,
            lambda plan: plan["hypotheses"].append({"id": "H2", "text": "More is more."}),
            "warning",
            "hypotheses.1.id",
            "no analysis serves hypothesis H2",
        ),
        (RATED, _add(), "warning", "analyses.1.id", "serves no hypothesis: no prediction says"),
        (
            RATED,
            lambda plan: plan["judges"].append({"id": "gpt", "kind": "llm", "model": "m"}),
            "warning",
            "judges.2.id",
            "no analysis names it",
        ),
        (
            RATED,
            _set("analyses", 0, "judges", to=["lexical"]),
            "note",
            "judges.1.id",
            "no analysis names the baseline 'length'",
        ),
        (
            RATED,
            _set("design", "sample", to={"by": "planted_quality", "bins": 3}),
            "error",
            "design.sample.per_bin",
            "is missing",
        ),
        (
            RATED,
            _set("design", "sample", to={"by": "turn", "bins": 3, "per_bin": 2}),
            "error",
            "design.sample.by",
            "items.csv has no such column",
        ),
        (
            "pairwise_preference",
            _set("design", "trials", to=1),
            "warning",
            "design.trials",
            "one p",
        ),
        (
            RATED,
            _set("gate", to=[{"analysis": "agreement", "quantity": "x", "at_least": 0.1}]),
            "error",
            "gate.0.analysis",
            "is not known here",
        ),
        (
            RATED,
            _set("title", to="Study of [your topic]"),
            "warning",
            "title",
            "still has a placeholder: '[your topic]'.",
        ),
        (
            RATED,
            _set("design", "question", to="Wie sehr macht die Person das, und wie oft ist es so?"),
            "warning",
            "design.question",
            "seems to be in German",
        ),
        (
            "pairwise_preference",
            _set("assumptions", to={"raters": {"sensitivity": 0.3}}),
            "warning",
            "design.raters",
            "More than half of the differences between items would be chance",
        ),
        (
            "pairwise_preference",
            _set("gate", 0, "at_least", to=5),
            "error",
            "gate.0.at_least",
            "'spearman' is never more than 1, so the gate cannot pass",
        ),
        (
            RATED,
            _set("data_management", to={"kept_until": "2020-01-01"}),
            "warning",
            "data_management.kept_until",
            "is in the past",
        ),
        (RATED, _set("seed", to=3), "note", "design.raters", "the 95% interval of its mean rating"),
    ],
)
def test_each_is_found(
    made: Any,
    tmp_path: Path,
    worked: str,
    change: Callable[[Plan], None],
    severity: str,
    key: str,
    says: str,
) -> None:
    folder = copied(made, tmp_path, worked)
    with edited_plan(folder) as plan:
        change(plan)
    found = checked(folder)
    if severity == "ok":
        assert [one for one in found if one["severity"] == "error"] == []
        return
    fitting = [o for o in found if (o["severity"], o["key"]) == (severity, key)]
    assert any(says in one["problem"] for one in fitting), found
    assert severity == "error" or not [one for one in found if one["severity"] == "error"], found


def test_texts_in_another_language_are_named_by_their_file(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, RATED)
    with edited_plan(folder) as plan:
        plan["language"] = "ar"
    found = [one for one in checked(folder) if "seems to be in English" in one["problem"]]
    assert {str(Path(one["file"]).name) for one in found if one["key"] is None} == {
        "consent.md",
        "instructions.md",
        "items.csv",
    }
    assert {one["key"] for one in found if one["key"]} == {
        "design.question",
        "scales.0.question",
        "comprehension.question",
        "attention_checks.0.texts.0",
    }


def test_placeholders_of_a_text_have_their_line(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    text = (folder / "consent.md").read_text()
    (folder / "consent.md").write_text(f"{text}\nWrite to [name of the researcher], TODO.\n")
    found = [one for one in checked(folder) if "placeholder" in one["problem"]]
    assert [one["line"] for one in found] == [len(text.splitlines()) + 2] * 2
    assert {one["file"] for one in found} == {str(folder / "consent.md")}


def test_prompts_that_differ_are_named_in_every_scenario(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, PICKED)
    rows = [{**row, "prompt": "Same?"} for row in read_table(folder / "items.csv").rows]
    first = [
        next(n for n, row in enumerate(rows) if row["scenario"] == name)
        for name in sorted({row["scenario"] for row in rows})[:2]
    ]
    for at in first:
        rows[at + 1]["prompt"] = "Another?"
    write_csv(folder / "items.csv", list(rows[0]), rows)
    found = [one for one in checked(folder) if "another prompt" in one["problem"]]
    assert sorted(one["row"].partition(" (")[0] for one in found) == sorted(
        f"row {at + 3}" for at in first
    )


def test_own_tables_are_read_where_they_are_and_named_where_not(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, RATED)
    survey = {"data": "survey", "outcomes": ["mood"], "predictors": "C(arm)", "cluster": "person"}
    change = {"id": "change", "kind": "change", "table": "survey", "value": "mood"}
    change |= {"person": "who", "control": "a", "treatments": ["b"]}
    change |= {"baseline_rounds": [1], "post_rounds": [2]}
    with edited_plan(folder) as plan:
        plan["analyses"] += [REGRESSION | survey | {"terms": ["C(arm)[T.b]"]}, change]
    (first, second) = [one for one in checked(folder) if "not in" in one["problem"]]
    assert (first["severity"], first["key"]) == ("note", "analyses.1.id")
    assert "'survey'" in second["problem"]
    (folder / "data").mkdir()
    rows = [
        {"person": f"p{n}", "arm": "ab"[n % 2], "mood": str(n % 5), "round": "1"} for n in range(40)
    ]
    write_csv(folder / "data" / "survey.csv", list(rows[0]), rows)
    found = errors(folder)
    assert set(found) == {f"analyses.2.{key}" for key in ("person", "condition", "post_rounds.0")}
    with edited_plan(folder) as plan:
        plan["analyses"] = [plan["analyses"][1] | {"predictors": "C(armm)"}]
    assert "'armm'" in errors(folder)["analyses.0.predictors"]


def write_talks(folder: Path, turns: Sequence[int] = (1, 2, 3), **changes: str) -> None:
    """Write the own table of the worked plan; changes are of its last row."""
    (folder / "data").mkdir(exist_ok=True)
    arms = ("control", "feedback", "video")
    rows = [
        {"person_id": f"p{n}", "round": str(turn), "condition": arms[n % 3]}
        | {name: str((n * 7 + turn * place) % 5 + 1) for place, name in enumerate(SCORES, 1)}
        for n in range(30)
        for turn in turns
    ]
    rows[-1] |= changes
    write_csv(folder / "data" / "conversations.csv", list(rows[0]), rows)


SCORES = ("validating", "elaborating", "understanding", "skill")


def test_values_that_an_own_table_does_not_have_stop_the_lock(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, "coaching_ratings")
    write_talks(folder)
    assert errors(folder) == {}
    with edited_plan(folder) as plan:
        plan["analyses"][2]["sd"]["value"] = 9
        plan["analyses"][4] |= {"treatments": ["feedback", "vidio"], "baseline_rounds": [0]}
        plan["assumptions"]["effects"]["improved"]["effect"] = {"feedback": 0.8}
    found = {one["key"]: one for one in checked(folder) if one["severity"] == "error"}
    assert {key: one["allowed"] for key, one in found.items()} == {
        "analyses.2.sd.value": "1, 2, 3",
        "analyses.4.treatments.1": "control, feedback, video",
        "analyses.4.baseline_rounds.0": "1, 2, 3",
    }
    said = found["analyses.4.treatments.1"]
    assert "no row of conversations.csv has this in its column 'condition'" in said["problem"]


def test_predictions_are_compared_with_an_own_table(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, "coaching_ratings")
    write_talks(folder)
    with edited_plan(folder) as plan:
        assert plan["analyses"][2]["data"] == "conversations"
        plan["analyses"][2]["predictions"] = {
            "condition": ["control", "feedback"],
            "round": [1, 2.0],
        }
    assert errors(folder) == {}
    with edited_plan(folder) as plan:
        plan["analyses"][2]["predictions"] = {"condition": ["control", "fedback"], "round": [7]}
    found = {one["key"]: one for one in checked(folder) if one["severity"] == "error"}
    key = "analyses.2.predictions.condition.1"  # a number need not be one of the cells
    assert {one["key"]: one["allowed"] for one in found.values()} == {
        key: "control, feedback, video"
    }
    assert "no row of conversations.csv has this" in found[key]["problem"]


def test_predictions_of_a_column_of_numbers_may_be_between_its_cells(
    made: Any, tmp_path: Path
) -> None:
    folder = copied(made, tmp_path, "coaching_ratings")
    write_talks(folder)
    with edited_plan(folder) as plan:
        plan["analyses"][2] |= {"predictors": "C(condition) * round", "terms": ["round"]}
        plan["analyses"][2] |= {"contrasts": {}, "predictions": {"round": [1.5, 9]}}
        plan["analyses"][2].pop("sd", None)
        plan["assumptions"] = {}
        plan["analyses"] = [plan["analyses"][2]]
        plan["hypotheses"] = [
            one for one in plan["hypotheses"] if one["id"] == plan["analyses"][0]["hypothesis"]
        ]
    assert errors(folder) == {}
    with edited_plan(folder) as plan:
        plan["analyses"][0]["predictions"] = {"round": [1.5, "late"]}
    found = errors(folder)
    assert list(found) == ["analyses.0.predictions.round.1"]
    assert "conversations.csv has numbers in its column 'round'" in str(found)


def test_the_own_table_of_a_locked_study_may_grow(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, "coaching_ratings")
    with edited_plan(folder) as plan:
        plan["analyses"] = [one for one in plan["analyses"] if one["kind"] == "change"]
        plan["assumptions"] = {}
    write_talks(folder, turns=(1, 2))
    assert list(errors(folder)) == ["analyses.0.post_rounds.1"]
    (folder / "data" / "conversations.csv").unlink()
    assert ran("lock", folder, "--yes").exit_code == 0
    write_talks(folder, turns=(1, 2))
    assert errors(folder) == {}, "the third round follows"


def test_what_would_stop_an_analysis_of_change_stops_the_lock(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, "coaching_ratings")
    with edited_plan(folder) as plan:
        plan["analyses"][2]["sd"]["value"] = 1.0  # the number that is in the table
    write_talks(folder, round="2")
    (fault,) = [one for one in checked(folder) if one["severity"] == "error"]
    assert "is a second measurement of the same person id" in fault["problem"]
    assert (Path(fault["file"]).name, fault["row"]) == ("conversations.csv", 91)
    themes = {"id": "themes", "kind": "themes", "texts": "conversations", "columns": ["skill"]}
    with edited_plan(folder) as plan:
        plan["analyses"] = [themes | {"time": "round", "before": "1", "after": "4"}]
        plan |= {"hypotheses": [], "assumptions": {}}
    assert list(errors(folder)) == ["analyses.0.after"]


def test_an_assumed_effect_that_nothing_reads_stops_the_lock(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path, "coaching_ratings")
    with edited_plan(folder) as plan:
        effects = plan["assumptions"]["effects"]
        effects["feedback"]["effect"] = {"feedback - contrl": 0.6}
        effects["improved"]["effect"] = {"feedbak": 0.8}
    found = [one for one in checked(folder) if one["severity"] == "error"]
    assert [one["do"] for one in found] == [
        "write 'feedback' if that is meant",
        "write 'feedback - control' if that is meant",
    ]
    assert ran("lock", folder).exit_code == 2
    assert "no simulation reads this effect" in ran("simulate", folder).output


def test_an_analysis_that_finds_nothing_in_a_simulated_study_is_said(
    made: Any, tmp_path: Path
) -> None:
    folder = copied(made, tmp_path, PICKED)
    rows = [{**row, "author": ""} for row in read_table(folder / "items.csv").rows]
    write_csv(folder / "items.csv", list(rows[0]), rows)
    with edited_plan(folder) as plan:
        plan["hypotheses"].append({"id": "H2", "text": "Some scenarios are better."})
        plan["analyses"] = [SHARES | {"hypothesis": "H1"}]
        empty = {"id": "stuck", "hypothesis": "H2", "source": "author"}
        plan["analyses"].append(SHARES | empty)
    found = [one for one in checked(folder) if "no number in a simulated study" in one["problem"]]
    assert [one["key"] for one in found] == ["analyses.1.id"]
    assert errors(folder) == {}


EXPLORATORY = """analyses:
  - {id: order, kind: ranking}
  - id: more
    kind: choice_agreement
    judges: [nobody]
"""


def in_exploratory(folder: Path) -> dict[tuple[str, int | None], str]:
    """Return the problem of each error in exploratory.yaml, by its key and its line."""
    found = [one for one in checked(folder) if one["severity"] == "error"]
    assert {Path(one["file"]).name for one in found} <= {"exploratory.yaml"}
    return {(one["key"], one["line"]): one["problem"] for one in found}


def test_faults_of_exploratory_analyses_are_listed_and_stop_no_lock(
    made: Any, tmp_path: Path
) -> None:
    folder = copied(made, tmp_path)
    path = folder / "exploratory.yaml"
    path.write_text(EXPLORATORY)
    found = in_exploratory(folder)
    assert found[("analyses.0.id", 2)] == "the analysis of this id is in plan.yaml"
    assert found[("analyses.1.judges.0", 5)] == "is not known here"
    assert len(found) == 2
    lock_study(folder)
    assert in_exploratory(folder) == found, "in a locked study, too"
    path.write_text("analyses: [\n")
    (problem,) = in_exploratory(folder).values()
    assert problem.startswith("is not YAML at line 2")
    formula = "{id: x, kind: logit, judge: lexical, formula: select_match ~ gap, term: nope}"
    path.write_text(f"analyses:\n  - {formula}\n")
    assert in_exploratory(folder) == {("analyses.0.term", 2): "is not a term of the fitted formula"}
    path.unlink()
    assert in_exploratory(folder) == {}


def test_a_faulty_plan_is_not_blamed_on_exploratory_analyses(made: Any, tmp_path: Path) -> None:
    folder = copied(made, tmp_path)
    with edited_plan(folder) as plan:
        plan["analyses"][0]["judge"] = "nobody"
    (folder / "exploratory.yaml").write_text("analyses: [{id: x, kind: ranking, foo: 3}]\n")
    files = {one["key"]: Path(one["file"]).name for one in checked(folder) if one["allowed"]}
    assert files["analyses.0.judge"] == "plan.yaml"
    assert files["analyses.0.foo"] == "exploratory.yaml"
    assert list(files.values()).count("exploratory.yaml") == 1
