"""If this failed, the command could show a result where it was asked for none, or log no look."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from prereg.looks import read_looks
from ratify import main
from tests.support.written_study import make_study


def ratify(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


def test_a_blind_run_has_a_folder_and_a_report_of_its_own(tmp_path: Path) -> None:
    folder = make_study(
        tmp_path / "study",
        analyses=[{"id": "same", "kind": "choice_agreement", "judges": ["length"]}],
    )
    done = ratify("analyze", folder, "--blind")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "Shuffled answers: not a result."
    assert f"wrote {folder}/results-blind/results.json" in done.output
    assert not (folder / "results").exists()
    assert read_looks(folder) == ()
    assert ratify("report", folder, "--blind").exit_code == 0
    page = (folder / "results-blind" / "report.html").read_text()
    assert "</title>" in page
    assert "(shuffled answers)" in page
    refused = ratify("report", folder)
    assert refused.exit_code == 2
    assert "run the analysis first" in refused.output
    assert ratify("analyze", folder).exit_code == 0
    assert len(read_looks(folder)) == 1
