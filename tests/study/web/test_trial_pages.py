"""If this failed, a rater might see another's page, or lose the time that they have read."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from study.bots import Page
from study.opening import open_study
from study.store.database import Store
from study.store.tables import Judgment
from study.web.app import create_app
from study.web.context import reception
from study.web.views import trial_pages
from tests.conftest import make_study

TOKEN = re.compile(r'name="csrf_token" value="[^"]+"')
EMPTY = 'name="csrf_token" value=""'


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    study = open_study(make_study(tmp_path / "study", raters=3, trials=3))
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store:
        yield create_app(study, store, mode="pilot")


def begun(app: Flask, rater: str) -> FlaskClient:
    client = app.test_client()
    page = read(client.get(f"/?rater={rater}").text)
    client.post(page.action, data=page.fields)
    return client


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def test_a_page_in_pieces_is_the_page_as_rendered(app: Flask) -> None:
    here = reception(app).room()
    raters = [begun(app, f"r{number}") for number in range(3)]
    in_pieces = [TOKEN.sub(EMPTY, rater.get("/trial").text) for rater in raters]
    assert len(set(in_pieces)) == 3, "each has a visit and a private link of their own"
    assert len(here.rendered) == 1, "they share the pieces"
    for rater, page in zip(raters, in_pieces, strict=True):
        here.rendered.clear()
        assert TOKEN.sub(EMPTY, rater.get("/trial").text) == page
        assert trial_pages._RANDOM not in page
        assert read(page).fields["visit"] in page


def test_reloading_does_not_begin_the_reading_time_again(app: Flask) -> None:
    rater = begun(app, "r1")
    rater.get("/trial")
    time.sleep(0.3)
    page = read(rater.get("/trial").text)
    rater.post("/trial", data={**page.fields, "choice": "left", "response_ms": "1"})
    with reception(app).room().store.reading() as connection:
        (kept,) = connection.execute(select(Judgment.__table__)).all()
    assert kept.response_ms >= 300
    assert kept.shown_at < kept.answered_at


def test_a_trial_costs_one_commit(app: Flask) -> None:
    commits: list[object] = []
    rater = begun(app, "r1")
    engine = reception(app).room().store.engine
    event.listen(engine, "commit", commits.append)
    for _ in range(3):
        page = read(rater.get("/trial").text)
        rater.post("/trial", data={**page.fields, "choice": "left"})
    assert len(commits) == 3
