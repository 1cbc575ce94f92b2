"""If this failed, a researcher on a phone, or with a screen reader, could not use the dashboard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from study.store.database import Store
from study.web import accounts
from study.web.chat.app import create_chat_app
from tests.conftest import DASHBOARD_PASSWORD
from tests.support.browser import (
    axe_faults,
    focus_faults,
    layout_faults,
    small_targets,
    text_doubled,
    watched,
)
from tests.support.chat import small_chat
from tests.support.chat_dashboards import busy_chat
from tests.support.dashboard_screens import enter_dashboard

pytestmark = pytest.mark.browser


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv(accounts.PASSWORD_VARIABLE, raising=False)
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    accounts.set_password(store, DASHBOARD_PASSWORD)
    study = small_chat(tmp_path, budget={"money": 200}, title=f"Talking {'x' * 60}")
    app = create_chat_app(study, store, mode="pilot")
    busy_chat(store, study)
    busy_chat(store, study, mode="bot")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


def faults(page: Page) -> list[str]:
    return [*axe_faults(page), *layout_faults(page), *small_targets(page)]


def test_every_page_can_be_read_and_used(browser: Browser, url: str) -> None:
    for width in (390, 1440):
        with watched(browser, width, 800) as page:
            enter_dashboard(page, url)
            page.evaluate("document.querySelectorAll('details').forEach(p => { p.open = true; })")
            assert faults(page) == [], (width, "overview")
            page.goto(f"{url}/dashboard/participants")
            assert faults(page) == [], (width, "participants")
            page.goto(f"{url}/dashboard/")
            page.get_by_role("link", name="Read the conversation of").first.click()
            page.get_by_role("heading", name="Conversations of").wait_for()
            assert page.url.endswith("#round-1")
            assert faults(page) == [], (width, "transcript")
            if width == 390:
                assert focus_faults(page) == []
                with text_doubled(page):
                    assert layout_faults(page) == []
