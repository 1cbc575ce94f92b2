"""A simulated supporter goes through the pages of a chat, over HTTP, in a time of their own.

They use what a browser without JavaScript uses: links, forms, and a page that is loaded again
while something is owed. In a conversation, most of them ask for JSON, as the script of its page
does. They know only what they read; every request says what time it is for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from prereg.chat.design import COACH, VIDEO
from prereg.chat.model import ChatPlan
from prereg.chat.surveys import SURVEYS, SurveyQuestion
from prereg.errors import RatifyError
from study.bots.forms import ChatPage, Form
from study.bots.persona import Persona
from study.bots.supporter import Manner, Voice

#: The header in which a request says what time it is, in seconds since 1970.
HEADER = "X-Simulated-Time"
#: Seconds that reading a page takes; between two looks for a reply; that a question is answered in.
READING, LOOKING, ANSWERING = 20.0, 6.0, 3.0
#: Seconds that a film lasts at most.
WATCHING = 120.0
#: So often a reply is looked for, before a bot takes it for lost.
PATIENCE = 600
#: One in so many has a browser without scripts.
WITHOUT_SCRIPT = 4
#: Keys for each character, where somebody types and mends.
KEYS = 1.1
#: Statuses besides 200 with a page that goes on: a form to be filled in again, too late, full.
PAGES = (409, 410, 422, 503)


@dataclass
class Chatter:
    """One simulated supporter at their browser.

    Attributes
    ----------
    client : httpx.Client
        Follows redirects.
    person : Persona
    now : float
        Their time.
    link : mapping
        The parameters of their link.
    done, waited : int
        Steps done so far; looks for what is owed now.
    ended : str
        How it ended: `finished`, `left`, `full`.
    """

    client: httpx.Client
    person: Persona
    now: float
    link: Mapping[str, str]
    done: int = 0
    ended: str = ""
    waited: int = 0
    voice: Voice | None = None
    questions: dict[str, tuple[str, SurveyQuestion]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.questions = {
            question.id: (survey, question) for survey, question in self.plan.surveys.questions()
        }

    @property
    def plan(self) -> ChatPlan:
        """The plan that the pages follow."""
        return self.person.plan

    def load(self, path: str, **parameters: str) -> ChatPage:
        """Load a page."""
        headers = {HEADER: f"{self.now:.3f}"}
        return ChatPage.of(
            self.client.get(path, params=parameters or None, headers=headers), *PAGES
        )

    def send(self, form: Form, fields: Mapping[str, str] | None = None) -> ChatPage:
        """Send a form with its hidden fields and these; return the page that follows."""
        self.waited = 0
        headers = {HEADER: f"{self.now:.3f}"}
        data = {**form.fields, **(fields or {})}
        return ChatPage.of(self.client.post(form.action, data=data, headers=headers), *PAGES)

    def tell(self, form: Form, fields: Mapping[str, str]) -> ChatPage:
        """Send a form, and see the page that follows when a reply can be there."""
        headers = {HEADER: f"{self.now:.3f}"}
        data = {**form.fields, **fields}
        sent = self.client.post(form.action, data=data, headers=headers, follow_redirects=False)
        if not sent.is_redirect:
            return ChatPage.of(sent, *PAGES)
        self.waited = 0
        self.now += LOOKING
        return self.load(sent.headers["Location"])

    def arrive(self) -> ChatPage | None:
        """Open the study and consent; return the next page, or None if there is no place."""
        page = self.load("/", **self.link)
        form = page.form("/consent")
        if form is not None:
            self.now += READING
            page = self.send(form)
        if "study-full" in page.ids:
            self.ended = "full"
            return None
        return page

    def go_through(self, page: ChatPage) -> None:
        """Do every step, until the end or until the person leaves."""
        while "completion-code" not in page.ids:
            if self.done == self.person.leaves_at:
                self.ended = "left"
                return
            page = self._one(page)
        self.ended = "finished"

    def _one(self, page: ChatPage) -> ChatPage:
        """Do what a page asks for."""
        for (ending, name), act in _ACTS.items():
            form = page.form(ending, name)
            if form is not None:
                return act(self, page, form)
        if "owed" in page.ids:
            return self._later(page)
        raise RatifyError(
            "a simulated supporter finds nothing to do on this page",
            file=page.path,
            value=page.title,
        )

    def _begin(self, page: ChatPage, form: Form) -> ChatPage:
        """Read the instructions."""
        self.now += READING
        return self.send(form)

    def _survey(self, page: ChatPage, form: Form) -> ChatPage:
        """Answer the questions of one page."""
        names = [name for name in (*form.groups, *form.texts) if name.startswith("q-")]
        asked = [self.questions[name.removeprefix("q-")] for name in names]
        self.now += ANSWERING * len(asked)
        fields: dict[str, str] = {}
        for survey in SURVEYS:
            ours = [question for of, question in asked if of == survey]
            answers = self.person.answers(ours, survey)
            fields |= {f"q-{name}": answer for name, answer in answers.items()}
        return self._step(self.send(form, fields))

    def _talk(self, page: ChatPage, form: Form) -> ChatPage:
        """Write one message, or wait for a reply."""
        if form.waits:
            return self._later(page)
        if self.person.number % WITHOUT_SCRIPT:
            return self._talk_on(page, form)
        return self.tell(form, self._message(page.told))

    def _talk_on(self, page: ChatPage, form: Form) -> ChatPage:
        """Talk to the end as the script of the page does: it sends and asks for JSON."""
        turn, told = form.fields["turn"], page.told
        while True:
            fields = {**form.fields, "turn": turn, **self._message(told)}
            state = self._json(self.client.post, form.action, data=fields)["state"]
            self.waited = 0
            while state.get("owes"):
                self._wait(form.action)
                state = self._json(self.client.get, f"{form.action}/state")
            if "go" in state:
                return self.load(state["go"])
            if state["over"]:  # the script shows the form that leads on
                return self._leave(page, Form(f"{form.action}/leave", fields=form.fields))
            told = [one["text"] for one in state["messages"] if one["speaker"] == "partner"][-1]
            turn = str(state["turn"])

    def _json(self, ask: Callable[..., httpx.Response], path: str, **what: Any) -> Any:
        headers = {HEADER: f"{self.now:.3f}", "Accept": "application/json"}
        answer = ask(path, headers=headers, **what)
        if not answer.is_success:
            raise RatifyError(f"the server answered {answer.status_code}", file=str(answer.url))
        return answer.json()

    def _message(self, told: str) -> dict[str, str]:
        """Write a message, in the time that it takes."""
        person = self.person
        if self.voice is None:
            self.voice = Voice(Manner.of(person.next_skill(), person.writing), person.writing)
        words = self.voice.reply(told)
        seconds = person.seconds()
        self.now += seconds
        pasted = len(words) if person.pastes else 0
        return {
            "text": words,
            "compose_ms": str(round(1000 * seconds)),
            "keys": str(8 if pasted else round(KEYS * len(words))),
            "pasted_characters": str(pasted),
            "hidden_ms": "0",
        }

    def _leave(self, page: ChatPage, form: Form) -> ChatPage:
        """Go on after a conversation that is over."""
        self.voice = None
        self.now += ANSWERING
        return self._step(self.send(form))

    def _watch(self, page: ChatPage, form: Form) -> ChatPage:
        """Watch a film to its end, and go on."""
        self.person.seen.add(VIDEO)
        self.now += WATCHING
        return self._step(self.send(form))

    def _ask(self, page: ChatPage, form: Form) -> ChatPage:
        """Ask the coach something."""
        self.now += READING
        return self.tell(form, dict.fromkeys(form.texts, self.person.question()))

    def _coached(self, page: ChatPage, form: Form) -> ChatPage:
        """Go on after the coach."""
        self.person.seen.add(COACH)
        self.now += READING
        return self._step(self.send(form))

    def _go_on(self, page: ChatPage, form: Form) -> ChatPage:
        """Read where help can be found, and go on."""
        self.now += READING
        return self.send(form, {"choice": "went_on"})

    def _later(self, page: ChatPage) -> ChatPage:
        """Load a page again after a moment, as it asks to while something is owed."""
        self._wait(page.path)
        return self.load(page.path)

    def _wait(self, path: str) -> None:
        self.waited += 1
        if self.waited > PATIENCE:
            raise RatifyError("a simulated supporter waits in vain", file=path)
        self.now += LOOKING

    def _step(self, page: ChatPage) -> ChatPage:
        self.done += 1
        return page


# What is done on a page: the first of these forms that it has.
_ACTS: dict[tuple[str, str | None], Callable[[Chatter, ChatPage, Form], ChatPage]] = {
    ("/instructions", None): Chatter._begin,
    ("/survey", None): Chatter._survey,
    ("/talk/leave", "onward"): Chatter._leave,
    ("/talk", None): Chatter._talk,
    ("/film", None): Chatter._watch,
    ("/coach", None): Chatter._coached,
    ("/coach/ask", None): Chatter._ask,
    ("/safety", None): Chatter._go_on,
}
