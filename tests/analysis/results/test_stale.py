"""If this failed, a report or a gate could speak of tables or a plan that have changed since."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from analysis.results.stale import refuse_stale
from prereg import files
from prereg.errors import RatifyError
from prereg.looks import looks_log
from ratify.command_line import OneLine, main
from tests.support.written_study import make_study


def results(folder: Path, **meta: object) -> None:
    files.write_json(folder / "results" / "results.json", {"meta": meta})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "judgments.csv").write_text("judgment_id\nj1\n")
    sha = files.sha256((tmp_path / "data" / "judgments.csv").read_bytes())
    results(tmp_path, inputs={"judgments.csv": sha, "gone.csv": "1"})
    return tmp_path


def test_results_of_these_tables_pass(folder: Path) -> None:
    refuse_stale(folder)
    (folder / "data" / "judgments.csv").unlink()
    refuse_stale(folder)  # a colleague who has only the results


def test_results_older_than_a_table_are_refused(folder: Path) -> None:
    (folder / "data" / "judgments.csv").write_text("judgment_id\nj1\nj2\n")
    with pytest.raises(RatifyError, match=r"older than data/judgments.csv.*ratify analyze"):
        refuse_stale(folder)


def test_results_of_another_plan_are_refused(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    results(study, inputs={}, plan_hash=None, plan_content="another")
    with pytest.raises(RatifyError, match="older than the plan"):
        refuse_stale(study)
    locked = json.loads((study / "plan.lock.json").read_text())["plan_hash"]
    results(study, inputs={}, plan_hash=locked)
    refuse_stale(study)
    results(study, inputs={}, plan_hash="another")
    with pytest.raises(RatifyError, match="belong to another plan"):
        refuse_stale(study)
    for command in ("report", "gate"):
        done = CliRunner().invoke(main, [command, str(study)])
        assert done.exit_code == 2
        assert "another plan" in done.stderr


def test_a_stray_warning_is_one_line_without_a_path() -> None:
    group = OneLine("tool")

    @group.command()
    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            for _ in range(2):
                warnings.warn("Mean of\nempty slice", RuntimeWarning, stacklevel=1)
        click.echo("done")

    before = warnings.showwarning
    done = CliRunner().invoke(group, ["run"])
    assert done.stderr == "ratify: RuntimeWarning: Mean of empty slice\n"
    assert warnings.showwarning is before


def test_results_that_were_edited_are_refused_if_the_log_of_looks_has_others(
    tmp_path: Path,
) -> None:
    study = make_study(tmp_path / "study")
    locked = json.loads((study / "plan.lock.json").read_text())["plan_hash"]
    at = "2026-01-01T00:00:00.000Z"
    results(study, inputs={}, plan_hash=locked, mode="live", looks=[{"at": at, "answers": 4}])
    path = study / "results" / "results.json"
    digest = files.sha256(path.read_bytes())
    with looks_log(study) as log:
        log.append(at=at, mode="live", plan_hash=locked, answers=4, results=digest)
    refuse_stale(study)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    refuse_stale(study)  # line ends are no change
    path.write_text(path.read_text().replace('"answers": 4', '"answers": 5'))
    for command in ("report", "gate", "passport"):
        done = CliRunner().invoke(main, [command, str(study)])
        assert done.exit_code == 2
        assert "has been edited: plan.looks.jsonl has no such results" in done.stderr


def test_a_folder_in_place_of_a_table_is_not_read(folder: Path) -> None:
    (folder / "data" / "judgments.csv").unlink()
    (folder / "data" / "judgments.csv").mkdir()
    refuse_stale(folder)


@pytest.mark.parametrize("key", ["quantities", "inputs"])
def test_a_passport_of_results_of_another_form_is_refused(tmp_path: Path, key: str) -> None:
    study = make_study(tmp_path / "study")
    locked = json.loads((study / "plan.lock.json").read_text())["plan_hash"]
    content: dict[str, Any] = {
        "meta": {"mode": "bot", "plan_hash": locked, "inputs": ["a"] if key == "inputs" else {}},
        "quantities": [{"a": 1}] if key == "quantities" else [],
        "tables": [],
        "verdict": {},
        "flow": [],
    }
    files.write_json(study / "results" / "results.json", content)
    done = CliRunner().invoke(main, ["passport", str(study)])
    assert done.exit_code == 2
    assert "is not what `ratify analyze` wrote" in done.stderr
