"""Walks a rater through the pages of an application, without a server, and without JavaScript."""

from __future__ import annotations

import re
from html import unescape

from flask.testing import FlaskClient

from tests.support.crowd import Form, Page, first


class Walker:
    """One browser on Flask's test client: the page it sees, and the form on it.

    Parameters
    ----------
    client : FlaskClient
    rater : str
        The id in the rater's link.
    """

    def __init__(self, client: FlaskClient, rater: str) -> None:
        self.client = client
        self.rater = rater
        self.status = 0
        self.path = ""
        self.text = ""

    def get(self, path: str) -> Walker:
        """Open a page, following redirects."""
        answer = self.client.get(path, follow_redirects=True)
        self.status, self.path, self.text = answer.status_code, answer.request.path, answer.text
        return self

    def arrive(self) -> Walker:
        """Open the link, and agree if asked."""
        self.get(f"/?rater={self.rater}")
        return self.send().get("/trial") if self.path == "/" else self

    def send(self, **fields: str | int) -> Walker:
        """Send the form of this page with these fields, following redirects."""
        form = self.form
        return self.post(form.action, {**form.fields, **fields})

    def post(self, path: str, fields: dict[str, str | int]) -> Walker:
        """Send fields to an address, following redirects."""
        answer = self.client.post(path, data=fields, follow_redirects=True)
        self.status, self.path, self.text = answer.status_code, answer.request.path, answer.text
        return self

    def go_on(self) -> Walker:
        """Choose the first option of each question, and send the form."""
        return self.send(**self.form.filled(first))

    def to(self, path: str) -> Walker:
        """Go on until this page is there."""
        for _ in range(40):
            if self.path == path:
                return self
            self.go_on()
        raise AssertionError(f"{path} never comes; this is {self.path}: {self.words}")

    @property
    def form(self) -> Form:
        """The form of this page."""
        form = Page(self.status, "", self.text).form()
        assert form is not None, self.words
        return form

    @property
    def heading(self) -> str:
        """The first heading."""
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        return unescape(found[1]).strip() if found else ""

    @property
    def words(self) -> str:
        """What the page says, without its markup."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.text)).split())
