"""If this failed, a rater in a real browser could not do the study, or it recorded the wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import DASHBOARD_KEY, Serve, Server, make_study

pytestmark = pytest.mark.browser
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
TRIALS = 3


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("RATIFY_REQUIRE_BROWSER"):
            pytest.fail("RATIFY_REQUIRE_BROWSER is set, but there is no chromium")
        pytest.skip("no chromium on this machine (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def server(tmp_path: Path, serve: Serve) -> Server:
    return serve(make_study(tmp_path / "study", raters=4, trials=TRIALS), "--mode", "pilot")


def visit(context: BrowserContext, server: Server, rater: str) -> Page:
    """Open the study; any request to another host, and any complaint of the page, is a failure."""
    page = context.new_page()
    page.on("console", lambda message: pytest.fail(f"console: {message.text}"))
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.on("request", lambda r: r.url.startswith((server.url, "data:")) or pytest.fail(r.url))
    page.goto(f"{server.url}/?rater={rater}")
    return page


def answers(tmp_path: Path) -> list[tuple[int, str, int, int]]:
    with sqlite3.connect(tmp_path / "study" / "study.sqlite3") as store:
        found = store.execute(
            "SELECT position, choice, response_ms, hidden_ms FROM judgments ORDER BY position"
        ).fetchall()
    store.close()
    return found


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_by_mouse_on_a_desktop(browser: Browser, server: Server, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = visit(context, server, "mouse")
    page.get_by_role("button", name="I agree and want to take part").click()
    page.get_by_role("link", name="Begin with the first pair").click()
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
        page.get_by_role("button", name="Continue").click()
    assert page.locator("#completion-code").inner_text() == "HEARD-10"
    kept = answers(tmp_path)
    assert [(p, c) for p, c, _, _ in kept] == [(n, "right") for n in range(1, TRIALS + 1)]
    assert all(120 <= ms < 60_000 for _, _, ms, _ in kept)
    assert all(hidden == 0 for _, _, _, hidden in kept)
    context.close()


def test_by_keyboard_alone(browser: Browser, server: Server, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = visit(context, server, "keys")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for number, key in enumerate("121", start=1):
        assert page.evaluate("document.activeElement.id") == "pair"
        page.keyboard.press(key)
        assert page.title() == f"Pair {number} of {TRIALS}", "a choice must not submit by itself"
        with page.expect_navigation():
            page.keyboard.press("Enter")
    assert page.locator("#completion-code").is_visible()
    assert [c for _, c, _, _ in answers(tmp_path)] == ["left", "right", "left"]
    context.close()


def test_on_a_phone_without_javascript(browser: Browser, server: Server, tmp_path: Path) -> None:
    context = browser.new_context(
        viewport={"width": 320, "height": 640}, java_script_enabled=False, has_touch=True
    )
    page = visit(context, server, "phone")
    page.get_by_role("button", name="I agree").tap()
    page.get_by_role("link", name="Begin").tap()
    for _ in range(TRIALS):
        question = page.get_by_text("more heard?")
        box = question.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= 640, "the question stays in view"
        page.get_by_role("radio", name="Conversation A").check()
        page.get_by_role("button", name="Continue").tap()
    assert page.locator("#completion-code").inner_text() == "HEARD-10"
    kept = answers(tmp_path)
    assert [c for _, c, _, _ in kept] == ["left"] * TRIALS
    assert all(ms is not None and hidden is None for _, _, ms, hidden in kept)
    context.close()


@pytest.mark.parametrize("width", [320, 375, 800, 1280, 2560])
def test_no_page_scrolls_sideways(browser: Browser, server: Server, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = visit(context, server, "wide")
    assert no_sideways_scroll(page)
    page.get_by_role("button", name="I agree").click()
    assert no_sideways_scroll(page)
    page.goto(f"{server.url}/trial")
    assert no_sideways_scroll(page)
    sizes = page.evaluate(
        "[...document.querySelectorAll('.option, button')].map(e => e.getBoundingClientRect())"
        ".map(r => Math.min(r.width, r.height))"
    )
    assert min(sizes) >= 44, "targets are large enough for a thumb"
    page.goto(f"{server.url}/dashboard/sign-in?key={DASHBOARD_KEY}")
    assert page.get_by_role("heading", level=1).is_visible()
    assert no_sideways_scroll(page)
    context.close()


def test_time_with_the_page_hidden_is_measured(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    context = browser.new_context()
    page = visit(context, server, "hider")
    page.get_by_role("button", name="I agree").click()
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
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()
    (_, _, response_ms, hidden_ms), *_ = answers(tmp_path)
    assert 290 <= hidden_ms <= response_ms
    context.close()
