"""Simulated raters that use real HTTP: they load the pages and send the same forms as people.

A bot knows only what it reads on the page. How much it values a text comes from a table (the
demo's planted quality), in which it looks up the words on the page.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
import numpy as np

from prereg.errors import RatifyError
from prereg.streams import Stream, stream
from prereg.tables.contract import TIE


@dataclass(frozen=True)
class Population:
    """How simulated raters differ; the difference in valued quality is the log-odds of a choice.

    Attributes
    ----------
    sensitivity : float
        Log-odds per standard deviation of planted quality, for the median rater.
    spread : float
        Standard deviation of the log of that sensitivity between raters.
    taste : float
        Standard deviation of a rater's own liking for an item, in log-odds.
    side : float
        Standard deviation between raters of a preference for the left side, in log-odds.
    tie : float
        Log-odds up to which a rater sees no difference, where a page offers this answer (Rao and
        Kupper 1967).
    """

    sensitivity: float = 1.2
    spread: float = 0.4
    taste: float = 0.5
    side: float = 0.15
    tie: float = 0.4


@dataclass
class Bot:
    """One simulated rater."""

    quality: Mapping[str, float]
    population: Population
    rng: np.random.Generator
    sensitivity: float = field(init=False)
    side: float = field(init=False)

    def __post_init__(self) -> None:
        self.sensitivity = self.population.sensitivity * float(
            np.exp(self.rng.normal(0.0, self.population.spread))
        )
        self.side = float(self.rng.normal(0.0, self.population.side))

    def choose(self, left: str, right: str, *, ties: bool = False) -> str:
        """Return the side chosen between two texts, or the tie if the page offers one.

        Raises
        ------
        RatifyError
            When a page shows a text that is not an item.
        """
        advantage = self._value(left) - self._value(right) + self.side
        drawn, room = self.rng.random(), self.population.tie if ties else 0.0
        if drawn < 1.0 / (1.0 + np.exp(room - advantage)):
            return "left"
        return TIE if drawn < 1.0 / (1.0 + np.exp(-room - advantage)) else "right"

    def _value(self, text: str) -> float:
        quality = self.quality.get(fingerprint(text))
        if quality is None:
            raise RatifyError("a page shows a conversation that is not among the items", value=text)
        return self.sensitivity * quality + float(self.rng.normal(0.0, self.population.taste))


def fingerprint(text: str) -> str:
    """Return only the letters and digits of a text, so that markup and spacing do not matter."""
    return "".join(character for character in text if character.isalnum())


def send_bots(
    base_url: str,
    quality: Mapping[str, float],
    *,
    count: int,
    seed: int,
    population: Population | None = None,
    at_once: int = 8,
    arrived: Callable[[], None] = lambda: None,
) -> int:
    """Send simulated raters through a whole study.

    Parameters
    ----------
    base_url : str
        Where the rater pages are served.
    quality : mapping
        Valued quality (standard deviations) by `fingerprint` of an item's text.
    count : int
        Bots to send, called bot-0001 and so on.
    seed : int
        Bot i draws from the stream (seed, 3, i), so that a simulation can be repeated.
    population : Population
    at_once : int
        Bots that answer at the same time; they arrive one after the other.
    arrived : callable
        Called once for each bot that is done.

    Returns
    -------
    int
        How many finished; the others found no place.

    Raises
    ------
    RatifyError
        When a page is not what it should be.
    """
    people = population or Population()
    trusted = ssl.create_default_context()  # shared: making it takes longer than a bot's visit

    with ExitStack() as stack, ThreadPoolExecutor(max_workers=at_once) as pool:
        visits: list[tuple[int, httpx.Client, Page | None]] = []
        for number in range(1, count + 1):
            # one after the other, so that a bot gets the same sequence in every run
            client = httpx.Client(
                base_url=base_url, timeout=60.0, follow_redirects=True, verify=trusted
            )
            stack.enter_context(client)
            visits.append((number, client, arrive(client, f"bot-{number:04d}")))

        def finish(visit: tuple[int, httpx.Client, Page | None]) -> bool:
            number, client, page = visit
            bot = Bot(quality, people, stream(seed, Stream.BOT, number))
            if page is not None:
                answer_all(client, page, bot.choose)
            arrived()
            return page is not None

        return sum(pool.map(finish, visits))


def arrive(client: httpx.Client, rater_id: str) -> Page | None:
    """Open the study and consent; return the page of the next pair, or None if it is full."""
    page = _page(client.get("/", params={"rater": rater_id}))
    if "consent" in page.action:
        page = _page(client.post(page.action, data=page.fields))
    if "study-full" in page.ids:
        return None
    return _page(client.get("/trial"))


def answer_all(client: httpx.Client, page: Page, choose: Callable[..., str]) -> None:
    """Answer every pair, until the page shows the completion code.

    In practice trials and in the end survey a bot takes the first of the options, so that its
    choices between the pairs are the same with and without them.
    """
    while "completion-code" not in page.ids:
        if page.action.endswith(("/practice", "/survey")):
            page = _page(client.post(page.action, data={**page.fields, **first_options(page)}))
            continue
        if set(page.conversations) != {"A", "B"}:
            raise RatifyError(
                "bots answer pages that show two conversations, and no other",
                value=page.title,
                allowed="a pairwise plan",
            )
        offered = {"ties": True} if TIE in page.choices.get("choice", ()) else {}
        choice = choose(page.conversations["A"], page.conversations["B"], **offered)
        page = _page(client.post(page.action, data={**page.fields, "choice": choice}))


def first_options(page: Page) -> dict[str, str]:
    """Return a form's first option in every group, and invented words in its text fields."""
    chosen = {name: values[0] for name, values in page.choices.items()}
    if {"most", "least"} <= chosen.keys():  # the same response cannot be both
        chosen["least"] = page.choices["least"][-1]
    return {**chosen, **dict.fromkeys(page.texts, "Words of a simulated rater.")}


def _page(response: httpx.Response) -> Page:
    if response.status_code != 200:
        raise RatifyError(f"the server answered {response.status_code}", file=str(response.url))
    page = Page()
    page.feed(response.text)
    return page


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
