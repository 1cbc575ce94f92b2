"""If this failed, rating or best-worst pages could not be answered in a real browser."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page

from study.scaffold import new_study
from tests.conftest import Serve, Server
from tests.support.browser import press, watched

pytestmark = pytest.mark.browser


def served(tmp_path: Path, serve: Serve, name: str) -> Server:
    folder = tmp_path / "study"
    new_study(folder, worked=name)
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["design"] |= {"raters": 2, "trials": 2, "min_reading_seconds": None}
    plan["attention_checks"] = []
    plan["exclusions"] = []
    plan["recruitment"]["codes"].pop("failed_attention", None)
    path.write_text(yaml.safe_dump(plan))
    return serve(folder, "--mode", "pilot")


def rows(tmp_path: Path, question: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(tmp_path / "study" / "study.sqlite3") as store:
        found = store.execute(question).fetchall()
    store.close()
    return found


def tab_to(page: Page, name: str) -> None:
    """Press Tab until a field of this name, or a button of this text, has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate("[document.activeElement.name, document.activeElement.innerText]")
        if name in (found[0], (found[1] or "").strip()):
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def test_rating_by_keyboard_alone(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    server = served(tmp_path, serve, "empathy_rating")
    with watched(browser) as page:
        page.goto(f"{server.url}/?rater=keys")
        for button in ("I agree and want to take part", "Begin"):
            tab_to(page, button)
            with page.expect_navigation():
                page.keyboard.press("Enter")
        tab_to(page, "option")
        page.keyboard.press("ArrowDown")  # from the first option, which the arrow leaves
        with page.expect_navigation():
            page.keyboard.press("Enter")
        scales = page.locator("fieldset.scale").count()
        assert scales == 6
        for _ in range(2):
            for scale in page.locator("fieldset.scale").all():
                name = scale.locator("input").first.get_attribute("name")
                assert name is not None
                tab_to(page, name)
                page.keyboard.press("ArrowRight")
                page.keyboard.press("ArrowRight")
            with page.expect_navigation():
                page.keyboard.press("Enter")
        assert page.locator("#completion-code").inner_text() == "RATED-10"
    assert rows(tmp_path, "SELECT value, count(*) FROM ratings GROUP BY 1") == [(3.0, 12)]
    assert rows(tmp_path, "SELECT comprehension_attempts FROM visits") == [(1,)]


def test_an_unfinished_rating_shows_what_is_missing(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    server = served(tmp_path, serve, "empathy_rating")
    with watched(browser, width=375, height=700) as page:
        page.goto(f"{server.url}/?rater=mouse")
        press(page, "I agree and want to take part")
        press(page, "Begin")
        page.get_by_label("The supporter's").check()
        press(page, "Continue")
        first = page.locator("fieldset.scale").nth(0)
        first.get_by_role("radio").nth(3).check()
        press(page, "Continue")
        assert page.get_by_text("Still to be answered").count() == 5
        assert first.get_by_role("radio").nth(3).is_checked(), "what was answered stays"
        focused = page.evaluate("document.activeElement.closest('fieldset').innerText")
        assert "Still to be answered" in focused, "the first that is missing has the focus"
        for scale in page.locator("fieldset.scale").all():
            scale.get_by_role("radio").nth(1).check()
        press(page, "Continue")
        page.go_back()
        assert page.title() == "Text 2 of 2", "no page asks whether to send a form again"


def test_best_worst_on_a_phone_without_javascript(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    server = served(tmp_path, serve, "best_response")
    with watched(browser, width=320, height=640, java_script_enabled=False, has_touch=True) as page:
        page.goto(f"{server.url}/?rater=phone")
        press(page, "I agree and want to take part")
        press(page, "Begin")
        page.get_by_role("group", name="Most").get_by_label("Response B").check()
        page.get_by_role("group", name="Least").get_by_label("Response B").check()
        press(page, "Continue")
        assert page.get_by_text("The same response cannot be both").is_visible()
        for _ in range(2):
            page.get_by_role("group", name="Most").get_by_label("Response B").check()
            page.get_by_role("group", name="Least").get_by_label("Response D").check()
            page.get_by_label("Why?").fill("It asks back.")
            press(page, "Continue")
        assert page.locator("#completion-code").inner_text() == "PICKED-5"
    kept = rows(tmp_path, "SELECT options, most_id, least_id, why FROM best_worst")
    assert len(kept) == 2
    for options, most, least, why in kept:
        ids = yaml.safe_load(options)
        assert (most, least, why) == (ids[1], ids[3], "It asks back.")
