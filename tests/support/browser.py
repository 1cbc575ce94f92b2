"""A real Chromium for the tests: pages that are watched, axe-core, and checks of the layout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.paths import ROOT

AXE = ROOT / "tests" / "vendor" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The first has no windows of its own, which takes half the time.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

# What can take the focus: by the Tab key or, in a group of radio buttons, by the arrows.
FOCUSABLE = ", ".join(
    f"{kind}:not(:disabled):visible"
    for kind in (
        "a[href]",
        "button",
        "summary",
        "select",
        "textarea",
        "input:not([type=hidden])",
        '[tabindex]:not([tabindex="-1"])',
    )
)
# The least that a finger needs, in CSS pixels; links in a sentence are exempt, as in WCAG.
THUMB = 44

# Says what is wrong with the element that has the focus, or nothing.
_FOCUS_FAULT = """e => {
  const outlined = [e, e.closest("label")].filter(Boolean).map(x => getComputedStyle(x))
    .some(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2);
  if (!outlined) return "has no outline";
  const box = e.getClientRects()[0];
  const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
  const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
  if (left >= right || top >= bottom) return "is out of sight";
  const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return [e, e.closest("label")].some(x => x && x.contains(there)) ? "" : "is covered";
}"""

_KIND = """e => [e.tagName, e.type, e.className, e.closest("label")?.className,
  e.checked].join(" ")"""

# Every piece of text that extends beyond the window or its painted box. Text for screen readers
# only (clipped to a point) and text that scrolls in its own box are not checked.
_CUT = """() => {
  const faults = [];
  const aside = e => {
    for (; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      if (s.clipPath !== "none" || ["auto", "scroll"].includes(s.overflowX)) return true;
    }
    return false;
  };
  const painted = e => {
    for (; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      const lined = parseFloat(s.borderLeftWidth) > 0 && parseFloat(s.borderRightWidth) > 0;
      const clips = s.overflowX !== "visible" || s.overflowY !== "visible";
      if (s.display !== "inline" && (lined || clips)) return e.getBoundingClientRect();
    }
    return new DOMRect(0, -1e9, innerWidth, 2e9);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, holder = text.parentElement;
    if (!text.data.trim() || !holder.checkVisibility() || aside(holder)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = painted(holder), slack = parseFloat(getComputedStyle(holder).fontSize) / 4;
    for (const r of range.getClientRects()) {
      const out = r.left < -1 || r.right > innerWidth + 1 || r.left < box.left - 1
        || r.right > box.right + 1 || r.top < box.top - slack || r.bottom > box.bottom + slack;
      if (out) { faults.push(`cut: ${text.data.trim().slice(0, 40)}`); break; }
    }
  }
  return faults;
}"""

# How much of the window stays covered while a person scrolls, from 0 to 1: what sticks at its edges
# at several places of the page. A column that sticks beside another one covers nothing.
_STUCK = """() => {
  const stuck = [...document.body.querySelectorAll("*")]
    .filter(e => ["sticky", "fixed"].includes(getComputedStyle(e).position));
  const root = document.scrollingElement, before = root.scrollTop;
  let most = 0;
  for (let place = 0; stuck.length && place <= 10; place++) {
    root.scrollTop = (root.scrollHeight - innerHeight) * place / 10;
    let above = 0, below = innerHeight;
    for (const e of stuck) {
      const r = e.getBoundingClientRect();
      if (r.height > innerHeight / 2 && r.width < innerWidth * 0.6) continue;
      if (r.top < 1 && r.bottom > 0) above = Math.max(above, r.bottom);
      else if (r.bottom > innerHeight - 1 && r.top < innerHeight) below = Math.min(below, r.top);
    }
    most = Math.max(most, above + innerHeight - below);
  }
  root.scrollTop = before;
  return most / innerHeight;
}"""

_FOCUSED = f"e => {{ e.focus(); return [({_FOCUS_FAULT})(e), ({_KIND})(e)]; }}"

_SCROLLS = """e => {
  for (; e; e = e.parentElement) {
    const s = getComputedStyle(e);
    if (e.scrollWidth > e.clientWidth && s.overflowX === "auto") return true;
    if (e.scrollHeight > e.clientHeight && s.overflowY === "auto") return true;
  }
  return false;
}"""

_SMALL = """least => [...document.querySelectorAll(
    "button, .button, select, textarea, input:not([type=hidden]), summary")]
  .map(e => e.closest("label") || e).filter(e => e.checkVisibility())
  .map(e => [e, e.getBoundingClientRect()]).filter(([_, r]) => Math.min(r.width, r.height) < least)
  .map(([e, r]) => `${e.innerText.trim() || e.id} is ${r.width} x ${r.height}`)"""

_ROOT_SIZE = "parseFloat(getComputedStyle(document.documentElement).fontSize)"

# WCAG 1.4.12: spacing that a person may set without losing anything.
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; if there is none, skip the test, or fail it if a browser is required."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        if os.environ.get("RATIFY_REQUIRE_BROWSER"):
            pytest.fail("RATIFY_REQUIRE_BROWSER is set, but there is no chromium")
        pytest.skip("no chromium on this machine (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()


def watch(page: Page) -> list[str]:
    """Return a list that collects what a page must never do: ask another host, or log errors.

    The host of the first address that the page opens is its own.
    """
    complaints: list[str] = []
    own: list[str] = []

    def asked(url: str) -> None:
        own.append("/".join(url.split("/")[:3]) + "/")
        if not url.startswith((own[0], "data:", "about:")):
            complaints.append(f"asks another host: {url}")

    def said(message: ConsoleMessage) -> None:
        # Chromium itself logs that a page came with a 4xx, and gives advice ("verbose")
        answered = message.text.startswith("Failed to load resource: the server responded with")
        if message.type != "verbose" and not answered:
            complaints.append(f"console: {message.text}")

    page.on("request", lambda request: asked(request.url))
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    return complaints


@contextmanager
def tab(context: BrowserContext) -> Iterator[Page]:
    """Open a page in a profile; fail at the end if it did anything that no page may do."""
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints = watch(page)
    try:
        yield page
    finally:
        page.close()
    assert not complaints, complaints


@contextmanager
def watched(
    browser: Browser, width: int = 1280, height: int = 800, **options: Any
) -> Iterator[Page]:
    """Open a page in its own profile; fail at the end if it did anything that no page may do."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    try:
        with tab(context) as page:
            yield page
    finally:
        context.close()


def until(page: Page, is_so: str, given: object = None) -> None:
    """Wait until an expression is true; playwright's own way needs `eval`, which pages forbid."""
    for _ in range(200):
        if page.evaluate(is_so, given):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never was: {is_so}")


def press(page: Page, name: str) -> None:
    """Press a button or a link, and wait for the page that it leads to."""
    pressed = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name))
    with page.expect_navigation():
        pressed.click()


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def run_axe(page: Page, *only: str) -> dict[str, Any]:
    """Return what axe-core finds broken on a page, and what it cannot decide, by `only` some rules.

    The window is first made as tall as the page, because axe cannot tell the contrast of text that
    something covers. `evaluate` is not bound by the page's own script policy.
    """
    window = page.viewport_size
    assert window is not None
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({**window, "height": max(tall, window["height"])})
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    options: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": TAGS},
        "rules": {"target-size": {"enabled": True}},  # axe leaves this one out by default
    }
    if only:
        options = {"runOnly": {"type": "rule", "values": only}}
    # transferring everything that passed would take longer than finding it
    found: dict[str, Any] = page.evaluate(
        """options => axe.run(document, options)
          .then(({ violations, incomplete }) => ({ violations, incomplete }))""",
        options,
    )
    page.set_viewport_size(window)
    return found


def axe_faults(page: Page, *only: str) -> list[str]:
    """Return one line per rule that is broken or that axe cannot decide: id, help and place.

    axe cannot decide what is scrolled out of sight in its own box (a wide table on a phone). Tests
    of wider windows decide it.
    """
    faults = []
    found = run_axe(page, *only)
    for kind in ("violations", "incomplete"):
        for rule in found[kind]:
            places = [" ".join(map(str, node["target"])) for node in rule["nodes"]]
            if kind == "incomplete":
                places = [p for p in places if not page.locator(p).evaluate(_SCROLLS)]
            if places:
                faults.append(f"{rule['id']} ({kind}): {rule['help']}: {'; '.join(places)}")
    return faults


def focus_faults(page: Page) -> list[str]:
    """Return the elements that can take the focus but do not show it, or show it out of sight.

    For each style of element, pictures of the first one with and without focus are compared.
    """
    page.keyboard.press("Tab")  # from here on the browser shows focus as it does for a keyboard
    faults, compared = [], set()
    for element in page.locator(FOCUSABLE).element_handles():
        fault, kind = element.evaluate(_FOCUSED)
        if not fault and kind not in compared and not _changes_without_focus(page):
            fault = "looks the same without the focus"
        compared.add(kind)
        if fault:
            faults.append(f"{fault}: {element.evaluate('e => e.outerHTML.slice(0, 80)')}")
    return faults


def _changes_without_focus(page: Page) -> bool:
    focused = page.screenshot()
    page.evaluate("document.activeElement.blur()")
    return page.screenshot() != focused


def layout_faults(page: Page) -> list[str]:
    """Return what is lost at the page's present size: text, or room to read it."""
    faults: list[str] = page.evaluate(_CUT)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        faults.append(f"scrolls sideways by {wide} px")
    stuck = page.evaluate(_STUCK)
    if stuck > 0.5:
        faults.append(f"{stuck:.0%} of the window never scrolls away")
    return faults


def small_targets(page: Page) -> list[str]:
    """Return the controls that are smaller than a thumb."""
    found: list[str] = page.evaluate(_SMALL, THUMB)
    return found


@contextmanager
def text_doubled(page: Page) -> Iterator[None]:
    """Set the text size to 200 % as a person does in the browser, so that media queries follow."""
    session = page.context.new_cdp_session(page)
    now = page.evaluate(_ROOT_SIZE)

    def times(factor: int) -> None:
        sizes = {"standard": 16 * factor, "fixed": 13 * factor}
        session.send("Page.setFontSizes", {"fontSizes": sizes})
        until(page, f"size => Math.abs({_ROOT_SIZE} - size) < 0.1", now * factor)

    try:
        times(2)
        yield
    finally:
        times(1)


@contextmanager
def text_spaced(page: Page) -> Iterator[None]:
    """Set the widest spacing of lines, words and letters that a page must bear by WCAG 1.4.12."""
    page.evaluate(_SPACED)
    try:
        yield
    finally:
        page.evaluate("document.adoptedStyleSheets = []")
