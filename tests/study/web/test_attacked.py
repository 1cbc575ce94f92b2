"""If this failed, a fault that an attack on the pages found would be back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner

from study.bots import Page
from study.opening import open_study
from study.store.database import Store
from study.store.sqlite_file import StoreFile
from study.web.app import create_app
from study.web.limits import counted_address
from tests.conftest import make_study


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    study = open_study(make_study(tmp_path / "study", raters=3, trials=3))
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store:
        yield create_app(study, store, mode="pilot")


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def begin(client: FlaskClient, rater: str) -> str:
    """Consent, and return the private link."""
    page = read(client.get(f"/?rater={rater}").text)
    client.post(page.action, data=page.fields)
    text = client.get("/trial").text
    return "/withdraw/" + text.partition("/withdraw/")[2].partition('"')[0]


def test_a_clock_that_is_set_back_logs_nobody_out(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    begin(client, "r1")
    now = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now(self) - 3600)
    assert "/withdraw/" in client.get("/trial").text


def test_a_network_of_one_household_counts_as_one_address() -> None:
    assert counted_address("2001:db8:0:1::7") == counted_address("2001:db8:0:1:ffff::9")
    assert counted_address("2001:db8:0:2::7") != counted_address("2001:db8:0:1::7")
    assert counted_address("::ffff:192.0.2.7") == counted_address("192.0.2.7") == "192.0.2.7"
    assert counted_address("not an address") == "not an address"


def test_deleting_another_visit_leaves_ones_own(app: Flask) -> None:
    theirs, mine = app.test_client(), app.test_client()
    link = begin(theirs, "theirs")
    own = begin(mine, "mine")
    page = read(mine.get(link).text)
    assert mine.post(link, data=page.fields).status_code == 303
    assert own in mine.get("/trial").text
    assert theirs.get("/trial").status_code == 303, "their visit is gone"


def test_two_names_of_one_store_are_one_store(tmp_path: Path) -> None:
    real = tmp_path / "study.sqlite3"
    Store(f"sqlite:///{real}").close()
    other = tmp_path / "link.sqlite3"
    other.symlink_to(real)
    assert StoreFile(other).path == StoreFile(real).path
