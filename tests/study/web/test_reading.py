"""If this failed, a rater could lose a place in a long text, or change an answer without seeing it.

One study of each kind with long texts is served, and read on a phone and on a desktop.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from prereg.tables.reader import write_csv
from study.opening import open_study
from study.scaffold import new_study
from study.store.database import Store
from study.web.app import create_app
from tests.support.browser import axe_faults, layout_faults, until, watched
from tests.support.plans import edited_plan

pytestmark = pytest.mark.browser
PHONE, DESKTOP = (390, 844), (1280, 800)
WORDS = "I hear how much this weighs on you, and evenings are the hardest. " * 8
MARKDOWN = """User: Which is faster?
Assistant: # Short answer

**Both**, see [this](https://example.org/page) or `code`.

| tool | seconds | a column with words |
|:-----|--------:|---------------------|
| a    |    1.25 | Rindfleischetikettierungsüberwachungsaufgaben |

```
def f(x):
\treturn x  # a line that is far too long for the window of a phone, so its box scrolls
```

![A blue field](images/blue.png)

שלום, עולם
"""
PLAIN = "  a poem\n\t\tindented\n+------+\n| cell |\n+------+\n" + "long" * 60
# Everything that moved by itself; the page collects it from the start.
SHIFTS = """() => { window.moved = 0; new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.moved += one.value;
}).observe({ type: "layout-shift", buffered: false }); }"""


def make(folder: Path, worked: str, texts: list[str], **changes: object) -> Path:
    rows = [
        {"item_id": f"{scenario}{n}", "scenario": scenario, "text": text, "prompt": "What now?"}
        for scenario in ("job", "home")
        for n, text in enumerate(texts)
    ]
    table = folder.parent / f"{folder.name}.csv"
    write_csv(table, list(rows[0]), rows)
    new_study(folder, items=table, scenario_column="scenario", worked=worked)
    with edited_plan(folder) as plan:
        plan |= {"judges": [], "analyses": [], "attention_checks": [], **changes}
        plan["exclusions"] = [{"rule": "incomplete_session"}]
        plan["design"] |= {"raters": 60, "trials": 1, "min_reading_seconds": None}
        plan["recruitment"] = {"codes": {"completed": "DONE"}}
        plan.pop("gate", None)
    (folder / "images").mkdir()
    Picture.new("RGB", (900, 90), (20, 60, 160)).save(folder / "images" / "blue.png")
    return folder


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    root = tmp_path_factory.mktemp("reading")
    long = [f"Seeker: Number {n}.\nSupporter: {WORDS}\n" * 12 for n in range(5)]
    studies = {
        "pair": make(root / "pair", "pairwise_preference", long),
        "rating": make(root / "rating", "empathy_rating", long, comprehension=None),
        "best": make(root / "best", "best_response", long),
        "markdown": make(
            root / "markdown",
            "pairwise_preference",
            [MARKDOWN, MARKDOWN],
            display={"format": "markdown", "noun": "Reply", "labels": [1, 2]},
        ),
        "plain": make(root / "plain", "pairwise_preference", [PLAIN, PLAIN]),
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(in_a_thread(folder)) for name, folder in studies.items()}


@contextmanager
def in_a_thread(folder: Path) -> Iterator[str]:
    """Serve a study from this process: a server of its own takes longer to start than its test."""
    store = Store(f"sqlite:///{folder / 'study.sqlite3'}")
    app = create_app(open_study(folder), store, mode="pilot")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        store.close()


def begin(page: Page, url: str) -> None:
    page.goto(f"{url}/?rater={secrets.token_hex(8)}")
    for _ in range(2):
        with page.expect_navigation():
            page.locator(".primary").click()


def scroll(page: Page) -> float:
    return float(page.evaluate("scrollY"))


def boxes(page: Page) -> list[object]:
    found: list[object] = page.evaluate(
        "[...document.querySelectorAll('.option, .turn, button')]"
        ".map(e => Object.values(e.getBoundingClientRect().toJSON()))"
    )
    return found


@pytest.mark.parametrize("kind", ["pair", "rating", "best"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_choosing_moves_nothing_and_arrows_then_only_scroll(
    browser: Browser, urls: dict[str, str], kind: str, size: tuple[int, int]
) -> None:
    with watched(browser, *size, has_touch=size == PHONE) as page:
        begin(page, urls[kind])
        options = page.locator("label.option")
        if kind != "pair":
            # the first choice is partly below the window, where a browser would scroll to it
            page.evaluate(
                "e => scrollBy(0, e.getBoundingClientRect().top - innerHeight + 12)",
                options.first.element_handle(),
            )
        page.evaluate(SHIFTS)
        for number in (1, 0):
            before, place = boxes(page), scroll(page)
            box = options.nth(number).bounding_box()
            assert box is not None
            x, y = box["x"] + box["width"] - 5, box["y"] + 6
            if size == PHONE:
                page.touchscreen.tap(x, y)
            else:
                page.mouse.click(x, y)
            assert options.nth(number).locator("input").is_checked()
            assert (boxes(page), scroll(page)) == (before, place)
        page.mouse.move(2, 2)
        for key in ("ArrowDown", "ArrowUp", "ArrowUp", "ArrowRight", "ArrowLeft"):
            page.keyboard.press(key)
            assert options.nth(0).locator("input").is_checked(), key
        assert page.evaluate("window.moved") == 0
        page.keyboard.press("Tab")
        after = page.evaluate("document.activeElement.closest('.answer, .scales, .picks') !== null")
        assert after, "Tab goes on from what was chosen"


def test_keys_still_choose_and_a_key_of_its_own_leaves_the_arrows_free(
    browser: Browser, urls: dict[str, str]
) -> None:
    with watched(browser, *DESKTOP) as page:
        begin(page, urls["pair"])
        left, right = page.get_by_role("radio").all()
        page.keyboard.press("2")
        assert right.is_checked()
        assert page.get_by_role("status").inner_text() == "Conversation B"
        page.keyboard.press("ArrowDown")
        until(page, "scrollY > 0")
        assert right.is_checked()
        right.focus()
        page.keyboard.press("ArrowLeft")
        assert left.is_checked()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        page.wait_for_selector("#completion-code")


def test_what_is_missing_takes_the_focus_but_no_arrow_answers_it(
    browser: Browser, urls: dict[str, str]
) -> None:
    for kind in ("pair", "rating"):
        with watched(browser, *PHONE) as page:
            begin(page, urls[kind])
            with page.expect_navigation():
                page.locator("form .primary").click()
            page.locator("#fault").wait_for()
            page.keyboard.press("ArrowDown")
            assert page.locator(":checked").count() == 0
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.type") == "radio"


def test_on_a_phone_the_text_is_named_and_one_step_away(
    browser: Browser, urls: dict[str, str]
) -> None:
    at_the_top = """() => {
      const seen = document.elementFromPoint(innerWidth / 4, 12);
      return seen.closest(".bar")?.querySelector("h2").innerText || "";
    }"""
    with watched(browser, *PHONE) as page:
        begin(page, urls["pair"])
        for number, name in ((1, "Conversation A"), (2, "Conversation B")):
            page.get_by_role("navigation").get_by_role("link", name=name).click()
            assert page.evaluate("document.activeElement.id") == f"text-{number}"
            for _ in range(3):
                page.mouse.wheel(0, 700)
                page.wait_for_timeout(60)
                assert page.evaluate(at_the_top) == name
            assert page.get_by_text("more heard?").bounding_box()
        page.get_by_role("link", name="Back to Conversation A").focus()
        page.keyboard.press("Enter")
        assert page.locator("#text-1").evaluate("e => Math.abs(e.getBoundingClientRect().top)") < 20
    with watched(browser, *PHONE) as page:
        begin(page, urls["rating"])
        page.get_by_role("link", name="To the questions").click()
        page.locator("fieldset").last.scroll_into_view_if_needed()
        assert "supporter" in page.evaluate(at_the_top)
        page.get_by_role("link", name="Back to the text").click()
        assert page.evaluate("document.activeElement.id") == "text-1"
    with watched(browser, *PHONE) as page:
        begin(page, urls["best"])
        for letter in "ABCD":
            page.get_by_role("navigation").get_by_role("link", name=letter).click()
            page.mouse.wheel(0, 500)
            page.wait_for_timeout(60)
            assert page.evaluate(at_the_top) == f"Response {letter}"


def test_a_withdrawal_is_quieter_than_the_way_on(browser: Browser, urls: dict[str, str]) -> None:
    with watched(browser, *PHONE) as page:
        begin(page, urls["pair"])
        look = "e => [getComputedStyle(e).fontSize, getComputedStyle(e).fontWeight].map(parseFloat)"
        link = page.get_by_role("link", name="Withdraw and delete my answers")
        small, thin = link.evaluate(look)
        for louder in ("h1", "form .primary"):
            size, weight = page.locator(louder).evaluate(look)
            assert size > small
            assert weight > thin
        assert link.is_visible()


@pytest.mark.parametrize("kind", ["markdown", "plain", "pair", "rating", "best"])
def test_every_form_of_text_is_read_by_everybody(
    browser: Browser, urls: dict[str, str], kind: str
) -> None:
    # `test_access` looks at the light pages of every kind
    for scheme in ("light", "dark") if kind == "markdown" else ("dark",):
        with watched(browser, 320, 640, color_scheme=scheme) as page:
            begin(page, urls[kind])
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, ground[4:-1].split(","))) < 200) == (scheme == "dark")
            assert axe_faults(page) == []
            assert layout_faults(page) == []
            if kind == "plain":
                assert page.locator("#text-1 .words").inner_text() == PLAIN
            if kind == "markdown":
                names = [f"Reply {n}" for n in (1, 2)]
                assert page.locator("h2").all_inner_texts() == names
                for name in names:
                    assert page.get_by_role("radio", name=name).count() == 1
                assert page.get_by_role("img", name="A blue field").first.evaluate(
                    "e => e.naturalWidth"
                )
                assert page.locator(".turns a").count() == 0
