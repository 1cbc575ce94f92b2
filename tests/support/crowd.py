"""A crowd of raters that uses plain sockets, light enough to load a server on the same machine.

Each rater does what a browser without JavaScript does: it opens the link and sends every form, with
its hidden fields and a choice in each group of radio buttons, until there is a completion code or
the study is full. If the server goes away, it sends the form again, or opens its link again.
"""

from __future__ import annotations

import asyncio
import html
import random
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode, urlsplit

Choose = Callable[[str, Sequence[str]], str]  # a group's name and values -> one of the values

_OTHER_THAN = {"worst": "best", "least": "most"}  # groups that must differ from another
_FORM_DATA = "Content-Type: application/x-www-form-urlencoded"
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_INPUT = re.compile(r"<input\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
_ONWARD = re.compile(r'<a class="[^"]*\bprimary\b[^"]*" href="([^"]*)"')
_REDIRECTS, _REFUSALS = 5, 20  # this many in a row are too many


class CrowdError(AssertionError):
    """A page from which a rater cannot continue."""


@dataclass(frozen=True)
class Sent:
    """One request as the browser saw it."""

    kind: str  # 'page' (a GET), 'consent', 'answer' (a form with a position) or 'form'
    at: float  # monotonic clock
    seconds: float  # until the whole answer had arrived
    status: int  # 0 if the connection broke first


@dataclass
class Rater:
    """What happened to one rater; answers are by position."""

    name: str
    # each trial page that they saw: its position, and the highest acknowledged position before it
    shown: list[tuple[int, int]] = field(default_factory=list)
    # choices that the server acknowledged by a 303 or by the page of the next trial
    acknowledged: dict[int, dict[str, str]] = field(default_factory=dict)
    in_doubt: dict[int, dict[str, str]] = field(default_factory=dict)  # sent, without a reply
    sent: list[Sent] = field(default_factory=list)
    consented: bool = False
    full: bool = False
    code: bool = False

    def see(self, position: int | None) -> None:
        """Note the trial page that is shown; None means that there are no more."""
        for earlier in [p for p in self.in_doubt if position is None or p < position]:
            self.acknowledged[earlier] = self.in_doubt.pop(earlier)
        if position is not None:
            self.shown.append((position, max(self.acknowledged, default=0)))


@dataclass
class Form:
    """A form of a page: where it goes, its hidden fields and its groups of radio buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)

    @property
    def position(self) -> int | None:
        """Which trial this form answers, if any."""
        return int(p) if (p := self.fields.get("position", "")).isdecimal() else None

    def filled(self, choose: Choose) -> dict[str, str]:
        """Return the form with a choice in every group."""
        chosen: dict[str, str] = {}
        for name in sorted(self.groups, key=_OTHER_THAN.__contains__):
            taken = chosen.get(_OTHER_THAN.get(name, ""))
            chosen[name] = choose(name, [v for v in self.groups[name] if v != taken])
        return chosen


@dataclass(frozen=True)
class Page:
    """An answer of the server, redirects not followed."""

    status: int
    location: str
    text: str

    def form(self) -> Form | None:
        """Return the form to fill in: the first one with choices, else the first one."""
        found: list[Form] = []
        for head, body in _FORM.findall(self.text):
            found.append(form := Form(_attributes(head).get("action", "")))
            for given in map(_attributes, _INPUT.findall(body)):
                if given.get("type") == "hidden":
                    form.fields[given["name"]] = given.get("value", "")
                elif given.get("type") == "radio":
                    form.groups.setdefault(given["name"], []).append(given["value"])
        return next((form for form in found if form.groups), found[0] if found else None)

    def has(self, element_id: str) -> bool:
        """Return whether an element with this id is on the page."""
        return f'id="{element_id}"' in self.text


def first(_group: str, on_offer: Sequence[str]) -> str:
    """Choose the first value."""
    return on_offer[0]


def at_random(_group: str, on_offer: Sequence[str]) -> str:
    """Choose any value."""
    return random.choice(on_offer)


class Browser:
    """One keep-alive connection, one cookie jar, one rater.

    Parameters
    ----------
    url, name : str
        `http://host:port`; the rater's id.
    patience : float
        Seconds to keep trying while the server is away; 0 makes it an error.
    reopens : bool
        Whether to open the link again after a broken answer, instead of sending the form again.
    """

    def __init__(
        self, url: str, name: str, *, patience: float = 0.0, reopens: bool = False
    ) -> None:
        address = urlsplit(url)
        self.host, self.port = address.hostname or "", address.port or 80
        self.rater = Rater(name)
        self.link = f"/?rater={quote_plus(name)}"
        self.patience, self.reopens = patience, reopens
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}  # further ones
        self._pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Page:
        """Load a page, following redirects."""
        for _ in range(_REDIRECTS):
            page = await self._insist("page", path, None)
            if not page.location:
                return page
            path = page.location
        raise CrowdError(f"{self.rater.name}: {path}: too many redirects")

    async def post(self, form: Form, chosen: Mapping[str, str]) -> Page:
        """Send a form, follow the redirect after it, and note what was acknowledged."""
        position, rater = form.position, self.rater
        kind = "consent" if form.action.endswith("/consent") else "form"
        if position is not None:
            kind, rater.in_doubt[position] = "answer", dict(chosen)
        page = await self._insist(kind, form.action, urlencode({**form.fields, **chosen}))
        if page.status != 303:
            return page
        if position is not None and page.location not in {"/", self.link}:
            rater.acknowledged[position] = rater.in_doubt.pop(position)
        rater.consented = rater.consented or kind == "consent"
        return await self.get(page.location)

    async def close(self) -> None:
        """Close the connection."""
        if self._pipe is not None:
            self._pipe[1].close()
            self._pipe = None

    async def _insist(self, kind: str, path: str, body: str | None) -> Page:
        """Send a request, again and again while the server is away."""
        until = time.monotonic() + self.patience
        while True:
            start = time.monotonic()
            try:
                page = await self._exchange(path, body)
            except (OSError, EOFError) as error:
                self.rater.sent.append(Sent(kind, start, time.monotonic() - start, 0))
                await self.close()
                if time.monotonic() >= until:
                    raise CrowdError(f"{self.rater.name}: {path}: {error!r}") from error
                if kind == "answer" and self.reopens:
                    return Page(303, self.link, "")
                await asyncio.sleep(random.uniform(0.1, 0.3))
                continue
            self.rater.sent.append(Sent(kind, start, time.monotonic() - start, page.status))
            if page.status >= 500:
                raise CrowdError(f"{self.rater.name}: {path}: status {page.status}")
            return page

    async def _exchange(self, path: str, body: str | None) -> Page:
        if self._pipe is None:
            self._pipe = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        reader, writer = self._pipe
        method = "GET" if body is None else "POST"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        if body is not None:
            lines += [_FORM_DATA, f"Content-Length: {len(body)}"]
        writer.write("\r\n".join([*lines, "", body or ""]).encode("ascii"))
        status, *answered = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in answered:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
            if name.lower() == "set-cookie":
                cookie, _, rest = value.partition("=")
                self.cookies[cookie] = rest.partition(";")[0]
        text = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return Page(int(status.split(" ", 2)[1]), _path(headers.get("location", "")), text)


async def walk(browser: Browser, choose: Choose = first, *, pause: float = 0.0) -> Rater:
    """Take one rater from their link to the completion code, or until the study is full.

    Parameters
    ----------
    choose : callable
        Given the name and the values of a group of radio buttons, returns one of the values.
    pause : float
        Mean seconds of thought before an answer; each is drawn from 0.5 to 1.5 times as long.
    """
    rater, refusals = browser.rater, 0
    page = await browser.get(browser.link)
    while refusals < _REFUSALS:
        rater.full, rater.code = page.has("study-full"), page.has("completion-code")
        if rater.full or rater.code:
            break
        form, onward = page.form(), _ONWARD.search(page.text)
        if form is None and onward is None:
            raise CrowdError(f"{rater.name}: status {page.status}, nothing to go on with")
        if form is None or (onward is not None and not form.groups and form.position is None):
            page = await browser.get(_path(html.unescape(onward[1] if onward else "")))
            continue
        if form.position is not None:
            rater.see(form.position)
            # a rater who is told that they were too quick reads a little longer
            await asyncio.sleep(0.5 if refusals else pause * random.uniform(0.5, 1.5))
        page = await browser.post(form, form.filled(choose))
        refusals = refusals + 1 if page.status >= 400 else 0
    else:
        raise CrowdError(f"{rater.name}: status {page.status} again and again")
    rater.see(None)
    await browser.close()
    return rater


async def visit(
    names: Iterable[str], take_part: Callable[[str], Awaitable[Rater]], *, at_once: int
) -> list[Rater]:
    """Let raters take part, `at_once` at a time; each one who is done makes room for the next.

    Parameters
    ----------
    names, at_once : iterable of str, int
    take_part : callable
        What the rater with a name does, such as `walk`.
    """
    waiting, done = iter(names), []

    async def one_after_another() -> None:
        for name in waiting:
            done.append(await take_part(name))

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return done


async def rush(url: str, names: Sequence[str]) -> list[Rater]:
    """Let raters open the consent page, then all consent at the same moment."""
    browsers = [Browser(url, name) for name in names]
    pages = await asyncio.gather(*(browser.get(browser.link) for browser in browsers))
    forms = [form for page in pages if (form := page.form()) and form.action.endswith("/consent")]
    assert len(forms) == len(browsers), "somebody was not asked to consent"
    ends = await asyncio.gather(*(b.post(f, {}) for b, f in zip(browsers, forms, strict=True)))
    for browser, end in zip(browsers, ends, strict=True):
        browser.rater.full = end.has("study-full")
        await browser.close()
    return [b.rater for b in browsers]


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}


def _path(address: str) -> str:
    """Return an address without its host; empty if there is no address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
