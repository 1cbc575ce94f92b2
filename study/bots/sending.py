"""Send bots through a study over HTTP: they load the pages and send the same forms as people."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from prereg.errors import RatifyError
from prereg.streams import Stream, stream
from prereg.tables.contract import TIE
from study.bots.bot import Bot, Population
from study.bots.page import Page, first_options, read_page


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


def arrive(
    client: httpx.Client, rater_id: str, link: Mapping[str, str] | None = None
) -> Page | None:
    """Open the study and consent; return the next page, or None if the study is full.

    Parameters
    ----------
    client : httpx.Client
    rater_id : str
    link : mapping, optional
        The parameters of the rater's link; by default only their id.
    """
    page = read_page(client.get("/", params=link or {"rater": rater_id}))
    if "consent" in page.action:
        page = read_page(client.post(page.action, data=page.fields))
    if "study-full" in page.ids:
        return None
    return read_page(client.get("/trial"))


def answer_all(client: httpx.Client, page: Page, choose: Callable[..., str]) -> None:
    """Answer every pair, until the page shows the completion code.

    In practice trials and in the end survey a bot takes the first of the options, so that its
    choices between the pairs are the same with and without them.
    """
    while "completion-code" not in page.ids:
        if page.action.endswith(("/practice", "/survey")):
            page = read_page(client.post(page.action, data={**page.fields, **first_options(page)}))
            continue
        if set(page.conversations) != {"A", "B"}:
            raise RatifyError(
                "bots answer pages that show two conversations, and no other",
                value=page.title,
                allowed="a pairwise plan",
            )
        offered = {"ties": True} if TIE in page.choices.get("choice", ()) else {}
        choice = choose(page.conversations["A"], page.conversations["B"], **offered)
        page = read_page(client.post(page.action, data={**page.fields, "choice": choice}))
