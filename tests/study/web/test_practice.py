"""If these failed, practice would be counted as data, be skipped, come twice, or spoil a trial."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from study.export.files import export
from study.folder import Study
from study.opening import lock_study, open_study
from study.store.database import Store
from study.store.tables import ANSWERS
from study.web.app import create_app
from tests.support.collecting import study_of_kind
from tests.support.plans import edited_plan
from tests.support.walking import Walker

NOUN = {"pairwise": "Pair", "rating": "Text", "best_worst": "Set"}
TEXTS = {"pairwise": 2, "rating": 1, "best_worst": 3}


class Site:
    """A study on Flask's test client."""

    def __init__(self, study: Study, store: Store) -> None:
        self.study, self.store = study, store
        self.app = create_app(study, store, mode="pilot")

    def browser(self, rater: str) -> Walker:
        return Walker(self.app.test_client(), rater)

    def answers(self) -> int:
        with self.store.reading() as connection:
            return sum(len(connection.execute(select(t.__table__)).all()) for t in ANSWERS)


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def opened(kind: str, **parts: Any) -> Site:
            with_practice(tmp_path / "study", kind, **parts)
            store = stack.enter_context(closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")))
            return Site(open_study(tmp_path / "study"), store)

        yield opened


def with_practice(folder: Path, kind: str, **parts: Any) -> Path:
    study_of_kind(folder, kind, trials=2)
    with edited_plan(folder) as plan:
        plan |= parts
    return folder


def own_texts(kind: str, trials: int = 2) -> list[dict[str, Any]]:
    letters = "abc"[: TEXTS[kind]]
    return [{"texts": [f"Try {number}{x}." for x in letters]} for number in range(1, trials + 1)]


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("kind", sorted(NOUN))
def test_practice_comes_first_and_leaves_no_row(open_site: Any, kind: str, own: bool) -> None:
    site = open_site(kind, practice=own_texts(kind) if own else 2)
    rater = site.browser("r1").arrive()
    assert (rater.path, rater.heading) == ("/practice", "Practice 1 of 2")
    assert "This is for practice." in rater.words
    assert ("Try 1a." in rater.words) == own
    first_page = rater.form
    assert rater.send().status == 422, "nothing chosen: the rater is asked again, as in a trial"
    assert rater.heading == "Practice 1 of 2"
    rater.go_on()
    assert rater.heading == "Practice 2 of 2"
    rater.post("/practice", {**first_page.fields, **first_page.filled(lambda _, on: on[-1])})
    assert rater.heading == "Practice 2 of 2", "Back and again is not another trial"
    other = site.browser("r1").arrive()
    assert other.heading == "Practice 2 of 2", "another browser goes on at the same place"
    trial = {**other.form.fields, **other.form.filled(lambda _, on: on[0]), "position": 1}
    assert other.post("/trial", trial).heading == "Practice 2 of 2", "no trial before its time"
    assert site.answers() == 0
    rater.go_on()
    assert rater.path == "/trial"
    assert rater.heading.startswith(f"{NOUN[kind]} 1 of")
    assert "The practice is over." in rater.words
    assert site.answers() == 0
    assert other.get("/practice").path == "/trial"
    assert "The practice is over." not in rater.go_on().words
    rater.to("/done")
    data = export(site.store, site.study).folder
    cells = "".join(path.read_text() for path in data.glob("*.csv"))
    assert "practice_" not in cells
    assert site.answers() == 3 * (2 if kind == "rating" else 1)


@pytest.mark.parametrize("kind", sorted(NOUN))
def test_practice_items_are_in_no_trial_of_the_rater(tmp_path: Path, kind: str) -> None:
    with_practice(tmp_path / "study", kind, practice=1)
    study = open_study(tmp_path / "study")
    again = open_study(tmp_path / "study")
    for name, trials in study.sequences.items():
        drawn = study.practice(name)
        assert [len(ids) for ids in drawn] == [TEXTS[kind]]
        assert not {i for ids in drawn for i in ids} & {i for t in trials for i in t.item_ids}
        assert len({study.items[i].scenario for ids in drawn for i in ids}) == 1
        assert again.practice(name) == drawn, "the same rater practises on the same items"
    assert len({tuple(study.practice(name)) for name in study.sequences}) > 1


def test_items_that_nobody_judges_are_practised_on_first(tmp_path: Path) -> None:
    sample = {"by": "planted_quality", "bins": 2, "per_bin": 2}
    with_practice(tmp_path / "study", "pairwise", practice=2)
    with edited_plan(tmp_path / "study") as plan:
        plan["design"]["sample"] = sample
    study = open_study(tmp_path / "study")
    judged = {item.item_id for item in study.used_items()}
    for name in study.sequences:
        assert not judged & {i for ids in study.practice(name) for i in ids}


@pytest.mark.parametrize(
    ("practice", "column", "problem"),
    [
        (9, "practice", "leaves items for"),
        (-1, "practice", "0 or more"),
        (True, "practice", "a whole number"),
        ("two", "practice", "a whole number"),
        ([{"texts": ["one"]}], "practice.0.texts", "a pairwise trial shows 2 texts"),
        ([{"texts": ["a", "b"]}, {"text": "a"}], "practice.1.text", "unknown key"),
        ([{"prompt": "x"}], "practice.0.texts", "is missing"),
    ],
)
def test_practice_that_cannot_be_is_refused(
    tmp_path: Path, practice: Any, column: str, problem: str
) -> None:
    with_practice(tmp_path / "study", "pairwise", practice=practice)
    with pytest.raises(RatifyError, match=problem) as refused:
        open_study(tmp_path / "study")
    assert refused.value.column == column
    assert Path(str(refused.value.file)).name == "plan.yaml"


def test_practice_is_locked_with_the_plan(tmp_path: Path) -> None:
    folder = with_practice(tmp_path / "study", "pairwise")
    plain = open_study(folder).plan_hash
    with edited_plan(folder) as plan:
        plan["practice"] = 0
    assert open_study(folder).plan_hash == plain, "no practice is what the plan said before"
    with edited_plan(folder) as plan:
        plan["practice"] = own_texts("pairwise")
    lock_study(folder)
    with edited_plan(folder) as plan:
        plan["practice"][0]["texts"][0] = "Something else."
    with pytest.raises(RatifyError, match="changed since the plan was locked"):
        open_study(folder)


def test_the_prompt_of_a_practice_trial_is_shown(open_site: Any) -> None:
    trial = {"texts": ["One answer.", "Another answer."], "prompt": "What was asked."}
    site = open_site("pairwise", practice=[trial])
    assert "What was asked." in site.browser("r").arrive().words


def test_a_visit_that_had_begun_before_the_column_goes_on(open_site: Any) -> None:
    site = open_site("pairwise", practice=1)
    rater = site.browser("old").arrive().to("/trial").go_on()
    assert rater.heading.startswith("Pair 2 of")
    place = Path(site.store.engine.url.database)
    with sqlite3.connect(place) as store:
        store.execute("UPDATE visits SET practised = NULL")
    store.close()
    assert site.browser("old").arrive().heading.startswith("Pair 2 of")
    assert kind_of(site.study.plan).name == "pairwise"
