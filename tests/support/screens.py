"""The rater's pages by name, and the way to each.

A new template needs a function here, or in `dashboard_screens`: a test fails until it has one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from playwright.sync_api import Page

from tests.support.browsed_studies import (
    TRIALS,
    Studies,
    arabic,
    best_worst,
    german,
    hasty,
    linked,
    live,
    ratings,
    rugged,
    set_up_link,
    tiny,
)
from tests.support.browser import press

Go = Callable[[Page, Studies], None]


@dataclass(frozen=True)
class Screen:
    """One page, as a person sees it.

    Attributes
    ----------
    template : str
        The file in study/templates that it comes from.
    heading : str
        The beginning of its first heading.
    go : callable
        Takes a fresh browser to the page.
    """

    template: str
    heading: str
    go: Go


SCREENS: dict[str, Screen] = {}


def screen(template: str, heading: str) -> Callable[[Go], Go]:
    """Add a function to SCREENS under its own name."""

    def enter(go: Go) -> Go:
        SCREENS[go.__name__] = Screen(template, heading, go)
        return go

    return enter


# ---- Before the first trial ---------------------------------------------------------------------


def arrive(page: Page, url: str, rater: str) -> None:
    """Open a study and agree, unless the rater has agreed already."""
    page.goto(f"{url}/?rater={rater}")
    if page.get_by_role("button", name="I agree").count():
        press(page, "I agree")


@screen("consent.html", "Before you begin")
def consent(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(rugged)}/?rater={studies.rater()}")


@screen("consent.html", "Before you begin")
def consent_of_a_live_study(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(live)}/?rater={studies.rater()}")


@screen("consent.html", "Before you begin")
def consent_of_the_demo(page: Page, studies: Studies) -> None:
    start = urljoin(set_up_link(studies), "/")
    page.goto(f"{start}?rater={studies.rater()}")


@screen("declined.html", "That is fine")
def declined(page: Page, studies: Studies) -> None:
    consent(page, studies)
    press(page, "No, thank you")


@screen("declined.html", "That is fine")
def declined_with_a_way_back(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(linked)}/?rater={studies.rater()}")
    press(page, "No, thank you")


@screen("full.html", "The study is full")
def full(page: Page, studies: Studies) -> None:
    for rater in ("first", "second", "late"):
        arrive(page, studies.url(tiny), rater)


@screen("instructions.html", "How it works")
def instructions(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(rugged), studies.rater())


@screen("again.html", "Is this your visit?")
def welcome_back(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(rugged), studies.rater())
    page.goto(f"{studies.url(rugged)}/")


@screen("comprehension.html", "One question first")
def comprehension(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(ratings), studies.rater())
    press(page, "Begin")


@screen("comprehension.html", "One question first")
def comprehension_not_answered(page: Page, studies: Studies) -> None:
    comprehension(page, studies)
    press(page, "Continue")
    page.get_by_text("Please choose an answer").wait_for()


@screen("comprehension.html", "One question first")
def comprehension_answered_wrong(page: Page, studies: Studies) -> None:
    comprehension(page, studies)
    page.get_by_role("radio").first.check()
    press(page, "Continue")
    page.get_by_text("That is not it").wait_for()


# ---- Trials -------------------------------------------------------------------------------------


@screen("pairwise.html", "Pair 1 of")
def pairwise(page: Page, studies: Studies) -> None:
    instructions(page, studies)
    press(page, "Begin")


@screen("pairwise.html", "Pair 1 of")
def pairwise_not_answered(page: Page, studies: Studies) -> None:
    pairwise(page, studies)
    press(page, "Continue")
    page.locator("#fault").wait_for()


@screen("pairwise.html", f"Pair {TRIALS} of {TRIALS}")
def pairwise_at_the_end(page: Page, studies: Studies) -> None:
    pairwise(page, studies)
    for _ in range(TRIALS - 1):
        answer_pair(page)


def answer_pair(page: Page) -> None:
    """Answer the pair that is shown and go to the next."""
    page.get_by_role("radio").first.check()
    press(page, "Continue")


@screen("rating.html", "Text 1 of")
def rating(page: Page, studies: Studies) -> None:
    comprehension(page, studies)
    page.get_by_role("radio").nth(1).check()
    press(page, "Continue")


@screen("rating.html", "Text 1 of")
def rating_half_answered(page: Page, studies: Studies) -> None:
    rating(page, studies)
    page.get_by_role("radio").nth(2).check()
    press(page, "Continue")
    page.locator("#fault").wait_for()


@screen("rating.html", "Text 1 of")
def rating_too_early(page: Page, studies: Studies) -> None:
    rating(page, studies)
    for scale in page.get_by_role("group").all():
        scale.get_by_role("radio").last.check()
    press(page, "Continue")
    page.get_by_text("Please read a little longer").wait_for()


@screen("best_worst.html", "Set 1 of")
def best_and_worst(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(best_worst), studies.rater())
    press(page, "Begin")


@screen("best_worst.html", "Set 1 of")
def best_and_worst_not_answered(page: Page, studies: Studies) -> None:
    best_and_worst(page, studies)
    press(page, "Continue")
    page.locator("#fault").wait_for()


@screen("best_worst.html", "Set 1 of")
def best_that_is_worst(page: Page, studies: Studies) -> None:
    best_and_worst(page, studies)
    for group in ("Most", "Least"):
        page.get_by_role("group", name=group).get_by_role("radio").first.check()
    press(page, "Continue")
    page.get_by_text("cannot be both").wait_for()


def go_on(page: Page, times: int) -> None:
    """Press the button that leads on, in any language, `times` times."""
    for _ in range(times):
        with page.expect_navigation():
            page.locator(".primary").click()


@screen("pairwise.html", "")
def pairwise_from_right_to_left(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(arabic)}/?rater={studies.rater()}")
    go_on(page, times=3)
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator("#fault").is_visible()


@screen("done.html", "")
def done_from_right_to_left(page: Page, studies: Studies) -> None:
    pairwise_from_right_to_left(page, studies)
    page.get_by_role("radio").first.check()
    go_on(page, times=1)


@screen("rating.html", "")
def rating_in_german(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(german)}/?rater={studies.rater()}")
    go_on(page, times=2)
    page.get_by_role("radio").nth(1).check()
    go_on(page, times=2)
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("#fault").is_visible()


# ---- How a visit ends ---------------------------------------------------------------------------


@screen("done.html", "Thank you")
def done(page: Page, studies: Studies) -> None:
    pairwise_at_the_end(page, studies)
    answer_pair(page)


@screen("problem.html", "You have finished")
def finished_in_another_browser(page: Page, studies: Studies) -> None:
    finished = f"{studies.url(rugged)}/?rater=finished-before"
    page.goto(finished)
    if page.get_by_role("button", name="I agree").count():
        press(page, "I agree")
        press(page, "Begin")
        for _ in range(TRIALS):
            answer_pair(page)
    page.context.clear_cookies()
    page.goto(finished)


@screen("pairwise.html", "Pair 2 of")
def pairwise_answered_twice(page: Page, studies: Studies) -> None:
    pairwise(page, studies)
    other = page.context.new_page()
    other.goto(page.url)
    answer_pair(other)
    other.close()
    page.get_by_role("radio").nth(1).check()
    press(page, "Continue")
    page.locator("#first-counts").wait_for()


@screen("done.html", "Thank you")
def done_with_a_way_back(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(linked), studies.rater())
    press(page, "Begin")
    answer_pair(page)
    assert page.locator("#completion-link").is_visible()


@screen("over.html", "Thank you for your interest")
def screened_out(page: Page, studies: Studies) -> None:
    comprehension_answered_wrong(page, studies)
    page.get_by_role("radio").first.check()
    press(page, "Continue")


@screen("over.html", "Your time here has run out")
def place_lost(page: Page, studies: Studies) -> None:
    arrive(page, studies.url(hasty), "slow")
    time.sleep(0.2)
    page.context.clear_cookies()
    arrive(page, studies.url(hasty), "quick")
    page.goto(f"{studies.url(hasty)}/?rater=slow")


@screen("over.html", "You returned your place")
def place_returned(page: Page, studies: Studies) -> None:
    rater = studies.rater()
    arrive(page, studies.url(rugged), rater)
    studies.change(rugged, f"UPDATE visits SET status = 'returned' WHERE rater_id = '{rater}'")
    page.goto(f"{studies.url(rugged)}/?rater={rater}")


@screen("withdraw.html", "Withdraw and delete")
def withdraw(page: Page, studies: Studies) -> None:
    pairwise(page, studies)
    press(page, "Withdraw and delete my answers")


@screen("withdrawn.html", "Your answers are deleted")
def withdrawn(page: Page, studies: Studies) -> None:
    withdraw(page, studies)
    press(page, "Delete my answers")


@screen("withdrawn.html", "Nothing is stored")
def withdrawn_before(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(rugged)}/withdraw/{'x' * 32}")


@screen("problem.html", "There is no such page")
def nowhere(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(rugged)}/nowhere")


@screen("problem.html", "This link is not complete")
def broken_link(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(rugged)}/?rater=a%20b")


@screen("problem.html", "Please open your link again")
def stale_form(page: Page, studies: Studies) -> None:
    consent(page, studies)
    page.context.clear_cookies()
    press(page, "I agree")
