"""Send simulated raters through every page of a study, together, each as it behaves."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache

import httpx

from prereg.errors import RatifyError
from study.bots.page import Page, read_page
from study.bots.rater import SimulatedRater
from study.bots.sending import arrive

# Simulated raters that answer at the same time; they arrive one after the other.
AT_ONCE = 8
# The server answers so if the comprehension question was answered wrong.
WRONG = 422


@dataclass(frozen=True)
class Visitor:
    """A simulated rater with the id and the parameters of their link."""

    rater_id: str
    link: Mapping[str, str]
    rater: SimulatedRater


def visit(
    base_url: str, visitors: Sequence[Visitor], *, ended: Callable[[bool], None] = lambda _: None
) -> list[str]:
    """Send simulated raters through a study.

    Parameters
    ----------
    base_url : str
        Where the rater pages are served.
    visitors : sequence of Visitor
        They arrive in this order, so that each gets the same sequence in every run.
    ended : callable
        Called once for each visitor who has left: True if they went through to the end.

    Returns
    -------
    list of str
        The ids of those who left before the end without a word, in order of arrival.

    Raises
    ------
    RatifyError
        When a page is not what it should be, or the study is full.
    """
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        arrived: list[tuple[Visitor, httpx.Client, Page]] = []
        for visitor in visitors:
            client = httpx.Client(
                base_url=base_url, timeout=60.0, follow_redirects=True, verify=_trusted()
            )
            stack.enter_context(client)
            page = arrive(client, visitor.rater_id, visitor.link)
            if page is None:
                raise RatifyError("the study is full", value=visitor.rater_id)
            arrived.append((visitor, client, page))

        def finish(one: tuple[Visitor, httpx.Client, Page]) -> bool:
            visitor, client, page = one
            stayed = go_through(client, page, visitor.rater)
            ended(stayed)
            return stayed

        stayed = list(pool.map(finish, arrived))
    return [
        one.rater_id for one, to_the_end in zip(visitors, stayed, strict=True) if not to_the_end
    ]


@cache
def _trusted() -> ssl.SSLContext:
    """Return the context that all clients share: making it takes longer than a bot's visit."""
    return ssl.create_default_context()


def go_through(client: httpx.Client, page: Page, rater: SimulatedRater) -> bool:
    """Answer every page, until there is nothing to answer.

    Returns
    -------
    bool
        Whether the rater went through to the end; False if they left on the way.

    Raises
    ------
    RatifyError
        When a page is not what it should be.
    """
    answered, leaves_after = 0, rater.conduct.leaves_after
    if leaves_after == 0:
        return False
    while page.action:
        if page.action.endswith("/trial"):
            if answered == leaves_after:
                return False
            answered += 1
            fields = rater.answer(page)
        elif page.action.endswith("/comprehension"):
            fields = rater.understand(page)
        elif page.action.endswith(("/practice", "/survey")):
            fields = rater.fill_in(page)
        else:
            raise RatifyError("a simulated rater cannot answer this page", value=page.title)
        sent = client.post(page.action, data={**page.fields, **fields})
        again = page.action.endswith("/comprehension") and sent.status_code == WRONG
        page = read_page(sent, again=again)
    return True
