"""If this failed, a rater would change an answer and not be told that it does not count."""

from __future__ import annotations

import contextlib
import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prereg.lock import utc_now
from study.bots import Page
from study.export.files import one_table
from study.folder import Study
from study.opening import open_study
from study.store.database import Store
from study.visits import answers, clock
from study.visits.answers import Given, answer
from study.visits.claims import Arrival, claim
from study.web.app import create_app
from tests.conftest import make_study
from tests.support.collecting import RIGHT, WRONG, open_places, study_of_kind
from tests.support.plans import edited_plan

MODE = "pilot"
SAID = 'id="first-counts"'


@pytest.mark.parametrize("kind", ["pairwise", "rating", "best_worst"])
def test_only_another_answer_than_the_first_is_told(
    tmp_path: Path, kind: str, database_url: str
) -> None:
    study = study_of_kind(tmp_path / "study", kind)
    with contextlib.closing(Store(database_url)) as store:
        open_places(store, study, MODE)
        place = claim(store, study, MODE, Arrival("r1"))
        assert place is not None

        def give(position: int, said: Any) -> answers.Outcome:
            outcome = answer(store, study, MODE, place.session_id, Given(position, said))
            assert outcome is not None
            return outcome

        assert give(1, RIGHT[kind]).kept
        again, other = give(1, RIGHT[kind]), give(1, WRONG[kind])
        assert (again.kept, again.dropped) == (False, False), "the same form sent twice"
        assert (other.kept, other.dropped) == (False, True)
        assert not give(3, WRONG[kind]).dropped, "nothing was answered there before"
        for position in (2, 3, 4):
            give(position, RIGHT[kind])
        assert give(4, WRONG[kind]).dropped, "the last one too"


def test_the_next_page_says_once_that_the_first_answer_counts(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", raters=2, trials=3)
    with edited_plan(folder) as plan:
        plan["language"] = "de"
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store:
        client = create_app(open_study(folder), store, mode=MODE).test_client()

        def read(text: str) -> Page:
            page = Page()
            page.feed(text)
            return page

        def send(page: Page, **more: str) -> Any:
            return client.post(page.action, data={**page.fields, **more}, follow_redirects=True)

        send(read(client.get("/?rater=r1").text))
        first = read(client.get("/trial").text)
        assert SAID not in send(first, choice="left").text
        assert SAID not in send(first, choice="left").text
        told = send(first, choice="right").text
        assert SAID in told
        assert "Die erste Antwort zählt" in told
        assert SAID not in client.get("/trial").text


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of_kind(tmp_path / "study", "rating", min_reading_seconds=0.01)


@pytest.fixture
def store(study: Study) -> Iterator[Store]:
    with contextlib.closing(Store(f"sqlite:///{study.folder / 's.sqlite3'}")) as store:
        open_places(store, study, MODE)
        yield store


def exported(store: Store, study: Study) -> list[dict[str, str]]:
    with io.TextIOWrapper(one_table(store, study, "ratings", "csv"), encoding="utf-8") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-11-21T10:00:00.000Z", "2026-11-21T09:00:04.000Z"),  # set back
        ("2026-11-21T10:00:00.000Z", "2026-11-21T11:00:04.000Z"),  # set forward
    ],
)
def test_a_clock_that_is_set_makes_no_time_that_cannot_be(
    store: Store,
    study: Study,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    after: str,
    restarted: bool,
) -> None:
    place = claim(store, study, MODE, Arrival("r1"))
    assert place is not None
    clock.stopwatch.start(place.session_id, 1)
    time.sleep(0.05)
    if restarted:
        clock.stopwatch._shown.clear()
    monkeypatch.setattr(answers, "utc_now", lambda: after)
    outcome = answer(
        store, study, MODE, place.session_id, Given(1, RIGHT["rating"], 900, None, before)
    )
    assert outcome is not None
    assert outcome.kept, "nobody waits for a clock"
    rows = exported(store, study)
    back = after < before
    for row in rows:
        if not restarted:
            assert 40 <= int(row["response_ms"]) < 5000
            assert row["clock_changed"] == "true"
        elif back:
            assert (row["response_ms"], row["clock_changed"]) == ("", "true")


def test_an_ordinary_answer_is_not_flagged(store: Store, study: Study) -> None:
    place = claim(store, study, MODE, Arrival("r1"))
    assert place is not None
    clock.stopwatch.start(place.session_id, 1)
    given = Given(1, RIGHT["rating"], shown_at=utc_now())
    time.sleep(0.02)
    answer(store, study, MODE, place.session_id, given)
    assert {row["clock_changed"] for row in exported(store, study)} == {"false"}
    assert clock.was_set("2026-11-21T10:00:00.000Z", "2026-11-21T09:00:00.000Z", -3_600_000)
    assert clock.was_set(None, "2026-11-21T09:00:00.000Z", 5) is None
