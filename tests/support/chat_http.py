"""Somebody at the pages of a chat that a real server shows: over HTTP, in real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from study.bots.forms import ChatPage, Form

PATIENCE = 20.0
NO_SURVEYS: dict[str, Any] = {"surveys": {"before": None, "after_each": None}}


class Guest:
    """One browser without scripts.

    Parameters
    ----------
    url, name : str
    """

    def __init__(self, url: str, name: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=60, follow_redirects=True)
        self.name = name
        self.page = ChatPage()
        self.text = ""
        self.status = 0

    def get(self, path: str) -> ChatPage:
        """Load a page."""
        return self._see(self.client.get(path))

    def send(self, ending: str, **fields: str) -> ChatPage:
        """Send a form of the page."""
        form = self.form(ending)
        return self._see(self.client.post(form.action, data={**form.fields, **fields}))

    def form(self, ending: str) -> Form:
        """Return a form of the page."""
        found = self.page.form(ending)
        assert found is not None, f"no form {ending} on {self.page.path}: {self.text}"
        return found

    def begin(self) -> ChatPage:
        """Arrive, agree, and go to the first conversation of a plan without a survey before it."""
        self.get(f"/?rater={self.name}")
        self.send("/consent")
        return self.send("/instructions")

    def close(self) -> None:
        """Close the browser."""
        self.client.close()

    def _see(self, answer: httpx.Response) -> ChatPage:
        self.status, self.text = answer.status_code, answer.text
        self.page = ChatPage(answer.url.path)
        self.page.feed(answer.text)
        return self.page


@contextmanager
def guests(url: str, count: int) -> Iterator[list[Guest]]:
    """Let some people begin their first conversation."""
    found = [Guest(url, f"guest-{number:03d}") for number in range(count)]
    try:
        for one in found:
            one.begin()
        yield found
    finally:
        for one in found:
            one.close()


def counted(database: str, query: str, **values: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a query of a server's database."""
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]
    finally:
        engine.dispose()


def changed(database: str, statement: str) -> None:
    """Run a statement in a server's database."""
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def eventually(holds: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"in vain: {what}"
        time.sleep(0.05)
