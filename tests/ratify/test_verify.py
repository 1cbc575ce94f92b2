"""If these failed, a third person could be told that a study is as promised when it is not.

Every way in which a lock, the tables, the results or the report can be broken is tried. Each must
be told apart by the check that it breaks, and nothing in the folder may change.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analysis.run import analyze_study
from analysis.verify import again
from analysis.verify.rows import _requests
from prereg import files
from prereg.amendments.amendment import AMENDMENTS_FILE, Amendment
from prereg.lock import LOCK_FILE, read_lock
from prereg.looks import LOOKS_FILE, read_looks
from prereg.stamps import add_stamp
from prereg.tables.manifest import MANIFEST_FILE, Manifest
from ratify import main
from study.amending import amend, draft_amendment
from study.store.database import open_store
from tests.support.paths import REFERENCE
from tests.support.plans import edited_plan
from tests.support.verified_study import collect, verified_study

Break = Callable[[Path], None]
NAMES = (
    "lock",
    "amendments",
    "plan",
    "items",
    "sequences",
    "texts",
    "prompts",
    "rows",
    "tables",
    "nothing missing",
    "looks",
    "results",
    "report",
    "code",
    "stamps",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that is as it was promised, without its store: what a third person gets."""
    folder = verified_study(tmp_path_factory.mktemp("made") / "study")
    for store in folder.glob("*.sqlite3*"):
        store.unlink()
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


@pytest.fixture
def not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check everything except the results, which takes a run of the analysis."""

    def results(folder: Path, *_: Any) -> Any:
        return again.cannot("results", "not asked here")

    monkeypatch.setattr(again, "_results", results)


def run(place: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["verify", str(place), *more], catch_exceptions=False)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def verify(folder: Path) -> dict[str, tuple[str, str]]:
    """Return the answer and the words of every check; nothing may change, and no line be broken."""
    before = content(folder)
    found = run(folder, "--json")
    assert content(folder) == before
    checks = json.loads(found.stdout)["checks"]
    failed = [check for check in checks if check["answer"] == "no"]
    assert found.exit_code == (2 if failed else 0)
    assert not [check for check in checks if "\n" in check["says"]]
    names = [check["check"] for check in checks]
    assert len(names) == len(set(names))
    return {check["check"]: (check["answer"], check["says"]) for check in checks}


def failed(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: says for name, (answer, says) in found.items() if answer == "no"}


def replaced(name: str, old: str, new: str, count: int = 1) -> Break:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, f"{old} is not in {name}"
        (folder / name).write_text(text.replace(old, new, count), encoding="utf-8")

    return change


def rows(table: str, change: Callable[[list[list[str]]], None], *, sealed: bool = False) -> Break:
    """Change the rows of a table; sealed: and let the manifest say that it was exported so."""

    def edit(folder: Path) -> None:
        path = folder / "data" / f"{table}.csv"
        with path.open(newline="", encoding="utf-8") as stream:
            cells = list(csv.reader(stream))
        change(cells)
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows(cells)
        if sealed:
            manifest = json.loads((folder / "data" / MANIFEST_FILE).read_text())
            manifest["sha256"][path.name] = files.sha256(path.read_bytes())
            manifest["rows"][path.name] = len(cells) - 1
            files.write_json(folder / "data" / MANIFEST_FILE, manifest)

    return edit


def of(cells: list[list[str]], name: str) -> int:
    return cells[0].index(name)


def forge(cells: list[list[str]]) -> None:
    cells[1][of(cells, "plan_hash")] = "f" * 64


def days_earlier(table: str, days: int) -> Break:
    """Return what dates the rows of a table back by some days and an hour."""

    def change(cells: list[list[str]]) -> None:
        name = "consented_at" if table == "participants" else "answered_at"
        for row in cells[1:]:
            then = datetime.fromisoformat(row[of(cells, name)]) - timedelta(days=days, hours=1)
            row[of(cells, name)] = then.isoformat()

    return rows(table, change, sealed=True)


def turn(cells: list[list[str]]) -> None:
    choice = of(cells, "choice")
    cells[1][choice] = {"left": "right", "right": "left"}[cells[1][choice]]


def of_json(name: str, change: Callable[[dict[str, Any]], None]) -> Break:
    def edit(folder: Path) -> None:
        whole = json.loads((folder / name).read_text())
        change(whole)
        (folder / name).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n")

    return edit


def turned_trial(folder: Path) -> None:
    path = folder / "sequences.csv"
    head, first, *rest = path.read_text().split("\n")
    sequence, position, left, right, check = first.split(",")
    path.write_text("\n".join([head, ",".join([sequence, position, right, left, check]), *rest]))


def gone(name: str) -> Break:
    return lambda folder: (folder / name).unlink()


def test_a_study_that_is_as_promised_passes_every_check(made: Path) -> None:
    before = content(made)
    found = run(made)
    assert found.exit_code == 0
    assert content(made) == before
    answers = [line.split(": ")[0].split(maxsplit=1) for line in found.stdout.splitlines()]
    assert answers[:-1] == [["yes", name] for name in NAMES[:-1]]
    assert answers[-1] == ["cannot", "check  stamps"]


def test_layout_is_no_change(study: Path) -> None:
    lock = json.loads((study / LOCK_FILE).read_text())
    (study / LOCK_FILE).write_text(json.dumps(dict(reversed(list(lock.items())))))
    with edited_plan(study) as keys:
        keys |= dict(reversed(list(keys.items())))
    with (study / "plan.yaml").open("a") as plan:
        plan.write("\n# a word at the end\n")
    for path in study.rglob("*"):
        if path.suffix in {".md", ".csv", ".yaml", ".json", ".jsonl", ".html", ".svg", ".tex"}:
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert failed(verify(study)) == {}


BROKEN: dict[str, tuple[Break, dict[str, str]]] = {
    "a changed comma in the plan": (
        replaced("plan.yaml", "make a person who", "make a person, who"),
        {"plan": "design.question"},
    ),
    "another seed": (replaced("plan.yaml", "seed: ", "seed: 1"), {"plan": "seed"}),
    "a comma in an item": (
        replaced("items.csv", "I hear you. That", "I hear you, that"),
        {"items": "has another text"},
    ),
    "an item taken out": (
        lambda folder: (folder / "items.csv").write_text(
            "\n".join((folder / "items.csv").read_text().split("\njob-6")[:1]) + "\n"
        ),
        {"items": "is gone"},
    ),
    "a comma in the consent": (replaced("consent.md", ".", ","), {"texts": "consent has changed"}),
    "other instructions": (
        replaced("instructions.md", "How it works", "How this works"),
        {"texts": "instructions has changed"},
    ),
    "a trial turned": (turned_trial, {"sequences": "sequences.csv has changed"}),
    "a trial taken out": (
        lambda folder: (folder / "sequences.csv").write_text(
            (folder / "sequences.csv").read_text().rpartition("\nS012,3")[0] + "\n"
        ),
        {"sequences": "35 rows, 36 were locked"},
    ),
    "a row added": (
        rows("participants", lambda c: c.append([f"x{n}" for n in c[-1]])),
        {"tables": "participants.csv has 7 rows, and 6 were exported", "rows": "hash"},
    ),
    "a row taken out": (
        rows("judgments", lambda c: c.pop(1)),
        {"tables": "were exported", "nothing missing": "of 3 answers of visit"},
    ),
    "a row taken out, and the manifest forged": (
        rows("judgments", lambda c: c.pop(1), sealed=True),
        {"nothing missing": "of 3 answers of visit"},
    ),
    "a visit taken out, and the manifest forged": (
        rows("participants", lambda c: c.pop(1), sealed=True),
        {"nothing missing": "participants has no visit"},
    ),
    "a withdrawal added, and the manifest forged": (
        rows(
            "withdrawals", lambda c: c.append(["2100-01-01", "live", "0"][: len(c[0])]), sealed=True
        ),
        {"nothing missing": "withdrawals has"},
    ),
    "an answer turned": (rows("judgments", turn), {"tables": "judgments.csv has been edited"}),
    "a row's hash forged": (
        rows("judgments", forge, sealed=True),
        {"rows": "judgments.csv, row 2: no version of this plan has its hash ffffffffffff"},
    ),
    "a table missing": (gone("data/participants.csv"), {"tables": "participants.csv is missing"}),
    "a manifest of a newer tool": (
        of_json(f"data/{MANIFEST_FILE}", lambda m: m.update(format=99)),
        {"tables": "newer Ratify", "nothing missing": "newer Ratify"},
    ),
    "a manifest edited into something else": (
        replaced(f"data/{MANIFEST_FILE}", '"rows"', '"raws"'),
        {"tables": "is not a manifest"},
    ),
    "a look added": (
        replaced(LOOKS_FILE, '"mode"', '"mood"'),
        {"looks": "is not an entry of the log of looks"},
    ),
    "the log of looks taken away": (gone(LOOKS_FILE), {"looks": "has only 0"}),
    "a report edited": (
        replaced("results/report.html", "confirmatory", "certain"),
        {"report": "is not the report of these results"},
    ),
    "a figure taken away": (
        lambda folder: next((folder / "results" / "figures").iterdir()).unlink(),
        {"report": "the file is missing"},
    ),
    "results that are no results": (
        lambda folder: (folder / "results" / "results.json").write_text("{}"),
        {"results": "results.json", "report": "results.json"},
    ),
    "results whose parts are of another kind": (
        of_json("results/results.json", lambda r: r["meta"].update(looks=7)),
        {"looks": "is not what Ratify wrote"},
    ),
    "the lock's hash edited": (
        of_json(LOCK_FILE, lambda lock: lock.update(plan_hash="0" * 64)),
        {"lock": "has been edited"},
    ),
    "a part of the lock edited": (
        of_json(LOCK_FILE, lambda lock: lock["parts"].update(items="0" * 64)),
        {"lock": "has been edited"},
    ),
    "a lock that is no JSON": (
        lambda folder: (folder / LOCK_FILE).write_text("{"),
        {"lock": "is not a lock that `ratify lock` wrote"},
    ),
    "a lock of a newer tool": (
        of_json(LOCK_FILE, lambda lock: lock.update(format=99, tool="ratify-eval 9.0")),
        {"lock": "was written by a newer Ratify (ratify-eval 9.0)"},
    ),
    "no lock": (gone(LOCK_FILE), {"lock": "the plan is not locked"}),
    "no plan": (gone("plan.yaml"), {"plan": "no such plan"}),
    "no items": (gone("items.csv"), {"items": "no such file"}),
    "no consent": (gone("consent.md"), {"texts": "no such file"}),
    "a plan that this release cannot read": (
        replaced("plan.yaml", "design:", "future: 1\ndesign:"),
        {"plan": "unknown key"},
    ),
}


@pytest.mark.usefixtures("not_run_again")
@pytest.mark.parametrize("name", BROKEN)
def test_every_way_to_break_a_study_is_told_apart(study: Path, name: str) -> None:
    change, expected = BROKEN[name]
    change(study)
    found = failed(verify(study))
    for check, words in expected.items():
        assert words in found[check], found
    assert len(found) <= len(expected) + 2, found


@pytest.fixture(scope="module")
def amended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was amended before and after its results were seen, with rows under each."""
    folder = verified_study(tmp_path_factory.mktemp("amended") / "study")
    (folder / LOOKS_FILE).unlink()  # as if nobody had looked yet
    shutil.rmtree(folder / "results")
    record(folder, "A typo in the consent.", replaced("consent.md", "Before", "Before,"))
    collect(folder, range(6, 8))
    analyze_study(folder, mode="live")

    def add(one: Path) -> None:
        with edited_plan(one) as plan:
            plan["analyses"].append({"id": "later", "kind": "ranking"})

    record(folder, "Another analysis.", add)
    collect(folder, range(8, 9))
    analyze_study(folder, mode="live")
    for store in folder.glob("*.sqlite3*"):
        store.unlink()
    return folder


def record(folder: Path, reason: str, change: Break) -> None:
    change(folder)
    store = open_store(folder, None)
    amend(folder, draft_amendment(folder, store), reason)
    store.close()


@pytest.fixture
def chain(amended: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(amended, tmp_path / "study"))


def test_an_amended_study_passes_and_says_what_ran_under_which_version(chain: Path) -> None:
    found = verify(chain)
    assert failed(found) == {}
    assert "1 at" in found["amendments"][1]
    assert "(not_looked); 2 at" in found["amendments"][1]
    assert "a version of the locked plan" in found["rows"][1]
    results = json.loads((chain / "results" / "results.json").read_text())
    [table] = [t for t in results["tables"] if t["name"] == "plan_versions"]
    people = [row[table["columns"].index("people")] for row in table["rows"]]
    assert people == [6, 2, 1]
    assert [one["reason"] for one in results["amendments"]] == [
        "A typo in the consent.",
        "Another analysis.",
    ]
    status = {q["analysis"]: q["status"] for q in results["quantities"]}
    assert (status["same"], status["later"]) == ("confirmatory", "exploratory")
    assert "after results had been seen" in results["meta"]["exploratory"]["later"]


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / AMENDMENTS_FILE).read_text().splitlines()]


def write(folder: Path, chain: list[dict[str, Any]], *, sealed: bool = False) -> None:
    previous = None
    for line in chain:
        if sealed:
            line["previous"] = previous or line["previous"]
            line["plan_hash"] = previous = Amendment.from_json(line).seal()
    (folder / AMENDMENTS_FILE).write_text("".join(json.dumps(line) + "\n" for line in chain))


def cut(folder: Path) -> None:
    write(folder, lines(folder)[1:])


def cut_last(folder: Path) -> None:
    write(folder, lines(folder)[:1])


def dated_back(folder: Path) -> None:
    chain = lines(folder)
    chain[1]["at"] = "2020-01-01T00:00:00.000Z"
    write(folder, chain)


def dated_back_and_sealed(folder: Path) -> None:
    chain = lines(folder)
    chain[1]["at"] = chain[0]["at"]
    write(folder, chain, sealed=True)


def not_looked(folder: Path) -> None:
    chain = lines(folder)
    chain[1]["known"] |= {"state": "not_looked", "first_look": None}
    write(folder, chain, sealed=True)


def nobody_yet(folder: Path) -> None:
    """Let the first amendment say that nobody had answered, a day after people began."""
    days_earlier("participants", 0)(folder)
    chain = lines(folder)
    chain[0]["known"] |= {"state": "no_data", "visits": 0, "answers": 0}
    write(folder, chain, sealed=True)


@pytest.mark.usefixtures("not_run_again")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (cut, {"amendments": "does not follow the version before it"}),
        (cut_last, {"plan": "analyses", "rows": "no version of this plan has its hash"}),
        (dated_back, {"amendments": "has been edited"}),
        (dated_back_and_sealed, {"rows": "no version of this plan has its hash"}),
        (not_looked, {"amendments": "amendment 2 of .* says that no results had been seen"}),
        (
            nobody_yet,
            {"amendments": "1 of .* counted 0 visits, and participants has [1-9].* began"},
        ),
    ],
)
def test_every_way_to_break_the_chain_is_told_apart(
    chain: Path, change: Break, expected: dict[str, str]
) -> None:
    change(chain)
    found = failed(verify(chain))
    for check, words in expected.items():
        assert re.search(words, found[check]), found


@pytest.mark.usefixtures("not_run_again")
def test_a_row_older_than_the_version_that_it_names_is_found(chain: Path) -> None:
    newest = read_lock(chain).plan_hash

    def older(cells: list[list[str]]) -> None:
        cells[1][of(cells, "plan_hash")] = newest

    rows("participants", older, sealed=True)(chain)
    assert "row 2: older than the version" in failed(verify(chain))["rows"]


@pytest.mark.usefixtures("not_run_again")
@pytest.mark.parametrize("table", ["participants", "judgments"])
def test_live_rows_older_than_the_lock_are_found(study: Path, table: str) -> None:
    days_earlier(table, 1)(study)
    found = failed(verify(study))
    assert re.search(rf"{table}, row 2: of .*, before the lock of ", found["rows"])


def test_results_older_than_the_lock_are_found(study: Path) -> None:
    meta = json.loads((study / "results" / "results.json").read_text())["meta"]
    lock = read_lock(study)
    assert again._looks(study, meta, lock).answer == "yes"
    late = again._looks(study, meta, replace(lock, locked_at="2999-01-01T00:00:00.000Z"))
    assert late.answer == "no"
    assert "before the lock of 2999" in late.says


def test_a_study_with_answers_cannot_be_locked_any_more(study: Path) -> None:
    (study / LOCK_FILE).unlink()
    before = content(study)
    done = CliRunner().invoke(main, ["lock", str(study), "--yes"])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert (
        "would come too late: it has 6 live visits and plan.looks.jsonl has 1 look" in done.output
    )
    assert content(study) == before


def test_requests_of_judges_must_be_there_and_have_left_an_answer(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.mkdir()
    (place / "requests.csv").write_text(
        "request_id,rater_id,status\nq1,fake,answered\nq2,fake,answered\nq3,fake,unanswered\n"
    )
    (place / "ratings.csv").write_text("rater_id,request_id\nfake,q1\nfake,q1\n")
    (place / "probes.csv").write_text("rater_id,request_id\nfake,q2\n")
    manifest: dict[str, Any] = {"tool": "", "plan_hash": "", "rows": {}, "sha256": {}}
    manifest |= {"answered": {}, "withdrawals": {}}
    whole = Manifest(**manifest, requests={"fake": 2})
    assert list(_requests(place, whole)) == []
    more = Manifest(**manifest, requests={"fake": 3, "gone": 1})
    assert list(_requests(place, more)) == [
        "requests has 2 of 3 answered requests of fake",
        "requests has 0 of 1 answered requests of gone",
    ]
    (place / "probes.csv").unlink()
    assert list(_requests(place, whole)) == ["no row holds the answer of fake to request q2"]


def number(results: dict[str, Any]) -> None:
    results["quantities"][0]["estimate"] += 0.1


def test_results_edited_by_hand_are_found(study: Path) -> None:
    path = study / "results" / "results.json"
    of_json("results/results.json", number)(study)
    found = failed(verify(study))
    assert "quantities.0.estimate" in found["results"]
    assert "when it is run again" in found["results"]
    assert "another hash of these results" in found["looks"]
    # also if somebody forges the log
    [look] = read_looks(study)
    log = study / LOOKS_FILE
    log.write_text(log.read_text().replace(look.results, files.sha256(path.read_bytes())))
    assert set(failed(verify(study))) == {"results", "report"}


def test_a_table_or_a_figure_of_the_results_edited_by_hand_is_found(study: Path) -> None:
    replaced("results/tables/numbers_same.csv", "0.", "0.9")(study)
    (study / "results" / "tables" / "more.csv").write_text("a\n1\n")
    assert failed(verify(study))["results"] == (
        "tables/more.csv is not a file of these results; tables/numbers_same.csv has been edited"
    )


def test_results_of_other_tables_are_found(study: Path) -> None:
    rows("judgments", turn, sealed=True)(study)
    assert "not made from these tables: judgments.csv" in failed(verify(study))["results"]


def test_results_of_other_code_are_compared_all_the_same(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.verify.again.analysis_code", lambda: "0" * 64)
    monkeypatch.setattr("analysis.evidence.provenance.analysis_code", lambda: "0" * 64)
    monkeypatch.setattr(
        "analysis.evidence.provenance.versions", lambda: {"python": "9.9", "numpy": "0.1"}
    )
    answer, says = verify(study)["results"]
    assert answer == "yes"
    assert "made by other analysis code than is installed here" in says
    assert "0.1 here" in says


def test_without_results_or_tables_only_the_promise_is_checked(study: Path) -> None:
    shutil.rmtree(study / "results")
    shutil.rmtree(study / "data")
    found = verify(study)
    assert failed(found) == {}
    rest = {"rows", "tables", "nothing missing", "looks", "results", "report", "stamps"}
    assert {name for name, (answer, _) in found.items() if answer == "cannot check"} == rest


@pytest.mark.usefixtures("not_run_again")
def test_stamps_are_named(study: Path) -> None:
    lock = read_lock(study)
    add_stamp(study, {"kind": "registry", "url": "https://osf.io/x", "plan_hash": lock.plan_hash})
    answer, says = verify(study)["stamps"]
    assert (answer, "registered at https://osf.io/x" in says) == ("cannot check", True)
    add_stamp(study, {"kind": "git", "commit": "ab" * 20, "plan_hash": lock.plan_hash})
    assert "git commit abababababab, which is not here" in verify(study)["stamps"][1]
    add_stamp(study, {"kind": "registry", "url": "https://osf.io/y", "plan_hash": "0" * 64})
    assert "which is no version of this plan" in failed(verify(study))["stamps"]


@pytest.mark.usefixtures("not_run_again")
def test_a_stamp_is_no_option_of_git(study: Path) -> None:
    lock = read_lock(study)
    add_stamp(study, {"kind": "git", "commit": "--output=x", "plan_hash": lock.plan_hash})
    assert "names no commit" in failed(verify(study))["stamps"]


def test_a_passport_is_checked_against_its_study(study: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["passport", str(study)])
    assert done.exit_code == 0, done.output
    file = study / "passport" / "passport.json"
    beside = run(file)
    assert beside.exit_code == 0, beside.output
    assert "yes           the passport is as it was written\n" in beside.stdout
    alone = Path(shutil.copy(file, tmp_path / "passport.json"))
    assert "cannot check  " in run(alone).stdout
    assert run(alone, "--folder", str(study)).stdout == beside.stdout
    replaced("passport/passport.json", '"inLanguage": "en"', '"inLanguage": "de"')(study)
    changed = run(file)
    assert changed.exit_code == 2
    assert "no            the passport is as it was written: " in changed.stdout
    nowhere = run(file, "--folder", str(tmp_path / "nowhere"))
    assert nowhere.exit_code == 2
    assert "no such folder" in nowhere.output
    file.write_text("{}")
    assert run(file).exit_code == 2


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """A study that release 0.4.0 locked."""
    folder = tmp_path / "old"
    folder.mkdir()
    for path in (REFERENCE / "release_0_4_0").iterdir():
        if path.suffix in {".yaml", ".json", ".csv", ".md"} and path.name != "results.json":
            shutil.copy(path, folder)
    yield folder


def test_a_lock_of_0_4_0_is_checked_as_far_as_it_goes(old: Path) -> None:
    found = verify(old)
    assert failed(found) == {}
    assert "ratify-eval 0.4.0" in found["lock"][1]
    assert found["code"] == ("cannot check", found["code"][1])
    replaced("plan.yaml", "seed: ", "seed: 1")(old)
    assert failed(verify(old)) == {"plan": "changed; the lock does not say what it held"}


def test_what_is_no_study_is_refused_in_one_line(tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere", tmp_path / "file.txt"):
        if place.suffix:
            place.write_text("text")
        found = run(place)
        assert found.exit_code == 2
        assert len(found.output.splitlines()) == 1
        assert str(place) in found.output


def table_folder(folder: Path) -> None:
    (folder / "data" / "judgments.csv").unlink()
    (folder / "data" / "judgments.csv").mkdir()


def links(folder: Path) -> None:
    for name, to in {"lost": "/nonexistent", "out": "/", "back": ".", "data/up": ".."}.items():
        (folder / name).symlink_to(to)


HOSTILE: dict[str, tuple[Break, dict[str, str]]] = {
    "the manifest taken away": (
        gone(f"data/{MANIFEST_FILE}"),
        {"tables": "there is no manifest.json"},
    ),
    "a folder in place of a table": (table_folder, {"tables": "cannot be read"}),
    "links that lead nowhere, out, and back": (links, {}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strangers_folder_cannot_stop_the_check(study: Path, name: str) -> None:
    change, expected = HOSTILE[name]
    change(study)
    done = run(study, "--json")
    checks = json.loads(done.stdout)["checks"]
    found = {check["check"]: check["says"] for check in checks if check["answer"] == "no"}
    assert bool(found) is bool(expected), found
    for check, words in expected.items():
        assert words in found[check]


def test_a_pipe_is_refused_and_not_read(study: Path) -> None:
    os.mkfifo(study / "prompts.yaml")
    done = run(study)
    assert done.exit_code == 2
    assert "is neither a file nor a folder" in done.stderr


def test_a_manifest_cannot_lead_out_of_the_folder(study: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(b"a,b\r\n1,2\r\n")
    for name in (str(mine), "../../mine.csv"):
        of_json(f"data/{MANIFEST_FILE}", lambda m, n=name: m["sha256"].update({n: "0" * 64}))(study)
        done = run(study)
        assert "is not a manifest" in done.stdout
        assert mine.read_bytes() == b"a,b\r\n1,2\r\n"
