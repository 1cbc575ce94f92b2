"""Walks somebody through the pages of a small chat: without a server, a script, or real time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from study.bots.forms import ChatPage, Form
from study.chat.owed_rows import SettledReply
from study.chat.owing import claim_owed, settle
from study.chat.study import ChatStudy
from study.store.chat_tables import Conversation
from study.store.database import Store
from study.web.chat.app import create_chat_app
from tests.support.chat import small_chat
from tests.support.chat_engine import NOW

JSON = {"Accept": "application/json"}


class ChatSite:
    """A chat with its store, its application and a clock of the test's own.

    Parameters
    ----------
    study : ChatStudy
    store : Store
    mode : str
    answers : bool
        Whether everything is answered at once; else nothing is, unless the test calls `reply`.
    """

    def __init__(
        self, study: ChatStudy, store: Store, *, mode: str = "pilot", answers: bool = True
    ) -> None:
        self.study, self.store, self.mode, self.now = study, store, mode, NOW
        self.app = create_chat_app(
            study, store, mode=mode, clock=self.clock, answering=self if answers else None
        )

    def wake(self) -> None:
        """Answer what is owed."""
        self.reply("I see. It is all a bit much.", source="scripted")

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def visitor(self, name: str = "r1") -> Visitor:
        """Return a browser that has opened nothing yet."""
        return Visitor(self, self.app.test_client(), name)

    def rows(self, table: Any) -> list[Any]:
        """Return every row of a table."""
        with self.store.reading() as connection:
            return list(connection.execute(select(table.__table__)))

    def reply(self, text: str, source: str = "llm") -> None:
        """Answer everything that is owed with these words."""
        coach = self.study.plan.feedback.coach
        for task in claim_owed(self.store, self.study, self.mode, "test", 100, self.now):
            scores = (
                {one.id: 3 for one in coach.scores} if coach and task.kind == "feedback" else {}
            )
            settled = SettledReply(text, source, scores=scores or None)
            settle(self.store, self.study, task, settled, self.now)


class Visitor:
    """One browser without scripts: the page that it sees."""

    def __init__(self, site: ChatSite, client: FlaskClient, name: str) -> None:
        self.site, self.client, self.name = site, client, name
        self.status, self.path, self.text = 0, "", ""

    def get(self, path: str, **headers: str) -> Visitor:
        """Open a page, following redirects."""
        return self._see(self.client.get(path, headers=headers, follow_redirects=True))

    def post(self, path: str, fields: dict[str, Any]) -> Visitor:
        """Send fields to an address, following redirects."""
        return self._see(self.client.post(path, data=fields, follow_redirects=True))

    def _see(self, answer: Any) -> Visitor:
        self.status, self.path, self.text = answer.status_code, answer.request.path, answer.text
        return self

    @property
    def page(self) -> ChatPage:
        """The page as somebody reads it."""
        read = ChatPage(self.path)
        read.feed(self.text)
        return read

    def form(self, ending: str = "") -> Form:
        """Return the form that is seen whose action ends so."""
        found = self.page.form(ending)
        assert found is not None, f"no form {ending} on {self.path}: {self.text}"
        return found

    def send(self, ending: str = "", **fields: Any) -> Visitor:
        """Send a form of this page with these fields."""
        form = self.form(ending)
        return self.post(form.action, {**form.fields, **fields})

    def fill(self, **fields: Any) -> Visitor:
        """Send the form of a survey, with the first choice of every question."""
        form = self.form("/survey")
        chosen = {name: values[0] for name, values in form.groups.items()}
        return self.post(form.action, {**form.fields, **chosen, **fields})

    def begin(self) -> Visitor:
        """Arrive, agree, and answer the survey before the first conversation."""
        self.get(f"/?rater={self.name}").send("/consent").send("/instructions")
        while self.path == "/survey":
            self.fill()
        return self

    def say(self, text: str, **fields: Any) -> Visitor:
        """Send a message."""
        return self.send("/talk", text=text, **fields)

    def json(self, path: str, fields: dict[str, Any] | None = None) -> Any:
        """Ask as the script of a page does."""
        if fields is None:
            return self.client.get(path, headers=JSON).get_json()
        return self.client.post(path, data=fields, headers=JSON).get_json()

    def to(self, path: str) -> Visitor:
        """Go on, doing as little as a step asks for, until this page is there."""
        for _ in range(40):
            if self.path == path:
                return self
            self._step()
        raise AssertionError(f"{path} never comes; this is {self.path}")

    def _step(self) -> None:
        if self.path == "/survey":
            self.fill()
        elif self.path == "/talk":
            self.say("That sounds hard. How do you feel?").send("/talk/leave")
        elif self.path == "/film":
            self.site.now += 5
            self.send("/film")
        elif self.path == "/coach" and self.page.form("/coach/ask") and "at-least" in self.page.ids:
            self.send("/coach/ask", text="What should I say?")
        else:
            self.send(self.path)


@contextmanager
def chat_site(folder: Path, *, answers: bool = True, mode: str = "pilot", **changes: Any) -> Any:
    """Open a small chat with changes to its plan."""
    study = small_chat(folder, **changes)
    store = Store(f"sqlite:///{folder / 'chat.sqlite3'}")
    yield ChatSite(study, store, mode=mode, answers=answers)
    store.close()


def only(condition: str) -> dict[str, Any]:
    """Return the change of a plan that has one condition."""
    others = {"control", "video", "coach", "combined"} - {condition}
    return {"conditions": dict.fromkeys(others), "allocation": {"block": 1}}


def conversations(site: ChatSite) -> Iterator[Any]:
    """Yield the rows of conversations in order of round."""
    yield from sorted(site.rows(Conversation), key=lambda row: row.round)
