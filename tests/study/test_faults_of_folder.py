"""If this failed, the author of a plan would see one fault after another, and never a list."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from prereg.tables.reader import write_csv
from ratify import main
from study.opening import faults_of_folder, open_study
from study.scaffold import new_study
from tests.support.plans import edited_plan


def _said(folder: Path) -> list[str]:
    done = CliRunner().invoke(main, ["check", str(folder)])
    assert done.exit_code == 2, done.output
    return [line for line in done.stderr.splitlines() if line.startswith("ratify: ")]


def test_a_wrong_survey_hides_no_fault_of_other_parts(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    new_study(folder)
    with edited_plan(folder) as plan:
        question = {"id": "student", "kind": "choice", "question": "Student?", "options": []}
        plan["survey"] = [question]
        plan["hypotheses"][0] = {**plan["hypotheses"][0], "the more often it wins": None}
        plan["analyses"][0]["judge"] = "nobody"
        plan["gate"][0]["quantity"] = "nothing"
    said = _said(folder)
    assert len(said) == 4, said
    for line, words in zip(
        said,
        (
            "needs quotation marks",
            "survey.0.options (student): has no entry",
            "analyses.0.judge",
            "gate.0.quantity",
        ),
        strict=True,
    ):
        assert words in line


def test_a_part_on_which_others_depend_is_mended_first(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    new_study(folder)
    with edited_plan(folder) as plan:
        plan["judges"][0]["pairs"]["k"] = -1
        plan["gate"][0]["quantity"] = "nothing"
    assert [line.partition("plan.yaml, ")[2].split(" ")[0] for line in _said(folder)] == [
        "judges.0.pairs.k"
    ]


def test_faults_of_judges_items_and_texts_come_with_those_of_the_plan(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    study = new_study(folder)
    assert faults_of_folder(folder) == []
    with edited_plan(folder) as plan:
        plan["measures"]["scale"] = {"min": 1, "max": 7}
        plan["gate"][0]["quantity"] = "nothing"
    rows = [row | {"text": ""} for row in study.table.rows[:1]] + list(study.table.rows[1:])
    write_csv(folder / "items.csv", list(rows[0]), rows)
    (folder / "consent.md").write_text("no title\n")
    said = _said(folder)
    for words in (
        "gate.0.quantity",
        "baseline lexical rates from 1 to 5 only",
        "items.csv, row 2, column text: is empty",
        "consent.md",
    ):
        assert sum(words in line for line in said) == 1, said


def test_a_plan_of_no_kind_is_not_judged_further(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    new_study(folder)
    with edited_plan(folder) as plan:
        del plan["measures"]
    (needed,) = [line for line in _said(folder) if "measures" in line.split(": ")[1]]
    assert "is needed by a plan of kind pairwise (allowed: the key measures" in needed
    with edited_plan(folder) as plan:
        plan["measures"] = {"scale": {"min": 1, "max": 5}, "adds": ["validating_emotions"]}
        plan["analyses"], plan["gate"] = [], []
    assert faults_of_folder(folder) == []
    open_study(folder)
