"""If these failed, an amendment could make a plan that `ratify check` refuses, without a word."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from prereg.amendments.amendment import State
from prereg.lock import read_lock
from ratify import main
from ratify.cautions import found_by_amending
from study.amending import draft_amendment
from study.opening import lock_study
from study.scaffold import new_study
from tests.conftest import make_study
from tests.study.checking.test_faults import write_talks
from tests.support.plans import edited_plan

REGRESSION = {
    "id": "moods",
    "kind": "regression",
    "model": "ols",
    "data": "moods",
    "outcomes": ["mood"],
    "predictors": "C(arm)",
    "cluster": "person",
    "terms": ["C(arm)[T.b]"],
}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A locked study without answers, whose plan has warnings of its own."""
    folder = tmp_path_factory.mktemp("made") / "study"
    make_study(folder, raters=12, trials=3)
    with edited_plan(folder) as plan:
        plan["judges"] = [{"id": "length", "kind": "baseline"}]
        plan["analyses"] = [{"id": "same", "kind": "choice_agreement", "judges": ["length"]}]
        plan["hypotheses"], plan["gate"], plan["exclusions"] = [], [], []
    lock_study(folder)
    return folder


@pytest.fixture
def study(locked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(locked, tmp_path / "study"))


def amend(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["amend", str(folder), "--reason", "It was wrong.", *words])


def amendments(folder: Path) -> int:
    return len(read_lock(folder).amendments)


def test_an_error_that_only_check_finds_stops_the_amendment(study: Path) -> None:
    with edited_plan(study) as plan:
        plan["analyses"].append(REGRESSION)
        plan["assumptions"] = {"effects": {"moods": {"levels": {"amr": ["a", "b"]}}}}
    for words in ((), ("--dry-run",)):
        done = amend(study, *words)
        assert done.exit_code == 2
        assert "assumptions.effects.moods.levels.amr" in done.stderr
        assert "no simulation reads this column" in done.stderr
        assert "(allowed: arm)" in done.stderr
        assert amendments(study) == 0
    with edited_plan(study) as plan:
        plan["assumptions"] = {"effects": {"moods": {"levels": {"arm": ["a", "b"]}}}}
    assert amend(study).exit_code == 0
    assert amendments(study) == 1


def test_several_errors_are_counted_and_a_formula_is_still_rehearsed(study: Path) -> None:
    with edited_plan(study) as plan:
        plan["analyses"].append(REGRESSION | {"predictors": "C(arm", "terms": ["x"]})
        plan["assumptions"] = {"effects": {"moods": {"levels": {"amr": ["a", "b"]}}}}
    done = amend(study)
    assert done.exit_code == 2
    assert "analyses.1.predictors" in done.stderr
    assert "and 1 more error: `ratify check " in done.stderr
    assert amendments(study) == 0


def test_new_findings_are_shown_and_old_ones_are_not(study: Path) -> None:
    with edited_plan(study) as plan:
        plan["hypotheses"] = [{"id": "H1", "text": "People agree.", "direction": "positive"}]
    done = amend(study)
    assert done.exit_code == 0, done.stderr
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["warning"]
    assert "no analysis serves hypothesis H1" in done.stderr
    # the finding of the amendment before is no news
    with edited_plan(study) as plan:
        plan["design"]["lease_minutes"] = 77
    done = amend(study)
    assert (done.exit_code, done.stderr) == (0, "")
    assert amendments(study) == 2


def test_what_was_wrong_at_the_lock_stops_no_amendment(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that finds more than the one that locked."""
    from analysis.planning import effect_names
    from prereg.errors import RatifyError

    def stricter(plan: object, items: object) -> list[RatifyError]:
        return [RatifyError("is not done any more", file="plan.yaml", column="seed", value=7)]

    monkeypatch.setattr(effect_names, "faults_of_effects", stricter)
    with (study / "consent.md").open("a", encoding="utf-8") as consent:
        consent.write("\nOne more sentence.\n")
    done = amend(study)
    assert (done.exit_code, done.stderr) == (0, "")
    # unless what it was locked as cannot be read
    monkeypatch.setattr("study.versions.as_it_was", lambda study, version: None)
    with (study / "consent.md").open("a", encoding="utf-8") as consent:
        consent.write("\nAnother one.\n")
    done = amend(study)
    assert done.exit_code == 2
    assert "is not done any more" in done.stderr


def test_a_value_that_an_own_table_may_still_get_is_a_warning_once_people_answered(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "s"
    new_study(folder, worked="coaching_ratings")
    lock_study(folder)
    write_talks(folder, turns=(1, 2, 3))
    with edited_plan(folder) as plan:
        plan["analyses"][2]["predictions"] = {"condition": ["control", "fedback"]}
    done = amend(folder)
    assert done.exit_code == 2
    assert "analyses.2.predictions.condition.1" in done.stderr
    draft = draft_amendment(folder, None)
    states: dict[State, bool] = {"no_data": True, "not_looked": False, "seen": False}
    for state, refused in states.items():
        errors, remarks = found_by_amending(replace(draft, known=replace(draft.known, state=state)))
        assert bool(errors) == refused, state
        warned = [str(one) for one in remarks if "got 'fedback'" in one.problem]
        assert bool(warned) != refused, state
    assert "(there: control, feedback, video)" in warned[0]
