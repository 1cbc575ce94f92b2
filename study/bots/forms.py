"""What a simulated supporter sees on a page of a chat, without JavaScript: forms and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

from prereg.errors import RatifyError

_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@dataclass
class Form:
    """A form that can be seen.

    Attributes
    ----------
    action, name : str
        Its path; its element id.
    fields : dict
        Its hidden fields.
    groups : dict
        The values of each group of radio buttons, by name.
    texts : list of str
        The names of the fields for words.
    waits : bool
        Whether nothing may be written in it yet.
    buttons : list of (str, str)
        The name and the value of each button that has them.
    """

    action: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    waits: bool = False
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Said:
    """A message that a page shows; the speaker is `supporter` or `partner`, also for a coach."""

    speaker: str
    text: str


class ChatPage(HTMLParser):
    """The parts of a page that a simulated supporter needs.

    Attributes
    ----------
    path, title, onward : str
        `onward` is where its first big link leads.
    forms : list of Form
        Those that are not hidden.
    ids : set of str
        Of elements that are not hidden.
    messages : list of Said
        In the order of the page.
    """

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self.path = path
        self.title = self.onward = ""
        self.forms: list[Form] = []
        self.ids: set[str] = set()
        self.messages: list[Said] = []
        self._open: list[tuple[str, bool]] = []  # elements, and whether each hides what it holds
        self._speaker = self._words = ""
        self._at = 0  # the depth of the message's words
        self._form: Form | None = None

    @classmethod
    def of(cls, response: httpx.Response, *statuses: int) -> ChatPage:
        """Read the page that the server sent.

        Raises
        ------
        RatifyError
            When the server answered with another status than 200 or one of those named.
        """
        if response.status_code not in {200, *statuses}:
            raise RatifyError(f"the server answered {response.status_code}", file=str(response.url))
        page = cls(response.url.path)
        page.feed(response.text)
        return page

    def form(self, ending: str, name: str | None = None) -> Form | None:
        """Return the first form whose action ends so, with this id if one is given; or None."""
        return next(
            (
                form
                for form in self.forms
                if form.action.endswith(ending) and name in {None, form.name}
            ),
            None,
        )

    @property
    def told(self) -> str:
        """What the partner said last."""
        said = [message.text for message in self.messages if message.speaker == "partner"]
        return said[-1] if said else ""

    @property
    def _hidden(self) -> bool:
        return any(hides for _, hides in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a start tag."""
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._open.append((tag, "hidden" in given))
        if self._hidden:
            return
        if "id" in given:
            self.ids.add(given["id"])
        classes = given.get("class", "").split()
        if tag == "form":
            action = urlsplit(given.get("action") or self.path).path
            self._form = Form(action, given.get("id", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(self._form, tag, given)
        if tag == "a" and "primary" in classes:
            self.onward = self.onward or given.get("href", "")
        if "said" in classes:
            self._speaker = next((c for c in classes if c in {"partner", "supporter"}), "")
        elif self._speaker and "words" in classes:
            self._at, self._words = len(self._open), ""

    def _field(self, form: Form, tag: str, given: Mapping[str, str]) -> None:
        """Note a field of the form that is read."""
        name, kind = given.get("name", ""), given.get("type", "text")
        if not name:
            return
        if tag == "textarea" or (tag == "input" and kind == "text"):
            form.texts.append(name)
            form.waits = form.waits or "readonly" in given
        elif tag == "input" and kind == "hidden":
            form.fields[name] = given.get("value", "")
        elif tag == "input" and kind == "radio":
            form.groups.setdefault(name, []).append(given.get("value", ""))
        elif tag == "button":
            form.buttons.append((name, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """Read an end tag; what is left open within is closed with it."""
        if tag not in {name for name, _ in self._open}:
            return
        while self._open:
            if self._at == len(self._open):
                self.messages.append(Said(self._speaker, " ".join(self._words.split())))
                self._at, self._speaker = 0, ""
            closed, _ = self._open.pop()
            if closed == "form":
                self._form = None
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        """Read text."""
        if self._open and self._open[-1][0] == "title":
            self.title += data
        if self._at:
            self._words += data
