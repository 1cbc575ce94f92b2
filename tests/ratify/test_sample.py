"""If these failed, people would label other units than promised, or a locked sample would change.

Also: `ratify check` would let a sample be locked that the estimate cannot use, and `ratify verify`
would not see a frame that was changed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.verify.registered import check_parts
from prereg.amendments.amendment import Change
from prereg.amendments.changes import refused_changes
from prereg.checking.causal import of_sample, sample_of
from prereg.checking.remark import error_of
from prereg.design.sequences import Trial
from prereg.documents.material import LARGEST_FRAME
from prereg.errors import RatifyError
from prereg.files import write_text
from prereg.lock import read_lock, verify_lock
from prereg.plan.file import load_plan
from prereg.tables.reader import read_table, write_csv
from ratify import main
from study.checking.looking import look
from study.opening import lock_study, open_study
from study.store.database import open_store
from study.visits.claims import Arrival, claim
from tests.support.causal_studies import causal_study, units, write_frame
from tests.support.collecting import open_places
from tests.support.plans import edited_plan


def ratify(*words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = causal_study(tmp_path_factory.mktemp("causal") / "study")
    assert ratify("sample", folder).exit_code == 0
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def refused(done: Result, *said: str) -> None:
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1, done.stderr
    for words in said:
        assert words in done.stderr


def test_it_draws_what_the_plan_says_and_prints_each_stratum(study: Path) -> None:
    done = ratify("sample", study)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["stratum", "judge", "says", "units", "drawn", "probability"]
    items = read_table(study / "items.csv").rows
    strata = {row["stratum"] for row in items}
    assert {" ".join(line.split()[:2]) for line in lines[1 : len(strata) + 1]} == strata
    drawn = {
        part: sum(r["sampled_for"] in (part, "both") for r in items)
        for part in ("estimate", "gate")
    }
    assert drawn == {"estimate": 60, "gate": 20}
    assert f"{len(items)} of 240 units, 60 for the estimate, 20 for the gate" in lines[-1]
    assert {row["scenario"] for row in items} == {"all"}
    assert open_study(study).table.rows == read_table(study / "items.csv").rows


def test_the_same_plan_and_frame_give_the_same_bytes(study: Path) -> None:
    before = (study / "items.csv").read_bytes()
    assert ratify("sample", study).exit_code == 0
    assert (study / "items.csv").read_bytes() == before
    with edited_plan(study) as plan:
        plan["seed"] += 1
    assert ratify("sample", study).exit_code == 0
    assert (study / "items.csv").read_bytes() != before


def test_units_without_a_score_and_labels_without_a_unit_are_said(study: Path) -> None:
    rows = units(50)
    rows[3]["judge_empathy"] = ""
    write_frame(study, rows)
    done = ratify("sample", study)
    assert "1 unit of frame.csv has not both scores of the judge and was left out" in done.stdout
    assert "11 of the 60 stratified labels found no unit" in done.stdout
    items = read_table(study / "items.csv").rows
    assert [row["inclusion_probability"] for row in items] == ["1.0"] * 49


def test_one_user_for_all_units_is_refused_before_anybody_labels(study: Path) -> None:
    write_frame(study, [row | {"user_id": "u1"} for row in units()])
    refused(ratify("sample", study), "frame.csv, user_id: 1 user cannot be split into 5 folds")
    done = ratify("check", study)
    assert done.exit_code == 2
    assert "frame.csv, user_id: 1 user cannot be split into 5 folds" in done.stderr


def test_a_user_for_each_unit_is_said_before_anybody_labels(study: Path) -> None:
    said = "each of the 240 units has a user of its own in user_id, so nothing is clustered"
    assert said not in ratify("sample", study).stdout + ratify("check", study).stderr
    write_frame(study, [row | {"user_id": f"u{at}"} for at, row in enumerate(units())])
    assert said in ratify("sample", study).stdout
    done = ratify("check", study)
    assert done.exit_code == 0
    (line,) = [one for one in done.stderr.splitlines() if said in one]
    assert line.startswith("warning")


def test_a_score_between_two_points_is_said(study: Path) -> None:
    rows = units()
    rows[3]["judge_empathy"] = 3.5
    rows[8]["judge_empathy"] = 4.25
    write_frame(study, rows)
    said = (
        "the judge's score is between two points of the scale: judge_empathy of 2 units "
        "(first 3.5, row 5 (line 11))"
    )
    assert said in ratify("sample", study).stdout
    assert said in ratify("check", study).stderr


def test_nan_is_one_line(study: Path) -> None:
    rows = units()
    rows[3]["judge_empathy"] = "NaN"
    write_frame(study, rows)
    refused(ratify("sample", study), "frame.csv, row 5 (line 11), column judge_empathy: is NaN")


def test_scores_of_a_judge_come_from_its_ratings(study: Path) -> None:
    rows = units()
    before = (study / "items.csv").read_bytes()
    bare = [{n: c for n, c in row.items() if not n.startswith("judge_")} for row in rows]
    write_frame(study, bare)
    refused(ratify("sample", study), "no column 'judge_empathy'", "frame.csv")
    for name in ("empathy", "attachment"):
        given = [
            {"rater_id": "m", "rater_kind": "llm", "item_id": row["item_id"], "dimension": name,
             "value": row[f"judge_{name}"]}
            for row in rows
        ]  # fmt: skip
        write_csv(study / f"{name}.csv", list(given[0]), given)
    files = [word for n in ("empathy", "attachment") for word in ("--scores", study / f"{n}.csv")]
    done = ratify("sample", study, *files)
    assert done.exit_code == 0, done.stderr
    assert "240 of 240 units got judge_attachment" in done.stdout
    assert (study / "items.csv").read_bytes() == before


def test_a_locked_study_keeps_its_sample(study: Path) -> None:
    lock_study(study)
    refused(ratify("sample", study), "plan.lock.json: a new sample would come too late")


def test_a_study_in_which_somebody_takes_part_keeps_its_sample(study: Path) -> None:
    lock_study(study)
    with closing(open_store(study, None)) as store:
        opened = open_study(study)
        open_places(store, opened, "live")
        assert claim(store, opened, "live", Arrival("r1"))
    (study / "plan.lock.json").unlink()
    refused(ratify("sample", study), "a new sample would come too late: it has 1 live visit")


def test_items_of_the_researchers_own_are_not_lost(study: Path) -> None:
    rows = [{"item_id": f"i{n}", "scenario": "all", "text": f"t{n}"} for n in range(3)]
    write_csv(study / "items.csv", list(rows[0]), rows)
    refused(ratify("sample", study), "items.csv: holds items that `ratify sample` did not draw")
    assert ratify("sample", study, "--replace").exit_code == 0
    assert len(read_table(study / "items.csv").rows) > 3


def test_a_plan_without_the_section_has_no_frame(tmp_path: Path) -> None:
    assert ratify("new", tmp_path / "s").exit_code == 0
    refused(ratify("sample", tmp_path / "s"), "the plan has no causal section")


def test_the_pilot_of_the_plan_is_the_pilot(study: Path) -> None:
    with edited_plan(study) as plan:
        plan["causal"]["labels"]["pilot"] = "pilot.csv"
    refused(ratify("sample", study), "pilot.csv: no such file")
    refused(ratify("sample", study, "--pilot", study / "o.csv"), "the plan names another pilot")


def test_the_lock_notices_a_changed_frame(study: Path) -> None:
    lock_study(study)
    plan, lock = load_plan(study), read_lock(study)
    assert {check.name: check.answer for check in check_parts(study, lock)}["frame"] == "yes"
    assert verify_lock(study, plan) == lock
    rows = units()
    rows[0]["judge_attachment"] = rows[0]["judge_attachment"] % 7 + 1
    write_frame(study, rows)
    assert {check.name: check.answer for check in check_parts(study, lock)}["frame"] == "no"
    with pytest.raises(RatifyError, match=r"changed since the plan was locked.*: frame"):
        verify_lock(study, plan)
    with pytest.raises(RatifyError, match=r"changed since the plan was locked.*: frame"):
        open_study(study)


def test_a_study_without_its_frame_can_be_opened_but_not_locked(study: Path) -> None:
    (study / "frame.csv").unlink()
    assert "frame" not in open_study(study).parts
    with pytest.raises(RatifyError, match=r"frame\.csv: no such file"):
        lock_study(study)
    assert [error.file for error in look(study).errors] == [str(study / "frame.csv")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("frame", "frame.csv", "a", "b"), "the frame has changed"),
        (Change("plan", "causal.labels.stratified", 60, 70), "the sample that people answered"),
        (Change("plan", "causal.treatment.treated", 5.0, 6.0), "the sample that people answered"),
    ],
)
def test_once_people_have_answered_the_draw_stays(change: Change, words: str) -> None:
    (fault,) = refused_changes([change], "plan.yaml")
    assert words in str(fault)


def test_thresholds_and_estimators_may_be_amended() -> None:
    keys = ("causal.gate.margin", "causal.estimators.folds", "causal.labels.aggregate")
    changes = [Change("plan", key, 1, 2) for key in keys]
    assert refused_changes(changes, "plan.yaml") == []


def remarks(folder: Path) -> list[str]:
    return [one.problem for one in look(folder).remarks if (one.key or "").startswith("causal")]


def test_too_few_raters_for_the_estimand_are_a_warning(study: Path) -> None:
    with edited_plan(study) as plan:
        plan["causal"]["labels"]["raters"] = 30
    assert any("fewer than the 30 ratings of causal.labels.raters" in one for one in remarks(study))


def test_more_labels_than_the_gate_needs_are_no_remark(study: Path) -> None:
    small = "units are labelled, and the gate needs 100"
    assert any(small in one for one in remarks(study))
    with edited_plan(study) as plan:
        plan["causal"]["gate"] |= {"items": 50, "treated": 5}
    assert not any(small in one for one in remarks(study))


def test_an_arm_with_too_few_treated_is_a_warning(study: Path) -> None:
    with edited_plan(study) as plan:
        plan["causal"]["gate"]["treated"] = 100
    assert any("the gate needs 100 that people call treated" in one for one in remarks(study))


@pytest.fixture
def asked(made: Path) -> Iterator[tuple[object, ...]]:
    plan = load_plan(made)
    sample, _ = sample_of(made, plan, read_table(made / "items.csv"))
    assert sample is not None
    trials = [Trial(f"S{n}", 1, (name,)) for n, name in enumerate(sample.frame.ids)]
    yield plan, sample, {one.sequence_id: [one] for one in trials}


@pytest.mark.parametrize(("apart", "warned"), [(False, True), (True, False)])
def test_one_person_on_both_scores_is_a_warning(asked: tuple, apart: bool, warned: bool) -> None:  # type: ignore[type-arg]
    plan, sample, sequences = asked
    design = plan.design.model_copy(update={"apart": apart})
    found = of_sample(plan.model_copy(update={"design": design}), sample, sequences)
    assert any(one.key == "design.apart" for one in found) is warned


def test_items_that_nobody_drew_stop_the_lock(study: Path) -> None:
    table = read_table(study / "items.csv").rows
    bare = [{n: row[n] for n in ("item_id", "scenario", "text")} for row in table]
    write_csv(study / "items.csv", list(bare[0]), bare)
    (fault,) = look(study).errors
    line = error_of(fault).one_line()
    assert "stratum: there is no such column: the items are no probability sample" in line
    said = [one.problem for one in look(study).remarks]
    assert not any("raters give each" in one for one in said), "nobody will see these trials"
    assert "run `ratify sample`" in line


def test_a_study_is_rebuilt_with_its_frame_if_a_document_can_carry_it(
    study: Path, tmp_path: Path
) -> None:
    assert ratify("document", study).exit_code == 0
    document = study / "preregistration" / "study.md"
    done = ratify("import-preregr", document, tmp_path / "again")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "again" / "frame.csv").read_bytes() == (study / "frame.csv").read_bytes()
    rows = [row | {"note": "x" * (LARGEST_FRAME // 200)} for row in units()]
    write_frame(study, rows)
    assert ratify("sample", study).exit_code == 0
    assert ratify("document", study).exit_code == 0
    refused(
        ratify("import-preregr", document, tmp_path / "third"), "does not carry the frame", "frame"
    )
    assert not (tmp_path / "third").exists()


def test_a_new_study_of_the_worked_plan_is_a_sample_of_its_frame(tmp_path: Path) -> None:
    assert ratify("new", tmp_path / "s", "--plan", "empathy_attachment").exit_code == 0
    before = (tmp_path / "s" / "items.csv").read_bytes()
    found = look(tmp_path / "s")
    assert not found.errors
    assert not [one for one in found.remarks if one.severity == "warning"]
    assert ratify("sample", tmp_path / "s").exit_code == 0
    assert (tmp_path / "s" / "items.csv").read_bytes() == before
    write_text(tmp_path / "s" / "frame.csv", "")
    refused(ratify("sample", tmp_path / "s"), "frame.csv: is empty")


def test_a_new_study_of_ones_own_frame_has_no_numbers_of_another_sample(tmp_path: Path) -> None:
    write_frame(tmp_path, units(), "mine.csv")
    assert ratify("new", tmp_path / "s", "--frame", tmp_path / "mine.csv").exit_code == 0
    text = (tmp_path / "s" / "plan.yaml").read_text(encoding="utf-8")
    assert re.search(r"\d+ (exchanges|units|items)\b", text) is None
