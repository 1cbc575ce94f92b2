"""If these failed, a rater would see the other scale's question, or be asked to answer it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from study.export.progress import progress
from study.export.raters import raters
from study.folder import Study
from study.store.database import Store
from study.store.tables import Rating
from study.web.app import create_app
from tests.support.apart_studies import OWN, apart_study
from tests.support.collecting import SCALES
from tests.support.walking import Walker

QUESTION = {"question": "Whose?", "options": ["Mine", "Yours"], "answer": 1, "attempts": 3}
PRACTICE = [{"texts": ["Try this."]}]
LABELS = {
    "id": "verdict",
    "question": "Does it answer?",
    "labels": ["pass", "fail"],
    "instructions": "Only the facts count.",
}


class Site:
    """A study on Flask's test client."""

    def __init__(self, study: Study, store: Store, mode: str) -> None:
        self.study, self.store, self.mode = study, store, mode
        self.app = create_app(study, store, mode=mode)

    def browser(self, rater: str) -> Walker:
        return Walker(self.app.test_client(), rater)

    def rated(self) -> list[Any]:
        with self.store.reading() as connection:
            return connection.execute(select(Rating.__table__).order_by(Rating.row_id)).all()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    with closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store:

        def opened(mode: str = "pilot", **parts: Any) -> Site:
            return Site(apart_study(tmp_path / "study", **parts), store, mode)

        yield opened


def pages_of(rater: Walker, answers: dict[str, int]) -> Iterator[Walker]:
    """Yield every page of a visit, from the consent to the code."""
    yield rater.get(f"/?rater={rater.rater}")
    yield rater.send()
    yield rater.get("/trial")
    for _ in range(20):
        if rater.path == "/done":
            return
        yield rater.send(**answers) if rater.path in {"/trial", "/practice"} else rater.go_on()
    raise AssertionError(f"{rater.path} is never left: {rater.words}")


@pytest.mark.parametrize("mode", ["pilot", "bot"])
def test_no_page_shows_the_other_scale(site: Any, mode: str) -> None:
    here = site(mode, comprehension=QUESTION, practice=PRACTICE)
    for number in range(4):
        rater = here.browser(f"r{number}")
        own = ("warmth", "depth")[number % 2]
        other = ("depth", "warmth")[number % 2]
        paths = []
        for shown in pages_of(rater, {own: 2}):
            paths.append(shown.path)
            for secret in (*OWN[other], f'name="{other}"'):
                assert secret not in shown.text, f"{shown.path} shows {secret} to {own}"
            if shown.path in {"/trial", "/practice"}:
                assert OWN[own][0] in shown.words
                assert shown.text.count("<fieldset") == 1
    assert {"/", "/instructions", "/comprehension", "/practice", "/trial", "/done"} == set(paths)
    assert {row.dimension for row in here.rated() if row.rater_id in {"r0", "r2"}} == {"warmth"}
    assert {row.dimension for row in here.rated() if row.rater_id in {"r1", "r3"}} == {"depth"}
    assert len(here.rated()) == 4 * 4


def test_instructions_are_those_of_everybody_and_of_the_own_scale(site: Any) -> None:
    here = site()
    for name, own, other in (("r0", "warmth", "depth"), ("r1", "depth", "warmth")):
        rater = here.browser(name).arrive().get("/instructions")
        assert rater.heading == "How it works"
        assert OWN[own][1] in rater.words
        assert OWN[other][1] not in rater.words


def test_an_answer_to_the_other_scale_is_none(site: Any) -> None:
    here = site()
    rater = here.browser("r0").arrive().to("/trial")
    for given in ({"depth": 2}, {}, {"warmth": 9, "depth": 2}):
        assert rater.send(**given).status == 422
        assert "Still to be answered" in rater.words
        assert OWN["depth"][0] not in rater.text
    assert here.rated() == []
    rater.send(warmth=5, depth=1)
    assert [(row.dimension, row.value) for row in here.rated()] == [("warmth", 5.0)]
    # a form of another rater's scale, sent in this rater's browser
    again = here.browser("r0").arrive()
    assert again.path == "/trial"
    assert again.send(depth=1).status == 422
    assert len(here.rated()) == 1


def test_a_form_without_a_visit_goes_back_to_the_beginning(site: Any) -> None:
    here = site()
    rater = here.browser("r0").arrive().to("/trial")
    form = dict(rater.form.fields)
    with here.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slots SET session_id = NULL")
        connection.exec_driver_sql("DELETE FROM visits")
    assert rater.post("/trial", form | {"warmth": 2}).path == "/"
    assert here.rated() == []


def test_scales_of_labels_are_apart_too(site: Any) -> None:
    check = {"after": 1, "texts": ["Choose fail, or 2."]}
    expected = {"verdict": "fail", "warmth": 2}
    scales = [LABELS, SCALES[0] | {"instructions": OWN["warmth"][1]}]
    here = site(scales=scales, attention_checks=[check | {"expected": expected}])
    for name in ("r0", "r1"):
        rater = here.browser(name).arrive().to("/trial")
        while rater.path == "/trial":
            rater.send(verdict="fail", warmth=2)
    by_rater = {
        name: [row for row in here.rated() if row.rater_id == name] for name in ("r0", "r1")
    }
    assert {row.dimension for row in by_rater["r0"]} == {"verdict"}
    assert {row.dimension for row in by_rater["r1"]} == {"warmth"}
    for rows in by_rater.values():
        assert [row.passed_check for row in rows if row.is_attention_check] == [True]


def test_the_dashboard_counts_an_answer_for_each_trial(site: Any) -> None:
    here = site()
    for number in range(2):
        rater = here.browser(f"r{number}").arrive().to("/trial")
        while rater.path == "/trial":
            rater.send(warmth=4, depth=0)
    (found,) = progress(here.store, here.study).modes
    assert (found.answers, found.visits["finished"]) == (8, 2)
    assert found.checks is not None
    assert (found.checks.answered, found.checks.failed) == (2, 1)
    rows = {row.rater_id: row for row in raters(here.store, here.study, here.mode)}
    assert (rows["r0"].same_of, rows["r0"].failed) == (3, 1)
    assert (rows["r1"].same_of, rows["r1"].failed) == (3, 0)
