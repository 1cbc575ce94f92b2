"""If this failed, a page that asks for labels could not be read or answered in a real browser."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import Serve
from tests.support.browser import axe_faults, layout_faults, press, small_targets, watched
from tests.support.label_studies import TOPIC, VERDICT, make_label_study
from tests.support.plans import edited_plan

pytestmark = pytest.mark.browser

LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsg"


def served(tmp_path: Path, serve: Serve, language: str) -> str:
    """Serve two texts with two scales of labels, one of them with long names; return the URL."""
    folder = make_label_study(tmp_path / "study", judges=[], analyses=[], attention_checks=[])
    with edited_plan(folder) as plan:
        plan["language"] = language
        plan["design"] |= {"raters": 2, "trials": 2}
        plan["scales"] = [VERDICT, {**TOPIC, "labels": [*TOPIC["labels"], LONG, "שלום"]}]
        plan["exclusions"] = []
        del plan["recruitment"]["codes"]["failed_attention"]
    return serve(folder, "--mode", "pilot").url


def begin(page: Page, url: str) -> None:
    page.goto(f"{url}/?rater=labels")
    buttons = page.locator("main button, main .button")
    for _ in range(2):
        with page.expect_navigation():
            buttons.first.click()
    assert page.locator("fieldset.scale").count() == 2


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize(("width", "height"), [(390, 800), (1280, 1300)])
def test_labels_are_readable_on_a_phone_and_on_a_desktop(
    browser: Browser, serve: Serve, tmp_path: Path, language: str, width: int, height: int
) -> None:
    url = served(tmp_path, serve, language)
    with watched(browser, width, height) as page:
        begin(page, url)
        assert axe_faults(page) == []
        assert layout_faults(page) == []
        assert small_targets(page) == []
        shown = page.locator("fieldset.scale").first.inner_text()
        for name, text in VERDICT["labels"].items():
            assert f"{name}: {text}" in shown


def test_labels_are_given_by_keyboard_alone_and_a_missing_one_is_marked(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    url = served(tmp_path, serve, "en")
    with watched(browser) as page:
        begin(page, url)
        page.locator("input[name=verdict]").first.focus()
        page.keyboard.press("ArrowDown")
        press(page, "Continue")
        assert page.locator("fieldset.absent legend").all_inner_texts() == [TOPIC["question"]]
        assert page.locator("input[name=verdict]:checked").get_attribute("value") == "fail"
        page.locator("input[name=topic]").first.focus()
        page.keyboard.press("Space")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    with sqlite3.connect(tmp_path / "study" / "study.sqlite3") as store:
        kept = store.execute("SELECT dimension, value FROM ratings").fetchall()
    store.close()
    assert kept == [("verdict", 1.0), ("topic", 0.0)]
