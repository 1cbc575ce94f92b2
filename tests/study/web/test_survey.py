"""If these failed, a rater's words would be lost, or a code given before the last question."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from analysis.tables.tidy import read_participants
from prereg.errors import RatifyError
from study.bots import Page as BotsPage
from study.bots import first_options
from study.export.files import export
from study.export.writing import CODEBOOK
from study.opening import open_study
from study.store.database import Store
from study.visits.places import find_rater
from study.visits.withdrawal import withdraw_rater
from study.web.app import create_app
from tests.support.collecting import study_of_kind
from tests.support.contract import breaches
from tests.support.plans import edited_plan
from tests.support.walking import Walker

SURVEY: list[dict[str, Any]] = [
    {
        "id": "age",
        "question": "How old are you?",
        "kind": "choice",
        "options": ["18-29", "30 | 39", 40],
    },
    {
        "id": "trust",
        "question": "How much do you trust a machine?",
        "kind": "scale",
        "min": 1,
        "max": 5,
        "labels": {1: "not at all", 5: "wholly"},
    },
    {
        "id": "ease",
        "question": "How easy was it?",
        "kind": "scale",
        "min": 0,
        "max": 10,
        "labels": {0: "hard", 10: "easy"},
        "required": False,
    },
    {"id": "words", "question": "What else?", "kind": "text", "required": False},
    {"id": "why", "question": "Why did you come?", "kind": "text"},
]
DONE = {"q-age": 2, "q-trust": 4, "q-ease": "", "q-why": 'Curious,\r\n<b>"quoted"</b>; ünï — 🙂'}


class Site:
    """A study with a survey, and its store."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.study = open_study(folder)
        self.store = stack.enter_context(closing(Store(f"sqlite:///{folder / 's.sqlite3'}")))
        self.app = create_app(self.study, self.store, mode="pilot")

    def browser(self, rater: str) -> Walker:
        return Walker(self.app.test_client(), rater)

    def at_the_survey(self, rater: str) -> Walker:
        return self.browser(rater).arrive().to("/survey")

    def people(self) -> list[dict[str, str]]:
        data = export(self.store, self.study).folder
        with (data / "participants.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(with_survey(tmp_path / "study"), stack)


def with_survey(folder: Path, survey: Any = None, kind: str = "pairwise", **parts: Any) -> Path:
    study_of_kind(folder, kind, trials=1)
    with edited_plan(folder) as plan:
        plan |= {"survey": SURVEY if survey is None else survey, **parts}
    return folder


def test_the_code_comes_only_after_the_survey(site: Site) -> None:
    rater = site.at_the_survey("r")
    assert rater.heading == "A few last questions"
    assert 'id="completion-code"' not in rater.text
    assert rater.get("/done").path == "/survey"
    assert site.browser("r").arrive().path == "/survey", "another browser goes on at the same place"
    for question in SURVEY:
        assert question["question"] in rater.words
    # the trials are done: the place is kept whether or not the rater stays
    place = find_rater(site.store, site.study, "pilot", "r")
    assert place is not None
    assert (place.status, place.surveyed) == ("finished", False)
    rater.send(**DONE)
    assert (rater.status, rater.path) == (200, "/done")
    assert 'id="completion-code"' in rater.text
    assert site.browser("r").arrive().get("/survey").path == "/done"


def test_answers_are_columns_of_participants_with_a_codebook(site: Site) -> None:
    site.at_the_survey("said").send(**DONE)
    site.at_the_survey("left")
    said, left = sorted(site.people(), key=lambda row: row["rater_id"], reverse=True)
    assert list(said)[-6:] == [
        f"survey_{q}" for q in "answered_at age trust ease words why".split()
    ]
    assert (said["survey_age"], said["survey_trust"], said["survey_ease"]) == ("30 | 39", "4", "")
    assert said["survey_words"] == ""
    assert said["survey_why"] == 'Curious,\n<b>"quoted"</b>; ünï — 🙂'
    assert said["survey_answered_at"] > said["finished_at"]
    assert not any(value for name, value in left.items() if name.startswith("survey_"))
    data = site.study.folder / "data"
    codebook = (data / CODEBOOK).read_text(encoding="utf-8")
    assert (
        "| `survey_age` | string | How old are you? One of: `18-29`, `30 \\| 39`, `40` |"
        in codebook
    )
    assert "0 to 10: 0 = hard, 10 = easy | empty: left open, or the survey was" in codebook
    people = read_participants(data / "participants.csv")
    assert set(people["survey_trust"]) == {"4", ""}
    parquet = export(site.store, site.study, format="parquet").folder / "participants.parquet"
    import pyarrow.parquet as pq

    assert str(pq.read_schema(parquet).field("survey_trust").type) == "int64"


def test_what_is_missing_is_said_and_nothing_typed_is_lost(site: Site) -> None:
    rater = site.at_the_survey("r")
    rater.send(**{"q-age": 3, "q-words": "  Half <i>a thought", "q-trust": 9})
    assert rater.status == 422
    assert "Nothing has been sent yet." in rater.words
    assert 'href="#q-trust"' in rater.text
    assert 'id="q-trust" name="q-trust"' in rater.text, "the link leads to the first point"
    assert 'id="q-why" name="q-why"' in rater.text
    assert 'aria-describedby="fault-trust"' in rater.text
    assert 'name="q-age" value="3" checked' in rater.text
    assert "Half &lt;i&gt;a thought" in rater.text
    assert "fault-age" not in rater.text
    assert "fault-ease" not in rater.text, "an optional question may stay open"
    assert 'id="completion-code"' not in rater.text
    rater.send(**{**DONE, "q-why": "x" * 2001})
    assert rater.status == 422
    assert "Please shorten this to 2000 characters." in rater.words
    assert "x" * 2001 in rater.text
    rater.send(**{**DONE, "q-why": " \r\n\t "})
    assert rater.status == 422, "spaces are not an answer"
    assert not site.people()[0]["survey_answered_at"]


def test_the_first_answers_count_and_it_is_said(site: Site) -> None:
    rater = site.at_the_survey("r")
    form = rater.form
    rater.send(**DONE)
    assert "Your first answers count." not in rater.words
    rater.post(form.action, {**form.fields, **DONE, "q-why": "Something else"})
    assert rater.path == "/done"
    assert "Your first answers count." in rater.words
    assert "Something else" not in json.dumps(site.people())


def test_who_only_knows_the_id_answers_no_survey(site: Site) -> None:
    form = site.at_the_survey("r").form
    stranger = site.browser("r").arrive()
    assert "The code was shown in the browser" in stranger.words
    stranger.post(form.action, {**form.fields, **DONE, "q-why": "Not mine"})
    assert not any(row["survey_answered_at"] for row in site.people())


def test_the_longest_words_of_any_script_are_taken(tmp_path: Path) -> None:
    texts = [{"id": f"t{n}", "question": f"What {n}?", "kind": "text"} for n in range(12)]
    with ExitStack() as stack:
        site = Site(with_survey(tmp_path / "study", texts), stack)
        rater = site.at_the_survey("r")
        rater.send(**{f"q-t{n}": "🙂" * 2000 for n in range(12)})
        assert rater.path == "/done", rater.words
        assert site.people()[0]["survey_t11"] == "🙂" * 2000
        assert rater.post("/trial", {"x": "y" * 70_000}).status == 413, "only the survey's form"


def test_a_form_of_another_visit_changes_nothing(site: Site) -> None:
    theirs = site.at_the_survey("first").form
    mine = site.at_the_survey("second")
    mine.send(**{**DONE, "visit": theirs.fields["visit"]})
    assert (mine.status, mine.path) == (409, "/survey")
    assert "belongs to another visit" in mine.words
    assert not any(row["survey_answered_at"] for row in site.people())
    unfinished = site.browser("third").arrive()
    unfinished.post("/survey", {**unfinished.form.fields, **DONE})
    assert unfinished.status == 200
    assert unfinished.path == "/trial"
    assert not any(row["survey_answered_at"] for row in site.people())


def test_a_withdrawal_takes_the_survey_with_it(site: Site) -> None:
    site.at_the_survey("gone").send(**{**DONE, "q-why": "Nobody-may-read-this"})
    assert withdraw_rater(site.store, site.study, "pilot", "gone")
    assert site.people() == []
    file = Path(str(site.store.engine.url.database))
    for path in (file, file.with_name(f"{file.name}-wal")):
        assert b"Nobody-may-read-this" not in (path.read_bytes() if path.exists() else b"")


@pytest.mark.parametrize("kind", ["rating", "best_worst"])
def test_a_bot_answers_practice_and_survey_of_every_kind(tmp_path: Path, kind: str) -> None:
    with ExitStack() as stack:
        site = Site(with_survey(tmp_path / "study", kind=kind, practice=1), stack)
        rater = site.browser("bot").arrive()
        for path in ("/practice", "/trial", "/trial", "/survey"):
            assert rater.path == path
            page = BotsPage()
            page.feed(rater.text)
            rater.send(**{**page.fields, **first_options(page)})
        assert rater.path == "/done"
        row = site.people()[0]
        assert (row["survey_age"], row["survey_why"]) == ("18-29", "Words of a simulated rater.")
        assert breaches_of_the_contract(site) == []


def breaches_of_the_contract(site: Site) -> list[str]:
    """Return what breaks the contract, except the columns of the survey that follow it."""
    found = breaches(export(site.store, site.study).folder)
    return [line for line in found if not line.startswith("participants: the header is")]


def test_a_plan_without_a_survey_has_no_page_and_no_columns(tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = Site(with_survey(tmp_path / "study", []), stack)
        rater = site.browser("r").arrive().to("/done")
        assert rater.get("/survey").path == "/done"
        assert not any(name.startswith("survey") for name in site.people()[0])


CHOICE = {"id": "a", "question": "Q?", "kind": "choice", "options": ["x", "y"]}
SCALE = {"id": "a", "question": "Q?", "kind": "scale", "min": 1, "max": 3, "labels": {1: "l"}}


@pytest.mark.parametrize(
    ("survey", "column", "problem"),
    [
        ([CHOICE | {"options": [True, False]}], "survey.0.options.0", "in quotation marks"),
        ([CHOICE | {"options": ["x"]}], "survey.0.options", "at least 2"),
        ([CHOICE | {"options": ["x", "x "]}], "survey.0", "'x' more than once"),
        ([SCALE], "survey.0", "labels must name both ends"),
        ([CHOICE | {"id": "a-b"}], "survey.0.id", "a letter, then letters"),
        ([CHOICE, CHOICE | {"id": "A"}], "survey.1.id", "another column"),
        ([CHOICE | {"id": "answered_at"}], "survey.0.id", "another column"),
        ([CHOICE | {"kind": "slider"}], "survey.0.kind", "is not known here"),
        ([{"id": "a", "question": "Q?"}], "survey.0.kind", "is missing"),
        ([CHOICE | {"min": 1}], "survey.0.min", "unknown key"),
    ],
)
def test_a_survey_with_a_fault_is_refused(
    tmp_path: Path, survey: Any, column: str, problem: str
) -> None:
    with_survey(tmp_path / "study", survey)
    with pytest.raises(RatifyError, match=problem) as refused:
        open_study(tmp_path / "study")
    assert refused.value.column == column


def test_numbers_as_options_are_read_as_they_are_written(tmp_path: Path) -> None:
    with_survey(tmp_path / "study", [CHOICE | {"options": [1, 2, 2.5]}])
    question = open_study(tmp_path / "study").plan.survey[0]
    assert question.options == ("1", "2", "2.5")  # type: ignore[union-attr]
