"""If this failed, a paper could carry a passport that says more than its study shows."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from prereg.code import analysis_code
from prereg.errors import RatifyError
from prereg.passport.badge import badge
from prereg.passport.content import CONTEXT, passport, sealed
from prereg.passport.reading import is_passport, passport_differences, read_passport
from prereg.passport.readings import habits_of
from prereg.passport.sources import Sources, read_sources
from prereg.passport.texts import citation_text, methods_text
from prereg.passport.verdict import State, gate_of, state_of
from prereg.passport.writing import NAMES, PASSPORT
from ratify import main
from tests.support.browser import chromium
from tests.support.printed import faults, printed, squeezed

# Terms of schema.org that a passport uses: https://schema.org/Report and the types inside it.
SCHEMA_ORG = set(
    "abstract audienceType dateCreated description distribution identifier inLanguage isBasedOn "
    "maxValue measurementTechnique minValue name position propertyID sha256 text unitText url value"
    "".split()
)
GREEN = "#1a7f37"


def ratify(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def made(demo: Path) -> Path:
    """Return the demo's study with its passport; tests change copies."""
    done = ratify("passport", demo)
    assert done.exit_code == 0, done.output
    assert "badge: simulated" in done.output
    return demo


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a copy without the store, which no passport reads."""
    shutil.copytree(made, tmp_path / "study", ignore=shutil.ignore_patterns("study.sqlite3*"))
    return tmp_path / "study"


def claims(content: dict[str, Any], folder: Path) -> dict[str, tuple[str, str]]:
    return {c.claim: (c.answer, c.differs) for c in passport_differences(content, folder)}


def test_a_folder_bears_out_its_own_passport(folder: Path) -> None:
    content = read_passport(folder / "passport" / PASSPORT)
    found = claims(content, folder)
    answers = {claim: answer for claim, (answer, _) in found.items()}
    assert answers.pop("the registration holds this plan hash") == "cannot check"
    # the demo is made by the installed command, which need not be the code of this checkout
    same = content["hashes"]["code"] == analysis_code()
    assert answers.pop("the analysis code is the one installed here") == (
        "yes" if same else "cannot check"
    )
    assert set(answers.values()) == {"yes"}, found
    assert sorted(path.name for path in (folder / "passport").iterdir()) == sorted(NAMES)
    before = {path.name: path.read_bytes() for path in (folder / "passport").iterdir()}
    assert ratify("passport", folder).exit_code == 0
    assert before == {path.name: path.read_bytes() for path in (folder / "passport").iterdir()}


@pytest.mark.browser
def test_its_page_prints_on_one_sheet(made: Path, tmp_path: Path) -> None:
    content = read_passport(made / "passport" / PASSPORT)
    with chromium() as browser:
        sheets = printed(
            browser.new_page(), made / "passport" / "passport.html", tmp_path / "page.pdf"
        )
    assert faults(sheets) == []
    (sheet,) = sheets
    for one in (*content["isBasedOn"]["distribution"], *content["judges"]):
        for word in (one.get("sha256"), one.get("identifier")):
            assert squeezed(word or "") in sheet.text


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def another_number(folder: Path) -> None:
    path = folder / "results" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    results["quantities"][0]["estimate"] = 0.99
    path.write_text(json.dumps(results), encoding="utf-8")


def passed_by_hand(folder: Path) -> None:
    path = folder / "results" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    table = next(table for table in results["tables"] if table["name"] == "gate")
    table["title"] = "The gate: passed"
    for row in table["rows"]:
        row[table["columns"].index("holds")] = True
    path.write_text(json.dumps(results), encoding="utf-8")


UNCHANGED = "plan, items, sequences and texts are unchanged since the lock"
LOCKED = "the plan hash is that of the folder's lock"
JUDGES = "every reading and habit of the judges: as in the results"


@pytest.mark.parametrize(
    ("change", "claim", "answer", "said"),
    [
        (edit("plan.yaml", "seed: 20261121", "seed: 1"), UNCHANGED, "no", "seed"),
        (edit("items.csv", "a", "b"), UNCHANGED, "no", "items"),
        (edit("consent.md", "Before", "before"), UNCHANGED, "no", "consent"),
        (gone("plan.lock.json"), LOCKED, "cannot check", "no plan.lock.json"),
        (edit("data/judgments.csv", "left", "right"), "judgments.csv is unchanged", "no", "other"),
        (gone("data/ratings.csv"), "ratings.csv is unchanged", "cannot check", "no data/"),
        (another_number, JUDGES, "no", "0.617"),
        (another_number, "results.json is unchanged", "no", "SHA-256"),
        (passed_by_hand, "the gate's verdict and its conditions: as in the results", "no", "holds"),
        (gone("results/results.json"), JUDGES, "cannot check", "no results yet"),
        (edit("results/report.html", "<h1", "<h1 "), "report.html is unchanged", "no", "SHA-256"),
    ],
)
def test_what_differs_from_the_folder_is_named(
    change: Callable[[Path], None], claim: str, answer: str, said: str, folder: Path
) -> None:
    content = read_passport(folder / "passport" / PASSPORT)
    change(folder)
    found = claims(content, folder)
    assert found[claim][0] == answer, found
    assert said in found[claim][1]
    assert found["the passport is as it was written"][0] == "yes"


def test_a_passport_that_was_edited_is_found_out_even_if_it_is_sealed_again(folder: Path) -> None:
    path = folder / "passport" / PASSPORT
    content = read_passport(path)
    content["judges"][0]["readings"][0]["value"] = 0.99
    assert claims(content, folder)["the passport is as it was written"][0] == "no"
    again = claims(sealed(content), folder)
    assert again["the passport is as it was written"][0] == "yes"
    answer, differs = again[JUDGES]
    assert answer == "no"
    assert "people_and_judge_elo/spearman, value is 0.99 in the passport" in differs
    content["hashes"]["newest"] = "0" * 64
    assert claims(sealed(content), folder)[LOCKED][0] == "no"
    content["hashes"]["code"] = "0" * 64
    code = claims(sealed(content), folder)["the analysis code is the one installed here"]
    assert code[0] == "cannot check"
    assert analysis_code() in code[1]


def with_(sources: Sources, *, simulated: bool = False, **meta: Any) -> Sources:
    """Return what live results would be, with other values of their meta."""
    results = copy.deepcopy(dict(sources.results))
    results["simulated"] = simulated
    results["meta"] |= {"mode": "live"} | meta
    table = next(table for table in results["tables"] if table["name"] == "gate")
    table["title"] = "The gate: passed"
    for row in table["rows"]:
        row[table["columns"].index("holds")] = True
    return replace(sources, results=results)


def test_only_live_answers_to_a_locked_plan_are_green(made: Path) -> None:
    sources = read_sources(made)
    passed = state_of(with_(sources))
    assert (passed.word, passed.colour) == ("passed", GREEN)
    others = {
        "simulated": [with_(sources, simulated=True), with_(sources, mode="bot")],
        "pilot": [with_(sources, mode="pilot")],
        "blind run": [with_(sources, blind=True)],
        "exploratory": [
            with_(sources, early=True),
            with_(sources, plan_hash=None),
            replace(with_(sources), lock=None),
        ],
        "no gate": [replace(with_(sources), plan=sources.plan.model_copy(update={"gate": ()}))],
    }
    for word, cases in others.items():
        for case in cases:
            state = state_of(case)
            assert state.word == word
            assert GREEN not in badge(state)
            assert f": {word}" in badge(state)
    failed = with_(sources)
    table = next(table for table in failed.results["tables"] if table["name"] == "gate")
    table["rows"][0][table["columns"].index("holds")] = False
    assert state_of(failed).word == "not passed"
    assert not gate_of(failed)["passed"]
    without = replace(sources, results={**with_(sources).results, "tables": []})
    assert state_of(without).word == "not passed"


def test_results_whose_gate_was_edited_get_no_passport(folder: Path) -> None:
    passed_by_hand(folder)
    done = ratify("passport", folder)
    assert done.exit_code == 2
    assert "something else of the gate" in done.output
    assert done.output.count("\n") == 1


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for part in value.values() for key in keys(part)}
    if isinstance(value, list):
        return {key for part in value for key in keys(part)}
    return set()


def test_every_key_is_a_term_of_schema_org_or_of_our_context(made: Path) -> None:
    content = passport(read_sources(made))
    assert content["@context"]["@vocab"] == "https://schema.org/"
    used = {key for key in keys({**content, "@context": None}) if not key.startswith("@")}
    assert used - set(CONTEXT) - SCHEMA_ORG == set()
    assert not set(CONTEXT) & SCHEMA_ORG
    assert is_passport(content)


def test_habits_are_those_of_the_judge(made: Path) -> None:
    sources = read_sources(made)
    one = {**sources.results["quantities"][0], "analysis": "habits"}
    quantities = [{**one, "name": f"{name}:side:share"} for name in ("lexical", "length")]
    habits = habits_of(
        replace(sources, results={**sources.results, "quantities": quantities}), "length"
    )
    assert [habit["propertyID"] for habit in habits] == ["habits/length:side:share"]


def test_methods_and_citation_say_what_the_data_are(made: Path) -> None:
    sources = read_sources(made)
    said = methods_text(sources)
    assert "The raters are simulated" in said
    assert sources.lock is not None
    assert sources.lock.plan_hash in said
    assert "150 of 150 visits were analysed" in said
    amendment = {"at": "2026-11-02T10:00:00.000Z", "reason": "A typo.", "plan_hash": "f" * 64}
    part = {"number": 1, "parts": {}, "locked": {}, "rows": None, "known": None, "changes": ()}
    first = sources.lock.versions[0]
    change = SimpleNamespace(**amendment, **part)
    amended = replace(sources.lock, plan_hash="f" * 64, amendments=(change,), first=first)
    later = methods_text(replace(sources, lock=amended))
    assert f"(SHA-256 {first.plan_hash}). It was amended 1 time" in later
    assert f"newest version {'f' * 64}): A typo. The newest version registers" in later
    live = methods_text(with_(sources))
    assert "imulated" not in live
    assert "and was passed" in live
    citation = yaml.safe_load(citation_text(sources, state_of(sources)))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert "simulated" in citation["abstract"]
    state = State("passed", GREEN, "why")
    named = sources.plan.model_copy(
        update={
            "data_management": sources.plan.data_management.model_copy(
                update={"responsible": "Dr Who"}
            )
        }
    )
    stamped = replace(sources.lock, stamps=({"kind": "registry", "url": "https://osf.io/abcde"},))
    content = yaml.safe_load(citation_text(replace(sources, plan=named, lock=stamped), state))
    assert content["authors"] == [{"name": "Dr Who"}]
    assert content["identifiers"][1]["value"] == "https://osf.io/abcde"
    assert "https://osf.io/abcde" in methods_text(replace(sources, lock=stamped))


def test_a_registration_is_named_and_cannot_be_checked_here(folder: Path) -> None:
    content = read_passport(folder / "passport" / PASSPORT)
    content["hashes"]["registry"] = ["https://osf.io/abcde"]
    answer, differs = claims(content, folder)["the registration holds this plan hash"]
    assert (answer, differs) == ("no", "the folder's lock does not name https://osf.io/abcde")
    (folder / "plan.lock.json").unlink()
    answer, differs = claims(content, folder)["the registration holds this plan hash"]
    assert answer == "cannot check"
    assert "https://osf.io/abcde" in differs


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is cut"),
        ("[]", "not a passport"),
        ('{"a": 1}', "not a passport"),
        ("{", "is cut"),
        (json.dumps({"@context": CONTEXT, "format": 2}), "another version"),
        (json.dumps({"@context": CONTEXT, "format": 1}), "is cut"),
    ],
)
def test_what_is_no_passport_ends_in_one_line(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / PASSPORT).write_text(content)
    with pytest.raises(RatifyError, match=said):
        read_passport(tmp_path / PASSPORT)
    with pytest.raises(RatifyError, match="no such file"):
        read_passport(tmp_path / "none.json")


def test_a_study_without_results_has_no_passport(folder: Path) -> None:
    (folder / "passport" / "mine.txt").write_text("mine")
    assert "would be lost" in ratify("passport", folder).output
    (folder / "data" / "judgments.csv").write_text("changed")
    assert "older than data/judgments.csv" in ratify("passport", folder).output
    shutil.rmtree(folder / "results")
    done = ratify("passport", folder)
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "no results yet" in done.output
