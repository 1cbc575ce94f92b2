"""If these fail, `ratify power --causal` ends in a traceback, or shows what it must not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.causal.correction.estimates import three_estimates
from analysis.estimating.examined import FOLDS
from analysis.estimating.more_labels import more_labels
from analysis.estimating.reading import read_inputs
from analysis.planning import label_powering
from prereg.errors import RatifyError
from ratify import main
from ratify.document import _power as power_of
from tests.analysis.planning.test_label_power import planned
from tests.support.answered_causal_study import make_causal_study
from tests.support.plans import edited_plan


@pytest.fixture(autouse=True)
def _fast_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_powering, "TRUTHS", 2)
    monkeypatch.setattr(label_powering, "TRUTH_UNITS", 2_000)


def run(*words: object) -> tuple[int, str, str]:
    given = ["power", *map(str, words), "--processes", "1", "--studies", "2"]
    done = CliRunner().invoke(main, given)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal_study(tmp_path_factory.mktemp("answered") / "study")


def test_it_says_how_many_labels_and_which_files_it_wrote(tmp_path: Path) -> None:
    folder = planned(tmp_path / "study")
    code, said, _ = run(folder, "--causal")
    assert code == 0
    lines = said.splitlines()
    assert lines[0].split() == "labels labelled treated width coverage power gate passes".split()
    assert [line.split()[0] for line in lines[1:6]] == ["80", "160*", "240", "320", "480"]
    assert any(line.startswith("A width of 0.5 ") for line in lines)
    assert "From the study's own ratings" not in said
    names = lines[-1].removeprefix("wrote ").partition(" in ")[0].split(", ")
    there = sorted(path.name for path in (folder / "power").iterdir())
    assert sorted([*names, "causal-studies.jsonl"]) == there
    before = {name: (folder / "power" / name).read_bytes() for name in names}
    code, said, _ = run(folder, "--causal")
    assert said.startswith("12 of 12 studies are kept from before")
    assert before == {name: (folder / "power" / name).read_bytes() for name in names}


def test_with_ratings_it_predicts_and_shows_no_estimate(answered: Path) -> None:
    code, said, _ = run(answered, "--causal", "--no-curves", "--mode", "bot")
    assert code == 0
    assert "From the study's own ratings (bot):" in said
    assert "run without --no-curves" in said
    [believe] = [line for line in said.splitlines() if "two predictions of the width" in line]
    assert "Simulated raters gave these ratings, so plan with the first" in believe
    inputs = read_inputs(answered, mode="bot")
    three = three_estimates(
        inputs.frame, inputs.labels, inputs.cuts, inputs.evidence.rng(FOLDS), folds=5
    )
    kept = json.loads((answered / "power" / "causal-pilot.json").read_text(encoding="utf-8"))
    [so_far] = [one for one in kept["sizes"] if one["so_far"]]
    assert so_far["labelled"] == three.labels == kept["labels"]
    assert so_far["width"] == pytest.approx(three.corrected.width)
    assert kept["effective_labels"] == pytest.approx(three.effective_labels)
    effects = [f"{one.value:.2f}" for one in (three.naive, three.people, three.corrected)]
    pilot = said.partition("From the study's own ratings")[2]
    assert not any(effect in pilot for effect in effects)
    assert set(kept) == {
        *("labels", "treated", "units", "effective_labels", "se", "df", "sizes", "wanted"),
        "sentences",
    }


def test_ratings_of_another_mode_are_not_read(answered: Path) -> None:
    code, said, _ = run(answered, "--causal", "--no-curves")
    assert code == 0
    assert "From the study's own ratings" not in said


def test_the_wanted_width_of_a_pilot_is_the_plans(answered: Path) -> None:
    with edited_plan(answered) as plan:
        plan["causal"]["gate"]["margin"] = 0.25
    found = more_labels(answered, mode="bot")
    assert found.wanted == 0.5  # twice the margin of the gate
    assert "cannot be reached: with people's labels of all 700 units" in found.sentences()[1]
    with edited_plan(answered) as plan:
        plan["assumptions"]["causal"] = {"width": 1.0}
    found = more_labels(answered, mode="bot")
    labels = found.predicted.labels_for(1.0)
    assert labels is not None
    assert f"takes about {labels:,} labels of 700 units" in found.sentences()[1]
    with edited_plan(answered) as plan:
        plan["assumptions"]["causal"] = {"width": 3.0}
    assert "A width of 3 is reached" in more_labels(answered, mode="bot").sentences()[1]


def test_a_wrong_use_is_one_line(tmp_path: Path) -> None:
    folder = planned(tmp_path / "study")
    code, _, said = run(folder, "--mode", "pilot")
    assert code == 2
    assert said.splitlines() == [said.strip()]
    assert "--causal" in said
    with edited_plan(folder) as plan:
        del plan["causal"], plan["assumptions"]["causal"]
    code, _, said = run(folder, "--causal")
    assert code == 2
    assert "the plan has no causal section" in said


def test_assumptions_without_a_causal_section_are_a_fault(tmp_path: Path) -> None:
    folder = planned(tmp_path / "study")
    with edited_plan(folder) as plan:
        del plan["causal"]
    with pytest.raises(RatifyError, match="about a causal effect, which the plan does not have"):
        label_powering.label_work_of(folder)


def test_documents_say_it_as_long_as_it_is_of_this_plan(tmp_path: Path) -> None:
    folder = planned(tmp_path / "study", frame=True)
    run(folder, "--causal", "--no-curves")
    kept = json.loads((folder / "power" / "causal.json").read_text(encoding="utf-8"))
    assert power_of(folder) == tuple(kept["sentences"])
    with edited_plan(folder) as plan:
        plan["assumptions"]["causal"] |= {"width": 0.7}
    assert power_of(folder) == ()
