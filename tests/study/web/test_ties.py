"""If this failed, raters could not say that neither is better, or could where it is not asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser

from study.bots import Bot, Page, Population, fingerprint, send_bots
from study.opening import open_study
from tests.conftest import Serve, make_study
from tests.support.browser import press, watched
from tests.support.plans import edited_plan

TRIALS = 3


def offering(folder: Path, **design: object) -> Path:
    with edited_plan(make_study(folder, raters=4, trials=TRIALS)) as plan:
        plan["design"] |= {"ties": "offered", **design}
    return folder


def choices(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "study.sqlite3") as store:
        found = store.execute("SELECT choice FROM judgments ORDER BY session_id, position")
        said = [row[0] for row in found.fetchall()]
    store.close()
    return said


def read(response: httpx.Response) -> Page:
    page = Page()
    page.feed(response.text)
    return page


def begun(client: httpx.Client) -> Page:
    page = read(client.get("/", params={"rater": "r1"}))
    client.post(page.action, data=page.fields)
    return read(client.get("/trial"))


def test_without_a_script_the_third_answer_is_stored(tmp_path: Path, serve: Serve) -> None:
    folder = offering(tmp_path / "study", tie_answer="Both are <bad>")
    server = serve(folder, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        page = begun(client)
        assert page.choices["choice"] == ["left", "right", "tie"]
        shown = client.get("/trial").text
        assert "Both are &lt;bad&gt;" in shown
        assert "Keys 1 to 3" in shown
        wrong = client.post(page.action, data={**page.fields, "choice": "both"})
        assert wrong.status_code == 422
        assert "Please choose an answer" in wrong.text
        for said in ("tie", "left", "tie"):
            page = read(client.get("/trial"))
            client.post(page.action, data={**page.fields, "choice": said})
    assert choices(folder) == ["tie", "left", "tie"]


def test_a_plan_that_refuses_ties_has_two_answers(tmp_path: Path, serve: Serve) -> None:
    folder = make_study(tmp_path / "study", raters=4, trials=TRIALS)
    server = serve(folder, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        page = begun(client)
        assert page.choices["choice"] == ["left", "right"]
        assert "No difference" not in client.get("/trial").text
        forged = client.post(page.action, data={**page.fields, "choice": "tie"})
        assert forged.status_code == 422
    assert choices(folder) == []


@pytest.mark.browser
def test_the_third_key_ties_and_all_answers_are_equally_wide(
    browser: Browser, tmp_path: Path, serve: Serve
) -> None:
    folder = offering(tmp_path / "study")
    server = serve(folder, "--mode", "pilot")
    for rater, width, height in (("desk", 1280, 800), ("phone", 390, 844)):
        with watched(browser, width, height) as page:
            page.goto(f"{server.url}/?rater={rater}")
            press(page, "I agree and want to take part")
            press(page, "Begin")
            boxes = [page.locator("label.option").nth(n).bounding_box() for n in range(3)]
            widths = {round(box["width"]) for box in boxes if box is not None}
            assert len(widths) == 1, widths
            assert len({round(box["y"]) for box in boxes if box is not None}) == 1
            for number in range(1, TRIALS + 1):
                page.get_by_role("heading", name=f"Pair {number} of {TRIALS}").wait_for()
                page.wait_for_load_state()
                if rater == "desk":
                    page.keyboard.press("3")
                    assert page.locator("#chosen").text_content() == "No difference"
                    page.keyboard.press("Enter")
                else:
                    page.get_by_role("radio", name="No difference").check()
                    press(page, "Continue")
            page.get_by_text("HEARD-10").wait_for()
    assert choices(folder) == ["tie"] * (2 * TRIALS)


def test_bots_see_no_difference_where_texts_are_alike(tmp_path: Path, serve: Serve) -> None:
    folder = offering(tmp_path / "study")
    server = serve(folder, "--mode", "bot")
    alike = {fingerprint(row["text"]): 0.0 for row in open_study(folder).table.rows}
    people = Population(tie=1.0, taste=0.1)
    assert send_bots(server.url, alike, count=4, seed=3, population=people) == 4
    said = choices(folder)
    assert len(said) == 4 * TRIALS
    assert "tie" in said
    assert set(said) & {"left", "right"}


def test_a_bots_choices_do_not_depend_on_ties_where_none_are_offered() -> None:
    quality = {fingerprint("one"): 0.3, fingerprint("two"): -0.3}

    def said(population: Population) -> list[str]:
        bot = Bot(quality, population, np.random.default_rng(7))
        return [bot.choose("one", "two") for _ in range(50)]

    assert said(Population()) == said(Population(tie=2.0))
    assert "tie" not in said(Population(tie=2.0))
