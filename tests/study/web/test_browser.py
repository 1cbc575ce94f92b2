"""If this failed, a rater in a real browser could not do the study, or it recorded the wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from study.opening import lock_study
from study.store.database import Store
from tests.conftest import Serve, Server, make_study
from tests.support.browser import press, watched
from tests.support.collecting import open_places, take_part
from tests.support.dashboard_screens import enter_dashboard

pytestmark = pytest.mark.browser
TRIALS = 3


@pytest.fixture
def server(tmp_path: Path, serve: Serve) -> Server:
    return serve(make_study(tmp_path / "study", raters=4, trials=TRIALS), "--mode", "pilot")


@contextmanager
def visit(browser: Browser, server: Server, rater: str, **options: Any) -> Iterator[Page]:
    """Open the study in a profile of its own."""
    with watched(browser, **options) as page:
        page.goto(f"{server.url}/?rater={rater}")
        yield page


def answers(tmp_path: Path) -> list[tuple[int, str, int, int]]:
    with sqlite3.connect(tmp_path / "study" / "study.sqlite3") as store:
        found = store.execute(
            "SELECT position, choice, response_ms, hidden_ms FROM judgments ORDER BY position"
        ).fetchall()
    store.close()
    return found


def test_by_mouse_on_a_desktop(browser: Browser, server: Server, tmp_path: Path) -> None:
    with visit(browser, server, "mouse") as page:
        press(page, "I agree and want to take part")
        press(page, "Begin")
        for number in range(1, TRIALS + 1):
            assert page.get_by_role("heading", level=1).inner_text() == f"Pair {number} of {TRIALS}"
            left, right = (page.get_by_role("region", name=f"Conversation {x}") for x in "AB")
            boxes = left.bounding_box(), right.bounding_box()
            assert boxes[0] is not None
            assert boxes[1] is not None
            assert boxes[0]["y"] == boxes[1]["y"]
            assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
            assert page.get_by_text("more heard?").is_visible()
            page.get_by_role("radio", name="Conversation B").check()
            page.wait_for_timeout(120)
            press(page, "Continue")
        assert page.locator("#completion-code").inner_text() == "HEARD-10"
        kept = answers(tmp_path)
        assert [(p, c) for p, c, _, _ in kept] == [(n, "right") for n in range(1, TRIALS + 1)]
        assert all(120 <= ms < 60_000 for _, _, ms, _ in kept)
        assert all(hidden == 0 for _, _, _, hidden in kept)


def test_by_keyboard_alone(browser: Browser, server: Server, tmp_path: Path) -> None:
    with visit(browser, server, "keys") as page:
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        for number, key in enumerate("121", start=1):
            assert page.evaluate("document.activeElement.id") == "pair"
            page.keyboard.press(key)
            assert page.title() == f"Pair {number} of {TRIALS}", (
                "a choice must not submit by itself"
            )
            with page.expect_navigation():
                page.keyboard.press("Enter")
        assert page.locator("#completion-code").is_visible()
        assert [c for _, c, _, _ in answers(tmp_path)] == ["left", "right", "left"]


def test_on_a_phone_without_javascript(browser: Browser, server: Server, tmp_path: Path) -> None:
    with visit(
        browser, server, "phone", width=320, height=640, java_script_enabled=False, has_touch=True
    ) as page:
        with page.expect_navigation():
            page.get_by_role("button", name="I agree").tap()
        with page.expect_navigation():
            page.get_by_role("link", name="Begin").tap()
        for _ in range(TRIALS):
            question = page.get_by_text("more heard?")
            box = question.bounding_box()
            assert box is not None
            assert 0 <= box["y"] <= 640, "the question stays in view"
            page.get_by_role("radio", name="Conversation A").check()
            with page.expect_navigation():
                page.get_by_role("button", name="Continue").tap()
        assert page.locator("#completion-code").inner_text() == "HEARD-10"
        kept = answers(tmp_path)
        assert [c for _, c, _, _ in kept] == ["left"] * TRIALS
        assert all(ms is not None and hidden is None for _, _, ms, hidden in kept)


def test_time_with_the_page_hidden_is_measured(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    with visit(browser, server, "hider") as page:
        press(page, "I agree")
        page.goto(f"{server.url}/trial")
        # headless tabs never hide, so the page is told that it is hidden
        hide = """state => {
          Object.defineProperty(document, "hidden", {value: state, configurable: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
        page.evaluate(hide, True)
        page.wait_for_timeout(300)
        page.evaluate(hide, False)
        page.get_by_role("radio", name="Conversation A").check()
        press(page, "Continue")
        (_, _, response_ms, hidden_ms), *_ = answers(tmp_path)
        assert 290 <= hidden_ms <= response_ms


@pytest.mark.parametrize("width", [390, 1440])
def test_what_pilots_did_can_be_seen_beside_a_live_study(
    browser: Browser, tmp_path: Path, serve: Serve, width: int
) -> None:
    folder = make_study(tmp_path / "study", raters=4, trials=TRIALS)
    study, _ = lock_study(folder)
    store = Store(f"sqlite:///{folder / 'study.sqlite3'}")
    open_places(store, study, "pilot")
    take_part(store, study, "pilot", "colleague")
    store.close()
    server = serve(folder, "--mode", "live")
    with watched(browser, width=width, height=800) as page:
        enter_dashboard(page, server.url)
        pilots = page.locator("summary", has_text="Pilot data")
        assert pilots.is_visible()
        pilots.click()
        assert page.locator("#visits-pilot").is_visible()
