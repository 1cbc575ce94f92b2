"""The pages of a chat and the way to each; see `tests.support.screens`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.browsed_studies import HEBREW, LONG_WORD, PILOT, Studies
from tests.support.browser import press, until
from tests.support.chat_folder import chat_folder
from tests.support.chat_pages import only
from tests.support.dashboard_screens import SCREENS, enter_dashboard
from tests.support.screens import arrive, go_on, screen

__all__ = ["SCREENS"]

HELLO = f"That sounds hard, {LONG_WORD}. {HEBREW}\nHow do you feel?"
OPENING = f"My sister, {LONG_WORD}, does not call.\n\n{HEBREW}"


def chatting(folder: Path) -> list[str]:
    """A pilot of a chat with a film and a coach, whose texts are hard to lay out."""
    return _made(folder)


def chatting_in_arabic(folder: Path) -> list[str]:
    """The same in a language that is written from right to left."""
    return _made(folder, language="ar")


def _made(folder: Path, **changes: Any) -> list[str]:
    said = {"opening": OPENING, "title": f"A quarrel, {LONG_WORD}"}
    chat_folder(
        folder,
        design={**only("combined"), "supporters": 300},
        scenarios=[
            {"id": name, "background": f"scenarios/{name}.md", **said} for name in ("one", "two")
        ],
        **changes,
    )
    return PILOT


def first_survey(page: Page, url: str, rater: str) -> None:
    """Open a chat and go to its first questions."""
    arrive(page, url, rater)
    press(page, "Begin")


@screen("chat/instructions.html", "How it works")
def chat_instructions(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(chatting), studies.rater())


@screen("chat/survey.html", "About you")
def chat_survey_not_answered(page: Page, studies: Studies) -> None:
    first_survey(page, studies.url(chatting), studies.rater())
    press(page, "Continue")
    page.locator("#fault").wait_for()


def answer_questions(page: Page) -> None:
    """Answer every page of questions until something else comes."""
    while "/survey" in page.url:
        for group in page.get_by_role("group").all():
            group.get_by_role("radio").first.check()
        go_on(page, times=1)


@screen("chat/talk.html", "Conversation 1 of 2")
def talk(page: Page, studies: Studies) -> None:
    first_survey(page, studies.url(chatting), studies.rater())
    answer_questions(page)


def say(page: Page, text: str) -> None:
    """Send a message, and wait for the reply."""
    before = page.locator("#messages .partner").count()
    page.locator("#text").fill(text)
    page.keyboard.press("Control+Enter")
    until(page, "n => document.querySelectorAll('#messages .partner').length > n", before)


@screen("chat/talk.html", "Conversation 1 of 2")
def talk_in_the_middle(page: Page, studies: Studies) -> None:
    talk(page, studies)
    for _ in range(3):
        say(page, HELLO)
    page.locator("summary").click()


@screen("chat/safety.html", "Before you go on")
def help_offered(page: Page, studies: Studies) -> None:
    talk(page, studies)
    page.locator("#text").fill("I want to kill myself")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")


@screen("chat/ended.html", "You have stopped")
def stopped(page: Page, studies: Studies) -> None:
    help_offered(page, studies)
    press(page, "Stop here, with full pay")


@screen("chat/film.html", "A short film")
def film(page: Page, studies: Studies) -> None:
    talk(page, studies)
    say(page, HELLO)
    page.locator("summary").click()
    press(page, "End it and continue")
    answer_questions(page)


@screen("chat/coach.html", "Your coach")
def coached(page: Page, studies: Studies) -> None:
    film(page, studies)
    page.evaluate("document.getElementById('film').muted = true")
    page.evaluate("document.getElementById('film').play()")
    page.locator("#when-ended button").click()
    page.locator("#question").fill(f"What should I say? {LONG_WORD}")
    press(page, "Ask")
    page.locator("form.choices .primary").wait_for()


@screen("chat/talk.html", "")
def talk_from_right_to_left(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(chatting_in_arabic)}/?rater={studies.rater()}")
    go_on(page, times=2)
    answer_questions(page)
    assert page.locator("html").get_attribute("dir") == "rtl"
    say(page, HELLO)
    say(page, HEBREW)


@screen("chat/dashboard.html", "A small chat")
def chat_dashboard(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(chatting))
    page.wait_for_url("**/dashboard/")
    page.goto(f"{studies.url(chatting)}/dashboard/participants")
    if page.locator("a[href*=transcripts]").count() == 0:  # nobody has been here yet
        talk_in_the_middle(page, studies)
    page.goto(f"{studies.url(chatting)}/dashboard/")


@screen("chat/dashboard_people.html", "Participants, pilot data")
def chat_people(page: Page, studies: Studies) -> None:
    chat_dashboard(page, studies)
    page.goto(f"{studies.url(chatting)}/dashboard/participants")


@screen("chat/dashboard_transcript.html", "")
def chat_transcript(page: Page, studies: Studies) -> None:
    chat_people(page, studies)
    with page.expect_navigation():
        page.locator("a[href*=transcripts]").last.click()
