"""If this failed, a lab would not see its own report, or a simulation would touch its study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from prereg.files import sha256
from prereg.simulated import SIMULATION_MARK
from ratify import main
from study.opening import lock_study
from study.scaffold import new_study, worked_plans
from study.simulation import raters
from tests.support.collecting import study_of_kind
from tests.support.plans import edited_plan
from tests.support.served_here import served_here

# The demo runs pairwise_preference from end to end, and these two ask as others here do.
ELSEWHERE = {"pairwise_preference", "empathy_rating", "best_response"}
NEW = sorted(set(worked_plans()) - ELSEWHERE)
RATERS = 6


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raters, "served", served_here)


def simulate(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["simulate", str(folder), *options])


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of every file outside the simulation."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "simulation" not in path.relative_to(folder).parts
    }


def results_of(folder: Path) -> dict[str, Any]:
    path = folder / "simulation" / "results" / "results.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", NEW)
def test_a_worked_plan_ends_in_a_report_with_a_verdict(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    study = new_study(folder, worked=name)
    before = tree(folder)
    done = simulate(folder, "--raters", str(RATERS))
    assert done.exit_code == 0, done.output
    assert tree(folder) == before
    results = results_of(folder)
    assert results["simulated"]
    told = {one["id"]: one["verdict"] for one in results["verdict"]["hypotheses"]}
    assert told.keys() == {hypothesis.id for hypothesis in study.plan.hypotheses}
    report = (folder / "simulation" / "results" / "report.html").read_text("utf-8")
    assert "No person took part" in report
    assert "simulated raters came" in report
    assert all(f"Judge {judge.id} is simulated" in report for judge in study.plan.llms)
    assert "gate: NOT PASSED" in done.output


@pytest.mark.parametrize("name", worked_plans())
def test_a_worked_plan_is_whole(name: str, tmp_path: Path) -> None:
    study = new_study(tmp_path / "study", worked=name)
    plan = study.plan
    assert plan.hypotheses
    assert plan.exclusions
    served = {analysis.hypothesis for analysis in plan.analyses}
    assert {hypothesis.id for hypothesis in plan.hypotheses} <= served
    others = [other for other in worked_plans() if other != name]
    for other in others:
        text = Path("prereg/worked", other, "plan.yaml").read_text("utf-8")
        codes = yaml.safe_load(text)["recruitment"]["codes"]
        assert codes["completed"] != plan.recruitment.codes.completed


def small(folder: Path) -> Path:
    study_of_kind(folder, "pairwise")
    with edited_plan(folder) as plan:
        plan["analyses"] = [
            {"id": "order", "kind": "ranking", "hypothesis": "H1", "resamples": 100}
        ]
    return folder


def test_a_locked_study_stays_as_it_is_and_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    folder = small(tmp_path / "study")
    _, lock = lock_study(folder)
    (folder / "data").mkdir()
    (folder / "data" / "mine.csv").write_text("a,b\n1,2\n", "utf-8")
    before = tree(folder)
    assert simulate(folder, "--raters", "2").exit_code == 0
    first = results_of(folder)
    assert simulate(folder, "--raters", "3").exit_code == 0
    assert tree(folder) == before
    assert not (folder / "simulation" / "data" / "mine.csv").exists()
    rows = (folder / "simulation" / "data" / "judgments.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + 3 * 4
    assert {row.split(",")[rows[0].split(",").index("mode")] for row in rows[1:]} == {"bot"}
    assert first["meta"]["plan_hash"] == results_of(folder)["meta"]["plan_hash"] == lock.plan_hash
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_people_cannot_answer_in_a_simulation(tmp_path: Path) -> None:
    folder = small(tmp_path / "study")
    assert simulate(folder, "--raters", "1").exit_code == 0
    inside = folder / "simulation"
    done = CliRunner().invoke(main, ["serve", str(inside), "--port", "0"])
    assert done.exit_code == 2
    assert "is a simulation, in which people's answers would be lost" in done.output
    done = simulate(inside)
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "is a simulation already" in done.output


@pytest.mark.parametrize(
    ("fault", "says"), [("raters", "1 to 6, the plan's raters"), ("foreign", "did not make")]
)
def test_what_cannot_be_simulated_is_refused_in_one_line(
    fault: str, says: str, tmp_path: Path
) -> None:
    folder = small(tmp_path / "study")
    if fault == "foreign":
        (folder / "simulation").mkdir()
        (folder / "simulation" / "mine.txt").write_text("mine", "utf-8")
    before = tree(folder)
    done = simulate(folder, *(["--raters", "7"] if fault == "raters" else []))
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert says in done.output
    assert tree(folder) == before
    assert not (folder / "simulation" / SIMULATION_MARK).exists()


def test_raters_who_failed_are_replaced_and_excluded(tmp_path: Path) -> None:
    folder = small(tmp_path / "study")
    with edited_plan(folder) as plan:
        plan["recruitment"]["replace"] = "failed_attention"
        plan["assumptions"] = {"raters": {"careless": 0.6}}
    done = simulate(folder)
    assert done.exit_code == 0, done.output
    results = results_of(folder)
    rule = next(row for row in results["flow"] if row["rule"] == "failed_attention")
    finished = int(done.output.split(" simulated raters came, ")[1].split(" finished")[0])
    assert rule["excluded"] >= 1
    assert rule["before"] == finished
    assert rule["after"] >= 6
