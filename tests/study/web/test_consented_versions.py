"""If these failed, somebody's consent would be kept for a text or for trials that do not hold."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from study.amending import amend, draft_amendment
from study.opening import lock_study, open_study
from study.store.database import Store, open_store
from study.store.tables import Visit
from study.web import context
from study.web.app import create_app
from tests.conftest import make_study
from tests.support.plans import edited_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A locked pairwise study."""
    folder = make_study(tmp_path / "study", raters=10)
    lock_study(folder)
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(open_store(folder, None)) as store:
        yield store


def site(folder: Path, store: Store) -> Any:
    """Return a browser of a server that has just been started, and that takes up amendments."""
    return server(folder, store).test_client()


def server(folder: Path, store: Store) -> Any:
    def read() -> Any:
        return open_study(folder, must_be_locked=True)

    return create_app(read(), store, mode="live", reopen=read)


def test_a_study_whose_files_arrive_after_its_amendment_is_taken_up_all_the_same(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "RETRY_SECONDS", 0.0)
    study = open_study(folder, must_be_locked=True)
    app = create_app(
        study, store, mode="live", reopen=lambda: open_study(folder, must_be_locked=True)
    )
    plan = folder / "plan.yaml"
    before = plan.read_text()
    with edited_plan(folder) as content:
        content["design"]["lease_minutes"] = 75
    after = plan.read_text()
    made = amend(folder, draft_amendment(folder, store), "A longer lease.")
    plan.write_text(before)  # the plan is copied to the server after the amendments
    assert form(app.test_client().get("/?rater=r1").text)["version"] == study.plan_hash
    plan.write_text(after)
    assert form(app.test_client().get("/?rater=r1").text)["version"] == made.plan_hash


def test_an_amendment_while_a_server_starts_is_taken_up(folder: Path, store: Store) -> None:
    study = open_study(folder, must_be_locked=True)
    with edited_plan(folder) as content:
        content["design"]["lease_minutes"] = 75
    made = amend(folder, draft_amendment(folder, store), "A longer lease.")
    app = create_app(
        study, store, mode="live", reopen=lambda: open_study(folder, must_be_locked=True)
    )
    assert form(app.test_client().get("/?rater=r1").text)["version"] == made.plan_hash


def form(page: str) -> dict[str, str]:
    """Return the fields of the form on a consent page."""
    inputs = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in inputs}


def visits(store: Store) -> list[Any]:
    with store.reading() as connection:
        return list(connection.execute(select(Visit.__table__)))


def test_nobody_consents_to_a_version_whose_sequences_were_replaced(
    folder: Path, store: Store
) -> None:
    browser = site(folder, store)
    before = form(browser.get("/?rater=r1").text)
    with edited_plan(folder) as plan:
        plan["design"]["trials"] = 5
    made = amend(folder, draft_amendment(folder, store), "Longer.")
    page = browser.post("/consent", data=before)
    assert page.status_code == 200
    assert form(page.text)["version"] == made.plan_hash != before["version"]
    assert visits(store) == []
    assert browser.post("/consent", data=form(page.text)).status_code == 303
    assert visits(store)[0].version_hash == made.plan_hash


def test_nobody_consents_to_a_text_that_was_not_on_their_screen(folder: Path, store: Store) -> None:
    app = server(folder, store)
    early, late = app.test_client(), app.test_client()
    before = form(early.get("/?rater=early").text)
    (folder / "consent.md").write_text("# Taking part\n\nAnother text.\n")
    made = amend(folder, draft_amendment(folder, store), "Another consent text.")
    now = form(late.get("/?rater=late").text)
    assert now["version"] == made.plan_hash
    page = late.post("/consent", data={**now, "version": before["version"]})
    assert form(page.text)["version"] == made.plan_hash
    assert visits(store) == []
    # the same form holds in the browser that was shown the text
    assert early.post("/consent", data=before).status_code == 303
    (visit,) = visits(store)
    assert (visit.version_hash or visit.plan_hash) == before["version"]


def test_consent_to_a_text_that_this_server_does_not_know_is_asked_for_again(
    folder: Path, store: Store
) -> None:
    browser = site(folder, store)
    fields = form(browser.get("/?rater=r1").text)
    page = browser.post("/consent", data={**fields, "version": "0" * 64})
    assert page.status_code == 200
    assert form(page.text)["version"] == fields["version"]
    assert visits(store) == []
