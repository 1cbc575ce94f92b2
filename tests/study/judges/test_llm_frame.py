"""If this failed, a frame would hold scores of other units, or a judge would be paid twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from data.demo.turn_pairs import turn_pairs
from prereg.plan.file import load_plan
from prereg.tables.reader import read_table, write_csv
from ratify import main
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE
from tests.support.plans import edited_plan

PAIRS = 24
SCORED = ("judge_empathy", "judge_attachment", "planted_empathy", "planted_attachment")


def ratify(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def study(tmp_path: Path, llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A causal study whose frame has no scores yet, and whose judge is the test server."""
    llm_server.reset(key=KEY)
    monkeypatch.setenv(VARIABLE, KEY)
    units = [
        {name: value for name, value in row.items() if name not in SCORED}
        for row in turn_pairs(np.random.default_rng(2), PAIRS)
    ]
    write_csv(tmp_path / "units.csv", list(units[0]), units)
    folder = tmp_path / "study"
    done = ratify("new", folder, "--frame", tmp_path / "units.csv", "--yes")
    assert done.exit_code == 0, done.output
    with edited_plan(folder) as plan:
        plan["judges"][0] |= {"base_url": llm_server.base_url, "key_variable": VARIABLE}
        plan["causal"]["labels"] |= {"stratified": 12, "random": 4, "floor": 2}
    return folder


def test_the_judge_scores_every_unit_once_and_apart(study: Path, llm_server: LLMServer) -> None:
    done = ratify("judge", study, "--frame", "--yes")
    assert done.exit_code == 0, done.output
    scored = read_table(study / "frame.csv")
    kept = read_table(study / "scoring" / "data" / "ratings.csv")
    said = {(r["item_id"], r["dimension"]): float(r["value"]) for r in kept.rows}
    assert len(said) == 2 * PAIRS
    for row in scored.rows:
        for scale in ("empathy", "attachment"):
            assert float(row[f"judge_{scale}"]) == said[row["item_id"], scale]
    requests = llm_server.report()["requests"]
    again = ratify("judge", study, "--frame", "--yes")
    assert again.exit_code == 0, again.output
    assert llm_server.report()["requests"] == requests


def test_the_sample_follows_and_then_the_frame_is_not_scored_again(study: Path) -> None:
    assert ratify("judge", study, "--frame", "--yes").exit_code == 0
    drawn = ratify("sample", study)
    assert drawn.exit_code == 0, drawn.output
    items = read_table(study / "items.csv")
    assert {"stratum", "inclusion_probability"} <= set(items.columns)
    with edited_plan(study) as plan:
        plan["judges"][0]["model"] = "another-model"
    other = ratify("judge", study, "--frame", "--yes")
    assert other.exit_code == 2
    assert "scored by other judges" in other.output


def test_a_frame_of_other_units_is_refused(study: Path) -> None:
    assert ratify("judge", study, "--frame", "--dry-run").exit_code == 0
    table = read_table(study / "frame.csv")
    write_csv(study / "frame.csv", list(table.columns), table.rows[1:])
    done = ratify("judge", study, "--frame", "--dry-run")
    assert done.exit_code == 2
    assert "not the units of the frame" in done.output


def test_a_plan_without_an_llm_or_a_causal_section_is_refused(study: Path, tmp_path: Path) -> None:
    with edited_plan(study) as plan:
        plan["judges"], plan["analyses"], plan["gate"] = [], [], []
    done = ratify("judge", study, "--frame")
    assert done.exit_code == 2
    assert "no LLM judge" in done.output
    with edited_plan(study) as plan:
        plan.pop("causal")
    assert load_plan(study).causal is None
    done = ratify("judge", study, "--frame")
    assert done.exit_code == 2
    assert "no causal section" in done.output


def test_a_frame_needs_a_plan_that_has_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "units.csv", ["item_id", "text"], [{"item_id": "a", "text": "b"}])
    done = ratify(
        "new",
        tmp_path / "s",
        "--frame",
        tmp_path / "units.csv",
        "--plan",
        "empathy_rating",
        "--yes",
    )
    assert done.exit_code == 2
    assert "--frame" in done.output
