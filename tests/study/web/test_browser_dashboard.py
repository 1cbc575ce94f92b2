"""If this failed, counting again would throw a researcher back to the top, or show old counts."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.conftest import Serve
from tests.support.browser import watched
from tests.support.collecting import study_of_kind
from tests.support.dashboard_screens import enter_dashboard
from tests.support.wire import Person

pytestmark = pytest.mark.browser


def test_counting_again_keeps_the_place(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    study_of_kind(tmp_path / "study", "pairwise")
    server = serve(tmp_path / "study", "--mode", "pilot")
    Person(server.url, "first").consent()
    with watched(browser, 390, 500, reduced_motion="reduce") as page:
        enter_dashboard(page, server.url)
        box = page.get_by_label("every 30 seconds")
        assert not box.is_checked(), "nothing moves by itself unless somebody asks"
        page.get_by_text("Places in every sequence").click()
        page.evaluate("scrollTo(0, 700)")
        taken = page.get_by_text("Places taken").locator("xpath=../dd")
        assert taken.inner_text().startswith("1 of 6")
        Person(server.url, "second").consent()
        place = page.evaluate("scrollY")
        box.evaluate("e => e.click()")
        page.locator("dd strong", has_text="2 of 6").wait_for()
        assert page.evaluate("scrollY") == place
        assert page.locator("#places-pilot").get_attribute("open") is not None
        page.reload()
        assert not box.is_checked(), "who wants less motion turns it on for each page"
    assert httpx.get(f"{server.url}/health", timeout=60).status_code == 200
