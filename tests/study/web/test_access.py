"""If this failed, somebody could not read or use a page: by eye, ear, keyboard, thumb or zoom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browsed_studies import Studies, rugged
from tests.support.browser import (
    AXE,
    axe_faults,
    focus_faults,
    layout_faults,
    small_targets,
    tab,
    text_doubled,
    text_spaced,
    watched,
)
from tests.support.chat_screens import SCREENS
from tests.support.paths import ROOT

pytestmark = pytest.mark.browser
TEMPLATES = ROOT / "study" / "web" / "templates"
Size = tuple[int, int]
Changed = Callable[[Page], AbstractContextManager[None]]
PHONE, DESKTOP = (320, 640), (1280, 800)
# The last is a desktop window at a zoom of 400 %, as WCAG 1.4.10 has it.
SIZES = [PHONE, (375, 700), (640, 320), (800, 700), DESKTOP, (2560, 1300), (320, 256)]


# A page with every fault that is looked for.
FAULTY = """<!doctype html><html><head><style>
  * { outline: none !important }
  #pale { color: #999; background: #fff }
  #wide { width: 900px; border: 1px solid; }
  #cut { width: 3em; height: 1.5em; overflow: hidden; white-space: nowrap }
  #bar { position: fixed; bottom: 0; left: 0; right: 0; height: 60vh; background: #fff }
  a { position: absolute; display: block; width: 9px; height: 9px }
</style></head><body>
  <p id="pale">Pale words</p><input id="nameless"><p id="wide">Wide</p>
  <p id="cut">Words that are cut off</p>
  <a id="one" href="#1" style="left: 0; top: 400px"></a>
  <a id="two" href="#2" style="left: 10px; top: 400px">2</a>
  <div id="bar"><button id="small" style="height: 20px">small</button></div>
</body></html>"""


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studies]:
    with ExitStack() as stack:
        yield Studies(tmp_path_factory.mktemp("studies"), stack)


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One for all pages: a new one for each takes longer than most looks at a page."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    yield context
    context.close()


@pytest.fixture(scope="module", params=SCREENS)
def page(
    request: pytest.FixtureRequest, profile: BrowserContext, studies: Studies
) -> Iterator[Page]:
    """Lead a new tab without a cookie to each page in turn; every test then looks at that page."""
    screen = SCREENS[request.param]
    profile.clear_cookies()
    with tab(profile) as opened:
        screen.go(opened, studies)
        assert opened.locator("h1").first.inner_text().startswith(screen.heading)
        yield opened


# Pages that a wide window lays out otherwise than what their template's first one shows.
ALSO_WIDE = {"dashboard_unfolded", "pairwise_from_right_to_left", "talk_from_right_to_left"}
# Pages that hold what their template's first one does not: faults, long words, another direction.
ALSO_TOLD = ALSO_WIDE | {
    "comprehension_not_answered",
    "talk_in_the_middle",
    "pairwise_not_answered",
    "rating_half_answered",
    "best_and_worst_not_answered",
    "rating_in_german",
    "dashboard_after_a_wrong_upload",
}


def first_of(template: str) -> str:
    """Return the first page of a template."""
    return next(name for name, screen in SCREENS.items() if screen.template == template)


DIFFERENT = [
    name
    for name, screen in SCREENS.items()
    if name in ALSO_TOLD or name == first_of(screen.template)
]


@pytest.fixture
def telling(request: pytest.FixtureRequest) -> list[Size]:
    """The narrowest window; where a template is met for the first time, a wide one, too."""
    name = request.node.callspec.params["page"]
    wide = name == first_of(SCREENS[name].template) or name in ALSO_WIDE
    return [PHONE, DESKTOP] if wide else [PHONE]


def windows(page: Page, sizes: list[Size]) -> Iterator[Size]:
    """Give the page one window after the other."""
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        yield width, height


def none(page: Page, faults: list[str]) -> None:
    """Fail where there are faults, and say for which window."""
    if faults:
        pytest.fail("\n".join([f"in a window of {page.viewport_size}:", *faults]))


def page_templates() -> set[str]:
    """Return the templates that are pages, not parts of others."""
    texts = {
        path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
        for path in TEMPLATES.rglob("*.html")
    }
    uses = re.compile(r"{%-?\s*(?:extends|include|import|from)\s+[\"']([^\"']+)")
    return set(texts) - {part for text in texts.values() for part in uses.findall(text)}


def test_every_template_is_looked_at() -> None:
    unseen = page_templates() - {screen.template for screen in SCREENS.values()}
    assert not unseen, (
        "write a function in tests/support/screens.py or dashboard_screens.py that leads to "
        f"{unseen}"
    )


def test_axe_finds_nothing(page: Page, telling: list[Size]) -> None:
    for _ in windows(page, telling):
        none(page, axe_faults(page))


@pytest.mark.parametrize("page", DIFFERENT, indirect=True)
def test_dark_pages_have_contrast(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    try:
        for _ in windows(page, [PHONE]):
            none(page, axe_faults(page, "color-contrast"))
    finally:
        page.emulate_media(color_scheme="light")


def test_a_page_says_what_it_is(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert page.get_by_role("main").count() == 1
    assert re.fullmatch(r"[a-z]{2,3}(-\w+)*", page.locator("html").get_attribute("lang") or "")
    assert page.title().strip()


def test_a_page_fits_every_window(page: Page) -> None:
    for _ in windows(page, SIZES):
        none(page, layout_faults(page) + small_targets(page))


@pytest.mark.parametrize("page", DIFFERENT, indirect=True)
@pytest.mark.parametrize("changed", [text_doubled, text_spaced])
def test_text_can_be_larger_and_wider_spaced(page: Page, changed: Changed) -> None:
    with changed(page):
        for _ in windows(page, [PHONE, DESKTOP]):
            none(page, layout_faults(page))


@pytest.mark.parametrize("page", DIFFERENT, indirect=True)
def test_the_focus_is_always_seen(page: Page, telling: list[Size]) -> None:
    for _ in windows(page, telling):
        none(page, focus_faults(page))


def test_a_page_with_faults_is_found_out(browser: Browser) -> None:
    with watched(browser, *PHONE) as page:
        page.set_content(FAULTY)
        seen = focus_faults(page)
        assert any("has no outline" in fault and "small" in fault for fault in seen)
        lost = "; ".join(layout_faults(page))
        assert "cut: Words that are cut off" in lost
        assert "scrolls sideways by" in lost
        assert "60% of the window" in lost
        assert any(fault.startswith("small is ") for fault in small_targets(page))
        found = "; ".join(axe_faults(page))
    for rule, place in {
        "color-contrast": "#pale",
        "label": "#nameless",
        "link-name": "#one",
        "target-size": "#two",
        "document-title": "html",
        "html-has-lang": "html",
        "region": "#cut",
        "landmark-one-main": "html",
        "page-has-heading-one": "html",
    }.items():
        assert re.search(rf"\b{rule} \(violations\): [^;]*[^:]*{place}", found), (rule, found)


def test_the_focus_must_be_seen_where_it_is(browser: Browser) -> None:
    with watched(browser, *PHONE) as page:
        outline = "a:focus { outline: 3px solid; }"
        page.set_content(f"""<style>{outline} p {{ position: fixed; inset: 0; background: #fff }}
            </style><a href="#1">under</a><p></p>""")
        assert [fault.partition(":")[0] for fault in focus_faults(page)] == ["is covered"]
        page.set_content(
            f"""<style>{outline} a {{ margin-left: -999px }}</style><a href="#1">x</a>"""
        )
        assert [fault.partition(":")[0] for fault in focus_faults(page)] == ["is out of sight"]
        page.set_content(f"""<style>{outline} a {{ outline-color: #fff !important }}</style>
            <a href="#1">unseen</a>""")
        assert "looks the same" in focus_faults(page)[0]


def test_a_request_to_another_host_is_found_out(browser: Browser, studies: Studies) -> None:
    with (
        pytest.raises(AssertionError, match="asks another host: http://localhost:9/x"),
        watched(browser) as page,
    ):
        page.goto(studies.url(rugged))
        page.evaluate("document.documentElement.innerHTML = '<img src=http://localhost:9/x>'")
        page.wait_for_timeout(200)


def test_axe_is_the_version_that_its_page_says() -> None:
    said = (AXE.parent / "README.md").read_text(encoding="utf-8").splitlines()[0]
    assert said == f"# axe-core {AXE.read_text(encoding='utf-8')[:20].split()[2].removeprefix('v')}"
