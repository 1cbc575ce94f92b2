"""If this failed, the one question of a rater could not be read or answered in a real browser."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from study.scaffold import new_study
from tests.conftest import Serve
from tests.support.browser import axe_faults, layout_faults, press, small_targets, watched
from tests.support.plans import edited_plan

pytestmark = pytest.mark.browser

TOLD = {"empathy": "Assistant's reply", "attachment": "User's last words"}
QUESTION = {"empathy": "assistant's reply show", "attachment": "last words treat"}


def onward(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main button, main .button").first.click()


@pytest.mark.parametrize(("width", "height"), [(390, 800), (1280, 900)])
def test_two_raters_see_one_question_each(
    browser: Browser, serve: Serve, tmp_path: Path, width: int, height: int
) -> None:
    folder = tmp_path / "study"
    new_study(folder, worked="empathy_attachment")
    with edited_plan(folder) as plan:
        plan["design"]["trials"] = 8
    url = serve(folder, "--mode", "pilot").url
    for own, other in (("empathy", "attachment"), ("attachment", "empathy")):
        with watched(browser, width, height) as page:
            page.goto(f"{url}/?rater={own}")
            onward(page)
            assert TOLD[own] in page.locator("main").inner_text()
            assert TOLD[other] not in page.locator("main").inner_text()
            faults = [*layout_faults(page), *small_targets(page)]
            onward(page)
            assert page.locator("fieldset.scale").count() == 1
            assert QUESTION[own] in page.locator("fieldset.scale legend").inner_text()
            assert QUESTION[other] not in page.content()
            faults += [*layout_faults(page), *small_targets(page)]
            faults += axe_faults(page) if own == "empathy" else []
            assert faults == []
            page.locator(f"input[name={own}]").first.focus()
            page.keyboard.press("ArrowRight")
            press(page, "Continue")
    with sqlite3.connect(folder / "study.sqlite3") as store:
        kept = store.execute("SELECT rater_id, dimension, value FROM ratings").fetchall()
    store.close()
    assert sorted(kept) == [("attachment", "attachment", 2.0), ("empathy", "empathy", 2.0)]
