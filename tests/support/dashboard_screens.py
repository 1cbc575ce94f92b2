"""The researcher's pages and the way to each; see `tests.support.screens`."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.conftest import DASHBOARD_PASSWORD
from tests.support.browsed_studies import (
    LONG_WORD,
    Studies,
    asking,
    closed,
    linked,
    live,
    rugged,
    set_up_link,
    tiny,
)
from tests.support.browser import press
from tests.support.screens import SCREENS, done_with_a_way_back, full, screen, survey_half_answered

__all__ = ["SCREENS"]


def enter_dashboard(page: Page, url: str, password: str = DASHBOARD_PASSWORD) -> None:
    """Sign in with the password."""
    page.goto(f"{url}/dashboard/sign-in")
    page.locator("input[type=password]").fill(password)
    press(page, "Sign in")


@screen("set_up.html", "Choose the dashboard's password")
def set_up(page: Page, studies: Studies) -> None:
    page.goto(set_up_link(studies))


@screen("set_up.html", "Choose the dashboard's password")
def set_up_with_two_passwords(page: Page, studies: Studies) -> None:
    set_up(page, studies)
    for label in ("Password", "The same password again"):
        page.get_by_label(label, exact=True).fill(f"a password: {label}")
    press(page, "Keep it and sign in")
    page.get_by_role("alert").wait_for()


@screen("set_up.html", "The dashboard is not set up")
def set_up_without_the_link(page: Page, studies: Studies) -> None:
    page.goto(set_up_link(studies).partition("?")[0])


@screen("sign_in.html", "Dashboard")
def sign_in(page: Page, studies: Studies) -> None:
    page.goto(f"{studies.url(rugged)}/dashboard/sign-in")


@screen("sign_in.html", "Dashboard")
def sign_in_with_a_wrong_password(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(rugged), "guess")
    page.get_by_role("alert").wait_for()


@screen("dashboard.html", "Which one is better")
def dashboard(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(rugged))


@screen("dashboard.html", "")
def dashboard_unfolded(page: Page, studies: Studies) -> None:
    done_with_a_way_back(page, studies)
    other = "UPDATE slots SET mode = 'live' WHERE slot_id = (SELECT max(slot_id) FROM slots)"
    studies.change(linked, other)
    enter_dashboard(page, studies.url(linked))
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    assert page.get_by_role("img", name="Answers by").is_visible()


@screen("dashboard.html", "")
def dashboard_with_a_report(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(live))
    assert page.get_by_role("link", name="Open the report").is_visible()


@screen("dashboard.html", "")
def dashboard_of_a_paused_study(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(closed))
    if page.get_by_role("button", name="Pause recruitment").count():
        press(page, "Pause recruitment")
    assert page.get_by_role("button", name="Resume recruitment").is_visible()


@screen("dashboard.html", "")
def dashboard_after_an_upload(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(live))
    upload(page, "rater_id,status\nnobody,RETURNED\n")
    page.get_by_role("status").wait_for()


@screen("dashboard.html", "")
def dashboard_after_a_wrong_upload(page: Page, studies: Studies) -> None:
    enter_dashboard(page, studies.url(live))
    upload(page, f"{LONG_WORD},other\n1,2\n")
    page.get_by_role("alert").wait_for()


@screen("dashboard_raters.html", "Raters, pilot data")
def raters_one_by_one(page: Page, studies: Studies) -> None:
    survey_half_answered(page, studies)
    longer = "UPDATE visits SET rater_id = rater_id || '-' || session_id || session_id"
    studies.change(asking, longer, "UPDATE judgments SET hidden_ms = 9000000")
    enter_dashboard(page, studies.url(asking))
    press(page, "All raters, one by one")
    assert page.get_by_text("another window was in front").first.is_visible()


def upload(page: Page, table: str) -> None:
    """Send a table as the recruitment platform's export."""
    export = {"name": "export.csv", "mimeType": "text/csv", "buffer": table.encode()}
    page.locator("input[type=file]").set_input_files(export)
    press(page, "Free their places")


@screen("dashboard.html", "")
def dashboard_that_sounds_the_alarm(page: Page, studies: Studies) -> None:
    full(page, studies)
    studies.change(
        tiny,
        "DROP INDEX IF EXISTS visits_one_holder",
        "UPDATE visits SET status = 'finished', finished_at = consented_at, sequence_id = 'one'",
    )
    enter_dashboard(page, studies.url(tiny))
    assert page.get_by_text("must never happen").is_visible()


@screen("paused.html", "The study is paused")
def paused(page: Page, studies: Studies) -> None:
    dashboard_of_a_paused_study(page, studies)
    page.context.clear_cookies()
    page.goto(f"{studies.url(closed)}/?rater=late")
