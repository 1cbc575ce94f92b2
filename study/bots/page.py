"""What a bot reads on a page: its form, the answers that it offers and the texts that it shows."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx

from prereg.errors import RatifyError


def read_page(response: httpx.Response, *, again: bool = False) -> Page:
    """Return the page that the server sent.

    Parameters
    ----------
    response : httpx.Response
    again : bool
        Whether the server may ask the same again (422).

    Raises
    ------
    RatifyError
        When the server answered anything else.
    """
    if response.status_code != (422 if again else 200):
        raise RatifyError(f"the server answered {response.status_code}", file=str(response.url))
    page = Page()
    page.feed(response.text)
    return page


def first_options(page: Page) -> dict[str, str]:
    """Return a form's first option in every group, and invented words in its text fields."""
    chosen = {name: values[0] for name, values in page.choices.items()}
    if {"most", "least"} <= chosen.keys():  # the same response cannot be both
        chosen["least"] = page.choices["least"][-1]
    return {**chosen, **dict.fromkeys(page.texts, "Words of a simulated rater.")}


def fingerprint(text: str) -> str:
    """Return only the letters and digits of a text, so that markup and spacing do not matter."""
    return "".join(character for character in text if character.isalnum())


class Page(HTMLParser):
    """The parts of a page that a bot needs.

    Attributes
    ----------
    title, action : str
        The page's title; where its first form goes.
    fields : dict
        Hidden fields of the form.
    ids : set of str
        All element ids.
    choices : dict
        The values that may be chosen, by the name of each group of radio buttons.
    texts : list of str
        The names of the fields for words.
    conversations : dict
        Text by the letter of the conversation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.action = ""
        self.fields: dict[str, str] = {}
        self.ids: set[str] = set()
        self.choices: dict[str, list[str]] = {}
        self.texts: list[str] = []
        self.conversations: dict[str, str] = {}
        self._letter: str | None = None
        self._inside = 0  # boxes within a conversation, which Markdown may have
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a start tag."""
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        self._in_title = tag == "title"
        if tag == "form" and not self.action:
            self.action = given["action"]
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given.get("value", "")
        if tag == "input" and given.get("type") == "radio":
            self.choices.setdefault(given["name"], []).append(given.get("value", ""))
        if tag == "img" and self._letter is not None:
            self.conversations[self._letter] += given.get("src", "")  # all that tells it apart
        if tag == "textarea":
            self.texts.append(given["name"])
        if "data-conversation" in given:
            self._letter = given["data-conversation"]
            self._inside = 0
            self.conversations[self._letter] = ""
        elif tag in {"div", "section"}:
            self._inside += 1

    def handle_endtag(self, tag: str) -> None:
        """Read an end tag."""
        self._in_title = False
        if tag in {"div", "section"}:
            self._inside -= 1
            if self._inside < 0:
                self._letter = None

    def handle_data(self, data: str) -> None:
        """Read text."""
        if self._in_title:
            self.title += data
        if self._letter is not None:
            self.conversations[self._letter] += data
