"""If these failed, results could hide what a reader must know.

A look could go unrecorded, a blind run could show a result, an exploratory analysis could pass for
a registered one, or a re-run could give other files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from analysis.gate import judge_results
from analysis.report.page import write_report
from analysis.results.blind import BLIND
from analysis.results.stale import refuse_stale
from analysis.run import analyze_study
from prereg.errors import RatifyError
from prereg.lock import read_lock
from prereg.looks import LOOKS_FILE, read_looks
from tests.support.written_study import change_row, make_study

FIRST, SECOND = "2100-01-02T00:00:00.000Z", "2100-01-03T00:00:00.000Z"
SCORES = {
    "id": "scores",
    "kind": "rank_correlation",
    "judge": "length",
    "score": "overall",
    "hypothesis": "H1",
}
FURTHER = SCORES | {"id": "further"}
MORE = {"analyses": [FURTHER]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was analysed twice, blind and then live, with exploratory analyses."""
    folder = make_study(
        tmp_path_factory.mktemp("made") / "study",
        hypotheses=[{"id": "H1", "text": "Length follows people.", "direction": "positive"}],
        analyses=[SCORES, {"id": "same", "kind": "choice_agreement", "judges": ["length"]}],
        gate=[{"analysis": "scores", "quantity": "spearman", "at_least": -1}],
    )
    (folder / "exploratory.yaml").write_text(yaml.safe_dump(MORE))
    analyze_study(folder, mode="live", blind=True, at=FIRST)
    assert read_looks(folder) == ()
    analyze_study(folder, mode="live", at=FIRST)
    for name in ("results", "results-blind"):
        write_report(folder / name)
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def results(folder: Path, name: str = "results") -> dict:
    return json.loads((folder / name / "results.json").read_text())


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_input_gives_the_same_bytes_wherever_the_study_is(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(study / "results")
    shutil.rmtree(study / "results")
    monkeypatch.chdir(study)
    told: list[str] = []
    analyze_study(Path(), mode="live", at=FIRST, began=told.append)
    assert [said.partition(": ") for said in told[:-1]] == [
        (f"analysis {n} of 3", ": ", name)
        for n, name in enumerate(("scores", "same", "further"), start=1)
    ]
    write_report(Path("results"))
    assert digests(study / "results") == before
    assert len(read_looks(study)) == 1  # the look that the log has is not logged again


def test_a_failed_analysis_names_its_file_from_the_study_folder(tmp_path: Path) -> None:
    own = {"id": "own", "kind": "regression", "data": "diary", "model": "ols", "outcomes": ["mood"]}
    own |= {"predictors": "hours", "errors": "HC3", "distribution": "t", "terms": ["hours"]}
    own |= {"family": {"over": "each_outcome", "correction": "none"}}
    folder = make_study(tmp_path / "study", analyses=[own])
    said = [q.note for q in analyze_study(folder, mode="live").quantities if q.analysis == "own"]
    assert "data/diary.csv" in said[0]
    assert str(tmp_path) not in said[0]


def test_every_look_is_logged_and_the_results_name_them_all(study: Path) -> None:
    [look] = read_looks(study)
    assert (look.at, look.mode, look.plan_hash) == (FIRST, "live", read_lock(study).plan_hash)
    assert look.results == digests(study / "results")["results.json"]
    assert look.answers == 44
    analyze_study(study, mode="live", at=SECOND)
    assert [one["at"] for one in results(study)["meta"]["looks"]] == [FIRST, SECOND]
    page = write_report(study / "results").read_text()
    assert "first produced on 2100-01-02, 00:00 UTC, from 44 answers. They have been" in page
    assert "produced once since" in page


def test_other_data_than_live_are_no_look(study: Path) -> None:
    analyze_study(study, mode="pilot")
    assert len(read_looks(study)) == 1


def test_without_a_result_there_is_no_look_and_nothing_is_written(study: Path) -> None:
    before = digests(study)
    change_row(study, "judgments", {"mode": "live"}, {"plan_hash": "0" * 64})
    with pytest.raises(RatifyError, match="another plan"):
        analyze_study(study, mode="live")
    changed = {name for name, one in digests(study).items() if before.get(name) != one}
    assert changed == {"data/judgments.csv"}


def test_an_edited_log_stops_the_analysis(study: Path) -> None:
    log = study / LOOKS_FILE
    log.write_text(log.read_text().replace('"previous":""', '"previous":"ab"'))
    with pytest.raises(RatifyError, match="has been edited"):
        analyze_study(study, mode="live")


def test_a_blind_run_says_everywhere_what_it_is(made: Path) -> None:
    blind = results(made, "results-blind")
    assert blind["meta"]["blind"] is True
    assert results(made)["meta"]["blind"] is False
    assert blind["headline"][0] == BLIND
    assert all(part["caption"].startswith(BLIND) for part in blind["tables"] + blind["figures"])
    files = [path for path in (made / "results-blind").rglob("*") if path.is_file()]
    assert all(".blind." in path.name for path in files if path.parent.name == "tables")
    for path in files:
        if path.suffix in {".svg", ".tex", ".md", ".html"}:
            assert "Shuffled answers" in path.read_text(), path.name
    assert not [path for path in (made / "results").rglob("*") if "blind" in path.name]


def test_a_blind_run_leaves_the_flow_and_changes_every_number_about_people(made: Path) -> None:
    real, blind = results(made), results(made, "results-blind")
    assert blind["flow"] == real["flow"]
    other = {(q["analysis"], q["name"]): q["estimate"] for q in blind["quantities"]}
    same = [
        q
        for q in real["quantities"]
        if q["name"] in {"spearman", "reliability", "left_side", "length: agreement"}
        and q["estimate"] == other[q["analysis"], q["name"]]
    ]
    assert [q["name"] for q in same] == []
    ranking = {table["name"]: table["rows"] for table in real["tables"]}["ranking_people"]
    assert {t["name"]: t["rows"] for t in blind["tables"]}["ranking_people"] != ranking


def test_shuffled_answers_pass_no_gate(study: Path) -> None:
    assert judge_results(study).passed  # any correlation reaches -1
    shutil.rmtree(study / "results")
    (study / "results-blind").rename(study / "results")
    verdict = judge_results(study)
    assert verdict.reasons == ("the answers are shuffled",)
    assert not verdict.passed


def test_an_analysis_outside_the_plan_is_labelled_everywhere(made: Path) -> None:
    found = results(made)
    status = {q["analysis"]: q["status"] for q in found["quantities"]}
    assert (status["scores"], status["further"]) == ("confirmatory", "exploratory")
    ours = [t for t in found["tables"] if t["name"].startswith("further")]
    ours += [f for f in found["figures"] if f["name"].startswith("further")]
    assert len(ours) == 2
    for part in ours:
        assert part["status"] == "exploratory"
        assert part["title"].startswith("Exploratory: ")
        assert "exploratory.yaml" in part["caption"]
    for figure in (f for f in found["figures"] if f["title"].startswith("Exploratory")):
        assert "Exploratory" in (made / "results" / "figures" / f"{figure['name']}.svg").read_text()
    for ending in ("csv", "tex", "md"):
        text = (made / "results" / "tables" / f"numbers_further.{ending}").read_text()
        assert "xploratory" in text
    assert sum(line.startswith("Exploratory: ") for line in found["headline"]) == 1
    assert found["meta"]["exploratory"].keys() == {"further"}
    page = (made / "results" / "report.html").read_text()
    assert "What is exploratory" in page


def test_an_analysis_outside_the_plan_decides_no_hypothesis(made: Path) -> None:
    [decided] = results(made)["verdict"]["hypotheses"]
    assert "one registered test" in decided["how"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"analyses": [SCORES]}, "is in plan.yaml.*analyses.0.id|analyses.0.id.*is in plan.yaml"),
        ({"analyses": [FURTHER | {"judge": "nobody"}]}, "analyses.0.judge.*not known"),
        ({"analyses": [FURTHER | {"hypothesis": "H9"}]}, "analyses.0.hypothesis.*not known"),
        ({"analyses": [FURTHER, FURTHER]}, "analyses.1.id.*more than once"),
        ({"analyses": [FURTHER | {"kin": 1}]}, "analyses.0.kin.*unknown key"),
        ({"gate": []}, "gate.*unknown key"),
        ({"analyses": [{"id": "gate", "kind": "ranking"}]}, "analyses.0.id.*every report has"),
    ],
)
def test_a_wrong_exploratory_analysis_is_refused_in_one_line(
    study: Path, content: dict, problem: str
) -> None:
    (study / "exploratory.yaml").write_text(yaml.safe_dump(content))
    before = digests(study)
    with pytest.raises(RatifyError, match=problem) as error:
        analyze_study(study, mode="live")
    assert error.value.file == str(study / "exploratory.yaml")
    assert digests(study) == before


def test_another_exploratory_analysis_makes_the_results_old(study: Path) -> None:
    refuse_stale(study)
    path = study / "exploratory.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    refuse_stale(study)
    path.write_text(yaml.safe_dump({"analyses": []}))
    with pytest.raises(RatifyError, match=r"older than exploratory\.yaml"):
        refuse_stale(study)
