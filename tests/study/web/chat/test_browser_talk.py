"""If these failed, somebody in a real browser could not talk, or it would be recorded wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import Server, running
from tests.support.browser import press, until, watched
from tests.support.chat_folder import chat_folder
from tests.support.chat_pages import only
from tests.support.chat_screens import answer_questions, first_survey, say

pytestmark = pytest.mark.browser
SEEN = """state => {
  Object.defineProperty(document, "hidden", {value: !state, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
FOCUSED = "document.activeElement.id"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    typing = {"characters_per_second": 1000, "at_least": 0.3, "at_most": 0.3}
    conversation = {"typing": typing, "paste": "record"}
    place = tmp_path_factory.mktemp("chat") / "study"
    return chat_folder(place, design=only("video"), conversation=conversation)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        yield stack.enter_context(running(folder, "--mode", "pilot", politely=True))


def read(folder: Path, rater: str, sql: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "study.sqlite3")) as store:
        return store.execute(sql, {"rater": rater}).fetchall()


MESSAGES = """SELECT m.text, m.keys, m.pasted_characters, m.compose_ms
  FROM messages m JOIN visits v ON v.session_id = m.session_id
  WHERE v.rater_id = :rater AND speaker = 'supporter' ORDER BY turn"""


def at_the_talk(page: Page, server: Server, rater: str) -> None:
    first_survey(page, server.url, rater)
    answer_questions(page)
    page.locator("#text").wait_for()


def test_by_keyboard_a_message_goes_and_its_answer_is_told_once(
    browser: Browser, server: Server, folder: Path
) -> None:
    with watched(browser) as page:
        at_the_talk(page, server, "keys")
        assert page.evaluate(FOCUSED) == "text"
        page.keyboard.type("Oh no.")
        page.keyboard.press("Enter")
        page.keyboard.type("When?")
        assert page.locator("#messages .supporter").count() == 0, "Enter begins a line"
        page.keyboard.press("Control+Enter")
        page.locator("#typing").wait_for(state="visible")
        until(page, "() => document.querySelectorAll('#messages .partner').length === 2")
        assert page.locator("#typing").is_hidden()
        reply = page.locator("#messages .partner .words").last.inner_text()
        assert page.locator("#announced p").all_inner_texts() == [f"The other person: {reply}"]
        assert (page.evaluate(FOCUSED), page.locator("#text").input_value()) == ("text", "")
        ((text, keys, pasted, composing),) = read(folder, "keys", MESSAGES)
        assert (text, keys, pasted) == ("Oh no.\nWhen?", 13, 0)
        assert 0 < composing < 20_000


def test_what_is_pasted_is_counted_and_survives_a_reload(
    browser: Browser, server: Server, folder: Path
) -> None:
    with watched(browser) as page:
        at_the_talk(page, server, "paster")
        page.keyboard.type("copy me")
        for key in ("Control+A", "Control+X", "Control+V"):
            page.keyboard.press(key)
        page.reload()
        assert page.locator("#text").input_value() == "copy me"
        say_what_is_there(page)
        ((text, _, pasted, _),) = read(folder, "paster", MESSAGES)
        assert (text, pasted) == ("copy me", 7)


def say_what_is_there(page: Page) -> None:
    page.get_by_role("button", name="Send").click()
    until(page, "() => document.querySelectorAll('#messages .partner').length === 2")
    assert page.evaluate(FOCUSED) == "text", "the next message is written there"


def test_without_a_connection_nothing_is_lost_or_doubled(
    browser: Browser, server: Server, folder: Path
) -> None:
    with watched(browser) as page:
        at_the_talk(page, server, "tunnel")
        # the message arrives, and its answer is lost on the way
        page.route("**/talk", lambda route: (route.fetch(), route.fulfill(status=503)), times=1)
        page.locator("#text").fill("Are you there?")
        page.keyboard.press("Control+Enter")
        page.locator("#notice", has_text="could not be sent yet").wait_for()
        assert page.locator("#text").input_value() == "Are you there?"
        until(page, "() => document.querySelectorAll('#messages .partner').length === 2")
        assert page.locator("#messages .supporter").count() == 1
        assert page.locator("#text").input_value() == ""
        assert [text for text, *_ in read(folder, "tunnel", MESSAGES)] == ["Are you there?"]


def test_a_window_whose_visit_is_gone_says_so_when_something_is_sent(
    browser: Browser, server: Server
) -> None:
    with watched(browser) as page:
        at_the_talk(page, server, "leaver")
        page.locator("html.with-script").wait_for(state="attached")
        other = page.context.new_page()
        other.goto(f"{server.url}/talk")
        other.get_by_role("link", name="Withdraw").click()
        press(other, "Delete my answers")
        page.locator("#text").fill("Are you there?")
        page.get_by_role("button", name="Send").click()
        page.get_by_role("button", name="I agree").wait_for()


def test_the_server_hears_that_the_page_is_hidden(
    browser: Browser, server: Server, folder: Path
) -> None:
    hidden = """SELECT c.hidden, c.hidden_ms FROM conversations c JOIN visits v
      ON v.session_id = c.session_id WHERE v.rater_id = :rater"""
    with watched(browser) as page:
        at_the_talk(page, server, "hider")
        say(page, "Hello")
        with page.expect_response("**/talk/state?visible=0*"):
            page.evaluate(SEEN, False)
        page.locator("#stands", has_text="while this page is not seen").wait_for()
        assert read(folder, "hider", hidden)[0][0] == 1
        page.wait_for_timeout(300)
        with page.expect_response("**/talk/state?visible=1*"):
            page.evaluate(SEEN, True)
        ((now, ms),) = read(folder, "hider", hidden)
        assert now == 0
        assert 250 <= ms < 5_000


def test_a_film_offers_to_go_on_when_it_has_ended(browser: Browser, server: Server) -> None:
    with watched(browser) as page:
        at_the_talk(page, server, "viewer")
        say(page, "Hello")
        page.locator("summary").click()
        press(page, "End it and continue")
        answer_questions(page)
        onward = page.get_by_role("button", name="Continue")
        assert page.locator("#film track").get_attribute("kind") == "captions"
        assert onward.is_hidden()
        page.evaluate("document.getElementById('film').muted = true")
        page.evaluate("document.getElementById('film').play()")
        onward.wait_for(state="visible")
        press(page, "Continue")
        assert page.url.endswith("/talk")


def test_on_a_phone_without_javascript(browser: Browser, server: Server, folder: Path) -> None:
    options = {"java_script_enabled": False, "has_touch": True, "is_mobile": True}
    with watched(browser, width=390, height=420, **options) as page:
        at_the_talk(page, server, "phone")
        for turn in range(1, 3):
            page.locator("#text").fill(f"Message {turn}, which is long enough for two lines.")
            with page.expect_navigation():
                page.get_by_role("button", name="Send").tap()
            page.locator(f'[data-speaker="partner"][data-turn="{turn}"]').wait_for()
        box = page.locator("#messages li").last.bounding_box()
        assert box is not None
        assert 0 < box["y"] < box["y"] + box["height"] < 420, "the newest message is in sight"
        assert len(read(folder, "phone", MESSAGES)) == 2


def test_above_a_phones_keyboard_the_last_message_is_in_sight(
    browser: Browser, server: Server
) -> None:
    with watched(browser, width=390, height=844, has_touch=True, is_mobile=True) as page:
        at_the_talk(page, server, "thumbs")
        for _ in range(3):
            say(page, "Hello, how are you today, after all that has happened to you?")
        page.locator("#text").tap()
        # what a keyboard does, where the page is asked to make room for it
        page.set_viewport_size({"width": 390, "height": 420})
        for part in ("#messages li:last-child", "#text", "#press"):
            box = page.locator(part).bounding_box()
            assert box is not None
            assert 0 <= box["y"] < box["y"] + box["height"] <= 420, f"{part} is covered"
