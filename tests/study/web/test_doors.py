"""If this failed, a stranger could choose the host of a link, or sign in with another's cookie."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from prereg.errors import RatifyError
from study.bots import Page
from study.opening import open_study
from study.store.database import Store
from study.web.app import create_app
from study.web.limits import Limits
from tests.conftest import DASHBOARD_PASSWORD, make_study

EVIL, OURS = "http://evil.example", "https://study.example.org"


@contextlib.contextmanager
def app_of(tmp_path: Path, **options: Any) -> Iterator[Any]:
    study = open_study(make_study(tmp_path / "study", raters=2))
    with contextlib.closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as store:
        yield create_app(study, store, mode="pilot", **options)


def read(answer: Any) -> Page:
    page = Page()
    page.feed(answer.text)
    return page


def instructions(app: Any, base: str) -> str:
    client = app.test_client()
    page = read(client.get("/?rater=r1", base_url=base))
    client.post(page.action, data=page.fields, base_url=base)
    shown: str = client.get("/instructions", base_url=base).text
    return shown


@pytest.mark.parametrize(
    ("base", "own", "link"),
    [
        (EVIL, None, "/withdraw/"),
        ("http://127.0.0.1:8000", None, "http://127.0.0.1:8000/withdraw/"),
        ("http://[::1]:8000", None, "http://[::1]:8000/withdraw/"),
        ("http://10.1.2.3", "10.1.2.3", "http://10.1.2.3/withdraw/"),
        ("http://10.1.2.4", "10.1.2.3", "/withdraw/"),
    ],
)
def test_a_host_that_nobody_named_is_in_no_link(
    tmp_path: Path, base: str, own: str | None, link: str
) -> None:
    with app_of(tmp_path, own_host=own) as app:
        shown = instructions(app, base)
        assert f'">{link}' in shown
        assert "evil" not in shown


def test_only_the_named_hosts_are_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATIFY_HOSTS", "study.example.org, other.example.org")
    with app_of(tmp_path) as app:
        assert f'">{OURS}/withdraw/' in instructions(app, OURS)
        client = app.test_client()
        for host in ("STUDY.example.org.:443", "other.example.org"):
            assert client.get("/?rater=x", base_url=f"https://{host}").status_code == 200
        for path in ("/", "/withdraw/x", "/static/style.css", "/dashboard/", "/health"):
            refused = client.get(path, base_url=EVIL)
            assert (refused.status_code, "evil" in refused.text) == (400, False)
        assert client.get("/health", base_url="http://127.0.0.1:8000").status_code == 200
        assert client.get("/?rater=x", base_url="http://127.0.0.1:8000").status_code == 400
    monkeypatch.setenv("RATIFY_HOSTS", "https://study.example.org")
    with pytest.raises(RatifyError, match="RATIFY_HOSTS: is not a host"), app_of(tmp_path / "b"):
        pass


def test_a_sign_in_renews_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATIFY_DASHBOARD_PASSWORD", DASHBOARD_PASSWORD)
    with app_of(tmp_path) as app:
        client = app.test_client()

        def sign_in() -> tuple[str, str]:
            page = read(client.get("/dashboard/sign-in"))
            form = {**page.fields, "password": DASHBOARD_PASSWORD}
            assert client.post(page.action, data=form).status_code == 303
            inside = client.get("/dashboard/").text
            found = re.search(r'name="csrf_token" value="([^"]+)"', inside)
            assert found is not None
            with client.session_transaction() as kept:
                return page.fields["csrf_token"], kept["csrf_token"]

        with client.session_transaction() as planted:
            planted["csrf_token"], planted["rater_id"] = "planted", "planted"
        before, _ = sign_in()
        with client.session_transaction() as kept:
            first = dict(kept)
        assert "planted" not in str(first)
        forged = client.post("/dashboard/pause", data={"csrf_token": before})
        assert forged.status_code == 400, "a token from before the sign-in is worth nothing"
        page = read(client.get("/dashboard/"))
        token = {"csrf_token": page.fields["csrf_token"]}
        assert client.post("/dashboard/sign-out", data=token).status_code == 303
        stolen = app.test_client()
        with stolen.session_transaction() as kept:
            kept.update(first)
        assert stolen.get("/dashboard/").status_code == 303, "it was signed out in the store"


def test_workers_share_their_limits_where_there_is_a_postgresql(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATIFY_CONSENTS_PER_HOUR", "6")
    monkeypatch.delenv("RATIFY_LIMITS_URL", raising=False)
    with contextlib.closing(Store(postgres_url)) as store:
        workers = [Limits(places=100, store=store, secret="s") for _ in range(2)]
        said = [workers[n % 2].consent("10.0.0.1") for n in range(20)]
        assert 6 <= sum(said) <= 12, "the hour may end in between"
        assert workers[0].consent("10.0.0.2")
        other = Limits(places=100, store=store, secret="s", study="of another study")
        assert other.consent("10.0.0.1"), "studies that share a database count apart"
        assert workers[1].login("10.0.0.1")
        with store.reading() as connection:
            rows = connection.execute(text("SELECT * FROM ratify_limits")).all()
        assert "10.0.0" not in str(rows), "no address is stored"
        store.write(lambda connection: connection.execute(text("DROP TABLE ratify_limits")))
        assert workers[0].consent("10.0.0.3"), "memory counts while the table is away"
